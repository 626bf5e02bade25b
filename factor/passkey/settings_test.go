package passkey

import (
	"strings"
	"testing"
)

func TestNew(t *testing.T) {
	for _, c := range []struct {
		id      string
		origins string
		wrong   string // part of the error
		related string
	}{
		{"example.com", "https://example.com", "", ""},
		{"example.com", "https://www.example.com https://example.com", "", ""},
		{"example.com", "https://example.com:8443", "", ""},
		{"localhost", "http://localhost:8000", "", ""},
		{"example.com", "https://example.com android:apk-key-hash:Zm9v", "", ""},
		{"example.com", "https://example.com https://example.de", "", `{"origins":["https://example.com","https://example.de"]}`},
		{"example.com", "https://a.com https://b.com https://c.com https://d.com https://e.com", "", `{"origins":["https://a.com","https://b.com","https://c.com","https://d.com","https://e.com"]}`},
		{"example.com", "https://a.com https://b.com https://c.com https://d.com https://e.com https://f.com", "label", ""},
		{"example.com", "", "no origin", ""},
		{"", "https://example.com", "must be a host name", ""},
		{"127.0.0.1", "https://127.0.0.1", "IP address", ""},
		{"::1", "https://[::1]", "IP address", ""},
		{"https://example.com", "https://example.com", "must be a host name", ""},
		{"example.com:8443", "https://example.com:8443", "must be a host name", ""},
		{"Example.com", "https://example.com", "must be a host name", ""},
		{"example.com", "http://example.com", "only over https", ""},
		{"example.com", "https://example.com/", "must be a scheme and a host", ""},
		{"example.com", "https://example.com/app", "must be a scheme and a host", ""},
		{"example.com", "https://user@example.com", "must be a scheme and a host", ""},
	} {
		rp, err := New(Settings{ID: c.id, Origins: strings.Fields(c.origins)})
		switch {
		case c.wrong == "" && err != nil, c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s, %s: %v, want %q", c.id, c.origins, err, c.wrong)
		case err == nil && string(rp.RelatedOrigins()) != c.related:
			t.Errorf("%s, %s: related %s, want %s", c.id, c.origins, rp.RelatedOrigins(), c.related)
		}
	}
}

func TestDefaultID(t *testing.T) {
	for address, want := range map[string][2]string{
		"https://www.Example.com":   {"www.example.com", "https://www.example.com"},
		"https://example.com/auth/": {"example.com", "https://example.com"},
		"https://example.com:443":   {"example.com", "https://example.com"},
		"https://example.com:8443":  {"example.com", "https://example.com:8443"},
		"http://localhost:8000":     {"localhost", "http://localhost:8000"},
		"http://127.0.0.1:8000":     {"", ""},
		"https://[::1]:8000":        {"", ""},
		"http://example.com":        {"", ""},
		"":                          {"", ""},
		"not an address":            {"", ""},
	} {
		if id, origin := DefaultID(address); id != want[0] || origin != want[1] {
			t.Errorf("%s: %s, %s, want %v", address, id, origin, want)
		}
	}
}

// The handles are those of django-allauth (user_pk_to_url_str).
func TestHandle(t *testing.T) {
	for id, want := range map[string]string{
		"1": "1", "35": "z", "36": "10", "42": "16", "9223372036854775807": "1y2p0ij32e8e7",
		"0190aeb2-5e84-7c1c-a7e1-7d2d3f1b2c3d": "0190aeb25e847c1ca7e17d2d3f1b2c3d",
	} {
		handle := Handle(id)
		if string(handle) != want || UserID(handle) != id {
			t.Errorf("%s: %s, and back %s, want %s", id, handle, UserID(handle), want)
		}
	}
	for _, handle := range []string{"", "-1", "Z", "01", "zzzzzzzzzzzzzzzz", "é"} {
		if id := UserID([]byte(handle)); id != handle {
			t.Errorf("handle %q became the id %q", handle, id)
		}
	}
}

func TestRename(t *testing.T) {
	for name, ok := range map[string]bool{
		"Laptop": true, "  Büro ": true, strings.Repeat("ä", 100): true, "": false, "  ": false,
		strings.Repeat("ä", 101): false, "a\nb": false, "a\x00": false, "\xff": false, "a\u0085b": false,
	} {
		p := &Passkey{Name: "before"}
		if got := p.Rename(name); got != ok {
			t.Errorf("%q: %v", name, got)
		}
		if want := map[bool]string{true: strings.TrimSpace(name), false: "before"}[ok]; p.Name != want {
			t.Errorf("%q: the name is %q", name, p.Name)
		}
	}
}

func TestScriptIsSmall(t *testing.T) {
	if len(Script) > 4<<10 {
		t.Errorf("passkey.js has %d bytes, the limit is %d", len(Script), 4<<10)
	}
}
