package passwd

// PBKDF2 (RFC 8018) as Django's PBKDF2PasswordHasher and PBKDF2SHA1PasswordHasher
// write it: algorithm$iterations$salt$base64.

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

const maxIterations = 10_000_000

func pbkdf2Algorithm(name string, size, usual int) algorithm {
	return algorithm{
		decode:  func(encoded string) (hash, error) { return decodePBKDF2(encoded, size) },
		matches: comparing(derivePBKDF2),
		make:    salting(derivePBKDF2, encodePBKDF2),
		sound:   func(r recipe) error { return between(1, r.passes, maxIterations) },
		weak:    func(r recipe) bool { return r.passes < 260_000 },
		salted:  longSalt,
		setting: func(r recipe) string { return strconv.Itoa(r.passes) },
		prefer: func(text string) (recipe, error) {
			r := recipe{algorithm: name, passes: usual, size: size}
			return r, readOne(text, &r.passes)
		},
	}
}

func decodePBKDF2(encoded string, size int) (hash, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 4 || fields[2] == "" {
		return hash{}, errBroken
	}
	iterations, err := number(fields[1])
	if err != nil {
		return hash{}, err
	}
	digest, err := unbase64(base64.StdEncoding, fields[3], size, size)
	return hash{recipe{algorithm: fields[0], passes: iterations, size: size}, fields[2], digest}, err
}

func encodePBKDF2(h hash) string {
	return fmt.Sprintf("%s$%d$%s$%s", h.algorithm, h.passes, h.salt, base64.StdEncoding.EncodeToString(h.digest))
}

func derivePBKDF2(r recipe, password, salt string) []byte {
	var key []byte
	var err error
	if r.algorithm == "pbkdf2_sha1" {
		key, err = pbkdf2.Key(sha1.New, password, []byte(salt), r.passes, r.size)
	} else {
		key, err = pbkdf2.Key(sha256.New, password, []byte(salt), r.passes, r.size)
	}
	if err != nil {
		return nil // only under GODEBUG=fips140=only, for short salts: matches nothing
	}
	return key
}

// unbase64 decodes text of low to high bytes; only the one canonical spelling is
// accepted (the decoder alone would skip line ends and unused bits).
func unbase64(encoding *base64.Encoding, text string, low, high int) ([]byte, error) {
	data, err := encoding.DecodeString(text)
	if err != nil || len(data) < low || len(data) > high || encoding.EncodeToString(data) != text {
		return nil, errBroken
	}
	return data, nil
}
