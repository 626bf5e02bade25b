package passwd

// Stored texts: what is refused, what they are called, what they cost.

import (
	"encoding/base64"
	"strings"
	"testing"
)

// valid has one text for every algorithm; the password is "password".
var valid = map[string]string{
	"pbkdf2_sha256": "pbkdf2_sha256$1000$seasaltSeasaltSeasalt1$P17tM337JDcVtfGsA0hDOblLHoX2IuJ5FWAnVb/u7ug=",
	"pbkdf2_sha1":   "pbkdf2_sha1$1$seasaltSeasaltSeasalt1$y5RoBOxy3zciR1QlsD5iE6f27DU=",
	"argon2":        "argon2$argon2id$v=19$m=102400,t=2,p=8$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$UOl4WzPUu15WW4I4nHEKBw",
	"bcrypt_sha256": "bcrypt_sha256$$2b$04$ILbFkN/abp80WwhJT6FzyeLHsbR5wEs0E7.E7DzseSilo1i4NtNRy",
	"bcrypt":        "bcrypt$$2b$04$0bjl.1JF6RDj.ZdlIUJZEuZnU1xoyVYCNLcJkkTbUnZ2KlOjEtHEW",
	"scrypt":        "scrypt$16384$seasalt$8$5$3vqv8bhuV70T8qE/sm/1JgaaAVCPji0UBOiBZ08T4YJshNUkRkzId6sCqfxxDbPrlelp7VLgYKxUQHS0Cqv4lw==",
	"md5":           "md5$lNaClSalt$d67156a049dd795b554a629f823ad540",
	"sha1":          "sha1$lNaClSalt$f1707ea6b94fd9b8adf687da329b71e63893b871",
	"unsalted_md5":  "5f4dcc3b5aa765d61d8327deb882cf99",
	"unsalted_sha1": "sha1$$5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
	"crypt":         "crypt$$abJnggxhB/yWI",
}

