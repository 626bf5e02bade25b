package passwd

// Stored hashes above a limit are rejected before any work.

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// counted returns a Hasher whose computations are recorded instead of made.
func counted(t *testing.T, setting string, limits ...string) (h *Hasher, computed func() []recipe) {
	t.Helper()
	h, err := hasher(t, setting).WithLimits(limits...)
	if err != nil {
		t.Fatal(err)
	}
	var list []recipe
	h.watch = newStopwatch(func(h hash, _ string) bool { list = append(list, h.recipe); return false })
	return h, func() []recipe { defer func() { list = nil }(); return list }
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		limits              []string
		algorithm, old, new string
		rejected            bool
	}{
		{nil, "pbkdf2_sha256", "1000", "5000000", false},
		{nil, "pbkdf2_sha256", "1000", "5000001", true},
		{nil, "pbkdf2_sha256", "1000", "9999999", true},
		{nil, "pbkdf2_sha256", "1000", "10000001", true},
		{nil, "pbkdf2_sha256", "1000", "2147483648", true},
		{nil, "pbkdf2_sha256", "1000", "99999999999999999999", true},
		{nil, "pbkdf2_sha1", "$1$", "$5000001$", true},
		{nil, "argon2", "m=102400,t=2", "m=262144,t=4", false},
		{nil, "argon2", "m=102400,t=2", "m=65536,t=16", false}, // the same time
		{nil, "argon2", "m=102400,t=2", "m=65536,t=17", true},
		{nil, "argon2", "m=102400,t=2", "m=262145,t=1", true},
		{nil, "argon2", "t=2", "t=2147483647", true},
		{nil, "argon2", "p=8", "p=16", false},
		{nil, "argon2", "p=8", "p=17", true},
		{nil, "argon2", "m=102400", "m=4294967295", true},
		{nil, "bcrypt", "$04$", "$14$", false},
		{nil, "bcrypt", "$04$", "$15$", true},
		{nil, "bcrypt", "$04$", "$31$", true},
		{nil, "bcrypt_sha256", "$04$", "$15$", true},
		{nil, "scrypt", "16384$seasalt$8$5", "131072$seasalt$8$2", false},
		{nil, "scrypt", "16384$seasalt$8$5", "131072$seasalt$8$3", true},
		{nil, "scrypt", "16384$seasalt$8$5", "262144$seasalt$8$1", true},
		{nil, "scrypt", "$8$", "$65$", true},
		{nil, "scrypt", "$5$", "$17$", true},
		{[]string{"pbkdf2_sha256:1999"}, "pbkdf2_sha256", "1000", "1999", false},
		{[]string{"pbkdf2_sha256:1999"}, "pbkdf2_sha256", "1000", "2000", true},
		{[]string{"pbkdf2_sha256:1999"}, "pbkdf2_sha1", "$1$", "$2000$", false},
		{[]string{"pbkdf2_sha256:10000000", "bcrypt:17"}, "pbkdf2_sha256", "1000", "10000000", false},
		{[]string{"pbkdf2_sha256:10000000", "bcrypt:17"}, "bcrypt", "$04$", "$17$", false},
		{[]string{"argon2:m=102399"}, "argon2", "", "", true},
		{[]string{"argon2:t=1"}, "argon2", "m=102400", "m=131073", true}, // memory times passes
		{[]string{"argon2:p=7"}, "argon2", "", "", true},
		{[]string{"scrypt:n=16384,p=4"}, "scrypt", "", "", true},
	} {
		text := strings.Replace(valid[c.algorithm], c.old, c.new, 1)
		t.Run(fmt.Sprint(c.limits, text), func(t *testing.T) {
			h, computed := counted(t, "pbkdf2_sha256:1500", c.limits...)
			h.Check("password", "")
			unknown := computed()
			h.Check("password", text)
			work := computed()
			switch {
			case h.TooCostly(text) != c.rejected:
				t.Errorf("TooCostly = %v", !c.rejected)
			case c.rejected && fmt.Sprint(work) != fmt.Sprint(unknown):
				t.Errorf("computes %v, for an unknown user %v", work, unknown)
			case !c.rejected && (len(work) == 0 || work[0].algorithm != c.algorithm):
				t.Errorf("computes %v, not the accepted hash", work)
			case c.rejected && (h.Memory(text) != 0 || h.Outdated(text)):
				t.Errorf("reserves %d bytes, outdated: %v", h.Memory(text), h.Outdated(text))
			}
		})
	}
}

