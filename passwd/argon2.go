package passwd

// Argon2 (RFC 9106) as Django's Argon2PasswordHasher writes it:
// argon2$argon2id$v=19$m=102400,t=2,p=8$salt$digest, both in base64 without
// padding. Django's salt is ASCII text, so that base64 is wrapped around it.

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// argon2id with these parameters: memory in KiB, passes, parallelism.
func argon2id(memory, passes, parallelism int) recipe {
	return recipe{algorithm: "argon2", variant: "argon2id", version: 19, passes: passes, memory: memory, parallelism: parallelism, size: 32}
}

// owasp is the first of the equivalent Argon2id settings in OWASP's Password
// Storage Cheat Sheet that fits small machines.
var owasp = argon2id(19<<10, 2, 1)

type argon2Algorithm struct{}

func (argon2Algorithm) name() string { return "argon2" }

var argon2Versions = map[string]int{"v=16": 16, "v=19": 19}

func (argon2Algorithm) decode(encoded string) (hash, error) {
	fields := strings.Split(encoded, "$")
	r := recipe{algorithm: "argon2", version: 16} // of hashes older than the field
	if len(fields) == 6 {
		r.version = argon2Versions[fields[2]]
		fields = append(fields[:2], fields[3:]...)
	}
	if len(fields) != 5 {
		return hash{}, errBroken
	}
	r.variant = fields[1]
	if err := argon2Costs(fields[2], &r); err != nil {
		return hash{}, err
	}
	salt, err := unbase64(base64.RawStdEncoding, fields[3], 8, 128)
	if err != nil {
		return hash{}, err
	}
	digest, err := unbase64(base64.RawStdEncoding, fields[4], 4, 128)
	r.size = len(digest)
	return hash{r, string(salt), digest}, err
}

// argon2Costs reads m=…,t=…,p=… in this order, the only one that the reference
// implementation reads.
func argon2Costs(text string, r *recipe) error {
	fields := strings.Split(text, ",")
	if len(fields) != 3 {
		return errBroken
	}
	for i, to := range []*int{&r.memory, &r.passes, &r.parallelism} {
		name, value, _ := strings.Cut(fields[i], "=")
		n, err := number(value)
		if err != nil {
			return err
		}
		if name != "mtp"[i:i+1] {
			return errBroken
		}
		*to = n
	}
	return nil
}

func (argon2Algorithm) matches(h hash, password string) bool {
	return equal(deriveArgon2(h.recipe, password, h.salt), h.digest)
}

func (argon2Algorithm) make(r recipe, password string) (string, error) {
	salt := randomText(saltLength)
	return encodeArgon2(hash{r, salt, deriveArgon2(r, password, salt)}), nil
}

func encodeArgon2(h hash) string {
	return fmt.Sprintf("argon2$%s$v=%d$m=%d,t=%d,p=%d$%s$%s", h.variant, h.version, h.memory, h.passes, h.parallelism,
		base64.RawStdEncoding.EncodeToString([]byte(h.salt)), base64.RawStdEncoding.EncodeToString(h.digest))
}

func deriveArgon2(r recipe, password, salt string) []byte {
	derive := argon2.IDKey
	switch {
	case r.version != 19 || r.variant == "argon2d":
		return deriveArgonRare(r, password, salt)
	case r.variant == "argon2i":
		derive = argon2.Key
	}
	return derive([]byte(password), []byte(salt), uint32(r.passes), uint32(r.memory), uint8(r.parallelism), uint32(r.size))
}

func (argon2Algorithm) shortSalt(salt string) bool { return len(salt) < saltLength }
func (argon2Algorithm) usual() recipe              { return owasp }

func (argon2Algorithm) weak(r recipe) bool {
	return r.variant != "argon2id" || r.version != 19 || argon2Work(r) < argon2Work(owasp) || r.size < 16
}

// sameWork accepts digests of 16 and of 32 bytes alike: Django's length depends on
// its argon2-cffi.
func (argon2Algorithm) sameWork(stored, preferred recipe) bool {
	if stored.size == 16 || stored.size == 32 {
		stored.size = preferred.size
	}
	return stored == preferred
}

func (argon2Algorithm) parameters(r recipe) string {
	return fmt.Sprintf("m=%d,t=%d,p=%d,len=%d", r.memory, r.passes, r.parallelism, r.size)
}

func (argon2Algorithm) read(text string, r recipe) (recipe, error) {
	err := readNamed(text, map[string]*int{"m": &r.memory, "t": &r.passes, "p": &r.parallelism, "len": &r.size})
	return r, err
}

// possible follows RFC 9106 section 3.1.
func (argon2Algorithm) possible(r recipe) bool {
	_, known := argonType[r.variant]
	return known && r.version != 0 && r.passes >= 1 && r.parallelism >= 1 && r.memory/8 >= r.parallelism && r.size >= 4 && r.size <= 128
}

// exceeds compares the memory, the memory times the passes, which is the time, and
// the parallelism.
func (argon2Algorithm) exceeds(r, limit recipe) bool {
	return r.memory > limit.memory || argon2Work(r) > argon2Work(limit) || r.parallelism > limit.parallelism
}

// argon2Work is the memory times the passes, in KiB. A float64 does not overflow.
func argon2Work(r recipe) float64 { return float64(r.memory) * float64(r.passes) }

func (argon2Algorithm) limit() recipe                   { return argon2id(256<<10, 4, 16) }
func (argon2Algorithm) ceiling() recipe                 { return argon2id(512<<10, 8, 64) }
func (argon2Algorithm) memory(r recipe) int64           { return int64(r.memory) << 10 }
func (argon2Algorithm) work(r recipe) (recipe, float64) { return r, 1 }
func (argon2Algorithm) sample(r recipe) recipe          { return r }

func (argon2Algorithm) part(r recipe, share float64) (recipe, bool) {
	r.memory = max(8*r.parallelism, int(float64(r.memory)*share))
	return r, true
}
