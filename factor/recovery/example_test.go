package recovery_test

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jotgate/jotgate/factor/recovery"
)

// digest is a stand-in for a password hash such as passwd.Hasher makes, which a program
// uses because a code has only 50 random bits.
func digest(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// Codes are created, one is used, and it works once.
func Example() {
	codes := recovery.NewCodes()
	fmt.Println(len(codes), "codes of", len(recovery.Show(codes[3])), "characters") // show them once
	hashes := make([]string, len(codes))
	for i, code := range codes {
		hashes[i] = digest(code)
	}
	row := recovery.Hashed(hashes).String() // store it

	data, err := recovery.ParseData(row) // a user has typed a code
	if err != nil {
		panic(err)
	}
	check := func(code, hash string) bool {
		return subtle.ConstantTimeCompare([]byte(digest(code)), []byte(hash)) == 1
	}
	typed := strings.ToLower(recovery.Show(codes[3]))
	i, ok := data.Find(typed, check)
	fmt.Println(i, ok)

	data = data.Use(i) // store data.String() before the login succeeds
	_, again := data.Find(typed, check)
	fmt.Println(again, data.Left(), "left")
	// Output:
	// 10 codes of 13 characters
	// 3 true
	// false 9 left
}
