// Package browser judges passkeys in Debian's Chromium with virtual authenticators, against the binary of jotgate and a
// front end of another origin under a strict content security policy. It has only tests.
package browser

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"

	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/browser/chrome"
	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'; connect-src "

// site is a front end at http://localhost, a jotgate for it, and a page of a browser at the front end.
type site struct {
	*chrome.Page
	server *serve.Server
	front  string
}

const password = "correct horse battery"

func newSite(t *testing.T) *site {
	t.Helper()
	mux := http.NewServeMux()
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	s := &site{front: strings.Replace(front.URL, "127.0.0.1", "localhost", 1)}
	folder := t.TempDir()
	settings := []string{"JOTGATE_DATABASE=sqlite:" + folder + "/jotgate.db", "JOTGATE_HASHER=pbkdf2_sha256:1000"}
	create := serve.Command(t, folder, append(settings, "JOTGATE_USER_PASSWORD="+password), "user", "create", "alice", "--email", "alice@example.com")
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.server = serve.Start(t, serve.Options{Env: settings, Args: []string{"--cors-origins", s.front}})
	api := strings.Replace(s.server.URL, "127.0.0.1", "localhost", 1)
	file := func(path, contentType string, content []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Content-Security-Policy", policy+api)
			_, _ = w.Write(content)
		})
	}
	file("/passkey.js", "text/javascript", passkey.Script)
	file("/app.js", "text/javascript", read(t, "testdata/app.js"))
	file("/{$}", "text/html", []byte(strings.Replace(string(read(t, "testdata/index.html")), "{{api}}", api, 1)))
	s.Page = chrome.Open(t, s.front+"/")
	s.Until(`document.documentElement.dataset.ready`)
	return s
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// outcome returns the user's name, "ok", or the error of a call of app.
func (s *site) outcome(call string) string {
	return chrome.Eval[string](s.Page, "app.outcome(app."+call+")")
}

func (s *site) expect(t *testing.T, call, want string) {
	t.Helper()
	if got := s.outcome(call); got != want {
		t.Errorf("%s: %s, want %s", call, got, want)
	}
}

const logIn = "password('alice', '" + password + "')"

// The life of a passkey: registration, login by button and by autofill, second factor, sync, removal.
func TestPasskey(t *testing.T) {
	s := newSite(t)
	a := s.Authenticator(nil)
	s.expect(t, "withPasskey()", "NotAllowedError") // none yet
	s.expect(t, logIn, "alice")
	s.expect(t, "register('Laptop')", "ok")
	s.expect(t, "register('Again')", "insufficient_user_authentication") // the account can do better than a password now
	s.expect(t, "again()", "alice")
	s.expect(t, "register('Again')", "InvalidStateError") // the exclude list
	credentials := a.Credentials()
	if len(credentials) != 1 || !credentials[0].IsResidentCredential || string(credentials[0].UserHandle) != "1" || credentials[0].UserName != "alice" {
		t.Fatalf("credentials %+v", credentials)
	}

	// By button.
	s.logout()
	chrome.Eval[bool](s.Page, `document.getElementById("passkey").click() ?? true`)
	s.Until(`document.getElementById("status").textContent === "Hello, alice"`)

	// By autofill, without a press.
	s.logout()
	chrome.Eval[bool](s.Page, `app.autofill(), true`)
	s.Until(`document.getElementById("status").textContent === "Hello, alice"`)

	// A pending autofill request does not block the button, and goes on after its failure.
	s.logout()
	a.Present(false)
	chrome.Eval[bool](s.Page, `(navigator.credentials.get = function(options) {
		document.documentElement.dataset.asked = "yes";
		return CredentialsContainer.prototype.get.call(this, options);
	}, app.autofill(), true)`)
	s.Until(`document.documentElement.dataset.asked`)
	a.Verifies(false)
	a.Present(true)
	s.expect(t, "withPasskey()", "NotAllowedError")
	a.Verifies(true)
	s.Until(`document.getElementById("status").textContent === "Hello, alice"`)

	// As the second factor.
	s.logout()
	s.expect(t, logIn, "alice")

	// The passkey becomes a synced one.
	a.Sync(credentials[0].CredentialID)
	s.logout()
	s.expect(t, "withPasskey()", "alice")

	// Removed, it is unknown to the server, and then to the browser.
	s.expect(t, "remove()", "ok")
	s.logout()
	s.expect(t, "withPasskey()", "passkey_unknown")
	forgotten(t, a)
	s.expect(t, logIn, "alice") // the password alone: no second factor is left
}

func (s *site) logout() {
	chrome.Eval[bool](s.Page, `app.logout(), document.getElementById("status").textContent = "", true`)
}

// forgotten waits until the browser has no passkey: its promise does not say when.
func forgotten(t *testing.T, a *chrome.Authenticator) {
	t.Helper()
	wait.Until(t, "the browser has no passkey", func() bool { return len(a.Credentials()) == 0 })
}

// A device whose counter goes back is refused: it may be a copy.
func TestCopiedKey(t *testing.T) {
	s := newSite(t)
	a := s.Authenticator(nil)
	s.expect(t, logIn, "alice")
	s.expect(t, "register('Key')", "ok")
	s.expect(t, "withPasskey()", "alice")
	a.SetCount(a.Credentials()[0].CredentialID, 0)
	s.logout()
	s.expect(t, "withPasskey()", "passkey_not_valid")
}

// An old security key, which can neither store a passkey nor verify its user, is a second factor only.
func TestSecurityKey(t *testing.T) {
	s := newSite(t)
	s.Authenticator(func(o *webauthn.VirtualAuthenticatorOptions) {
		o.Protocol, o.Ctap2version, o.Transport = webauthn.AuthenticatorProtocolU2f, "", webauthn.AuthenticatorTransportUsb
		o.HasResidentKey, o.HasUserVerification, o.IsUserVerified = false, false, false
	})
	s.expect(t, logIn, "alice")
	s.expect(t, "register('Key', false)", "ok")
	s.logout()
	s.expect(t, logIn, "alice")
	s.logout()
	s.expect(t, "withPasskey()", "NotAllowedError")
}

// The browser hides what the server has removed (Signal API).
func TestSignals(t *testing.T) {
	s := newSite(t)
	a := s.Authenticator(nil)
	s.expect(t, logIn, "alice")
	s.expect(t, "register('Laptop')", "ok")
	s.expect(t, "signal()", "ok")
	if n := len(a.Credentials()); n != 1 {
		t.Fatalf("%d passkeys after a signal with all", n)
	}
	s.expect(t, "again()", "alice")
	s.expect(t, "remove()", "ok")
	s.expect(t, "signal()", "ok")
	forgotten(t, a)
}
