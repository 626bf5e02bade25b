// Package emailcode makes and compares the codes with which users log in by e-mail. The
// two calls to make are [Make] and [Match]:
//
//	code := emailcode.Make(secret, id)       // such as BCDF-GHJK, to be sent
//	ok := emailcode.Match(typed, secret, id) // later
//
// A code has eight consonants, so it spells no word and has no character that looks like
// a digit: 34 bits. It is computed from a random id and a secret of the server, so it
// need not be stored. A code of 34 bits is safe only if the caller makes each id usable
// once, lets it expire soon, and limits the attempts. The functions may be called
// concurrently.
package emailcode

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"strings"
)

const (
	alphabet = "BCDFGHJKLMNPQRSTVWXZ"
	// Length is the number of characters of a code, without the hyphen.
	Length = 8
	// maxInput is the longest text that Normalize reads, in bytes.
	maxInput = 64
)

// Make returns the code of an id, such as BCDF-GHJK. The same secret and id always make
// the same code. The id is a random text that clients cannot choose.
func Make(secret, id string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte("jotgate login code: " + id))
	n := binary.BigEndian.Uint64(mac.Sum(nil)) // 64 bits for 34: no character is more likely by more than 2^-29
	var code [Length]byte
	for i := range code {
		code[i] = alphabet[n%uint64(len(alphabet))]
		n /= uint64(len(alphabet))
	}
	return format(string(code[:]))
}

func format(code string) string { return code[:Length/2] + "-" + code[Length/2:] }

// Normalize returns a typed code as Make writes it: users may type it in lower case, with
// spaces, or without the hyphen. It returns "" for a text that is not a code.
func Normalize(typed string) string {
	if len(typed) > maxInput {
		return ""
	}
	code := strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == ' ':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, typed)
	if len(code) != Length || strings.Trim(code, alphabet) != "" {
		return ""
	}
	return format(code)
}

// Match reports whether a typed code is the code of the id. It compares in constant time.
func Match(typed, secret, id string) bool {
	return subtle.ConstantTimeCompare([]byte(Normalize(typed)), []byte(Make(secret, id))) == 1
}
