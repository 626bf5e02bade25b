package api

// Rows H001, H002, H003, H007 and H008 of testdata/attacks.json: answers about
// accounts that are there and that are not take equally long.

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/equaltime"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

// patient is a site whose users may fail as often as they like, with a hash
// that takes some milliseconds.
func patient(t *testing.T) *site {
	hasher, err := passwd.New("pbkdf2_sha256:20000")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, change{
		gate: func(g *jotgate.Settings) { g.Hasher = hasher },
		api: func(a *Settings) {
			a.Lockout = throttle.Lockout{Network: throttle.Policy{Free: 1 << 30}, Account: throttle.Policy{Free: 1 << 30}}
			a.SendActivationEmail = true
		},
	})
	for name, setting := range map[string]string{"older1": "pbkdf2_sha256:1000", "older2": "md5", "older3": "pbkdf2_sha256:19000"} {
		encoded := "md5$seasalt$c2a2a3b9ae3e5b3a0e3e4e9b2e5a1f67"
		if setting != "md5" {
			old, err := passwd.New(setting)
			if err != nil {
				t.Fatal(err)
			}
			encoded, _ = old.Make(goodPassword)
		}
		a := &record.Account{Username: name, Password: encoded, IsActive: true, DateJoined: s.now.Now()}
		if err := s.db.Accounts().Create(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// fail returns a login that fails for this name.
func (s *site) fail(name string) func(int) {
	return func(int) {
		if a := s.try(name, "wrong password 12"); a.Status != 401 {
			s.t.Fatalf("%s: %d", name, a.Status)
		}
	}
}

// equalTime checks that responses take equally long, in 100 rounds and with a
// floor of 10 %: on a busy machine the work that differs by design, such as a row
// more, weighs more. With TIMING=full (make timing) there are 500 rounds and the
// floor is that of the row.
func equalTime(t *testing.T, floor float64, ask map[string]func(int)) {
	t.Helper()
	rounds := 500
	if os.Getenv("TIMING") != "full" {
		rounds, floor = 100, max(floor, 0.10)
	}
	equaltime.Check(t, rounds, floor, ask)
}

func TestH001LoginTiming(t *testing.T) {
	s := patient(t)
	equalTime(t, 0.03, map[string]func(int){"known": s.fail("alice"), "unknown": s.fail("zzzzz")})
}

func TestH002UnusablePasswordTiming(t *testing.T) {
	s := patient(t)
	equalTime(t, 0.03, map[string]func(int){
		"known": s.fail("alice"), "unusable": s.fail("dave"),
		"inactive": func(int) { s.try("bob", goodPassword) },
	})
}

func TestH003OldHashTiming(t *testing.T) {
	s := patient(t)
	equalTime(t, 0.10, map[string]func(int){
		"absent": s.fail("zzzzzz"), "1000 iterations": s.fail("older1"), "md5": s.fail("older2"), "19000 iterations": s.fail("older3"),
	})
}

// The answers wait for a time longer than the work (root: linkTime), so the
// paths can be measured side by side. What becomes of the messages meanwhile does
// not show either (H008): nobody sends them, or the mail server is gone, or is
// slow and then refuses.
func TestH007MessageTiming(t *testing.T) {
	for _, c := range []struct{ path, known, mailServer string }{
		{"reset_password", "alice@example.com", ""},
		{"reset_username", "alice@example.com", ""},
		{"resend_activation", "bob@example.com", ""},
		{"reset_password", "alice@example.com", "127.0.0.1:1"},
		{"reset_password", "alice@example.com", slowMailServer(t)},
	} {
		t.Run(c.path+" "+c.mailServer, func(t *testing.T) {
			t.Parallel()
			s := patient(t)
			s.sendBy(c.mailServer)
			to := func(email string) func(int) {
				body := object("email", email)
				return func(int) {
					if a := s.ask("POST", "/auth/users/"+c.path+"/", body); a.Status != 204 {
						t.Fatal(a.Status)
					}
				}
			}
			equalTime(t, 0.03, map[string]func(int){"known": to(c.known), "unknown": to(strings.Replace(c.known, "@", "@n.", 1))})
			if c.mailServer != "" {
				wait.Until(t, "a message could not be sent", func() bool { return strings.Contains(s.logs.String(), "a message could not be sent") })
			}
		})
	}
}

// sendBy lets a sender work through the outbox until the test ends.
func (s *site) sendBy(server string) {
	if server == "" {
		return
	}
	sender, err := mail.New(mail.Settings{
		Server: jotgate.Secret("smtp://" + server + "?tls=insecure-off"), From: "noreply@example.com", BaseURL: "https://app.example.com",
		Timeout: time.Second, Now: s.now.Now, Logger: s.gate.Settings().Logger,
	}, s.gate.Accounts(), s.gate.Links(), s.db.Outbox())
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = sender.Run(ctx) })
	s.t.Cleanup(func() { stop(); running.Wait() })
}

// slowMailServer takes 300 ms for a greeting that refuses.
func slowMailServer(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			time.AfterFunc(300*time.Millisecond, func() {
				_, _ = io.WriteString(conn, "421 not now\r\n")
				conn.Close()
			})
		}
	}()
	return listener.Addr().String()
}

// A sign-up with an address that somebody has takes as long as any.
func TestSignUpTiming(t *testing.T) {
	s := patient(t)
	n := 0
	sign := func(email string) func(int) {
		return func(int) {
			n++
			a := s.ask("POST", "/auth/users/", object("username", fmt.Sprintf("signed%06d", n), "email", email, "password", "a fine passphrase 42"))
			if a.Status != 201 {
				t.Fatal(a.Status, a.Body)
			}
		}
	}
	equalTime(t, 0.03, map[string]func(int){"taken": sign("alice@example.com"), "free": sign("zlice@example.com")})
}
