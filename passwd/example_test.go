package passwd_test

import (
	"fmt"

	"github.com/jotgate/jotgate/passwd"
)

// A login makes one call of Check, also if there is no such user.
func ExampleHasher_Check() {
	hasher, err := passwd.New("pbkdf2_sha256:2000") // a program uses "", or the preset of its Django
	if err != nil {
		fmt.Println(err)
		return
	}
	const stored = "pbkdf2_sha256$1000$seasaltSeasaltSeasalt1$P17tM337JDcVtfGsA0hDOblLHoX2IuJ5FWAnVb/u7ug="
	ok, outdated := hasher.Check("password", stored)
	fmt.Println("right password:", ok, "hash it again:", outdated)
	ok, _ = hasher.Check("Password", stored)
	fmt.Println("wrong password:", ok)
	ok, _ = hasher.Check("password", "") // no such user; takes the same time
	fmt.Println("unknown user:", ok)
	// Output:
	// right password: true hash it again: true
	// wrong password: false
	// unknown user: false
}

// The kinds of hashes in a table can be counted by the result of String.
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

// If a Django 5.2 uses the same database, its parameters make neither replace the hashes
// of the other. With ",keep", the hasher replaces only weak hashes.
func ExampleNew() {
	hasher, err := passwd.New("django-5.2")
	fmt.Println(hasher, err)
	hasher, err = passwd.New("argon2,keep")
	fmt.Println(hasher, err)
	// Output:
	// pbkdf2_sha256:1000000 <nil>
	// argon2:m=19456,t=2,p=1,len=32,keep <nil>
}
