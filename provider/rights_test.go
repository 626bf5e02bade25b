package provider

import (
	"reflect"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

// Every form of the claim groups, and what the settings do not name.
func TestRoles(t *testing.T) {
	p := &Provider{settings: Settings{Groups: map[string]string{"a": "A", "b.c": "B"}, Superuser: []string{"root"}, Claims: map[string]string{"groups": "x.roles"}}}
	for doc, want := range map[string][]string{
		`{"x":{"roles":["a","root","z"]}}`: {"a", "root"}, `{"x":{"roles":"b.c"}}`: {"b.c"}, `{"x.roles":["a"]}`: {"a"},
		`{"x":{"roles":[]}}`: {}, `{"x":{"roles":null}}`: {}, `{"x":{}}`: nil, `{"x":["a"]}`: nil, `{"roles":["a"]}`: nil, `{"x":{"roles":[1,["a"],{"a":1},"A"]}}`: {}, `{}`: nil,
	} {
		if got := p.roles(claims{token: jwt.Raw(doc)}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", doc, got, want)
		}
		if got := p.roles(claims{token: `{}`, info: jwt.Raw(doc)}); !reflect.DeepEqual(got, want) {
			t.Errorf("userinfo %s: %q, want %q", doc, got, want)
		}
	}
	r := p.Rights([]string{"a"})
	if !reflect.DeepEqual(r.Groups, []string{"A"}) || !reflect.DeepEqual(r.Others, []string{"B"}) || r.Staff != nil || r.Superuser == nil || *r.Superuser {
		t.Errorf("%+v", r)
	}
	if off := (&Provider{}); off.MapsRights() || off.roles(claims{token: `{"groups":["a"]}`}) != nil {
		t.Error("a provider without a mapping has roles")
	}
}
