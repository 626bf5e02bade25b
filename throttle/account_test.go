package throttle

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// H016: every spelling has the one counter.
func TestAccountKey(t *testing.T) {
	for want, variants := range map[string][]string{
		"alice": {
			"Alice", "ALICE", " alice", "alice ", "\talice\r\n", "\u00a0alice\u3000", "\x1calice\x1f",
			"ａｌｉｃｅ", "ＡＬＩＣＥ", "ⓐlice", "𝐚𝐥𝐢𝐜𝐞", "аlicе", "a1ice", strings.Repeat(" ", 5000) + "alice",
		},
		"straße@example.com": {"STRASSE@EXAMPLE.COM", "Straße@Example.com"},
		"jos\u00e9":          {"jose\u0301", "JOS\u00c9", "JOSE\u0301"},
		"ﬁona":               {"fiona", "FIONA"},
		"ΣΊΣΥΦΟΣ":            {"σίσυφος", "σίσυφοσ"},
		"\u13a0\u13a1":       {"\uab70\uab71", "\u13a0\uab71"}, // Cherokee
		"":                   {" ", "\u3000"},
	} {
		for _, v := range variants {
			if AccountKey(v) != AccountKey(want) {
				t.Errorf("%.20q and %q have two keys", v, want)
			}
		}
	}
}

func TestAccountKeyDistinguishes(t *testing.T) {
	seen := map[string]string{}
	long := strings.Repeat("x", 1023)
	for _, name := range []string{
		"", "alice", "alice1", "al ice", "bob", "alice@example.com", "alicе@example.com", // the last has a Cyrillic е
		long, long + "y", long + "z", "\xff",
	} {
		if other, ok := seen[AccountKey(name)]; ok {
			t.Errorf("%q and %q have one key", other, name)
		}
		seen[AccountKey(name)] = name
	}
	if AccountKey(long+"xy") != AccountKey(long+"xz") {
		t.Error("names that are equal in 1024 bytes have two keys")
	}
}

func TestAccountKeyForm(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{32}$`)
	rapid.Check(t, func(t *rapid.T) {
		name := string(rapid.SliceOf(rapid.Byte()).Draw(t, "name"))
		if key := AccountKey(name); !form.MatchString(key) {
			t.Fatalf("AccountKey(%q) = %q", name, key)
		}
	})
}
