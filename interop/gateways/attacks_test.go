package gateways

// What was tried on other gateways, tried on these. testdata/attacks.txt has
// the requests.

import (
	"os"
	"strings"
	"testing"
)

// An attack is one request of the file.
type attack struct{ title, head, body string }

func attacks(t testing.TB) []attack {
	t.Helper()
	text, err := os.ReadFile("testdata/attacks.txt")
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer(
		"{token}", token(t, nil), "{other}", token(t, func(c map[string]any) { c["jti"] = "2" }), `\t`, "\t", `\0`, "\x00",
	)
	var all []attack
	for _, block := range strings.Split(fill.Replace(string(text)), "\n== ")[1:] {
		title, request, _ := strings.Cut(block, "\n")
		head, body, _ := strings.Cut(request, "BODY\n")
		all = append(all, attack{title, strings.TrimRight(head, "\n"), strings.ReplaceAll(body, "\n", "\r\n")})
	}
	return all
}

func TestAttacks(t *testing.T) {
	each(t, func(t *testing.T, f *front) {
		passes(t, f, attack{"the way it is meant", "GET /api/things HTTP/1.1\nAuthorization: Bearer " + token(t, nil), ""})
		all := attacks(t)
		if len(all) < 80 {
			t.Fatalf("the file has %d attacks", len(all))
		}
		for _, a := range all {
			status, _, _ := send(t, f.address, a.head, a.body)
			for _, s := range f.api.take() {
				if s.protected() || f.staff != "" && !strings.HasPrefix(s.target, "/health") {
					t.Errorf("%s: answered %d, and the API saw %s %s", a.title, status, s.method, s.target)
				}
				honest(t, a.title, s)
			}
			if status >= 500 && status != 501 && status != 505 {
				t.Errorf("%s: %d", a.title, status)
			}
		}
		passes(t, f, attack{"the way it is meant, afterwards", "GET /api/things HTTP/1.1\nAuthorization: Bearer " + token(t, nil), ""})
	})
}

// passes makes sure that a refusal is no accident.
func passes(t *testing.T, f *front, a attack) {
	t.Helper()
	status, _, _ := send(t, f.address, a.head, a.body)
	if got := f.api.take(); status != 200 || len(got) != 1 || got[0].target != "/api/things" {
		t.Fatalf("%s: %d, the API saw %v", a.title, status, got)
	}
}

// honest makes sure that the API is told nothing by the client that it would
// believe to come from the gateway.
func honest(t *testing.T, title string, s seen) {
	t.Helper()
	if id := s.identity(); len(id) > 0 {
		t.Errorf("%s: the API reads %v without a token", title, id)
	}
	for name, values := range s.header {
		plain := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		value := strings.Join(values, ",")
		switch {
		case strings.HasPrefix(plain, "x-original-"), strings.HasPrefix(plain, "x-rewrite-"):
			t.Errorf("%s: the API is told a path by %s: %s", title, name, value)
		case plain == "x-forwarded-host" && strings.Contains(value, "evil"), plain == "forwarded":
			t.Errorf("%s: the API is told a host by %s: %s", title, name, value)
		case plain == "upgrade" && !strings.EqualFold(value, "websocket"):
			t.Errorf("%s: the API is asked to change to %s", title, value)
		}
	}
}

// Every gateway's file takes care of every identity header.
func TestFilesNameEveryHeader(t *testing.T) {
	for _, name := range []string{"nginx-identity.conf", "Caddyfile", "Caddyfile-pages", "jotgate.lua", "envoy.yaml", "traefik.compose.yaml"} {
		text := strings.ToLower(example(t, name))
		for _, header := range []string{"id", "user", "role", "email", "groups", "session", "actor"} {
			if !strings.Contains(text, "x-auth-"+header) {
				t.Errorf("%s says nothing of X-Auth-%s", name, header)
			}
		}
	}
	// The rule for other characters than letters, digits and "-", in the files of the
	// gateways that no test runs.
	for name, rule := range map[string]string{
		"envoy.yaml": `not name:find("^:?[a-z0-9%-]+$")`, "traefik.compose.yaml": "--entryPoints.web.http.aliasHeadersStrategy=delete",
	} {
		if !strings.Contains(example(t, name), rule) {
			t.Errorf("%s lacks %s", name, rule)
		}
	}
}
