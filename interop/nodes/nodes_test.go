// Package nodes runs two jotgate processes on one PostgreSQL, as an operator does who has outgrown one machine, and a
// verifier elsewhere that has nothing but their published keys.
package nodes

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

const (
	secret   = "nodes-secret-key-nodes-secret-key-nodes-secret-key-0123456789"
	password = "correct horse battery"
)

// node starts a server on the database; database may be behind a relay.
func node(t *testing.T, database string, args ...string) *serve.Server {
	t.Helper()
	// Cheap hashes: this is about sessions, and the users are made here.
	args = append(args, "--hasher=pbkdf2_sha256:1000")
	return serve.Start(t, serve.Options{Database: database, SecretKey: secret, Args: args})
}

// alice makes a user through the command line.
func alice(t *testing.T, database string) {
	t.Helper()
	env := []string{"JOTGATE_DATABASE=" + database, "JOTGATE_SECRET_KEY=" + secret, "JOTGATE_SUPERUSER_PASSWORD=" + password}
	cmd := serve.Command(t, t.TempDir(), env, "createsuperuser", "--noinput", "--username=alice", "--email=alice@example.com")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("createsuperuser: %v\n%s", err, out)
	}
}

// login returns an access and a refresh token.
func login(t *testing.T, n *serve.Server) (access, refresh string) {
	t.Helper()
	got := client.Post(t, n.URL+"/api/token/", "username", "alice", "password", password)
	if got.Status != http.StatusOK {
		t.Fatalf("login: %+v", got)
	}
	return got.Text("access"), got.Text("refresh")
}

// opens reports whether the node lets the token through. It asks forward auth, which looks nothing up.
func opens(t *testing.T, n *serve.Server, access string) bool {
	t.Helper()
	switch got := client.Get(t, n.URL+"/auth/check", "Bearer "+access); got.Status {
	case http.StatusOK:
		return true
	case http.StatusUnauthorized, http.StatusServiceUnavailable:
		return false
	default:
		t.Fatalf("%+v", got)
		return false
	}
}

// until waits for done and returns how long it took, for the log.
func until(t *testing.T, what string, done func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	wait.Until(t, what, done)
	return time.Since(began)
}

// publishes reports whether the node's JWK Set holds the key.
func publishes(t *testing.T, n *serve.Server, kid string) bool {
	t.Helper()
	keys, _ := client.Get(t, n.URL+"/.well-known/jwks.json", "").Body["keys"].([]any)
	for _, key := range keys {
		if key.(map[string]any)["kid"] == kid {
			return true
		}
	}
	return false
}

// What node A revokes, node B refuses within a second.
func TestRevokedOnOneNode(t *testing.T) {
	database := pgtest.Database(t)
	a, b := node(t, database), node(t, database)
	alice(t, database)
	var slowest time.Duration
	for range 10 {
		access, refresh := login(t, a)
		if !opens(t, b, access) {
			t.Fatal("node B refuses node A's token")
		}
		if got := client.Post(t, a.URL+"/api/token/blacklist/", "refresh", refresh); got.Status != http.StatusOK {
			t.Fatalf("logout: %+v", got)
		}
		if opens(t, a, access) {
			t.Fatal("node A lets a token through that it has revoked")
		}
		slowest = max(slowest, until(t, "refusal on node B", func() bool { return !opens(t, b, access) }))
	}
	t.Logf("node B refused within %v", slowest)
	if slowest > time.Second {
		t.Errorf("node B took %v", slowest)
	}
}

// Node B loses the database. By default it goes on with what it knows; told to be strict, it refuses; both catch up
// when the database is back.
func TestFeedCut(t *testing.T) {
	database := pgtest.Database(t)
	wire := relayTo(t, database)
	a := node(t, database)
	trusting := node(t, wire.dsn)
	strict := node(t, wire.dsn, "--revocations-required", "--revocation-max-age=2s")
	alice(t, database)
	access, refresh := login(t, a)
	gone, goneRefresh := login(t, a)
	for name, n := range map[string]*serve.Server{"trusting": trusting, "strict": strict} {
		if !opens(t, n, access) {
			t.Fatalf("%s refuses a good token", name)
		}
	}
	wire.cut()
	if got := client.Post(t, a.URL+"/api/token/blacklist/", "refresh", goneRefresh); got.Status != http.StatusOK {
		t.Fatalf("logout: %+v", got)
	}
	refusedAfter := until(t, "the strict node refuses", func() bool { return !opens(t, strict, access) })
	if !opens(t, trusting, access) {
		t.Error("the trusting node refuses a good token")
	}
	wire.repair()
	back := until(t, "the strict node is back", func() bool { return opens(t, strict, access) })
	for name, n := range map[string]*serve.Server{"trusting": trusting, "strict": strict} {
		until(t, name+" hears of the logout", func() bool { return !opens(t, n, gone) })
	}
	t.Logf("the strict node refused after %v, opened again after %v", refusedAfter, back)
	if back > 5*time.Second {
		t.Errorf("recovery took %v", back)
	}
	_ = refresh
}

// Keys rotate while three verifiers work: two nodes and one that has the published keys only. None refuses a good token.
func TestKeysRotateUnderLoad(t *testing.T) {
	database := pgtest.Database(t)
	a, b := node(t, database), node(t, database)
	alice(t, database)
	key := func(args ...string) string {
		env := []string{"JOTGATE_DATABASE=" + database, "JOTGATE_SECRET_KEY=" + secret}
		out, err := serve.Command(t, t.TempDir(), env, append([]string{"key"}, args...)...).Output()
		if err != nil {
			t.Fatalf("key %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	far := farGuard(t, a.URL+"/.well-known/jwks.json")
	// As an operator does it: publish, see it on every node, wait until no cache lacks it, switch.
	rotate := func(alg string) {
		kid := strings.TrimSpace(key("add", alg))
		for name, n := range map[string]*serve.Server{"A": a, "B": b} {
			until(t, "node "+name+" publishes "+kid, func() bool { return publishes(t, n, kid) })
		}
		time.Sleep(4 * cached) // in place of the ten minutes that real caches take
		key("rotate", "--now")
	}
	rotate("ES256")
	until(t, "both nodes sign with the new key", func() bool {
		one, _ := login(t, a)
		two, _ := login(t, b)
		return algOf(t, one) == "ES256" && algOf(t, two) == "ES256"
	})
	var verified atomic.Int64
	var stop atomic.Bool
	var clients sync.WaitGroup
	for _, from := range []*serve.Server{a, b} {
		clients.Go(func() {
			_, refresh := login(t, from)
			for !stop.Load() {
				got := client.Post(t, from.URL+"/api/token/refresh/", "refresh", refresh)
				if got.Status != http.StatusOK {
					t.Errorf("refresh during the rotation: %+v", got)
					return
				}
				refresh = got.Text("refresh")
				for name, n := range map[string]*serve.Server{"A": a, "B": b} {
					if !opens(t, n, got.Text("access")) {
						t.Errorf("node %s refused a good token", name)
					}
				}
				if _, err := far.VerifyAccess(got.Text("access")); err != nil {
					t.Errorf("the verifier elsewhere refused a good token: %v", err)
				}
				verified.Add(3)
			}
		})
	}
	for _, alg := range []string{"EdDSA", "RS256"} {
		rotate(alg)
		time.Sleep(2 * time.Second)
	}
	stop.Store(true)
	clients.Wait()
	access, _ := login(t, a)
	if got := algOf(t, access); got != "RS256" {
		t.Errorf("at the end tokens are signed with %s", got)
	}
	t.Logf("%d tokens verified, none refused", verified.Load())
}
