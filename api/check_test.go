package api

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/record"
)

// What lets a request through is kept small: more than eight headers cost a
// gateway's every request a quarter of its time. All of the identity is there,
// and nothing may be kept.
func TestCheckAnswers(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	good := s.ask("GET", "/auth/check", "", alice.header()...)
	want(t, "a good token", good, 200, "")
	names := slices.Sorted(maps.Keys(good.Header))
	if !slices.Equal(names, []string{"Cache-Control", "X-Auth-Actor", "X-Auth-Email", "X-Auth-Groups", "X-Auth-Id", "X-Auth-Role", "X-Auth-Session", "X-Auth-User"}) {
		t.Errorf("the headers are %v", names)
	}
	if h := good.Header; h.Get("Cache-Control") != "no-store" || h.Get("X-Auth-User") != "alice" || h.Get("X-Auth-Role") != "user" || h.Get("X-Auth-Session") == "" || good.Body != "" {
		t.Errorf("%v %q", good.Header, good.Body)
	}
	// Gateways hand a refusal on to browsers.
	for name, refused := range map[string]answer{
		"no token":        s.ask("GET", "/auth/check", ""),
		"a role he lacks": s.ask("GET", "/auth/check?staff=true", "", alice.header()...),
	} {
		if h := refused.Header; refused.Status < 401 || h.Get("Content-Security-Policy") == "" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("X-Auth-User") != "" {
			t.Errorf("%s: %d %v", name, refused.Status, h)
		}
	}
}

// The check reads the token and its own query, and nothing else that the client
// sends: neither who it says to be, nor where it is, nor which path or method it
// asked for. The identity headers are all there, empty where the token has nothing.
func TestCheckReadsOnlyTheToken(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	identity := []string{"X-Auth-Id", "X-Auth-User", "X-Auth-Role", "X-Auth-Email", "X-Auth-Groups", "X-Auth-Session", "X-Auth-Actor"}
	var forged []string
	for _, name := range slices.Concat(identity, []string{
		"X_Auth_User", "X.Auth.User", "Remote-User", "X-Forwarded-User", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
		"X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Prefix", "X-Original-Url", "X-Original-Uri", "X-Original-Method",
		"X-Rewrite-Url", "X-Http-Method-Override", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Forwarded", "X-Host",
	}) {
		forged = append(forged, name, "/health?staff=true&role=admin")
	}
	forged = append(forged, "User-Agent", "kube-probe/1.30", "X-Health-Check", "1")
	plain := s.ask("GET", "/auth/check", "", alice.header()...)
	want(t, "the token alone", plain, 200, "")
	for _, method := range []string{"GET", "POST", "DELETE"} {
		got := s.ask(method, "/auth/check", "", slices.Concat(alice.header(), forged)...)
		if got.Status != 200 || !maps.EqualFunc(got.Header, plain.Header, slices.Equal) {
			t.Errorf("%s with forged headers: %d %v, want %v", method, got.Status, got.Header, plain.Header)
		}
		for _, name := range identity {
			if len(got.Header[name]) != 1 {
				t.Errorf("%s: %s is sent %d times", method, name, len(got.Header[name]))
			}
		}
		if got := s.ask(method, "/auth/check", "", forged...); got.Status != 401 {
			t.Errorf("%s without a token: %d", method, got.Status)
		}
		if got := s.ask(method, "/auth/check?staff=true", "", slices.Concat(alice.header(), forged)...); got.Status != 403 {
			t.Errorf("%s for staff: %d", method, got.Status)
		}
	}
}

// breaking panics at the first status it is to send.
type breaking struct {
	*httptest.ResponseRecorder
	broken bool
}

func (b *breaking) WriteHeader(status int) {
	if !b.broken {
		b.broken = true
		panic("a fault that nobody foresaw")
	}
	b.ResponseRecorder.WriteHeader(status)
}

// A fault closes the gate, as everywhere.
func TestCheckPanics(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	r := httptest.NewRequest("GET", "/auth/check", nil)
	r.Header.Set(alice.header()[0], alice.header()[1])
	w := &breaking{ResponseRecorder: httptest.NewRecorder()}
	s.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Content-Security-Policy") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// The event of a check that is refused says why, and of whom; the response does not.
func TestRefusedCheckSaysWhy(t *testing.T) {
	s := newSite(t, change{})
	alice, id := s.login("alice"), s.account("alice").ID
	for query, why := range map[string]record.Event{
		"staff=true":            {User: id, Detail: `the user is not staff`},
		"role=Editors":          {User: id, Detail: `the user does not have the role "Editors"`},
		"permission=blog.add_a": {User: id, Detail: `the user does not have the permission "blog.add_a"`},
		"role=x%00%ff%0a":       {User: id, Detail: `the user does not have the role "x\x00\xff\n"`},
		"staff=true&role=b&permission=c.d&role=a": {User: id, Detail: `the user does not have the permission "c.d"`}, // the first in order of name
		"staff=yes":               {User: id, Detail: `the parameter "staff" of the check is unknown or its value is not valid`},
		"r%C3%B4le=Editors":       {User: id, Detail: `the parameter "rôle" of the check is unknown or its value is not valid`},
		"scope=a+b":               {User: id, Detail: `the parameter "scope" of the check is unknown or its value is not valid`},
		"max_age=":                {User: id, Detail: `the parameter "max_age" of the check is unknown or its value is not valid`},
		"audience=https://b.test": {User: id, Detail: `the token does not have the audience "https://b.test"`},
	} {
		got := s.ask("GET", "/auth/check?"+query, "", alice.header()...)
		list, err := s.gate.Store().Events().List(t.Context(), "", 0, 1)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if e := list[0]; got.Status < 401 || strings.Contains(got.Body, why.Detail) || e.User != why.User || e.Detail != why.Detail {
			t.Errorf("%s: %d %s, %+v", query, got.Status, got.Body, e)
		}
	}
}
