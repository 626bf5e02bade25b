package passwd

// The list of algorithms, and what each has to define.

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
)

// algorithms are all that a Hasher reads, by Django's name. A new one is an
// element of the list below; CONTRIBUTING.md has the recipe.
var algorithms = byName(
	pbkdf2Algorithm{"pbkdf2_sha256", sha256.New, sha256.Size, 600_000},
	pbkdf2Algorithm{"pbkdf2_sha1", sha1.New, sha1.Size, 1_300_000},
	argon2Algorithm{},
	bcryptAlgorithm{"bcrypt_sha256", true},
	bcryptAlgorithm{"bcrypt", false},
	scryptAlgorithm{},
	saltedDigest{"md5", md5Sum, md5.Size, free{}},
	saltedDigest{"sha1", sha1Sum, sha1.Size, free{}},
	unsaltedDigest{"unsalted_md5", md5Sum, md5.Size, free{}},
	unsaltedDigest{"unsalted_sha1", sha1Sum, sha1.Size, free{}},
	cryptAlgorithm{},
)

func byName(list ...algorithm) map[string]algorithm {
	m := make(map[string]algorithm, len(list))
	for _, a := range list {
		m[a.name()] = a
	}
	return m
}

// An algorithm is one of Django's password hashers: how its texts are written and
// computed, and what they cost. No property has a default, so a type that lacks
// one does not compile; TestEveryAlgorithm checks what they return.
type algorithm interface {
	// name is Django's name, with which its texts begin.
	name() string
	// decode parses a text. It returns errBroken unless Django could have
	// written it so, because Django compares texts.
	decode(encoded string) (hash, error)
	// matches compares in constant time. The parameters have been checked.
	matches(h hash, password string) bool
	// shortSalt reports a salt of less than 128 bits, if Django looks at that.
	shortSalt(salt string) bool
	// weak reports parameters below Django 3.2's default.
	weak(r recipe) bool
	pricing
}

// pricing is what an algorithm costs.
type pricing interface {
	// parameters are the adjustable ones in the form that New reads, "" for an
	// algorithm without any. read is the reverse; parameters that the text does
	// not name keep their value in r.
	parameters(r recipe) string
	read(text string, r recipe) (recipe, error)
	// possible reports parameters that the algorithm is defined for.
	possible(r recipe) bool
	// exceeds reports that r costs more than limit, in time, memory or
	// parallelism. It must not overflow, whatever a stored text says.
	exceeds(r, limit recipe) bool
	// limit is the most that is accepted by default, about a second of one
	// processor core; ceiling is the most that a setting can raise it to.
	limit() recipe
	ceiling() recipe
	// memory is what the computation takes, in bytes.
	memory(r recipe) int64
	// work splits the cost into a number of units and the kind of unit whose
	// time is measured. The number is 0 for an algorithm that costs next to
	// nothing. Runs of very different length are of different kinds, because
	// on a busy machine only the long ones are interrupted.
	work(r recipe) (unit recipe, count float64)
	// sample is a recipe of the same algorithm that is worth measuring and
	// soon done.
	sample(r recipe) recipe
	// part is a recipe with a share (0 to 1) of the work, if the algorithm can
	// be divided finely. It behaves as the whole does on a busy machine.
	part(r recipe, share float64) (part recipe, divisible bool)
}

// A maker is an algorithm that also makes new hashes.
type maker interface {
	algorithm
	// usual is the recipe that New selects for the name alone.
	usual() recipe
	// make returns a whole text with a new random salt.
	make(r recipe, password string) (string, error)
	// sameWork compares what Django's must_update does, the salt apart.
	sameWork(stored, preferred recipe) bool
}

// free is the pricing of algorithms that have no parameters and cost next to
// nothing. Django has retired all of them.
type free struct{}

func (free) parameters(recipe) string                { return "" }
func (free) read(string, recipe) (recipe, error)     { return recipe{}, ErrSetting }
func (free) possible(recipe) bool                    { return true }
func (free) exceeds(recipe, recipe) bool             { return false }
func (free) limit() recipe                           { return recipe{} }
func (free) ceiling() recipe                         { return recipe{} }
func (free) memory(recipe) int64                     { return 0 }
func (free) work(recipe) (recipe, float64)           { return recipe{}, 0 }
func (free) sample(r recipe) recipe                  { return r }
func (free) part(r recipe, _ float64) (recipe, bool) { return r, false }
func (free) weak(recipe) bool                        { return true }

// equal compares digests in constant time.
func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// longSalt is Django's must_update_salt for alphanumeric salts.
func longSalt(salt string) bool { return len([]rune(salt)) >= saltLength }
