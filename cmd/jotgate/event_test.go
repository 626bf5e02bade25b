package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

// The operator reads why logins failed, by user, time and kind.
func TestEventList(t *testing.T) {
	onBoth(t, func(t *testing.T, s *server, command func(...string) string) {
		s.login(t)
		for _, who := range []string{"alice", "nobody"} {
			s.curl(t, "-d", "username="+who, "-d", "password=wrong-horse-1", "BASE/api/token/")
		}
		command("user", "deactivate", "alice")
		s.curl(t, "-d", "username=alice", "-d", "password=correct-horse-1", "BASE/api/token/")
		for _, row := range []struct {
			args  string
			lines int // with the headings
			has   []string
		}{
			{"", 7, []string{"wrong password", "no such account", "inactive", "register", "login"}},
			{"alice", 6, []string{"wrong password", "inactive"}},
			{"--event login_failed", 4, []string{"no such account"}},
			{"--event login_failed --event register --since 1h", 5, nil},
			{"alice --event login_failed --limit 1", 2, []string{"inactive"}},
			{"--since 1d", 7, nil},
		} {
			got := command(append([]string{"event", "list"}, strings.Fields(row.args)...)...)
			if strings.Count(got, "\n") != row.lines {
				t.Errorf("event list %s: %s", row.args, got)
			}
			for _, text := range row.has {
				if !strings.Contains(got, text) {
					t.Errorf("event list %s: no %q in %s", row.args, text, got)
				}
			}
			if strings.Contains(got, "horse") {
				t.Errorf("a password: %s", got)
			}
		}
		var list []record.Event
		if text := command("event", "list", "--json", "--event", "login_failed"); json.Unmarshal([]byte(text), &list) != nil || len(list) != 3 || list[0].Detail != "inactive" {
			t.Errorf("--json: %s", text)
		}
		if text := command("event", "list", "--json", "--event", "client"); text != "[]\n" {
			t.Errorf("--json of nothing: %s", text)
		}
		first := command("event", "list", "--after", "0", "--limit", "2")
		var last record.Event
		if lines := strings.Split(first, "\n"); len(lines) != 3 || json.Unmarshal([]byte(lines[1]), &last) != nil || last.Cursor == "" {
			t.Errorf("--after 0: %s", first)
		}
		rest := command("event", "list", "--after", last.Cursor)
		if all := command("event", "list", "--after", "0"); all != first+rest || strings.Count(all, "\n") != 6 {
			t.Errorf("--after: %s, in two parts: %s%s", all, first, rest)
		}
		if text := command("event", "list", "nobody"); text != "" && text != "there is no user nobody, and no event of an account with that id\n" {
			t.Errorf("an unknown user: %s", text)
		}
	})
}

// More rows than one page are all read, and old ones left out.
func TestEventListPages(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jotgate.db")
	db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	for i := range eventPage + 10 {
		e := record.Event{Time: time.Now(), Name: "login", User: "7", Detail: fmt.Sprint(i)}
		if i < 5 {
			e.Time = e.Time.Add(-49 * time.Hour)
		}
		if err := db.Events().Add(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]int{"--limit 10000": eventPage + 10, "--limit 10000 --since 2d": eventPage + 5, "--limit 1003 7": 1003, "--limit 3": 3, "8": -1} {
		status, stdout, stderr := try(t, nil, "", append([]string{"event", "list", "--database", "sqlite:" + file}, strings.Fields(args)...)...)
		if got := strings.Count(stdout, "\n") - 1; status != 0 || got != want {
			t.Errorf("%s: status %d, %d lines, want %d; %s", args, status, got, want, stderr)
		}
	}
	for _, args := range []string{"--limit 0", "--limit 10001", "--since=-1h", "--since 3"} {
		if status, _, stderr := try(t, nil, "", append([]string{"event", "list", "--database", "sqlite:" + file}, strings.Fields(args)...)...); status != statusUsage {
			t.Errorf("%s: status %d, %s", args, status, stderr)
		}
	}
}

// mailbox is a mail server that refuses one address.
type mailbox struct {
	mu  sync.Mutex
	got []string
}

// delivery is one connection of a mailbox: connections run at the same time.
type delivery struct {
	box *mailbox
	to  string
}

func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &delivery{box: b}, nil }
func (d *delivery) Mail(string, *smtp.MailOptions) error       { return nil }
func (d *delivery) Reset()                                     {}
func (d *delivery) Logout() error                              { return nil }
func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "gone@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	d.to = to
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	d.box.got = append(d.box.got, d.to+"\n"+string(text))
	return err
}

func TestEmailTest(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := &mailbox{}
	server := smtp.NewServer(box)
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	by := "--mail-from noreply@example.com --mail-base-url https://app.example.com --mail-server smtp://" + listener.Addr().String() + "?tls=insecure-off"
	for _, row := range []struct {
		line   string
		status int
		says   string
	}{
		{"alice@example.com " + by, 0, "sent to alice@example.com\n"},
		{"gone@example.com " + by, 1, "no such mailbox"},
		{"alice " + by, 1, `"alice" is not an e-mail address`},
		{"alice@example.com --mail-from a@example.com --mail-server smtp://127.0.0.1:1", 1, "connection refused"},
		{"alice@example.com --mail-server smtp.example.com", 2, "--mail-server must have the form"},
		{"alice@example.com --mail-server smtp://smtp.example.com", 2, "--mail-from is needed with --mail-server"},
		{"alice@example.com", 0, "Test message from"},
		{"", 2, "<address>"},
	} {
		status, stdout, stderr := try(t, nil, "", append([]string{"email", "test"}, strings.Fields(row.line)...)...)
		if status != row.status || !strings.Contains(stdout+stderr, row.says) {
			t.Errorf("%s: status %d, %s%s", row.line, status, stdout, stderr)
		}
	}
	if box.mu.Lock(); len(box.got) != 1 || !strings.Contains(box.got[0], "Subject: Test message from app.example.com") || !strings.HasPrefix(box.got[0], "alice@example.com\n") {
		t.Errorf("%d messages: %q", len(box.got), box.got)
	}
	box.mu.Unlock()
}
