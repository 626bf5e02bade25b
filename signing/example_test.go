package signing_test

import (
	"fmt"
	"time"

	"github.com/jotgate/jotgate/signing"
)

func ExampleResetTokens() {
	keys, err := signing.New("golden-secret-key-golden-secret-key-golden-secret-key-0123456789")
	if err != nil {
		fmt.Println(err)
		return
	}
	tokens := signing.ResetTokens{Keys: keys} // as Django with TIME_ZONE = "UTC"
	alice := signing.Account{ID: "1", Email: "alice@example.com", Password: "pbkdf2_sha256$1000$seasalt$3p1Sk0fPpDmXUlhE1c3pZ4vTrmZV9Ab0WJ8vY5Vx0AE="}
	made := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	token := tokens.Make(alice, made)
	fmt.Println(signing.EncodeUID(alice.ID), token)
	fmt.Println("a day later:", tokens.Check(alice, token, made.AddDate(0, 0, 1)))
	fmt.Println("four days later:", tokens.Check(alice, token, made.AddDate(0, 0, 4)))
	alice.Password = "changed"
	fmt.Println("after use:", tokens.Check(alice, token, made))
	// Output:
	// MQ c05eo0-2f4dd4df38a9f6142b302d5677f07d93
	// a day later: true
	// four days later: false
	// after use: false
}