// Texts that are wrong in another way, or not hashes at all, are not called too costly.
func TestTooCostlyIsOnlyThat(t *testing.T) {
	h := cheap(t)
	for name, text := range valid {
		if h.TooCostly(text) {
			t.Error(name)
		}
	}
	for _, text := range []string{
		"", "!", Unusable(), "plaintext", "foo$99999999$salt$x", "pbkdf2_sha256$0$salt$", "pbkdf2_sha256$05000001$salt$x",
		"pbkdf2_sha256$00000000000000000000$s$x", strings.Replace(valid["pbkdf2_sha256"], "seasalt", strings.Repeat("s", 1000), 1),
		"bcrypt$$2b$99$" + strings.Repeat("!", 53), "argon2$argon2id$v=19$m=99999999,t=1,p=1$x$y$z$more",
	} {
		if h.TooCostly(text) || Identify(text).Valid {
			t.Errorf("%.60q", text)
		}
	}
}

// A hash above the package's bounds is still described, for the operator.
func TestIdentifyTooCostly(t *testing.T) {
	for text, want := range map[string]string{
		strings.Replace(valid["pbkdf2_sha256"], "1000", "99999999", 1):   "pbkdf2_sha256:99999999",
		strings.Replace(valid["bcrypt"], "$04$", "$31$", 1):              "bcrypt:31",
		strings.Replace(valid["argon2"], "m=102400", "m=1000000000", 1):  "argon2:m=1000000000,t=2,p=8,len=16",
		strings.Replace(valid["pbkdf2_sha256"], "1000", "9999999999", 1): "broken", // no int32
		strings.Replace(valid["scrypt"], "16384", "1073741824", 1):       "scrypt:n=1073741824,r=8,p=5",
	} {
		if got := Identify(text); got.String() != want || got.Valid {
			t.Errorf("%q: %q, valid: %v", text, got, got.Valid)
		}
	}
}

// What a Hasher makes is never above its own limit.
func TestOwnHashesAreWithinTheLimit(t *testing.T) {
	h := hasher(t, "pbkdf2_sha256:9000000")
	at := func(n string) string { return strings.Replace(valid["pbkdf2_sha256"], "1000", n, 1) }
	if h.TooCostly(at("9000000")) || !h.TooCostly(at("9000001")) {
		t.Error("the default limit is not raised to the hasher's own parameters")
	}
	if limited, err := hasher(t, "django-6.2").WithLimits("pbkdf2_sha256:1799999"); !errors.Is(err, ErrSetting) {
		t.Errorf("a limit below the hasher's own: %v, %v", limited, err)
	}
	for name, preset := range presets {
		h, err := New(preset)
		if err != nil || h.prefers().kind().exceeds(h.prefers(), h.prefers().kind().limit()) {
			t.Errorf("the preset %q is above the default limit: %v", name, err)
		}
	}
}

func TestWithLimits(t *testing.T) {
	h := hasher(t, "django-6.1,keep")
	limited, err := h.WithLimits("bcrypt:12", "argon2:m=65536")
	if err != nil || limited.String() != h.String() {
		t.Errorf("%v, %v, want the setting of %v", limited, err, h)
	}
	if h.TooCostly(strings.Replace(valid["bcrypt"], "$04$", "$13$", 1)) {
		t.Error("the original's limits changed")
	}
	for _, bad := range []string{
		"", "bcrypt", "bcrypt:", "bcrypt:18", "bcrypt:3", "bcrypt:x", "md5:1", "crypt:1", "foo:1", "pbkdf2_sha256:0",
		"pbkdf2_sha256:10000001", "argon2:m=1048576", "argon2:x=1", "argon2:m=", "argon2:t=0", "scrypt:n=3", "scrypt:p=65", "django-5.2",
	} {
		if limited, err := h.WithLimits(bad); !errors.Is(err, ErrSetting) {
			t.Errorf("WithLimits(%q) = %v, %v, want ErrSetting", bad, limited, err)
		}
	}
	if _, err := h.WithLimits("bcrypt:12", "bcrypt:13"); !errors.Is(err, ErrSetting) {
		t.Errorf("two limits for one algorithm: %v", err)
	}
	if _, err := new(Hasher).WithLimits(); err != nil {
		t.Error(err)
	}
}
