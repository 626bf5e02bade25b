package main

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// On the command line 0s is what a negative time is in Settings.
func TestSessionLifetimeFlag(t *testing.T) {
	for given, want := range map[*time.Duration]time.Duration{nil: 0, new(time.Duration(0)): -1, new(time.Hour): time.Hour} {
		f := gateFlags{
			secretFlags:   secretFlags{SecretKey: goodSecret},
			tokenFlags:    tokenFlags{SessionLifetime: given},
			passwordFlags: passwordFlags{Hasher: "argon2"},
		}
		s, err := f.settings(&app{ctx: t.Context()}, slog.New(slog.NewTextHandler(io.Discard, nil)), false)
		if err != nil || s.SessionLifetime != want {
			t.Errorf("%v: %v, want %v; %v", given, s.SessionLifetime, want, err)
		}
	}
}

func TestSessionLifetimeBoundsTokens(t *testing.T) {
	s := startServer(t, t.TempDir(), []string{"JOTGATE_SESSION_LIFETIME=10m"}, "--log-level", "error")
	_, payload, err := jwt.DecodeUnverified(s.login(t).Refresh)
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int64{}
	for _, m := range payload.Members() {
		if n, ok := m.Value.(jwt.Raw).Int(); ok {
			times[m.Name] = n
		}
	}
	if life := times["exp"] - times["iat"]; life != 600 {
		t.Errorf("the refresh token lives for %d s", life)
	}
	if got := s.end(t); got != 0 {
		t.Error(got)
	}
}

// A flag that was renamed is still accepted under its former name, on the command
// line, in the environment and in the config file. The new name takes precedence.
func TestFormerNames(t *testing.T) {
	for _, row := range []struct{ former, name, value, other string }{
		{"hash-lanes", "hash-concurrency", "3", "4"},
		{"remember", "remember-tokens", "3", "4"},
		{"send-timeout", "client-timeout", "3s", "4s"},
	} {
		t.Run(row.former, func(t *testing.T) {
			variable := "JOTGATE_" + strings.ReplaceAll(strings.ToUpper(row.former), "-", "_")
			former := write(t, "former.yaml", row.former+": "+row.value+"\n")
			both := write(t, "both.yaml", row.former+": "+row.other+"\n"+row.name+": "+row.value+"\n")
			for source, how := range map[string]struct {
				env  map[string]string
				args []string
			}{
				"flag":                    {nil, []string{"--" + row.former, row.value}},
				"variable":                {map[string]string{variable: row.value}, nil},
				"config file":             {map[string]string{"JOTGATE_CONFIG": former}, nil},
				"config file, both names": {map[string]string{"JOTGATE_CONFIG": both}, nil},
			} {
				if got := parsed(t, row.name, how.env, how.args); got != row.value {
					t.Errorf("%s: --%s = %s, want %s", source, row.name, got, row.value)
				}
			}
		})
	}
}

// parsed returns the value of a flag of serve on this command line.
func parsed(t *testing.T, flag string, env map[string]string, args []string) string {
	t.Helper()
	parser, err := newParser(&commands{}, &app{}, &source{env: env}, nil)
	if err != nil {
		t.Fatal(err)
	}
	line, err := parser.Parse(append([]string{"serve"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range line.Flags() {
		if f.Name == flag {
			return valueText(line.FlagValue(f))
		}
	}
	t.Fatalf("serve has no flag --%s", flag)
	return ""
}
