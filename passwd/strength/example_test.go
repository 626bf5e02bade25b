package strength_test

import (
	"fmt"

	"github.com/jotgate/jotgate/passwd/strength"
)

func ExampleRules_Check() {
	for _, p := range strength.Default().Check("alice", strength.Attribute{Label: "username", Value: "alice"}) {
		fmt.Println(p.Code, "-", p.Message)
	}
	// Output:
	// password_too_similar - The password is too similar to the username.
	// password_too_short - This password is too short. It must contain at least 8 characters.
	// password_too_common - This password is too common.
}
