package passwd_test

import (
	"fmt"

	"github.com/jotgate/jotgate/passwd"
)

// A login: one call, whoever asks and whatever is stored.
func ExampleHasher_Check() {
	hasher, err := passwd.New("pbkdf2_sha256:2000") // in earnest: "argon2", or Django's preset
	if err != nil {
		fmt.Println(err)
		return
	}
	const stored = "pbkdf2_sha256$1000$seasaltSeasaltSeasalt1$P17tM337JDcVtfGsA0hDOblLHoX2IuJ5FWAnVb/u7ug="
	ok, outdated := hasher.Check("password", stored)
	fmt.Println("right password:", ok, "make it anew:", outdated)
	ok, _ = hasher.Check("Password", stored)
	fmt.Println("wrong password:", ok)
	ok, _ = hasher.Check("password", "") // no such user: as slow as the others
	fmt.Println("unknown user:", ok)
	// Output:
	// right password: true make it anew: true
	// wrong password: false
	// unknown user: false
}

// Counting what kinds of hashes a table holds.
func ExampleIdentify() {
	for _, stored := range []string{
		"argon2$argon2id$v=19$m=102400,t=2,p=8$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$UOl4WzPUu15WW4I4nHEKBw",
		"md5$lNaClSalt$d67156a049dd795b554a629f823ad540",
		passwd.Unusable(),
		"hunter2",
	} {
		fmt.Println(passwd.Identify(stored))
	}
	// Output:
	// argon2:m=102400,t=2,p=8,len=16
	// md5
	// unusable
	// broken
}

// Beside a Django 5.2 that keeps running, neither side rewrites the other's hashes.
func ExampleNew() {
	hasher, err := passwd.New("django-5.2")
	fmt.Println(hasher, err)
	hasher, err = passwd.New("argon2,keep")
	fmt.Println(hasher, err)
	// Output:
	// pbkdf2_sha256:1000000 <nil>
	// argon2:m=19456,t=2,p=1,len=32,keep <nil>
}
