package faults

// What the tests share: the servers and how long things take.

import (
	"cmp"
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) {
	// The tests wait more than they work: all faults go side by side.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(serve.Main(m))
}

const secret = "faults-secret-key-faults-secret-key-faults-secret-key-0123456789"

// What is promised, measured in the long form alone: in the short one, which is
// part of make test, the limits only end a test that hangs.
var (
	answered  = either(wait.Limit, 10*time.Second) // every request, whatever is broken
	recovered = either(wait.Limit, 5*time.Second)  // after the mending
	heard     = either(wait.Limit, time.Second)    // every node, of a logout at another one
)

// long tells whether the long form was asked for.
func long() bool { return os.Getenv("FAULTS") == "long" }

// either is a length for the short form and one for the long.
func either(short, longer time.Duration) time.Duration {
	if long() {
		return longer
	}
	return short
}

// flags make a server fit for a load from one address: cheap hashes, no rates, and a grace time in which a client may
// repeat a refresh whose answer it did not get.
var flags = []string{
	"--hasher=pbkdf2_sha256:1000", "--refresh-grace=10m", "--access-token-lifetime=10m", "--log-level=error",
	"--rate=login=1000000/min;register=1000000/min;email=1000000/min",
}

// node starts a server on the database.
func node(t *testing.T, database string, more ...string) *serve.Server {
	t.Helper()
	args := slices.Concat(flags, []string{"--database-timeout=5s"}, more) // the default: the tests wait for it
	return serve.Start(t, serve.Options{Database: database, SecretKey: secret, Args: args})
}

// longSoak tells whether the long form was asked for.
func longSoak() bool { return os.Getenv("SOAK") != "" }

// soakTime is how long the soak runs.
func soakTime(t *testing.T) time.Duration {
	d, err := time.ParseDuration(cmp.Or(os.Getenv("SOAK"), "15s"))
	if err != nil {
		t.Fatalf("SOAK: %v", err)
	}
	return d
}
