package passwd

// Make, Check, Outdated, settings and bounds.

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// quick are settings for every algorithm that can be preferred.
var quick = []string{
	"pbkdf2_sha256:10", "pbkdf2_sha1:10", "argon2:m=16,t=1,p=2", "argon2:m=8,t=1,len=16",
	"bcrypt_sha256:4", "bcrypt:4", "scrypt:n=4,r=2,p=1",
}

func hasher(t testing.TB, setting string) *Hasher {
	t.Helper()
	h, err := New(setting)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestMakeCheck(t *testing.T) {
	for _, setting := range quick {
		t.Run(setting, func(t *testing.T) {
			h := hasher(t, setting)
			rapid.Check(t, func(t *rapid.T) {
				password := rapid.StringN(0, 60, 70).Draw(t, "password")
				if strings.HasPrefix(setting, "bcrypt:") {
					password = strings.ReplaceAll(password, "\x00", "0")
				}
				encoded, err := h.Make(password)
				if err != nil {
					t.Fatal(err)
				}
				if ok, outdated := h.Check(password, encoded); !ok || outdated {
					t.Errorf("Check(%q) = %v, %v", encoded, ok, outdated)
				}
				if ok, _ := h.Check("x"+password, encoded); ok {
					t.Errorf("Check of another password accepts %q", encoded)
				}
				if other, _ := h.Make(password); other == encoded {
					t.Errorf("the same salt twice: %q", encoded)
				}
				if len(encoded) > 128 {
					t.Errorf("%q does not fit in Django's column", encoded)
				}
			})
		})
	}
}

// TestChangedText: a hash with one character changed never matches, nor does one
// cut short or made longer, whatever that does to its meaning.
func TestChangedText(t *testing.T) {
	for _, setting := range quick {
		h := hasher(t, setting)
		encoded, err := h.Make("password")
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			i := rapid.IntRange(0, len(encoded)-1).Draw(t, "position")
			c := rapid.Byte().Filter(func(c byte) bool { return c != encoded[i] }).Draw(t, "byte")
			for _, changed := range []string{encoded[:i] + string([]byte{c}) + encoded[i+1:], encoded[:i], encoded + string([]byte{c})} {
				stored, err := parse(changed)
				if err == nil && stored.passes < 100 && stored.memory < 100 && stored.matches("password") && !equivalent(encoded, changed) {
					t.Errorf("%q still matches as %q", encoded, changed)
				}
			}
		})
	}
}

// equivalent: bcrypt's three names mean the same computation, but Django compares
// with the name that is stored.
func equivalent(a, b string) bool {
	for _, name := range []string{"$2a$", "$2y$"} {
		b = strings.Replace(b, name, "$2b$", 1)
	}
	return a == b
}

func TestZeroHasher(t *testing.T) {
	var h Hasher
	encoded, err := h.Make("password")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(encoded, "argon2$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("Make = %q", encoded)
	}
	if ok, outdated := h.Check("password", encoded); !ok || outdated {
		t.Errorf("Check = %v, %v", ok, outdated)
	}
	if got := h.Memory(""); got != 19<<20 {
		t.Errorf("Memory = %d", got)
	}
	if got := h.String(); got != hasher(t, "").String() || got != "argon2:m=19456,t=2,p=1,len=32" {
		t.Errorf("String = %q", got)
	}
}

