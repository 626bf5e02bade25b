package passwd

// bcrypt as Django writes it: bcrypt$$2b$12$salt+digest, and bcrypt_sha256, which
// hashes the lower-case hexadecimal SHA-256 of the password instead.

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	bcryptLongest = 72 // bytes of the password that bcrypt looks at
	bcryptDigest  = 31 // characters
	// base64 of bcrypt: https://man.openbsd.org/bcrypt_newhash.3
	bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

type bcryptAlgorithm struct {
	id      string
	prehash bool // with SHA-256
}

func (a bcryptAlgorithm) name() string { return a.id }

// of is the recipe with a cost, the binary logarithm of the number of rounds.
func (a bcryptAlgorithm) of(cost int) recipe {
	return recipe{algorithm: a.id, variant: "2b", passes: cost, size: bcryptDigest}
}

// decode splits "name$$2b$12$" and 22 characters of salt from 31 of digest.
func (a bcryptAlgorithm) decode(encoded string) (hash, error) {
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
	cost, err := number(strings.TrimPrefix(fields[3], "0"))
	if len(fields[3]) != 2 || err != nil {
		return hash{}, errBroken
	}
	r := a.of(cost)
	r.variant = variant
	return hash{r, salt, []byte(digest)}, nil
}

// matches lets the library compare. Plain bcrypt looks at 72 bytes only, as
// Django's does; a NUL, which Django's library refuses, never matches but costs
// the same.
func (a bcryptAlgorithm) matches(h hash, password string) bool {
	text := fmt.Sprintf("$%s$%02d$%s%s", h.variant, h.passes, h.salt, h.digest)
	if a.prehash {
		return bcrypt.CompareHashAndPassword([]byte(text), hexSHA256(password)) == nil
	}
	seen := password[:min(len(password), bcryptLongest)]
	return bcrypt.CompareHashAndPassword([]byte(text), []byte(seen)) == nil && !strings.Contains(password, "\x00")
}

// make leaves salt and text to the library. It writes 2a, the older name of the
// same computation for up to 72 bytes.
func (a bcryptAlgorithm) make(r recipe, password string) (string, error) {
	secret := []byte(password)
	if a.prehash {
		secret = hexSHA256(password)
	}
	if len(secret) > bcryptLongest || bytes.IndexByte(secret, 0) >= 0 {
		return "", fmt.Errorf("%w: bcrypt takes at most 72 bytes and no NUL", ErrPassword)
	}
	text, err := bcrypt.GenerateFromPassword(secret, r.passes)
	return a.id + "$$2b" + strings.TrimPrefix(string(text), "$2a"), err
}

func hexSHA256(password string) []byte {
	sum := sha256.Sum256([]byte(password))
	return hex.AppendEncode(nil, sum[:])
}

// sameWork ignores the variant: its three names mean the same computation.
func (a bcryptAlgorithm) sameWork(stored, preferred recipe) bool {
	stored.variant = preferred.variant
	return stored == preferred
}

func (a bcryptAlgorithm) shortSalt(string) bool      { return false }
func (a bcryptAlgorithm) weak(r recipe) bool         { return r.passes < 12 }
func (a bcryptAlgorithm) usual() recipe              { return a.of(12) }
func (a bcryptAlgorithm) parameters(r recipe) string { return strconv.Itoa(r.passes) }
func (a bcryptAlgorithm) read(text string, r recipe) (recipe, error) {
	return r, readOne(text, &r.passes)
}
func (a bcryptAlgorithm) possible(r recipe) bool       { return r.passes >= bcrypt.MinCost }
func (a bcryptAlgorithm) exceeds(r, limit recipe) bool { return r.passes > limit.passes }
func (a bcryptAlgorithm) limit() recipe                { return a.of(14) }
func (a bcryptAlgorithm) ceiling() recipe              { return a.of(17) }
func (a bcryptAlgorithm) memory(recipe) int64          { return 0 }

// work measures both algorithms as one.
func (a bcryptAlgorithm) work(r recipe) (recipe, float64) {
	return recipe{algorithm: "bcrypt", passes: r.passes}, math.Exp2(float64(r.passes))
}
func (a bcryptAlgorithm) sample(recipe) recipe                    { return a.of(7) }
func (a bcryptAlgorithm) part(r recipe, _ float64) (recipe, bool) { return r, false }
