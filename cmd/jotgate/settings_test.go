package main

import (
	"io"
	"log/slog"
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
