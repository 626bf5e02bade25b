package passwd

// scrypt (RFC 7914) as Django's ScryptPasswordHasher writes it:
// scrypt$N$salt$r$p$base64 of 64 bytes.

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/scrypt"
)

const (
	scryptSize      = 64
	maxScryptMemory = 512 << 20 // bytes: 128*N*r
	maxScryptLanes  = 64
	maxScryptWork   = 1 << 24 // N*r*p; Django's default is 655,360
)

var scryptAlgorithm = algorithm{
	decode:  decodeScrypt,
	matches: comparing(deriveScrypt),
	make:    salting(deriveScrypt, encodeScrypt),
	sound:   soundScrypt,
	weak:    func(r recipe) bool { return r.passes*r.memory*r.lanes < 1<<17 },
	memory:  func(r recipe) int64 { return 128 * int64(r.memory) * int64(r.passes+r.lanes) },
	setting: func(r recipe) string { return fmt.Sprintf("n=%d,r=%d,p=%d", r.passes, r.memory, r.lanes) },
	prefer: func(text string) (recipe, error) {
		r := recipe{algorithm: "scrypt", passes: 1 << 14, memory: 8, lanes: 5, size: scryptSize}
		return r, readNamed(text, map[string]*int{"n": &r.passes, "r": &r.memory, "p": &r.lanes})
	},
}

func decodeScrypt(encoded string) (hash, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 6 || fields[2] == "" {
		return hash{}, errBroken
	}
	n, errN := number(fields[1])
	r, errR := number(fields[3])
	p, errP := number(fields[4])
	digest, err := unbase64(base64.StdEncoding, fields[5], scryptSize, scryptSize)
	made := recipe{algorithm: "scrypt", passes: n, memory: r, lanes: p, size: scryptSize}
	return hash{made, fields[2], digest}, firstError(errN, errR, errP, err)
}

func encodeScrypt(h hash) string {
	return fmt.Sprintf("scrypt$%d$%s$%d$%d$%s", h.passes, h.salt, h.memory, h.lanes, base64.StdEncoding.EncodeToString(h.digest))
}

func soundScrypt(r recipe) error {
	n, block, lanes := int64(r.passes), int64(r.memory), int64(r.lanes)
	switch {
	case n < 2 || n&(n-1) != 0: // a power of two
	case block < 1 || lanes < 1 || lanes > maxScryptLanes:
	case n > maxScryptWork || block > maxScryptWork: // so that the products do not overflow
	case 128*n*block > maxScryptMemory || n*block*lanes > maxScryptWork:
	default:
		return nil
	}
	return errBroken
}

func deriveScrypt(r recipe, password, salt string) []byte {
	key, err := scrypt.Key([]byte(password), []byte(salt), r.passes, r.memory, r.lanes, r.size)
	if err != nil {
		return nil // out of the library's bounds, which are wider than ours: matches nothing
	}
	return key
}
