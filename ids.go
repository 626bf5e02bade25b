package jotgate

// Random ids.

import (
	"crypto/rand"
	"encoding/hex"
)

// randomHex returns 128 random bits in the form of Python's uuid4().hex: 32
// hex digits.
func randomHex() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never returns an error since Go 1.24: it stops the program
	return hex.EncodeToString(b[:])
}
