package names_test

import (
	"fmt"

	"github.com/jotgate/jotgate/passwd/names"
)

// A new username is stored in normal form; names that look alike are found with
// Fold.
func ExampleUsername() {
	username, err := names.Username("Ａlice") // with a full-width A
	fmt.Println(username, err)
	_, err = names.Username("alice bob")
	fmt.Println(err)
	fmt.Println(names.Fold("Alice") == names.Fold("аlice")) // with a Cyrillic a
	// Output:
	// Alice <nil>
	// Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.
	// true
}

// Email normalizes an address and CheckEmail checks it.
func ExampleCheckEmail() {
	address := names.Email(" Alice@Example.COM ")
	fmt.Println(address, names.CheckEmail(address))
	fmt.Println(names.CheckEmail("alice@"))
	// Output:
	// Alice@example.com <nil>
	// Enter a valid email address.
}