func TestIdentify(t *testing.T) {
	for text, want := range map[string]string{
		valid["pbkdf2_sha256"]: "pbkdf2_sha256:1000", valid["pbkdf2_sha1"]: "pbkdf2_sha1:1",
		valid["argon2"]: "argon2:m=102400,t=2,p=8,len=16", valid["bcrypt_sha256"]: "bcrypt_sha256:4",
		valid["bcrypt"]: "bcrypt:4", valid["scrypt"]: "scrypt:n=16384,r=8,p=5", valid["md5"]: "md5",
		valid["sha1"]: "sha1", valid["unsalted_md5"]: "unsalted_md5", "md5$$" + valid["unsalted_md5"]: "unsalted_md5",
		valid["unsalted_sha1"]: "unsalted_sha1", valid["crypt"]: "crypt",
		Unusable(): "unusable", "!": "unusable", "": "broken", "plaintext": "broken", "foo$1$a$b": "broken",
		"argon2$argon2d$v=19$m=8,t=1,p=1$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$UOl4WzPUu15WW4I4nHEKBw": "argon2:m=8,t=1,p=1,len=16",
	} {
		if got := Identify(text).String(); got != want {
			t.Errorf("Identify(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestBrokenTexts changes one point of a valid text each time.
func TestBrokenTexts(t *testing.T) {
	for name, text := range valid {
		if _, err := parse(text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for _, c := range []struct{ algorithm, old, new string }{
		{"pbkdf2_sha256", "1000", "0"},
		{"pbkdf2_sha256", "1000", "-1"},
		{"pbkdf2_sha256", "1000", "+1000"},
		{"pbkdf2_sha256", "1000", "01000"},
		{"pbkdf2_sha256", "1000", " 1000"},
		{"pbkdf2_sha256", "1000", "1_000"},
		{"pbkdf2_sha256", "1000", "10000001"},
		{"pbkdf2_sha256", "1000", "99999999999999999999"},
		{"pbkdf2_sha256", "1000", "x"},
		{"pbkdf2_sha256", "seasaltSeasaltSeasalt1", ""},
		{"pbkdf2_sha256", "seasalt", "sea$salt"},
		{"pbkdf2_sha256", "7ug=", "7ug"},
		{"pbkdf2_sha256", "7ug=", "7uh="},
		{"pbkdf2_sha256", "7ug=", "7ug=\n"},
		{"pbkdf2_sha256", "7ug=", ""},
		{"pbkdf2_sha256", "P17t", ""},
		{"pbkdf2_sha256", "pbkdf2_sha256", "pbkdf2_sha1"},
		{"pbkdf2_sha256", "pbkdf2_sha256", "PBKDF2_SHA256"},
		{"pbkdf2_sha256", "seasalt", strings.Repeat("s", 1000)},
		{"argon2", "argon2id", "argon2x"},
		{"argon2", "v=19", "v=18"},
		{"argon2", "v=19", "v=019"},
		{"argon2", "m=102400,t=2", "t=2,m=102400"},
		{"argon2", "m=102400", "m=63"},
		{"argon2", "m=102400", "m=524289"},
		{"argon2", "m=102400", "m=4294967296"},
		{"argon2", "m=102400", "m=0"},
		{"argon2", "t=2", "t=0"},
		{"argon2", "t=2", "t=41"},
		{"argon2", "p=8", "p=0"},
		{"argon2", "p=8", "p=65"},
		{"argon2", "p=8", "p=8,x=1"},
		{"argon2", "p=8", "8"},
		{"argon2", "c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ", "c2FsdA"},
		{"argon2", "x0MQ$", "x0MQ==$"},
		{"argon2", "$UOl4WzPUu15WW4I4nHEKBw", "$AAAA"},
		{"argon2", "KBw", "KBx"},
		{"argon2", "$UOl4WzPUu15WW4I4nHEKBw", ""},
		{"argon2", "KBw", "KBw$"},
		{"bcrypt", "$2b$", "$2x$"},
		{"bcrypt", "$04$", "$4$"},
		{"bcrypt", "$04$", "$03$"},
		{"bcrypt", "$04$", "$18$"},
		{"bcrypt", "$04$", "$31$"},
		{"bcrypt", "$04$", "$0x$"},
		{"bcrypt", "HEW", "HE"},
		{"bcrypt", "HEW", "HEWW"},
		{"bcrypt", "HEW", "HE="},
		{"bcrypt", "ZEuZ", "ZEvZ"},
		{"bcrypt", "$$", "$x$"},
		{"bcrypt_sha256", "$2b", ""},
		{"scrypt", "16384", "16383"},
		{"scrypt", "16384", "1"},
		{"scrypt", "16384", "0"},
		{"scrypt", "$seasalt$", "$$"},
		{"scrypt", "$8$", "$0$"},
		{"scrypt", "$5$", "$0$"},
		{"scrypt", "$5$", "$65$"},
		{"scrypt", "$8$", "$8000000$"},
		{"scrypt", "$8$", "$2147483647$"},
		{"scrypt", "16384", "1073741824"},
		{"scrypt", "16384$seasalt$8$5", "1073741824$seasalt$1073741824$16"},
		{"scrypt", "16384$seasalt$8$5", "16777216$seasalt$16777216$64"},
		{"scrypt", "$8$5$", "$128$9$"},
		{"scrypt", "lw==", "lx=="},
		{"scrypt", "$5$", "$"},
		{"scrypt", "$8$", "$x$"},
		{"md5", "d67156", "D67156"},
		{"md5", "40", "4"},
		{"md5", "lNaClSalt", "lNa$ClSalt"},
		{"md5", "540", "54x"},
		{"sha1", "71", "7"},
		{"unsalted_md5", "5f4d", "5F4D"},
		{"unsalted_md5", "99", "9x"},
		{"unsalted_sha1", "8", "x"},
		{"crypt", "abJ", "a!J"},
		{"crypt", "abJ", "aJ"},
		{"crypt", "abJnggxhB/yWI", "*0"},
		{"crypt", "$$", "$"},
	} {
		text := strings.Replace(valid[c.algorithm], c.old, c.new, 1)
		if text == valid[c.algorithm] {
			t.Fatalf("%s: %q is not in %q", c.algorithm, c.old, text)
		}
		if _, err := parse(text); err == nil {
			t.Errorf("accepted: %.200q", text)
		}
		if ok, outdated := cheap(t).Check("password", text); ok || outdated {
			t.Errorf("Check(%.200q) = %v, %v", text, ok, outdated)
		}
	}
}

// TestBoundsAreAccepted has the outermost of what TestBrokenTexts and TestHostileMemory refuse. Nothing is computed.
func TestBoundsAreAccepted(t *testing.T) {
	length := func(n int) string { return "seasalt" + strings.Repeat("x", n-len(valid["pbkdf2_sha256"])) }
	b64 := func(n int) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	const salt, digest = "c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ", "UOl4WzPUu15WW4I4nHEKBw"
	for _, c := range []struct {
		algorithm, old, new string
		ok                  bool
	}{
		{"pbkdf2_sha256", "1000", "10000000", true},
		{"pbkdf2_sha256", "seasalt", length(1024), true},
		{"pbkdf2_sha256", "seasalt", length(1025), false},
		{"argon2", "p=8", "p=64", true},
		{"argon2", "m=102400", "m=64", true},
		{"argon2", "m=102400,t=2,p=8", "m=512,t=1,p=64", true},
		{"argon2", "m=102400,t=2,p=8", "m=511,t=1,p=64", false},
		{"argon2", "m=102400", "m=524288", true},
		{"argon2", "t=2", "t=1", true},
		{"argon2", "t=2", "t=40", true}, // 4,194,304 over 102,400, rounded down
		{"argon2", "p=8", "p=1", true},
		{"argon2", "v=19", "v=16", true},
		{"argon2", salt, b64(7), false},
		{"argon2", salt, b64(8), true},
		{"argon2", salt, b64(128), true},
		{"argon2", salt, b64(129), false},
		{"argon2", digest, b64(3), false},
		{"argon2", digest, b64(4), true},
		{"argon2", digest, b64(128), true},
		{"argon2", digest, b64(129), false},
		{"bcrypt", "$04$", "$17$", true},
		{"scrypt", "16384", "2", true},
		{"scrypt", "$8$5$", "$1$1$", true},
		{"scrypt", "$5$", "$64$", true},
		{"scrypt", "16384$seasalt$8$5", "524288$seasalt$8$4", true}, // 512 MiB, and the most work
		{"scrypt", "16384$seasalt$8$5", "524288$seasalt$8$5", false},
		{"scrypt", "16384$seasalt$8$5", "1048576$seasalt$8$1", false},
		{"scrypt", "16384$seasalt$8$5", "2$seasalt$2097152$4", true},
		{"scrypt", "16384$seasalt$8$5", "2$seasalt$2097153$1", false},
	} {
		text := strings.Replace(valid[c.algorithm], c.old, c.new, 1)
		if _, err := parse(text); (err == nil) != c.ok || text == valid[c.algorithm] {
			t.Errorf("%.120q, %d bytes: %v", text, len(text), err)
		}
	}
}

// TestIdentifyNames: also what is broken has a name, as Django's identify_hasher finds it.
func TestIdentifyNames(t *testing.T) {
	digits := strings.Repeat("0", 40)
	for text, want := range map[string]string{
		"": "", "plaintext": "", digits[:31]: "", digits[:32]: "unsalted_md5", digits[:33]: "", digits[:37]: "", digits: "",
		"md5$" + digits[:28]: "md5", "md5$$" + digits[:32]: "unsalted_md5", "md5$$" + digits[:31]: "md5", "md5$x" + digits[:32]: "md5",
		"sha1$$" + digits: "unsalted_sha1", "sha1$$" + digits[:39]: "sha1", "sha1$x" + digits: "sha1", "foo$" + digits: "foo",
	} {
		if got := Identify(text).Algorithm; got != want {
			t.Errorf("Identify(%q) names %q, want %q", text, got, want)
		}
	}
}

// TestHostileMemory: what a stored text would take is known before it is taken, and
// never above the bounds.
func TestHostileMemory(t *testing.T) {
	h, err := cheap(t).WithLimits("argon2:m=524288,t=8,p=64")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int64{
		valid["argon2"]: 100 << 20, valid["scrypt"]: 128 * 8 * (16384 + 5), valid["bcrypt"]: 0, "": 0,
		"argon2$argon2id$v=19$m=524288,t=8,p=8$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$UOl4WzPUu15WW4I4nHEKBw":     512 << 20,
		"argon2$argon2id$v=19$m=524289,t=1,p=8$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$UOl4WzPUu15WW4I4nHEKBw":     0,
		"argon2$argon2id$v=19$m=4294967295,t=1,p=8$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$UOl4WzPUu15WW4I4nHEKBw": 0,
	} {
		if got := h.Memory(text); got != want {
			t.Errorf("Memory(%q) = %d, want %d", text, got, want)
		}
	}
}

// TestCrypt: what the C function refuses or cuts.
func TestCrypt(t *testing.T) {
	stored, err := parse(valid["crypt"])
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{
		"password": true, "passwordx": true, "passwor": false, "Password": false, "password\x00": false,
		"password" + strings.Repeat("x", 503): true, "password" + strings.Repeat("x", 504): false,
	} {
		if got := stored.matches(password); got != want {
			t.Errorf("%.20q: %v", password, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range valid {
		f.Add(text)
	}
	f.Add(Unusable())
	f.Add("argon2$argon2d$m=8,t=1,p=1$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$UOl4WzPUu15WW4I4nHEKBw")
	f.Fuzz(func(t *testing.T, text string) {
		stored, err := parse(text)
		if info := Identify(text); info.Valid != (err == nil) {
			t.Errorf("Identify(%q) = %+v, parse: %v", text, info, err)
		}
		if err != nil {
			return
		}
		if m := stored.kind().memory(stored.recipe); m < 0 || m > 513<<20 {
			t.Errorf("%q takes %d bytes", text, m)
		}
		if stored.passes*max(stored.memory, 1)*max(stored.parallelism, 1) < 5000 {
			stored.matches("password") // must not panic
		}
	})
}
