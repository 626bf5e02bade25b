package matrix

// The places that accept tokens.

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/django"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

const (
	secret      = "matrix-secret-key-matrix-secret-key-matrix-secret-key-0123456789"
	password    = "correct horse battery"
	newPassword = "another horse battery"

	// accessLifetime is that of access tokens, none of which expires during the test.
	accessLifetime = 24 * time.Hour
)

// The indexes of the places in a row of the table.
const (
	here   = iota // the node on which jotgate's events happen
	second        // another node on the same database
	guard         // a guard elsewhere that follows the second node
	dj            // Django
	places
)

var placeNames = [places]string{"node of the event", "second node", "following guard", "Django"}

// A world is a database with a Django and two jotgate nodes on it, and a guard without it.
type world struct {
	t      *testing.T
	site   *django.Site
	nodes  [2]*jotgate.Gate
	stores [2]*store.Store
	guard  *jotgate.Guard
}

// newWorld starts everything on a new database; an empty address is a new SQLite file.
func newWorld(t *testing.T, address string) *world {
	t.Helper()
	w := &world{t: t, site: django.Start(t, django.Options{
		Database: address, SecretKey: secret, Hashers: []string{"project.hashers.CheapPBKDF2"},
		SimpleJWT: map[string]any{"ACCESS_TOKEN_LIFETIME": int(accessLifetime / time.Second)},
	})}
	for i := range w.nodes {
		w.stores[i], w.nodes[i] = w.node()
	}
	feed := httptest.NewServer(w.nodes[second].Sessions().RevocationFeed())
	t.Cleanup(feed.Close)
	t.Cleanup(feed.CloseClientConnections)
	key, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	w.guard, err = jotgate.NewGuard(jotgate.GuardSettings{
		Keys: key, RememberTokens: 1000, RevocationsURL: feed.URL, Logger: quiet(),
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = w.guard.Run(t.Context()) }()
	return w
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// node starts a node with its own connections.
func (w *world) node() (*store.Store, *jotgate.Gate) {
	w.t.Helper()
	db, err := w.open()
	if err != nil {
		w.t.Fatal(err)
	}
	hasher, err := passwd.New("pbkdf2_sha256:1000")
	if err != nil {
		w.t.Fatal(err)
	}
	node, err := jotgate.New(jotgate.Settings{
		SecretKey: secret, Hasher: hasher, AccessTokenLifetime: accessLifetime, RememberTokens: 1000, ServeRevocations: true, Logger: quiet(),
	}, db)
	if err != nil {
		w.t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = node.Run(w.t.Context())
	}()
	w.t.Cleanup(func() {
		<-stopped
		_ = db.Close()
	})
	return db, node
}

func (w *world) open() (*store.Store, error) {
	if path, ok := strings.CutPrefix(w.site.Database, "sqlite:"); ok {
		return sqlite.Open(w.t.Context(), path, sqlite.Options{BusyTimeout: wait.Limit})
	}
	return postgres.Open(w.t.Context(), w.site.Database, postgrestest.Options)
}

// accepts reports whether a place accepts an access token.
func (w *world) accepts(place int, access string) bool {
	w.t.Helper()
	switch place {
	case dj:
		return w.ok(client.Get(w.t, w.site.URL+"/api/me/", "Bearer "+access))
	case guard:
		_, err := w.guard.VerifyAccess(access)
		return w.accepted(err)
	default:
		_, err := w.nodes[place].VerifyAccess(access)
		return w.accepted(err)
	}
}

// refresh reports whether a place accepts a refresh token, and returns the tokens that it issues.
func (w *world) refresh(place int, token string) (jotgate.Tokens, bool) {
	w.t.Helper()
	if place == dj {
		answer := client.Post(w.t, w.site.URL+"/api/token/refresh/", "refresh", token)
		return jotgate.Tokens{Access: answer.Text("access")}, w.ok(answer)
	}
	tokens, err := w.nodes[place].Refresh(w.t.Context(), token, jotgate.Client{})
	return tokens, w.accepted(err)
}

// ok reports whether Django accepted a token. Anything but 200 and 401 ends the test.
func (w *world) ok(answer client.Answer) bool {
	w.t.Helper()
	if answer.Status != http.StatusOK && answer.Status != http.StatusUnauthorized {
		w.t.Fatalf("Django: %+v", answer)
	}
	return answer.Status == http.StatusOK
}

// accepted reports whether jotgate accepted a token. An error other than a 401 ends the test.
func (w *world) accepted(err error) bool {
	w.t.Helper()
	var refusal *jotgate.Error
	if err != nil && (!errors.As(err, &refusal) || refusal.Status != http.StatusUnauthorized) {
		w.t.Fatalf("jotgate: %v", err)
	}
	return err == nil
}

// login returns the tokens of a login at a place.
func (w *world) login(place int, username string) jotgate.Tokens {
	w.t.Helper()
	if place == dj {
		answer := client.Post(w.t, w.site.URL+"/api/token/", "username", username, "password", password)
		if answer.Status != http.StatusOK {
			w.t.Fatalf("login of %s at Django: %+v", username, answer)
		}
		return jotgate.Tokens{Access: answer.Text("access"), Refresh: answer.Text("refresh")}
	}
	tokens, err := w.nodes[place].Login(w.t.Context(), username, password, jotgate.Client{})
	if err != nil {
		w.t.Fatalf("login of %s: %v", username, err)
	}
	return tokens
}

// catchUp returns when every place that follows a revocation list has received what is in it by now: a logout on each
// node, which is later in the list, has arrived. The list is read in its order.
func (w *world) catchUp(marker string) {
	w.t.Helper()
	for _, from := range []int{here, second} {
		tokens, began := w.login(from, marker), time.Now()
		if err := w.nodes[from].Logout(w.t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
			w.t.Fatal(err)
		}
		for place := here; place <= guard; place++ {
			wait.Until(w.t, "the logout has reached the "+placeNames[place], func() bool { return !w.accepts(place, tokens.Access) })
			w.t.Logf("a logout on the %s has reached the %s after %v", placeNames[from], placeNames[place], time.Since(began).Round(time.Millisecond))
		}
	}
}
