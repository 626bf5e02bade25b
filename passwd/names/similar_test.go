package names

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func similar(a, b string) bool {
	theirs := Skeletons(b)
	return slices.ContainsFunc(Skeletons(a), func(s string) bool { return slices.Contains(theirs, s) })
}

func TestSimilar(t *testing.T) {
	for _, pair := range [][2]string{
		{"boss", "Boss"},
		{"boss", "BOSS"},
		{"boss", "bоss"},
		{"boss", "Bоѕѕ"},
		{"boss", "ｂｏｓｓ"},
		{"boss", "𝐛𝐨𝐬𝐬"},
		{"boss", "b0ss"},
		{"boss", "B0SS"},
		{"boss", "BО\u0405Ѕ"},
		{"harry", "Нarry"},
		{"paul", "pauI"},
		{"paul", "pau1"},
		{"Ian", "lan"},
		{"Ian", "ian"},
		{"IAN", "ian"},
		{"mary", "rnary"},
		{"mary", "Мary"},
		{"Mary", "rnary"},
		{"straße", "STRASSE"},
		{"jose\u0301", "JOS\u00c9"},
		{"user1", "userI"},
		{"user1", "userl"},
		{"boss", "bo\u3164ss"},
		{"boss", "boss\u115f"},
		{"boss", "bo\u200bss"},
		{"boss", "bo\ufe0fss"},
		{"boss", " boss"},
		{"scope", "ѕсоре"},
		{"tom@example.com", "TOM@Example.com"},
		{"tom@example.com", "ｔｏｍ@example.com"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος"},
		{"alice", "аlісе"},
		{"tom@xexc.org", "tom@хехс.org"}, // an international domain
	} {
		if !similar(pair[0], pair[1]) || !similar(pair[1], pair[0]) {
			t.Errorf("%q and %q: %q, %q", pair[0], pair[1], Skeletons(pair[0]), Skeletons(pair[1]))
		}
	}
	for _, pair := range [][2]string{
		{"boss", "bass"},
		{"ian", "lan"},
		{"boss", "bóss"},
		{"alice", "alice1"},
		{"a.b", "ab"},
		{"a-b", "a_b"},
		{"иван", "ivan"},
		{"", "a"},
		{"tom1@example.com", "toml@example.com"},
		{"mary@example.com", "rnary@example.com"},
		{"a@modern.example", "a@modem.example"},
	} {
		if similar(pair[0], pair[1]) {
			t.Errorf("%q and %q: %q, %q", pair[0], pair[1], Skeletons(pair[0]), Skeletons(pair[1]))
		}
	}
}

// has reports whether a character has another case or form, or looks like another.
func has(r rune) bool {
	s := string(r)
	_, found := lookAlikes()[r]
	return found || unicode.SimpleFold(r) != r || !norm.NFKC.IsNormalString(s) || !norm.NFD.IsNormalString(s) && !unicode.Is(unicode.Hangul, r)
}

// Every character: what it folds to folds to itself, it is similar to its other
// cases and forms, and to what Unicode says that it looks like.
func TestEveryCharacter(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		if r >= 0xd800 && r < 0xe000 || !has(r) || r == 'İ' /* its small letter is two: i and a dot */ {
			continue
		}
		c := "x" + string(r) + "x" // blanks at the ends are removed
		if other := "x" + string(unicode.SimpleFold(r)) + "x"; Fold(other) != Fold(c) {
			t.Errorf("%U folds to %+q and its other case to %+q", r, Fold(c), Fold(other))
		}
		for _, s := range Skeletons(c) {
			if again := Fold(s); again != s {
				t.Errorf("%U: %q, then %q", r, s, again)
			}
		}
		for _, other := range []string{strings.ToUpper(c), strings.ToLower(c), norm.NFKC.String(c), norm.NFD.String(c)} {
			if other != c && !similar(c, other) {
				t.Errorf("%U: %q is not similar to %q: %q, %q", r, c, other, Skeletons(c), Skeletons(other))
			}
		}
	}
	if n := len(lookAlikes()); n < 2500 {
		t.Errorf("%d characters that look alike", n)
	}
	for r, target := range lookAlikes() {
		if a, b := "x"+string(r)+"x", "x"+target+"x"; !similar(a, b) {
			t.Errorf("%U: %q, but what it looks like: %q", r, Skeletons(a), Skeletons(b))
		}
	}
}

func TestFoldOfAnyString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, name := range []string{string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")), rapid.StringN(0, 40, 900).Draw(t, "name")} {
			if s := Fold(name); len(s) <= longestName && Fold(s) != s {
				t.Fatalf("Fold(%q) = %q, then %q", name, s, Fold(s))
			}
		}
	})
	if Fold(strings.Repeat("x", 1024)+"y") != Fold(strings.Repeat("x", 1024)+"z") {
		t.Error("more than 1024 bytes count")
	}
	// U+FDFA is the character that NFKC lengthens most.
	if got := len(Fold(strings.Repeat("\ufdfa", 100_000))); got > 32*longestName {
		t.Errorf("folded to %d bytes", got)
	}
}
