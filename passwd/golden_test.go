package passwd

// What Django recorded: every hash, its parts, must_update, and what is broken.

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/passwd/internal/golden"
)

type recording struct {
	Hashers map[string]map[string]any `json:"hashers"`
	Vectors []vector                  `json:"vectors"`
	Broken  []broken                  `json:"unusable_and_broken"`
}

type vector struct {
	Hasher, Password, Encoded, Error string
	Check                            *bool
	CheckWrong                       bool           `json:"check_wrong"`
	MustUpdate                       bool           `json:"must_update"`
	Decoded                          map[string]any `json:"decoded"`
}

type broken struct {
	Encoded       string `json:"encoded"`
	Usable        bool   `json:"is_password_usable"`
	Check         bool   `json:"check"` // false also where Django raises an error
	Identify      string `json:"identify"`
	IdentifyError string `json:"identify_raises"`
}

func TestGoldenHashes(t *testing.T) {
	golden.Each(t, "testdata", "hashes_*.json", func(t *testing.T, r recording) {
		for i, v := range r.Vectors {
			name := fmt.Sprintf("%d %s %.20q", i, v.Hasher, v.Password)
			if v.Error != "" {
				goldenError(t, name, v)
				continue
			}
			if hasher := r.Hashers[v.Hasher]; v.Check == nil || hasher["algorithm"] == nil {
				t.Errorf("%s: this is not understood: no check, or a hasher that is not told", name)
				continue
			}
			goldenVector(t, name, r.Hashers[v.Hasher], v)
		}
	})
}

func goldenVector(t *testing.T, name string, hasher map[string]any, v vector) {
	stored, err := parse(v.Encoded)
	if got := err == nil && stored.matches(v.Password); got != *v.Check {
		t.Errorf("%s: check = %v (%v), recorded %v", name, got, err, *v.Check)
	}
	if got := err == nil && stored.matches(v.Password+"x"); got != v.CheckWrong {
		t.Errorf("%s: check with x appended = %v, recorded %v", name, got, v.CheckWrong)
	}
	if got := mustUpdate(t, hasher, v.Encoded); got != v.MustUpdate {
		t.Errorf("%s: must_update = %v, recorded %v", name, got, v.MustUpdate)
	}
	if err == nil {
		goldenDecoded(t, name, stored, v.Decoded)
	}
}

// mustUpdate asks a Hasher with the parameters of the recorded one, where it can
// prefer them. The others have only a salt to look at.
func mustUpdate(t *testing.T, hasher map[string]any, encoded string) bool {
	setting := hasher["algorithm"].(string)
	switch setting {
	case "pbkdf2_sha256", "pbkdf2_sha1":
		setting += fmt.Sprintf(":%v", int(hasher["iterations"].(float64)))
	case "argon2":
		setting += fmt.Sprintf(":t=%v,m=%v,p=%v", hasher["time_cost"], int(hasher["memory_cost"].(float64)), hasher["parallelism"])
	case "bcrypt", "bcrypt_sha256":
		setting += fmt.Sprintf(":%v", hasher["rounds"])
	case "scrypt":
		setting += fmt.Sprintf(":n=%v,r=%v,p=%v", hasher["work_factor"], hasher["block_size"], hasher["parallelism"])
	default:
		stored, err := parse(encoded)
		return err == nil && stored.shortSalt()
	}
	h, err := New(setting)
	if err != nil {
		t.Fatal(err)
	}
	return h.Outdated(encoded)
}

func goldenDecoded(t *testing.T, name string, stored hash, recorded map[string]any) {
	got := map[string]any{
		"algorithm": stored.algorithm, "salt": stored.salt, "iterations": stored.passes, "work_factor": stored.passes,
		"time_cost": stored.passes, "memory_cost": stored.memory, "block_size": stored.memory, "parallelism": stored.parallelism,
		"variety": stored.variant, "version": stored.version, "algostr": stored.variant, "checksum": string(stored.digest),
	}
	for part, want := range recorded {
		if value, ok := got[part]; ok && want != nil && part != "salt" && fmt.Sprint(value) != number64(want) {
			t.Errorf("%s: %s = %v, recorded %v", name, part, value, want)
		}
	}
	// crypt keeps the salt in the hash.
	if want := recorded["salt"]; want != nil && want != "" && want != stored.salt {
		t.Errorf("%s: salt = %q, recorded %q", name, stored.salt, want)
	}
}

// number64 prints a JSON number without an exponent.
func number64(v any) string {
	if f, ok := v.(float64); ok {
		return fmt.Sprint(int64(f))
	}
	return fmt.Sprint(v)
}

// goldenError: Django could not make these; where it was not for a missing library,
// neither may a Hasher.
func goldenError(t *testing.T, name string, v vector) {
	if strings.Contains(v.Error, "Couldn't load") {
		return
	}
	h, err := New("bcrypt:4")
	if err != nil || v.Hasher != "BCryptPasswordHasher" {
		t.Fatalf("%s: unexpected kind of error: %s", name, v.Error)
	}
	if _, err := h.Make(v.Password); !errors.Is(err, ErrPassword) {
		t.Errorf("%s: Make = %v, recorded %s", name, err, v.Error)
	}
}

func TestGoldenBroken(t *testing.T) {
	h := cheap(t)
	golden.Each(t, "testdata", "hashes_*.json", func(t *testing.T, r recording) {
		loaded := map[any]bool{}
		for _, hasher := range r.Hashers {
			loaded[hasher["algorithm"]] = true
		}
		for _, b := range r.Broken {
			if got := IsUsable(b.Encoded); got != b.Usable {
				t.Errorf("%q: IsUsable = %v", b.Encoded, got)
			}
			for _, password := range []string{"", "password", "x"} {
				if got, _ := h.Check(password, b.Encoded); got != b.Check {
					t.Errorf("%q: Check(%q) = %v", b.Encoded, password, got)
				}
			}
			got := Identify(b.Encoded)
			if b.Identify != "" && got.Algorithm != b.Identify {
				t.Errorf("%q: Identify = %q, recorded %q", b.Encoded, got.Algorithm, b.Identify)
			}
			if b.IdentifyError != "" && loaded[got.Algorithm] {
				t.Errorf("%q: Identify = %q, recorded %q", b.Encoded, got.Algorithm, b.IdentifyError)
			}
			if got.Valid {
				t.Errorf("%q: Identify says valid", b.Encoded)
			}
		}
	})
}

// cheap returns a Hasher for tests that do not care about strength.
func cheap(t testing.TB) *Hasher {
	t.Helper()
	h, err := New("pbkdf2_sha256:1000")
	if err != nil {
		t.Fatal(err)
	}
	return h
}
