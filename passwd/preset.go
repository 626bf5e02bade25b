package passwd

// The setting that selects a Hasher's algorithm and parameters, and its presets.

import (
	"errors"
	"fmt"
	"strings"
)

// ErrSetting is the error of New and WithLimits for an unknown algorithm or preset,
// and for a parameter that is out of range.
var ErrSetting = errors.New("invalid password hasher setting")

// presets are the preferred hashers of Django's releases: PASSWORD_HASHERS[0] with
// its parameters, and what each release makes when Argon2PasswordHasher or
// ScryptPasswordHasher is put first.
var presets = map[string]string{
	"":              "argon2",
	"django-3.2":    "pbkdf2_sha256:260000",
	"django-4.0":    "pbkdf2_sha256:320000",
	"django-4.1":    "pbkdf2_sha256:390000",
	"django-4.2":    "pbkdf2_sha256:600000",
	"django-5.0":    "pbkdf2_sha256:720000",
	"django-5.1":    "pbkdf2_sha256:870000",
	"django-5.2":    "pbkdf2_sha256:1000000",
	"django-6.0":    "pbkdf2_sha256:1200000",
	"django-6.1":    "pbkdf2_sha256:1500000",
	"django-6.2":    "pbkdf2_sha256:1800000",
	"django-argon2": "argon2:m=102400,t=2,p=8",
}

// New returns a Hasher for a setting: an algorithm, an algorithm with parameters,
// or a preset, each optionally followed by ",keep".
//
//	argon2                              Argon2id, 19 MiB, t=2, p=1; also ""
//	argon2:m=65536,t=3,p=4,len=32       memory in KiB, passes, parallelism, digest bytes
//	pbkdf2_sha256:600000                iterations; also pbkdf2_sha1
//	bcrypt_sha256:12                    log2 of the rounds; also bcrypt
//	scrypt:n=16384,r=8,p=5              cost, block size, parallelism
//	django-3.2 … django-6.2             the default of that release of Django
//	django-argon2                       Django's Argon2PasswordHasher, in any release
//
// With ",keep", only weak hashes are outdated; see the package comment. The error is
// ErrSetting for any other setting. The limits for stored hashes are the default
// ones; see [Hasher.WithLimits].
func New(setting string) (*Hasher, error) {
	text, keep := strings.CutSuffix(setting, ",keep")
	if preset, ok := presets[text]; ok {
		text = preset
	}
	name, parameters, given := strings.Cut(text, ":")
	a, makes := algorithms[name].(maker)
	if !makes || given && parameters == "" {
		return nil, fmt.Errorf("%w: %q", ErrSetting, setting)
	}
	preferred, err := a.read(parameters, a.usual())
	if err != nil || !a.possible(preferred) || a.exceeds(preferred, a.ceiling()) {
		return nil, fmt.Errorf("%w: %q", ErrSetting, setting)
	}
	return &Hasher{preferred: preferred, keep: keep}, nil
}

// readOne reads a single number; "" leaves the value as it is.
func readOne(text string, to *int) (err error) {
	if text != "" {
		*to, err = number(text)
	}
	return err
}

// readNamed reads name=number pairs; those not named keep their value.
func readNamed(text string, to map[string]*int) error {
	for field := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(field, "=")
		if text == "" {
			return nil
		}
		if to[name] == nil {
			return ErrSetting
		}
		if err := readOne(value, to[name]); err != nil || value == "" {
			return ErrSetting
		}
	}
	return nil
}
