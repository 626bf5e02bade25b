package tamper

import "testing"

func TestAt(t *testing.T) {
	for _, c := range []struct {
		text string
		at   int
		want string
	}{
		{"xyz", 0, "Ayz"},
		{"xyz", 2, "xyA"},
		{"xyz", -1, "xyA"},
		{"xyz", -3, "Ayz"},
		{"AAA", -1, "AAB"},
		{"ABA", 1, "AAA"},
	} {
		if got := At(c.text, c.at); got != c.want {
			t.Errorf("At(%q, %d) = %q, want %q", c.text, c.at, got, c.want)
		}
	}
}
