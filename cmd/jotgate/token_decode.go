package main

// `token decode`: shows the content of a token without verifying it.

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/jotgate/jotgate/jwt"
)

type tokenDecode struct {
	Token string `arg:"" help:"The token; - reads standard input."`
}

// Help is shown below the usage line.
func (tokenDecode) Help() string {
	return `The signature is not checked: anybody can have written the token.

    jotgate token decode eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoiMSJ9.c2ln`
}

// Run prints the header and the payload.
func (c *tokenDecode) Run(a *app) error {
	token, err := a.argument(c.Token)
	if err != nil {
		return err
	}
	header, payload, err := jwt.DecodeUnverified(token)
	if err != nil {
		return fmt.Errorf("this is not a token: %w", because(err))
	}
	var b bytes.Buffer
	text := fmt.Sprintf(`{"header":%s,"payload":%s,"verified":false}`, header, payload)
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		return err
	}
	a.print(harmless(b.String()))
	a.warn("unverified: anybody can have written this token; `jotgate token verify` checks it")
	return nil
}
