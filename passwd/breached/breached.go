// Package breached reports whether a password is in a list of passwords that
// attackers have: an offline File, or the range API of Have I Been Pwned.
//
//	list, err := breached.Open("breached.bin")        // made by Build
//	found, err := list.Contains(ctx, password)
//
// Both compare SHA-1 digests, because that is how the lists are published. The
// digest protects nothing here; a list holds no more than its publisher made
// known. All of it can be called concurrently.
package breached

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
)

// A List is a list of passwords.
type List interface {
	// Contains reports whether the password is in the list. If the error is not
	// nil, that is not known.
	Contains(ctx context.Context, password string) (bool, error)
}

// Any returns a list of the passwords that are in any of the lists. They are
// asked in order, until one contains the password. The error is that of all
// lists that could not be read, if no other list contains the password.
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
