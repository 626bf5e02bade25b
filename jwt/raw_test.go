package jwt

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMembers(t *testing.T) {
	for _, c := range []struct {
		in   Raw
		want Object
	}{
		{`{"b":1,"a":[2,"x"]}`, Object{{"b", Raw("1")}, {"a", Raw(`[2,"x"]`)}}},
		{`{}`, nil},
		{`{"a":1,"a":2}`, nil}, // a name stands once
		{`{"a":1}x`, nil},
		{`[1]`, nil},
	} {
		if diff := cmp.Diff(c.want, c.in.Members()); diff != "" {
			t.Errorf("%s: %s", c.in, diff)
		}
	}
}

func TestRaw(t *testing.T) {
	text := func(s string) Raw { return Raw(s) }
	if s, ok := text(` "a\u00e9" `).Text(); !ok || s != "aé" {
		t.Errorf("%q %v", s, ok)
	}
	if n, ok := text(" -42 ").Int(); !ok || n != -42 {
		t.Errorf("%d %v", n, ok)
	}
	for _, s := range []string{"", "1", `"a`, `"a" x`, "null"} {
		if got, ok := text(s).Text(); ok {
			t.Errorf("%q is the text %q", s, got)
		}
	}
	for _, s := range []string{"", `"1"`, "1.0", "1e3", "1 x", "9223372036854775808", "-9223372036854775809", "null"} {
		if got, ok := text(s).Int(); ok {
			t.Errorf("%q is the number %d", s, got)
		}
	}
	if n, ok := text("-9223372036854775808").Int(); !ok || n != math.MinInt64 {
		t.Error(n, ok)
	}
	if list, ok := text(` [1, {"a":2} ] `).Elements(); !ok || len(list) != 2 || list[1] != `{"a":2}` {
		t.Error(list, ok)
	}
	for _, s := range []string{"", "{}", "[", "[1] x", "[1,]"} {
		if list, ok := text(s).Elements(); ok {
			t.Errorf("%q is the list %v", s, list)
		}
	}
}