func TestSettings(t *testing.T) {
	for setting, want := range map[string]string{
		"":                            "argon2:m=19456,t=2,p=1,len=32",
		",keep":                       "argon2:m=19456,t=2,p=1,len=32,keep",
		"argon2,keep":                 "argon2:m=19456,t=2,p=1,len=32,keep",
		"argon2:p=4,t=3,m=65536":      "argon2:m=65536,t=3,p=4,len=32",
		"django-3.2":                  "pbkdf2_sha256:260000",
		"django-4.2":                  "pbkdf2_sha256:600000",
		"django-5.2":                  "pbkdf2_sha256:1000000",
		"django-6.0":                  "pbkdf2_sha256:1200000",
		"django-6.1,keep":             "pbkdf2_sha256:1500000,keep",
		"django-6.2":                  "pbkdf2_sha256:1800000",
		"django-argon2":               "argon2:m=102400,t=2,p=8,len=32",
		"pbkdf2_sha256":               "pbkdf2_sha256:600000",
		"pbkdf2_sha1":                 "pbkdf2_sha1:1300000",
		"bcrypt_sha256":               "bcrypt_sha256:12",
		"bcrypt:13":                   "bcrypt:13",
		"scrypt":                      "scrypt:n=16384,r=8,p=5",
		"scrypt:n=32768,r=8,p=1,keep": "scrypt:n=32768,r=8,p=1,keep",
	} {
		h := hasher(t, setting)
		if got := h.String(); got != want {
			t.Errorf("New(%q) = %q, want %q", setting, got, want)
		}
		if again := hasher(t, h.String()); again.String() != want {
			t.Errorf("New(%q) = %q", h, again)
		}
	}
	for _, bad := range []string{
		"md5", "sha1", "crypt", "unsalted_md5", "django", "django-2.0", "keep", "argon2:", "argon2;m=8",
		"argon2:m=8,t=0", "argon2:m=7,t=1,p=1", "argon2:m=8,x=1", "argon2:m", "argon2:m=,t=1", "argon2:m=524289", "argon2:t=-1",
		"pbkdf2_sha256:0", "pbkdf2_sha256:10000001", "pbkdf2_sha256:01", "pbkdf2_sha256:1e6", "bcrypt:3", "bcrypt:18",
		"scrypt:n=15", "scrypt:n=1", "scrypt:p=0", "scrypt:n=1048576,r=64", "Argon2", " argon2", "argon2,keep,keep",
	} {
		if h, err := New(bad); !errors.Is(err, ErrSetting) {
			t.Errorf("New(%q) = %v, %v, want ErrSetting", bad, h, err)
		}
	}
}

