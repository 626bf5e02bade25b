package passwd

// PBKDF2 (RFC 8018) as Django's PBKDF2PasswordHasher and PBKDF2SHA1PasswordHasher
// write it: algorithm$iterations$salt$base64.

import (
	"crypto/pbkdf2"
	"encoding/base64"
	"fmt"
	gohash "hash"
	"math/bits"
	"strconv"
	"strings"
)

type pbkdf2Algorithm struct {
	id         string
	digest     func() gohash.Hash
	size       int // digest bytes
	iterations int // of a new hash, by default
}

func (a pbkdf2Algorithm) name() string { return a.id }

func (a pbkdf2Algorithm) of(iterations int) recipe {
	return recipe{algorithm: a.id, passes: iterations, size: a.size}
}

func (a pbkdf2Algorithm) decode(encoded string) (hash, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 4 || fields[2] == "" {
		return hash{}, errBroken
	}
	iterations, err := number(fields[1])
	if err != nil {
		return hash{}, err
	}
	digest, err := unbase64(base64.StdEncoding, fields[3], a.size, a.size)
	return hash{a.of(iterations), fields[2], digest}, err
}

func (a pbkdf2Algorithm) matches(h hash, password string) bool {
	return equal(a.derive(h.recipe, password, h.salt), h.digest)
}

func (a pbkdf2Algorithm) make(r recipe, password string) (string, error) {
	salt := randomText(saltLength)
	digest := a.derive(r, password, salt)
	return fmt.Sprintf("%s$%d$%s$%s", a.id, r.passes, salt, base64.StdEncoding.EncodeToString(digest)), nil
}

func (a pbkdf2Algorithm) derive(r recipe, password, salt string) []byte {
	key, err := pbkdf2.Key(a.digest, password, []byte(salt), r.passes, a.size)
	if err != nil {
		return nil // only under GODEBUG=fips140=only, for short salts: matches nothing
	}
	return key
}

func (a pbkdf2Algorithm) shortSalt(salt string) bool { return !longSalt(salt) }
func (a pbkdf2Algorithm) weak(r recipe) bool         { return r.passes < 260_000 }
func (a pbkdf2Algorithm) usual() recipe              { return a.of(a.iterations) }
func (a pbkdf2Algorithm) sameWork(r, p recipe) bool  { return r == p }
func (a pbkdf2Algorithm) parameters(r recipe) string { return strconv.Itoa(r.passes) }
func (a pbkdf2Algorithm) read(text string, r recipe) (recipe, error) {
	return r, readOne(text, &r.passes)
}
func (a pbkdf2Algorithm) possible(r recipe) bool       { return r.passes >= 1 }
func (a pbkdf2Algorithm) exceeds(r, limit recipe) bool { return r.passes > limit.passes }
func (a pbkdf2Algorithm) limit() recipe                { return a.of(5_000_000) }
func (a pbkdf2Algorithm) ceiling() recipe              { return a.of(10_000_000) }
func (a pbkdf2Algorithm) memory(recipe) int64          { return 0 }
func (a pbkdf2Algorithm) sample(recipe) recipe         { return a.of(4096) }
func (a pbkdf2Algorithm) work(r recipe) (recipe, float64) {
	return recipe{algorithm: a.id, passes: bits.Len(uint(r.passes))}, float64(r.passes)
}

func (a pbkdf2Algorithm) part(r recipe, share float64) (recipe, bool) {
	return a.of(max(1, int(float64(r.passes)*share))), true
}

// unbase64 decodes text of low to high bytes. Only the one canonical spelling is
// accepted (the decoder alone would skip line ends and unused bits).
func unbase64(encoding *base64.Encoding, text string, low, high int) ([]byte, error) {
	data, err := encoding.DecodeString(text)
	if err != nil || len(data) < low || len(data) > high || encoding.EncodeToString(data) != text {
		return nil, errBroken
	}
	return data, nil
}
