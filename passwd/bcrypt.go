package passwd

// bcrypt as Django writes it: bcrypt$$2b$12$salt+digest, and bcrypt_sha256, which
// hashes the lower-case hexadecimal SHA-256 of the password instead.

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	minRounds     = 4
	maxRounds     = 17
	bcryptLongest = 72 // bytes of the password that bcrypt looks at
	bcryptDigest  = 31 // characters
	// base64 of bcrypt: https://man.openbsd.org/bcrypt_newhash.3
	bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

func bcryptAlgorithm(name string) algorithm {
	return algorithm{
		decode:  decodeBcrypt,
		make:    makeBcrypt,
		matches: matchesBcrypt,
		sound:   func(r recipe) error { return between(minRounds, r.passes, maxRounds) },
		weak:    func(r recipe) bool { return r.passes < 12 },
		setting: func(r recipe) string { return strconv.Itoa(r.passes) },
		prefer: func(text string) (recipe, error) {
			r := recipe{algorithm: name, variant: "2b", passes: 12, size: bcryptDigest}
			return r, readOne(text, &r.passes)
		},
	}
}

// decodeBcrypt splits "name$$2b$12$" and 22 characters of salt from 31 of digest.
func decodeBcrypt(encoded string) (hash, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 5 || fields[1] != "" || len(fields[4]) != 53 || strings.Trim(fields[4], bcryptAlphabet) != "" {
		return hash{}, errBroken
	}
	variant, salt, digest := fields[2], fields[4][:22], fields[4][22:]
	// Four bits of the last salt character are unused; Django compares with a
	// text in which they are zero.
	if (variant != "2a" && variant != "2b" && variant != "2y") || !strings.Contains(".Oeu", salt[21:]) {
		return hash{}, errBroken
	}
	rounds, err := number(strings.TrimPrefix(fields[3], "0"))
	if len(fields[3]) != 2 || err != nil {
		return hash{}, errBroken
	}
	return hash{recipe{algorithm: fields[0], variant: variant, passes: rounds, size: bcryptDigest}, salt, []byte(digest)}, nil
}

// matchesBcrypt lets the library compare. Plain bcrypt looks at 72 bytes only, as
// Django's does; a NUL, which Django's library refuses, never matches but costs
// the same.
func matchesBcrypt(h hash, password string) bool {
	text := fmt.Sprintf("$%s$%02d$%s%s", h.variant, h.passes, h.salt, h.digest)
	if h.algorithm == "bcrypt_sha256" {
		return bcrypt.CompareHashAndPassword([]byte(text), hexSHA256(password)) == nil
	}
	seen := password[:min(len(password), bcryptLongest)]
	return bcrypt.CompareHashAndPassword([]byte(text), []byte(seen)) == nil && !strings.Contains(password, "\x00")
}

// makeBcrypt leaves salt and text to the library. It writes 2a, the older name of
// the same computation for up to 72 bytes.
func makeBcrypt(r recipe, password string) (string, error) {
	secret := []byte(password)
	if r.algorithm == "bcrypt_sha256" {
		secret = hexSHA256(password)
	}
	if len(secret) > bcryptLongest || bytes.IndexByte(secret, 0) >= 0 {
		return "", fmt.Errorf("%w: bcrypt takes 72 bytes without NUL", ErrPassword)
	}
	text, err := bcrypt.GenerateFromPassword(secret, r.passes)
	return r.algorithm + "$$2b" + strings.TrimPrefix(string(text), "$2a"), err
}

func hexSHA256(password string) []byte {
	sum := sha256.Sum256([]byte(password))
	return hex.AppendEncode(nil, sum[:])
}
