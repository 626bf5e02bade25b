package apikey

import (
	"regexp"
	"strings"
	"testing"
)

// keyForm is the form that secret scanners look for, and that docs/api-keys.md states.
var keyForm = regexp.MustCompile(`^jgk_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}$`)

func TestSecretForm(t *testing.T) {
	seen := map[string]bool{}
	count := map[byte]int{}
	for range 2000 {
		id, key := newSecret()
		if got, ok := idOf(key); !keyForm.MatchString(key) || !ok || got != id || seen[id] {
			t.Fatalf("%s: id %s, %v", key, got, ok)
		}
		seen[id] = true
		for _, c := range []byte(key[15:58]) {
			count[c]++
		}
	}
	for _, c := range []byte(alphabet) { // 1387 on average, with a standard deviation of 37
		if count[c] < 1100 || count[c] > 1700 {
			t.Errorf("%c appears %d times in 86,000", c, count[c])
		}
	}
	// The text of a key stays the same in later versions.
	const known = "jgk_0123456789_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	if key := known + checksum(known); key != known+"3BX0UH" {
		t.Errorf("the checksum changed: %s", key)
	}
}

// Any change of one character, and any change of length, is found without a look-up.
func TestChecksum(t *testing.T) {
	_, key := newSecret()
	for i := range len(key) {
		for _, c := range []byte("0aZ_-é\x00 ") {
			changed := key[:i] + string(rune(c)) + key[i+1:]
			if _, ok := idOf(changed); ok && changed != key {
				t.Errorf("%s is accepted for %s", changed, key)
			}
		}
		if _, ok := idOf(key[:i]); ok {
			t.Errorf("%s is accepted", key[:i])
		}
	}
	for _, text := range []string{"", key + "0", " " + key, strings.ToUpper(key), "jgk_"} {
		if _, ok := idOf(text); ok {
			t.Errorf("%q is accepted", text)
		}
	}
}
