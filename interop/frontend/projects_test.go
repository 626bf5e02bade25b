package frontend

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/interop/django"
	"github.com/jotgate/jotgate/interop/serve"
)

//go:embed page.html
var page []byte

// step is a response that the page received.
type step struct {
	Name   string
	Status int
	Body   any
}

// project is a kind of public Django project and the flags of jotgate that stand for its settings.
type project struct {
	shop             bool
	scheme, prefix   string
	login            string
	cookie           bool
	person, other    map[string]string
	flags            []string
	readableByDjango string // a login that jotgate created
}

var (
	ada  = map[string]string{"email": "ada@example.com", "password": "correct-horse-1", "first_name": "Ada", "last_name": "Lovelace"}
	bob  = map[string]string{"email": "bob@example.com", "password": "correct-horse-2", "first_name": "Bob", "last_name": "Kahn"}
	shop = []string{
		"--user-table=shop_user", "--username-column=email", "--user-fields=first_name:required,last_name:required",
		"--new-user=role=user;uuid=uuid4;is_verified=false;created_at=now", "--keep-refresh-tokens",
	}
)

var projects = map[string]project{
	"login by e-mail, role, Token": {
		shop: true, scheme: "Token", login: "email", person: ada, other: bob, flags: append([]string{"--header-types=Token"}, shop...),
		readableByDjango: "bob@example.com",
	},
	"djoser, JWT, names": {
		shop: true, scheme: "JWT", login: "email", person: ada, other: bob, flags: append([]string{"--header-types=JWT"}, shop...),
		readableByDjango: "ada@example.com",
	},
	"api v1, refresh cookie": {
		scheme: "Bearer", prefix: "/api/v1", login: "username", cookie: true,
		person: map[string]string{"username": "ada", "email": "ada@example.com", "password": "correct-horse-1"},
		other:  map[string]string{"username": "bob", "email": "", "password": "correct-horse-2"},
		flags:  []string{"--prefix=/api/v1", "--refresh-cookie", "--header-types=Bearer"}, readableByDjango: "bob",
	},
}

// The front end of each project, in a real browser and on another origin, gets the same from jotgate on the project's
// tables as from the project itself.
func TestProjects(t *testing.T) {
	for name, p := range projects {
		t.Run(name, func(t *testing.T) {
			const secret = "a secret that both sides share 0123456789"
			options := django.Options{SecretKey: secret, ShopUser: p.shop, SimpleJWT: map[string]any{"AUTH_HEADER_TYPES": []string{p.scheme}}}
			site := django.Start(t, options)
			want := p.play(t, func(origin string) string { return withCORS(t, site.URL, origin) + p.prefix })
			tables := django.Open(t, options) // a second site's tables, which jotgate serves
			got := p.play(t, func(origin string) string {
				server := serve.Start(t, serve.Options{
					Database: tables.Database, SecretKey: secret,
					Args: append([]string{"--cors-origins=" + origin, "--hasher=pbkdf2_sha256:260000"}, p.flags...),
				})
				return strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + p.prefix
			})
			if len(want) < 10 || want[1].Status == 0 {
				t.Fatalf("Django: %+v", want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-Django +jotgate)\n%s", diff)
			}
			if shown := tables.ShowUser(t, p.readableByDjango); !shown.Active || shown.Username != p.readableByDjango {
				t.Errorf("Django reads what jotgate wrote as %+v", shown)
			}
		})
	}
}

// play opens the page in Chromium, on an origin of its own, and returns the responses that it got from the API that
// start starts for that origin.
func (p project) play(t *testing.T, start func(origin string) string) (outcome []step) {
	t.Helper()
	result := make(chan []step, 1)
	var config []byte
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	mux.HandleFunc("GET /config", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(config) })
	mux.HandleFunc("POST /result", func(_ http.ResponseWriter, r *http.Request) {
		var steps []step
		text, err := io.ReadAll(r.Body)
		// The text of SimpleJWT before 5.5 for what is "Token is invalid" since.
		text = bytes.ReplaceAll(text, []byte("Token is invalid or expired"), []byte("Token is invalid"))
		if err = errors.Join(err, json.Unmarshal(text, &steps)); err != nil {
			steps = []step{{Name: err.Error()}}
		}
		result <- steps
	})
	front := httptest.NewServer(mux)
	defer front.Close()
	origin := strings.Replace(front.URL, "127.0.0.1", "localhost", 1)
	var err error
	if config, err = json.Marshal(map[string]any{
		"base": start(origin), "scheme": p.scheme, "login": p.login, "cookie": p.cookie, "person": p.person, "other": p.other,
	}); err != nil {
		t.Fatal(err)
	}
	browse(t, origin+"/")
	select {
	case outcome = <-result:
	case <-time.After(10 * time.Minute):
		t.Fatal("the page did not finish")
	}
	return outcome
}

// browse opens an address in Chromium until the test ends.
func browse(t *testing.T, address string) {
	t.Helper()
	folder := tempdir.New(t)
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--user-data-dir="+folder+"/profile", "--remote-debugging-port=0", address)
	cmd.Env = append(os.Environ(), "TMPDIR="+folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (tools/setup installs what the tests need)", err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
	})
}

// withCORS returns the address of a proxy that adds what django-cors-headers does for one origin.
func withCORS(t *testing.T, site, origin string) string {
	t.Helper()
	target, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Headers", "authorization, content-type, x-requested-with")
			h.Set("Access-Control-Allow-Methods", "DELETE, GET, OPTIONS, PATCH, POST, PUT")
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}
