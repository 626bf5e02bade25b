// Package breached reports whether a password is in a list of passwords that
// attackers know: an offline [File], or the range API of Have I Been Pwned ([API]).
//
// Open a list and call Contains, or pass the list to jotgate as
// Settings.BreachedPasswords:
//
//	list, err := breached.Open("breached.bin") // a file that Build has written
//	found, err := list.Contains(ctx, password)
//
// A File is the safe choice: it needs no connection, and no other server learns when
// a password is checked. [Build] writes one.
//
// Both compare SHA-1 digests, because the lists are published as such. The digests
// protect no secret: every password in a list is already public. Everything in this
// package is safe for concurrent use.
package breached

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
)

// A List is a list of passwords. Its method may be called concurrently.
type List interface {
	// Contains reports whether the password is in the list. If it returns an
	// error, it is not known whether it is.
	Contains(ctx context.Context, password string) (bool, error)
}

// Any returns a list of the passwords that are in any of the lists. They are
// searched in order, until one contains the password. If none does, the error joins
// those of the lists that could not be read.
func Any(lists ...List) List { return anyOf(lists) }

type anyOf []List

func (lists anyOf) Contains(ctx context.Context, password string) (bool, error) {
	var problems []error
	for _, list := range lists {
		found, err := list.Contains(ctx, password)
		if found && err == nil {
			return true, nil
		}
		problems = append(problems, err)
	}
	return false, errors.Join(problems...)
}

// prefixOf returns what a File keeps of a password: the first 64 bits of its
// SHA-1 digest. In a list of a billion passwords, one of 18 billion other
// passwords is found by chance.
func prefixOf(password string) uint64 {
	digest := sha1.Sum([]byte(password))
	return binary.BigEndian.Uint64(digest[:])
}
