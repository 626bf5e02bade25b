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
	scryptSize           = 64
	maxScryptParallelism = 64
)

type scryptAlgorithm struct{}

func (scryptAlgorithm) name() string { return "scrypt" }

// of is the recipe for N, r and p.
func (scryptAlgorithm) of(n, r, p int) recipe {
	return recipe{algorithm: "scrypt", passes: n, memory: r, parallelism: p, size: scryptSize}
}

func (a scryptAlgorithm) decode(encoded string) (hash, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 6 || fields[2] == "" {
		return hash{}, errBroken
	}
	n, errN := number(fields[1])
	r, errR := number(fields[3])
	p, errP := number(fields[4])
	digest, err := unbase64(base64.StdEncoding, fields[5], scryptSize, scryptSize)
	return hash{a.of(n, r, p), fields[2], digest}, firstError(err, errN, errR, errP)
}

func (a scryptAlgorithm) matches(h hash, password string) bool {
	return equal(a.derive(h.recipe, password, h.salt), h.digest)
}

func (a scryptAlgorithm) make(r recipe, password string) (string, error) {
	salt := randomText(saltLength)
	digest := base64.StdEncoding.EncodeToString(a.derive(r, password, salt))
	return fmt.Sprintf("scrypt$%d$%s$%d$%d$%s", r.passes, salt, r.memory, r.parallelism, digest), nil
}

func (scryptAlgorithm) derive(r recipe, password, salt string) []byte {
	key, err := scrypt.Key([]byte(password), []byte(salt), r.passes, r.memory, r.parallelism, r.size)
	if err != nil {
		return nil // out of the library's bounds, which are wider than ours: matches nothing
	}
	return key
}

func (scryptAlgorithm) shortSalt(string) bool     { return false }
func (scryptAlgorithm) weak(r recipe) bool        { return scryptWork(r) < 1<<17 }
func (a scryptAlgorithm) usual() recipe           { return a.of(1<<14, 8, 5) }
func (scryptAlgorithm) sameWork(r, p recipe) bool { return r == p }

func (scryptAlgorithm) parameters(r recipe) string {
	return fmt.Sprintf("n=%d,r=%d,p=%d", r.passes, r.memory, r.parallelism)
}

func (scryptAlgorithm) read(text string, r recipe) (recipe, error) {
	err := readNamed(text, map[string]*int{"n": &r.passes, "r": &r.memory, "p": &r.parallelism})
	return r, err
}

// possible follows RFC 7914 section 2: N is a power of two.
func (scryptAlgorithm) possible(r recipe) bool {
	return r.passes >= 2 && r.passes&(r.passes-1) == 0 && r.memory >= 1 && r.parallelism >= 1
}

// exceeds compares the memory, N times r, and the time, which p multiplies.
func (scryptAlgorithm) exceeds(r, limit recipe) bool {
	return scryptBlocks(r) > scryptBlocks(limit) || scryptWork(r) > scryptWork(limit) || r.parallelism > maxScryptParallelism
}

// Products of three int31 overflow an int64 but not a float64.
func scryptBlocks(r recipe) float64 { return float64(r.passes) * float64(r.memory) }
func scryptWork(r recipe) float64   { return scryptBlocks(r) * float64(r.parallelism) }

func (a scryptAlgorithm) limit() recipe   { return a.of(1<<17, 8, 2) } // 128 MiB; Django's default is 2^14, 8, 5
func (a scryptAlgorithm) ceiling() recipe { return a.of(1<<19, 8, 4) } // 512 MiB

func (scryptAlgorithm) memory(r recipe) int64 {
	return 128 * int64(r.memory) * int64(r.passes+r.parallelism)
}
func (scryptAlgorithm) work(r recipe) (recipe, float64)         { return r, 1 }
func (scryptAlgorithm) sample(r recipe) recipe                  { return r }
func (scryptAlgorithm) part(r recipe, _ float64) (recipe, bool) { return r, false }
