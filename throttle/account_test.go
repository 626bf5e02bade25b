package throttle

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// H016: every spelling has the one counter.
func TestAccountKey(t *testing.T) {
	for want, variants := range map[string][]string{
		"alice": {
			"Alice", "ALICE", " alice", "alice ", "\talice\r\n", "\u00a0alice\u3000", "\x1calice\x1f",
			"ａｌｉｃｅ", "ＡＬＩＣＥ", "ⓐlice", "𝐚𝐥𝐢𝐜𝐞", strings.Repeat(" ", 5000) + "alice",
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

func TestAccountKeyTellsApart(t *testing.T) {
	seen := map[string]string{}
	long := strings.Repeat("x", 1023)
	for _, name := range []string{
		"", "alice", "alice1", "al ice", "bob", "alice@example.com", "аlice", // the last begins with a Cyrillic а
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

// Folding a folded name changes nothing, and a character folds as its other
// case does: for every character in the planes that have letters, and for
// strings of them.
func TestFoldSettles(t *testing.T) {
	for r := rune(0); r < 0x30000; r++ {
		once := fold("a" + string(r) + "b")
		if twice := fold(once); twice != once {
			t.Errorf("%U folds to %+q and then to %+q", r, once, twice)
		}
		if other := fold("a" + string(unicode.SimpleFold(r)) + "b"); other != once {
			t.Errorf("%U folds to %+q and its other case %U to %+q", r, once, unicode.SimpleFold(r), other)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		once := fold(rapid.StringN(0, 40, 900).Draw(t, "name"))
		if twice := fold(once); len(once) <= longestName && twice != once {
			t.Fatalf("%+q folds to %+q", once, twice)
		}
	})
}

func TestFoldIsBounded(t *testing.T) {
	// U+FDFA is the character that NFKC lengthens most.
	if got := len(fold(strings.Repeat("\ufdfa", 100_000))); got > 32*longestName {
		t.Errorf("folded to %d bytes", got)
	}
}
