package jwt

import (
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
