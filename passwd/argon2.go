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

const (
	maxArgon2Memory = 512 << 10 // KiB
	maxArgon2Work   = 4 << 20   // KiB times passes
	maxArgon2Lanes  = 64
)

var argon2Algorithm = algorithm{
	decode:  decodeArgon2,
	matches: comparing(deriveArgon2),
	make:    salting(deriveArgon2, encodeArgon2),
	sound:   soundArgon2,
	weak: func(r recipe) bool {
		return r.variant != "argon2id" || r.version != 19 || r.memory*r.passes < 2*19<<10 || r.size < 16
	},
	memory: func(r recipe) int64 { return int64(r.memory) << 10 },
	salted: func(salt string) bool { return len(salt) >= saltLength },
	setting: func(r recipe) string {
		return fmt.Sprintf("m=%d,t=%d,p=%d,len=%d", r.memory, r.passes, r.lanes, r.size)
	},
	prefer: func(text string) (recipe, error) {
		r := owasp
		return r, readNamed(text, map[string]*int{"m": &r.memory, "t": &r.passes, "p": &r.lanes, "len": &r.size})
	},
}

var argon2Versions = map[string]int{"v=16": 16, "v=19": 19}

func decodeArgon2(encoded string) (hash, error) {
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
	for i, to := range []*int{&r.memory, &r.passes, &r.lanes} {
		name, value, _ := strings.Cut(fields[i], "=")
		n, err := number(value)
		if err != nil || name != "mtp"[i:i+1] {
			return errBroken
		}
		*to = n
	}
	return nil
}

func encodeArgon2(h hash) string {
	return fmt.Sprintf("argon2$%s$v=%d$m=%d,t=%d,p=%d$%s$%s", h.variant, h.version, h.memory, h.passes, h.lanes,
		base64.RawStdEncoding.EncodeToString([]byte(h.salt)), base64.RawStdEncoding.EncodeToString(h.digest))
}

// soundArgon2 keeps to the bounds of RFC 9106 section 3.1 and to our own.
func soundArgon2(r recipe) error {
	if _, known := argonType[r.variant]; !known || r.version == 0 {
		return errBroken
	}
	return firstError(
		between(1, r.lanes, maxArgon2Lanes),
		between(8*r.lanes, r.memory, maxArgon2Memory),
		between(1, r.passes, maxArgon2Work/max(r.memory, 1)),
		between(4, r.size, 128))
}

func deriveArgon2(r recipe, password, salt string) []byte {
	derive := argon2.IDKey
	switch {
	case r.version != 19 || r.variant == "argon2d":
		return deriveArgonRare(r, password, salt)
	case r.variant == "argon2i":
		derive = argon2.Key
	}
	return derive([]byte(password), []byte(salt), uint32(r.passes), uint32(r.memory), uint8(r.lanes), uint32(r.size))
}
