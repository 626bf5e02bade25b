package apikey_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/jotgatetest"
)

func TestRequests(t *testing.T) {
	many := func(n int, word string) (list []string) {
		for i := range n {
			list = append(list, strings.Replace(word, "#", string(rune('A'+i%26))+strings.Repeat("x", i/26), 1))
		}
		return list
	}
	good := apikey.Request{Name: "ci", Scopes: []string{"orders:read"}}
	for field, changes := range map[string][]func(*apikey.Request){
		"": {
			func(*apikey.Request) {}, func(r *apikey.Request) { r.Name = strings.Repeat("é", 100) }, func(r *apikey.Request) { r.Scopes = many(50, "#") },
			func(r *apikey.Request) { r.Lifetime = time.Minute }, func(r *apikey.Request) { r.Lifetime = 366 * 24 * time.Hour },
		},
		"name": {
			func(r *apikey.Request) { r.Name = " " }, func(r *apikey.Request) { r.Name = strings.Repeat("é", 101) },
			func(r *apikey.Request) { r.Name = "a\nb" }, func(r *apikey.Request) { r.Name = "\xff" }, func(r *apikey.Request) { r.Name = "nul\x00" },
		},
		"scopes": {
			func(r *apikey.Request) { r.Scopes = nil }, func(r *apikey.Request) { r.Scopes = []string{""} },
			func(r *apikey.Request) { r.Scopes = []string{"a b"} }, func(r *apikey.Request) { r.Scopes = []string{`a"`} }, func(r *apikey.Request) { r.Scopes = many(51, "#") },
		},
		"networks": {
			func(r *apikey.Request) { r.Networks = []string{"x"} }, func(r *apikey.Request) { r.Networks = []string{"0.0.0.0/0"} },
			func(r *apikey.Request) { r.Networks = []string{"unix"} }, func(r *apikey.Request) { r.Networks = []string{"192.0.2.1/24"} },
			func(r *apikey.Request) { r.Networks = many(21, "192.0.2.1") },
		},
		"expires_in": {
			func(r *apikey.Request) { r.Lifetime = time.Second }, func(r *apikey.Request) { r.Lifetime = -1 }, func(r *apikey.Request) { r.Lifetime = 367 * 24 * time.Hour },
		},
	} {
		for i, change := range changes {
			r := good
			change(&r)
			_, err := apikey.Settings{}.NewKey("1", r, time.Unix(0, 0))
			if got := fieldOf(err); got != field || (err == nil) != (field == "") {
				t.Errorf("%s %d: %v", field, i, err)
			}
		}
	}
	c, err := apikey.Settings{MaxLifetime: -1}.NewKey("1", apikey.Request{Name: "x", Scopes: []string{"a", "a"}, Lifetime: -1}, time.Unix(0, 0))
	if err != nil || !c.Expires.IsZero() || len(c.Scopes) != 1 {
		t.Errorf("a key that does not expire: %+v, %v", c, err)
	}
	for _, s := range []apikey.Settings{{Lifetime: time.Second}, {Lifetime: 2 * time.Hour, MaxLifetime: time.Hour}, {TrustedProxies: []string{"x"}}} {
		if _, err := apikey.New(jotgatetest.New(t).Gate, nil, s); err == nil {
			t.Errorf("accepted: %+v", s)
		}
	}
}

func fieldOf(err error) string {
	var e *jotgate.Error
	if errors.As(err, &e) && len(e.Fields) == 1 {
		return e.Fields[0].Field
	}
	return ""
}
