package emailcode

import (
	"fmt"
	"strings"
	"testing"
)

func TestMake(t *testing.T) {
	seen, letters := map[string]bool{}, map[rune]int{}
	const codes = 2000
	for i := range codes {
		code := Make("secret", fmt.Sprint(i))
		if Normalize(code) != code || len(code) != Length+1 || code[4] != '-' {
			t.Fatalf("%q is not a code", code)
		}
		seen[code] = true
		for _, r := range strings.Replace(code, "-", "", 1) {
			letters[r]++
		}
	}
	if len(seen) != codes {
		t.Errorf("%d different codes of %d", len(seen), codes)
	}
	for _, r := range alphabet { // 800 each; six standard deviations are 165
		if n := letters[r]; n < 600 || n > 1000 {
			t.Errorf("%c: %d times", r, n)
		}
	}
	if again := Make("secret", "1"); again != Make("secret", "1") || again == Make("secret2", "1") {
		t.Error("the code must depend on the secret and the id alone")
	}
}

func TestNormalize(t *testing.T) {
	for typed, want := range map[string]string{
		"BCDF-GHJK": "BCDF-GHJK", "bcdfghjk": "BCDF-GHJK", " bcdf ghjk ": "BCDF-GHJK", "B-C-D-F-G-H-J-K": "BCDF-GHJK",
		"": "", "BCDF-GHJ": "", "BCDF-GHJKL": "", "BCDF-GHJA": "", "BCDF-GHJ1": "", "BCDF_GHJK": "", "BCDF-GHJſ": "", "BCDFGHJ\x00": "",
		"BCDF-GHJK" + strings.Repeat(" ", 64): "",
	} {
		if got := Normalize(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	code := Make("secret", "1")
	for typed, want := range map[string]bool{
		code: true, strings.ToLower(code): true, strings.Replace(code, "-", " ", 1): true,
		"": false, code[:8]: false, Make("secret", "2"): false, Make("other", "1"): false,
	} {
		if Match(typed, "secret", "1") != want {
			t.Errorf("%q: %v", typed, !want)
		}
	}
}
