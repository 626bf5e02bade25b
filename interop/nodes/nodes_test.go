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
	// Cheap hashes: this is about sessions, and the users are made here. No token expires meanwhile.
	args = append(args, "--hasher=pbkdf2_sha256:1000", "--access-token-lifetime=24h")
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

// check returns the status of a request with the token. It asks forward auth, which looks nothing up.
func check(t *testing.T, n *serve.Server, access string) int {
	t.Helper()
	got := client.Get(t, n.URL+"/auth/check", "Bearer "+access)
	switch got.Status {
	case http.StatusOK, http.StatusUnauthorized, http.StatusServiceUnavailable:
	default:
		t.Fatalf("%+v", got)
	}
	return got.Status
}

// opens reports whether the node lets the token through.
func opens(t *testing.T, n *serve.Server, access string) bool {
	t.Helper()
	return check(t, n, access) == http.StatusOK
}

// refuses reports whether the node knows that the token is not valid any more.
func refuses(t *testing.T, n *serve.Server, access string) bool {
	t.Helper()
	return check(t, n, access) == http.StatusUnauthorized
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

// What node A revokes, node B refuses; the log says how soon.
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
		if !refuses(t, a, access) {
			t.Fatal("node A lets a token through that it has revoked")
		}
		slowest = max(slowest, until(t, "refusal on node B", func() bool { return refuses(t, b, access) }))
	}
	t.Logf("node B refused within %v", slowest)
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
	access, _ := login(t, a)
	gone, goneRefresh := login(t, a)
	if !opens(t, trusting, access) {
		t.Fatal("the trusting node refuses a good token")
	}
	// On a slow machine the strict node may not read the revocations every two seconds.
	until(t, "the strict node accepts a good token", func() bool { return opens(t, strict, access) })
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
		until(t, name+" hears of the logout", func() bool { return refuses(t, n, gone) })
	}
	t.Logf("the strict node refused after %v, opened again after %v", refusedAfter, back)
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
	keys, far := farGuard(t, a.URL+"/.well-known/jwks.json")
	nodes := map[string]*serve.Server{"A": a, "B": b}
	// As an operator does it: publish, see it on every node, wait until no cache lacks it, switch.
	rotate := func(alg string) {
		kid := strings.TrimSpace(key("add", alg))
		for name, n := range nodes {
			until(t, "node "+name+" publishes "+kid, func() bool { return publishes(t, n, kid) })
		}
		until(t, "the verifier elsewhere has "+kid, func() bool { return has(keys, kid) }) // in place of the ten minutes that real caches take
		key("rotate", "--now")
		for name, n := range nodes {
			until(t, "node "+name+" signs with the new key", func() bool {
				access, _ := login(t, n)
				return algOf(t, access) == alg
			})
		}
	}
	rotate("ES256")
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
				for name, n := range nodes {
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
		enough := verified.Load() + 60
		until(t, "tokens of the new key are verified", func() bool { return t.Failed() || verified.Load() >= enough })
	}
	stop.Store(true)
	clients.Wait()
	t.Logf("%d tokens verified, none refused", verified.Load())
}
