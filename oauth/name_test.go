package oauth

import (
	"strings"
	"testing"
)

func TestNameOf(t *testing.T) {
	for name, valid := range map[string]bool{
		"orders-api@example.com_+.": true, strings.Repeat("a", 100): true,
		strings.Repeat("a", 101): false, "": false, "a b": false, "a\n": false, "ä": false, "a/b": false,
	} {
		if _, err := nameOf(name); (err == nil) != valid {
			t.Errorf("%q: %v", name, err)
		}
	}
}
