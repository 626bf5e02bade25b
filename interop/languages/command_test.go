package languages

// The command line as a party: `jotgate token encode` and `jotgate token verify`.

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

// TestCommandLine takes one language that knows every algorithm: the package behind the command is judged by all.
func TestCommandLine(t *testing.T) {
	node := find(t, "node").start(t)
	for _, alg := range everyAlgorithm {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			judge(t, alg, commandLine{}, node)
			judge(t, alg, node, commandLine{})
		})
	}
}

// commandLine is the jotgate binary.
type commandLine struct{}

func (commandLine) sign(t *testing.T, alg, key, claims string) string {
	t.Helper()
	args := append([]string{"token", "encode", "--alg", alg}, keyFlags(t, alg, key)...)
	token, err := run(t, append(args, claims)...)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (commandLine) verify(t *testing.T, alg, key, token string) (string, error) {
	t.Helper()
	args := append([]string{"token", "verify", "--alg", alg}, keyFlags(t, alg, key)...)
	return run(t, append(args, token)...)
}

// keyFlags gives a key as the command takes it: a secret as it is, PEM in a file.
func keyFlags(t *testing.T, alg, key string) []string {
	t.Helper()
	if strings.HasPrefix(alg, "HS") {
		return []string{"--secret", key}
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--key", file}
}

// run returns what the command prints, and its reason where it refuses: status 1 and nothing on standard output.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := serve.Command(t, t.TempDir(), nil, args...)
	var out, reason bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &reason
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return strings.TrimSpace(out.String()), nil
	case !errors.As(err, &exit) || exit.ExitCode() != 1 || out.Len() > 0:
		t.Fatalf("jotgate %s: %v, want status 0, or 1 and no output\n%s%s", strings.Join(args, " "), err, &out, &reason)
	}
	return "", errors.New(strings.TrimSpace(reason.String()))
}
