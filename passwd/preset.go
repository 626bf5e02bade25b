package passwd

// The setting that chooses a Hasher's algorithm and parameters, and its presets.

import (
	"crypto/md5"
	"crypto/sha1"
	"errors"
	"fmt"
	"strings"
)

// ErrSetting is returned by New for a setting that names no known algorithm or
// preset, or parameters out of bounds.
var ErrSetting = errors.New("unknown password hasher setting")

// owasp is the first of the equivalent Argon2id settings in OWASP's Password
// Storage Cheat Sheet that fits small machines.
var owasp = recipe{algorithm: "argon2", variant: "argon2id", version: 19, passes: 2, memory: 19 << 10, lanes: 1, size: 32}

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

// algorithms by Django's name.
var algorithms map[string]algorithm

func init() {
	algorithms = map[string]algorithm{
		"pbkdf2_sha256": pbkdf2Algorithm("pbkdf2_sha256", 32, 600_000),
		"pbkdf2_sha1":   pbkdf2Algorithm("pbkdf2_sha1", 20, 1_300_000),
		"argon2":        argon2Algorithm,
		"bcrypt_sha256": bcryptAlgorithm("bcrypt_sha256"),
		"bcrypt":        bcryptAlgorithm("bcrypt"),
		"scrypt":        scryptAlgorithm,
		"md5":           saltedDigest(md5.Size),
		"sha1":          saltedDigest(sha1.Size),
		"unsalted_md5":  unsaltedDigest("unsalted_md5", md5.Size),
		"unsalted_sha1": unsaltedDigest("unsalted_sha1", sha1.Size),
		"crypt":         cryptAlgorithm,
	}
}

// New returns a Hasher for a setting: an algorithm, an algorithm with parameters,
// or a preset, each optionally followed by ",keep".
//
//	argon2                              Argon2id, 19 MiB, t=2, p=1; also ""
//	argon2:m=65536,t=3,p=4,len=32       memory in KiB, passes, lanes, digest bytes
//	pbkdf2_sha256:600000                iterations; also pbkdf2_sha1
//	bcrypt_sha256:12                    log2 of the rounds; also bcrypt
//	scrypt:n=16384,r=8,p=5              cost, block size, lanes
//	django-3.2 … django-6.2             the default of that release
//	django-argon2                       its Argon2PasswordHasher, any release
//
// It returns ErrSetting for anything else.
func New(setting string) (*Hasher, error) {
	text, keep := strings.CutSuffix(setting, ",keep")
	if preset, ok := presets[text]; ok {
		text = preset
	}
	name, parameters, given := strings.Cut(text, ":")
	a := algorithms[name]
	if a.prefer == nil || given && parameters == "" {
		return nil, fmt.Errorf("%w: %q", ErrSetting, setting)
	}
	preferred, err := a.prefer(parameters)
	if err == nil {
		err = a.sound(preferred)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %q", ErrSetting, setting)
	}
	return &Hasher{preferred: preferred, keep: keep}, nil
}

// readOne reads a single number; nothing leaves the usual value.
func readOne(text string, to *int) (err error) {
	if text != "" {
		*to, err = number(text)
	}
	return err
}

// readNamed reads name=number pairs; those not named keep their usual value.
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

// firstError returns the first that is not nil.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
