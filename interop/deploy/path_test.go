package deploy

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/serve"
)

// gateways start with the example's files in the folder and listen on the address.
var gateways = map[string]struct {
	file, port string // what the file says for the port of HTTPS
	command    func(folder, file string) *exec.Cmd
}{
	"nginx": {"nginx.conf", "listen 443 ssl", peer.Nginx},
	"caddy": {"Caddyfile", "example.com {", peer.Caddy},
}

// Under a path behind a TLS terminator, everything that a browser follows stays under
// the path: cookies, links, the schema and its page.
func TestUnderAPath(t *testing.T) {
	for name, gateway := range gateways {
		t.Run(name, func(t *testing.T) {
			folder, own, front := t.TempDir(), freeport.Address(t), freeport.Address(t)
			site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("the site at " + r.URL.Path)) }))
			defer site.Close()
			config := example(t, "path/jotgate.yaml", "127.0.0.1:8000", own)
			write(t, filepath.Join(folder, "jotgate.yaml"), config)
			certificate(t, folder)
			replacements := []string{"127.0.0.1:8000", own, "127.0.0.1:3000", strings.TrimPrefix(site.URL, "http://")}
			if name == "nginx" {
				replacements = append(replacements, gateway.port, "listen "+front+" ssl")
			} else {
				_, port, _ := strings.Cut(front, ":")
				replacements = append(replacements, gateway.port, "{\n\tadmin off\n\tauto_https off\n}\nhttps://example.com:"+port+" {\n\tbind 127.0.0.1\n\ttls cert.pem key.pem")
			}
			write(t, filepath.Join(folder, gateway.file), example(t, "path/"+gateway.file, replacements...))
			jotgate := peer.Serve(t, serve.Command(t, folder, []string{"JOTGATE_SECRET_KEY=" + secret}, "serve", "--config", "jotgate.yaml"))
			jotgate.WaitFor(t, regexp.MustCompile(`listening on http://`+own+`/accounts,`))
			peer.Serve(t, gateway.command(folder, gateway.file))
			client := browser(t, front)
			wait.Until(t, "the gateway listens", func() bool {
				response, err := client.Get("https://example.com/")
				if err != nil {
					return false
				}
				return response.Body.Close() == nil
			})
			follow(t, client, "https://example.com/accounts")
			for path, want := range map[string]string{"/": "the site at /", "/api/token/": "the site at /api/token/", "/accountsx": "the site at /accountsx"} {
				if status, text := ask(t, client, "GET", "https://example.com"+path, ""); status != 200 || text != want {
					t.Errorf("%s: %d %s", path, status, text)
				}
			}
		})
	}
}

// follow does what a front end does at the public address.
func follow(t *testing.T, client *http.Client, base string) {
	t.Helper()
	wait.Until(t, "jotgate is ready", func() bool { status, _ := ask(t, client, "GET", base+"/readyz", ""); return status == 200 })
	access := login(t, client, base, "X-Forwarded-For", "6.6.6.6")
	for _, endpoint := range []string{"/api/token/refresh/", "/auth/jwt/refresh/"} {
		u, err := url.Parse(base + endpoint)
		if err != nil {
			t.Fatal(err)
		}
		if kept := client.Jar.Cookies(u); len(kept) != 1 {
			t.Fatalf("the cookies for %s are %v", endpoint, kept)
		}
		if status, text := ask(t, client, "POST", base+endpoint, "{}"); status != 200 {
			t.Errorf("%s: %d %s", endpoint, status, text)
		}
	}
	_, sessions := ask(t, client, "GET", base+"/auth/sessions/", "", "Authorization", "Bearer "+access)
	if !strings.Contains(sessions, `"address":"127.0.0.1"`) || strings.Contains(sessions, "6.6.6.6") {
		t.Errorf("sessions: %s", sessions)
	}
	if _, text := ask(t, client, "GET", base+"/auth/", ""); !strings.Contains(text, `"users":"`+base+`/auth/users/"`) {
		t.Errorf("the root: %s", text)
	}
	if _, text := ask(t, client, "GET", base+"/api/schema/", ""); !strings.Contains(text, "\n  - url: "+base+"\n") {
		t.Error("the schema has another server")
	}
	for _, path := range []string{"/api/docs/", "/account/login"} {
		_, page := ask(t, client, "GET", base+path, "")
		links := regexp.MustCompile(`(?:src|href)="(/[^"]+)"`).FindAllStringSubmatch(page, -1)
		if len(links) < 5 {
			t.Errorf("the page: %s", page)
		}
		for _, link := range links {
			if status, text := ask(t, client, "GET", "https://example.com"+link[1], ""); status != 200 || strings.HasPrefix(text, "the site") {
				t.Errorf("%s: %d", link[1], status)
			}
		}
	}
	for path, want := range map[string]int{"/livez": 200, "/.well-known/jwks.json": 200, "/auth/users/me/": 401} {
		if status, text := ask(t, client, "GET", base+path, ""); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}