func TestOutdated(t *testing.T) {
	const salt, short = "c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ", "c2Vhc2FsdFNlYXNhbHRTZWFzYWx0"
	const d16, d32 = "UOl4WzPUu15WW4I4nHEKBw", "935taGDiy8jbo0FHQZHcXcRtJx1hV5zF4fkyZvwjLi0"
	const d64 = "3vqv8bhuV70T8qE/sm/1JgaaAVCPji0UBOiBZ08T4YJshNUkRkzId6sCqfxxDbPrlelp7VLgYKxUQHS0Cqv4lw=="
	const pbkdf2 = "$o1pJHZfGLiqKuH7uqddZVdnxteGjxfOfhkf9sdvl0m8="
	for _, c := range []struct {
		name, setting, encoded string
		want                   bool
	}{
		{"same", "argon2", "argon2$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + d32, false},
		{"same, Django's other length", "argon2", "argon2$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + d16, false},
		{"a digest of 32 where 16 is made", "argon2:len=16", "argon2$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + d32, false},
		{"a digest of 20 bytes", "argon2", "argon2$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + strings.Repeat("A", 27), true},
		{"memory", "argon2", "argon2$argon2id$v=19$m=19457,t=2,p=1$" + salt + "$" + d32, true},
		{"passes", "argon2", "argon2$argon2id$v=19$m=19456,t=3,p=1$" + salt + "$" + d32, true},
		{"parallelism", "argon2", "argon2$argon2id$v=19$m=19456,t=2,p=2$" + salt + "$" + d32, true},
		{"variant", "argon2", "argon2$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + d32, true},
		{"version", "argon2", "argon2$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + d32, true},
		{"no version", "argon2", "argon2$argon2id$m=19456,t=2,p=1$" + salt + "$" + d32, true},
		{"short salt", "argon2", "argon2$argon2id$v=19$m=19456,t=2,p=1$" + short + "$" + d32, true},
		{"other algorithm", "argon2", "pbkdf2_sha256$600000$seasaltSeasaltSeasalt1" + pbkdf2, true},
		{"kept", "argon2,keep", "pbkdf2_sha256$260000$seasaltSeasaltSeasalt1" + pbkdf2, false},
		{"too weak to keep", "argon2,keep", "pbkdf2_sha256$259999$seasaltSeasaltSeasalt1" + pbkdf2, true},
		{"short salt is not kept", "argon2,keep", "pbkdf2_sha256$260000$seasaltSeasaltSeasalt" + pbkdf2, true},
		{"kept argon2", "django-6.1,keep", "argon2$argon2id$v=19$m=102400,t=2,p=8$" + salt + "$" + d16, false},
		{"weak argon2", "django-6.1,keep", "argon2$argon2id$v=19$m=1024,t=2,p=8$" + salt + "$" + d16, true},
		{"the least argon2 that is kept", "django-6.1,keep", "argon2$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + d16, false},
		{"a little less memory", "django-6.1,keep", "argon2$argon2id$v=19$m=19455,t=2,p=1$" + salt + "$" + d16, true},
		{"another variant is not kept", "django-6.1,keep", "argon2$argon2i$v=19$m=102400,t=2,p=8$" + salt + "$" + d16, true},
		{"another version is not kept", "django-6.1,keep", "argon2$argon2id$v=16$m=102400,t=2,p=8$" + salt + "$" + d16, true},
		{"a digest of 15 bytes is not kept", "django-6.1,keep", "argon2$argon2id$v=19$m=102400,t=2,p=8$" + salt + "$" + d16[:20], true},
		{"kept scrypt", "argon2,keep", "scrypt$16384$seasalt$8$1$" + d64, false},
		{"kept scrypt in parallel", "argon2,keep", "scrypt$4096$seasalt$8$4$" + d64, false},
		{"weak scrypt", "argon2,keep", "scrypt$8192$seasalt$8$1$" + d64, true},
		{"kept bcrypt", "django-6.1,keep", "bcrypt_sha256$$2b$12$ILbFkN/abp80WwhJT6FzyeLHsbR5wEs0E7.E7DzseSilo1i4NtNRy", false},
		{"weak bcrypt", "django-6.1,keep", "bcrypt_sha256$$2b$11$ILbFkN/abp80WwhJT6FzyeLHsbR5wEs0E7.E7DzseSilo1i4NtNRy", true},
		{"bcrypt's other name", "bcrypt_sha256", "bcrypt_sha256$$2a$12$ILbFkN/abp80WwhJT6FzyeLHsbR5wEs0E7.E7DzseSilo1i4NtNRy", false},
		{"retired", "argon2,keep", "md5$seasaltSeasaltSeasalt1$d67156a049dd795b554a629f823ad540", true},
		{"unusable", "argon2", Unusable(), false},
		{"broken", "argon2", "argon2$", false},
		{"empty", "argon2", "", false},
	} {
		if got := hasher(t, c.setting).Outdated(c.encoded); got != c.want {
			t.Errorf("%s: Outdated = %v", c.name, got)
		}
	}
}

// TestNoTurns: beside Django with the matching preset, neither side rewrites what
// the other made. Django's side is its must_update: any difference counts.
func TestNoTurns(t *testing.T) {
	for _, preset := range []string{"django-3.2", "django-6.1", "django-argon2"} {
		r := hasher(t, preset).prefers()
		encoded, err := r.kind().(maker).make(r, "password")
		if err != nil {
			t.Fatal(err)
		}
		if hasher(t, preset).Outdated(encoded) || hasher(t, "argon2,keep").Outdated(encoded) {
			t.Errorf("%s: what Django makes is rewritten", preset)
		}
	}
}

// What a Hasher makes is never outdated, however weak its parameters are: it would be
// replaced at every login.
func TestOwnHashesAreCurrent(t *testing.T) {
	for _, setting := range []string{"pbkdf2_sha256:1000", "argon2:m=8,t=1,p=1,len=16", "bcrypt_sha256:4", "scrypt:n=2"} {
		for _, keep := range []string{"", ",keep"} {
			h := hasher(t, setting+keep)
			encoded, err := h.Make("password")
			if err != nil {
				t.Fatal(err)
			}
			if ok, outdated := h.Check("password", encoded); !ok || outdated || h.Outdated(encoded) {
				t.Errorf("%s: %s: %v, outdated %v", h, encoded, ok, outdated)
			}
		}
	}
}

func TestPasswordBounds(t *testing.T) {
	h := cheap(t)
	encoded, err := h.Make(strings.Repeat("x", MaxPassword))
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := h.Check(strings.Repeat("x", MaxPassword), encoded); !ok {
		t.Error("the longest password does not match")
	}
	for name, password := range map[string]string{"too long": strings.Repeat("x", MaxPassword+1), "not UTF-8": "\xff"} {
		if _, err := h.Make(password); !errors.Is(err, ErrPassword) {
			t.Errorf("%s: Make = %v, want ErrPassword", name, err)
		}
	}
	if ok, _ := h.Check("\xff", "md5$a$"+"5b8c6f0a4b1f1b3a6b1a2c3d4e5f6071"); ok {
		t.Error("a password that is not UTF-8 matches")
	}
	for name, password := range map[string]string{"73 bytes": strings.Repeat("a", 73), "NUL": "a\x00b", "NUL first": "\x00b"} {
		if _, err := hasher(t, "bcrypt:4").Make(password); !errors.Is(err, ErrPassword) {
			t.Errorf("bcrypt, %s: Make = %v, want ErrPassword", name, err)
		}
	}
	if _, err := hasher(t, "bcrypt:4").Make(strings.Repeat("a", 72)); err != nil {
		t.Errorf("bcrypt, 72 bytes: %v", err)
	}
}

func TestUnusable(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		text := Unusable()
		if len(text) != 41 || IsUsable(text) || strings.Trim(text[1:], alphabet) != "" || seen[text] {
			t.Fatalf("Unusable = %q", text)
		}
		seen[text] = true
		if ok, _ := cheap(t).Check(text, text); ok {
			t.Error("an unusable password matches itself")
		}
	}
}

// TestRandomText: each of the 62 characters is as likely as the others, on which the 131 bits of a salt rest. A character that
// a careless modulus favours comes 21 % more often; chance makes a difference of 15 % in one run of 10^9.
func TestRandomText(t *testing.T) {
	const each = 2000
	seen := map[rune]int{}
	for _, c := range randomText(len(alphabet) * each) {
		seen[c]++
	}
	for _, c := range alphabet {
		if n := seen[c]; n < each*85/100 || n > each*115/100 {
			t.Errorf("%q came %d times, expected %d", c, n, each)
		}
	}
}

// TestArgon2Vectors: hashes of every variant and version by the C reference
// implementation.
func TestArgon2Vectors(t *testing.T) {
	data, err := os.ReadFile("testdata/argon2.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct{ Password, Encoded string }
	if err := json.Unmarshal(data, &vectors); err != nil || len(vectors) < 100 {
		t.Fatalf("%d vectors: %v", len(vectors), err)
	}
	for _, v := range vectors {
		stored, err := parse(v.Encoded)
		if err != nil || !stored.matches(v.Password) || stored.matches(v.Password+"x") {
			t.Errorf("%q, %q: %v", v.Encoded, v.Password, err)
		}
	}
}

// TestArgon2Rare compares the written-out Argon2 with the library's, where both can.
func TestArgon2Rare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := recipe{algorithm: "argon2", version: 19}
		r.variant = rapid.SampledFrom([]string{"argon2i", "argon2id"}).Draw(t, "variant")
		r.parallelism = rapid.IntRange(1, 5).Draw(t, "parallelism")
		r.memory = rapid.IntRange(8*r.parallelism, 300).Draw(t, "memory")
		r.passes = rapid.IntRange(1, 3).Draw(t, "passes")
		r.size = rapid.IntRange(4, 128).Draw(t, "size")
		password, salt := rapid.String().Draw(t, "password"), rapid.String().Draw(t, "salt")
		if got, want := deriveArgonRare(r, password, salt), deriveArgon2(r, password, salt); string(got) != string(want) {
			t.Errorf("%x, library %x", got, want)
		}
	})
}
