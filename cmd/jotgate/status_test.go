package main

// The exit status of a command line, and that the reason is on standard
// error.

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/program"
)

const (
	goodSecret = "0123456789abcdef0123456789abcdef"
	// Of PyJWT: {"user_id":"abc"} under the secret SECRET.
	goodToken = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoiYWJjIn0.OW6BZboviYgO6Yy_UTj5jloba7WlPwZnKHPYDUyY3MU"
)

// try runs a command line.
func try(t *testing.T, env []string, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errors strings.Builder
	if !slices.Contains(args, "config") { // which shows it
		env = slices.Concat(program.Limits, env)
	}
	status = run(t.Context(), args, env, strings.NewReader(stdin), &out, &errors)
	return status, out.String(), errors.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStatuses(t *testing.T) {
	pem := "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"
	public := write(t, "public.pem", pem)
	empty := write(t, "empty.secret", "")
	verify := func(args ...string) []string { return append([]string{"token", "verify"}, args...) }
	for _, row := range []struct {
		name   string
		args   []string
		env    []string
		status int
		stderr string // a part of it
	}{
		{"accepted", verify("--secret", "SECRET", goodToken), nil, 0, "never expires"},
		{"flags after the token", verify(goodToken, "--secret", "SECRET"), nil, 0, ""},
		{"secret of the environment", verify(goodToken), []string{"JOTGATE_TOKEN_SECRET=SECRET"}, 0, ""},
		{"wrong secret", verify("--secret", "OTHER", goodToken), nil, 1, "signature is wrong"},
		{"no token at all", verify("--secret", "SECRET", ""), nil, 1, "not three segments"},
		{"public key", verify("--key", public, goodToken), nil, 1, "algorithm"},
		{"token missing", verify("--secret", "SECRET"), nil, 2, "<token>"},
		{"key missing", verify(goodToken), nil, 2, "--secret"},
		{"two keys", verify("--secret", "SECRET", "--key", public, goodToken), nil, 2, "one of"},
		{"no such file", verify("--key", "nowhere.pem", goodToken), nil, 2, "nowhere.pem"},
		{"PEM as a secret", verify("--secret", pem, goodToken), nil, 2, "PEM"},
		{"JWK as a secret", verify("--secret", `{"kty":"oct","k":"c2VjcmV0"}`, goodToken), nil, 2, "JWK"},
		{"unknown flag", verify("--secret", "SECRET", "--what", goodToken), nil, 2, "--what"},
		{"flag of other programs", []string{"serve", "--port", "8001"}, nil, 2, "unknown flag --port, did you mean --addr HOST:PORT? (see jotgate serve --help)"},
		{"flag of other programs with a value", []string{"doctor", "--dsn=x"}, nil, 2, "did you mean --database URL?"},
		{"near spelling", []string{"serve", "--adr", "x"}, nil, 2, `did you mean "--addr"?`},
		{"flag that this command has not", []string{"version", "--port", "8001"}, nil, 2, "unknown flag --port (see jotgate version --help)"},
		{"secret file as token calls it", []string{"serve", "--secret-file", empty}, nil, 2, "the secret is missing"},
		{"secret file as serve calls it", verify("--secret-key-file", write(t, "s", "SECRET"), goodToken), nil, 0, ""},
		{"unknown algorithm", verify("--secret", "SECRET", "--alg", "none", goodToken), nil, 2, "none"},
		{"empty algorithm", verify("--secret", "SECRET", "--alg", "", goodToken), nil, 2, "algorithm"},
		{"algorithm of other keys", verify("--key", public, "--alg", "HS256", goodToken), nil, 2, "HS256"},
		{"leeway out of range", verify("--secret", "SECRET", "--leeway", "11m", goodToken), nil, 2, "--leeway"},
		{"time that is none", verify("--secret", "SECRET", "--at", "noon", goodToken), nil, 2, "noon"},
		{"claims that are none", []string{"token", "encode", "--secret", goodSecret, `{"a":1,"a":2}`}, nil, 2, "invalid JSON: duplicate name"},
		{"claims that are a list", []string{"token", "encode", "--secret", goodSecret, `[1]`}, nil, 2, "CLAIMS is JSON, but not an object"},
		{"signing with PEM as a secret", []string{"token", "encode", "--secret", pem, `{}`}, nil, 2, "PEM"},
		{"signing with a public key", []string{"token", "encode", "--key", public, `{}`}, nil, 2, "public"},
		{"decode of no token", []string{"token", "decode", "a.b"}, nil, 1, "not a token"},
		{"unknown command", []string{"nonsense"}, nil, 2, "nonsense"},
		{"named config file missing", []string{"version", "--config", "nowhere.yaml"}, nil, 2, "nowhere.yaml"},
		{"misspelt setting", []string{"version", "--config", write(t, "a.yaml", "token: {isuer: x}")}, nil, 2, `"token.isuer"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, stdout, stderr := try(t, row.env, "", row.args...)
			if status != row.status || !strings.Contains(stderr, row.stderr) {
				t.Errorf("status %d, %q; want %d, …%s…", status, stderr, row.status, row.stderr)
			}
			if status != 0 && stdout != "" {
				t.Errorf("standard output: %q", stdout)
			}
		})
	}
}

// A flag has precedence over the environment, and the environment over the
// config file.
func TestPrecedence(t *testing.T) {
	file := write(t, "c.json", `{"token": {"secret": "SECRET", "require": ["exp", "user_id"]}}`)
	for _, row := range []struct {
		name   string
		env    []string
		args   []string
		status int
		stderr string
	}{
		{"file", nil, nil, 1, "claim exp"},
		{"environment over file", []string{"JOTGATE_TOKEN_REQUIRE=nonce"}, nil, 1, "claim nonce"},
		{"flag over both", []string{"JOTGATE_TOKEN_REQUIRE=nonce"}, []string{"--require", "user_id"}, 0, ""},
		{"an empty variable is none", []string{"JOTGATE_TOKEN_REQUIRE="}, nil, 1, "claim exp"},
	} {
		t.Run(row.name, func(t *testing.T) {
			env := append([]string{"JOTGATE_CONFIG=" + file}, row.env...)
			status, _, stderr := try(t, env, "", append([]string{"token", "verify", goodToken}, row.args...)...)
			if status != row.status || !strings.Contains(stderr, row.stderr) {
				t.Errorf("status %d, %q; want %d, …%s…", status, stderr, row.status, row.stderr)
			}
		})
	}
}

// A map is a map in the config file, and its values are used.
func TestMapsInTheConfigFile(t *testing.T) {
	file := write(t, "c.yaml", "rate:\n  login: 1000/min\n  anon: sometimes\n")
	status, _, stderr := try(t, []string{"SECRET_KEY=" + goodSecret}, "", "serve", "--config", file, "--addr", "127.0.0.1:0", "--database", "sqlite:"+t.TempDir()+"/a.db")
	if status != statusUsage || !strings.Contains(stderr, `rate "sometimes"`) {
		t.Errorf("status %d, %q", status, stderr)
	}
}

func TestReadsAtMostAMebibyte(t *testing.T) {
	status, _, stderr := try(t, nil, strings.Repeat(".", maxInput+1), "token", "verify", "--secret", "SECRET", "-")
	if status != statusUsage || !strings.Contains(stderr, "1 MiB") {
		t.Errorf("status %d, %q", status, stderr)
	}
}
