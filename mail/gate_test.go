// The whole way, with a gate on a real database: asked for, stored, sent,
// followed.

package mail_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

// unlimited is an outbox whose changes may take any time.
type unlimited struct{ record.Outbox }

func (u unlimited) Sent(ctx context.Context, id int64) error {
	return u.Outbox.Sent(context.WithoutCancel(ctx), id)
}

func (u unlimited) Failed(ctx context.Context, id int64, retry time.Time, reason string) error {
	return u.Outbox.Failed(context.WithoutCancel(ctx), id, retry, reason)
}

func TestWithGate(t *testing.T) {
	ctx, client := t.Context(), jotgate.Client{Address: "192.0.2.1"}
	folder := t.TempDir()
	db, err := sqlite.Open(ctx, filepath.Join(folder, "test.db"), sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	hasher, err := passwd.New("pbkdf2_sha256:1")
	if err != nil {
		t.Fatal(err)
	}
	gate, err := jotgate.New(jotgate.Settings{SecretKey: "0123456789abcdef0123456789abcdef", Hasher: hasher, Logger: quiet}, db)
	if err != nil {
		t.Fatal(err)
	}
	alice, err := gate.Register(ctx, jotgate.Registration{Username: "alice", Email: "alice@example.com", Password: "correct horse battery"}, client)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, &server{plain: true}, nil)
	settings := mail.Settings{
		Server: jotgate.Secret("smtp://" + s.addr + "?tls=insecure-off"), From: "a@example.com", BaseURL: "https://x.example", Timeout: wait.Limit, Logger: quiet,
	}
	sender, err := mail.New(settings, gate.Accounts(), gate.Links(), unlimited{db.Outbox()})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"alice@example.com", "ALICE@example.com", "nobody@example.com", "al\u0131ce@example.com"} {
		if _, err := gate.Links().Request(ctx, record.MessagePasswordReset, address); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := sender.SendDue(ctx); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	arrived := s.mail()
	if len(arrived) != 2 || arrived[0].to != "alice@example.com" || arrived[1].to != "alice@example.com" {
		t.Fatalf("arrived: %v", arrived)
	}
	soft := regexp.MustCompile(`=\r\n`).ReplaceAllString(arrived[0].data, "")
	link := regexp.MustCompile(`https://x\.example/#/password/reset/confirm/(\w+)/([\w-]+)\r\n`).FindStringSubmatch(soft)
	if link == nil {
		t.Fatal(soft)
	}
	if found := holds(t, folder, link[2]); found != "" {
		t.Errorf("the token is in %s", found)
	}
	if found := holds(t, folder, alice.Email); found == "" {
		t.Error("the search of the files finds nothing at all")
	}
	if _, err := gate.Links().ResetPassword(ctx, link[1], link[2], "another horse battery", client); err != nil {
		t.Errorf("the link: %v", err)
	}
	if n, err := sender.SendDue(ctx); n != 0 || err != nil {
		t.Errorf("there are more: %d, %v", n, err)
	}
}

// holds names the file in the folder that has the text.
func holds(t *testing.T, folder, text string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			return name
		}
	}
	return ""
}

// A message that failed is hidden until its time, also after the database was
// opened anew.
func TestSurvivesRestart(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "test.db")
	db, err := sqlite.Open(ctx, path, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	alice := &record.Account{Username: "alice", Email: "alice@example.com", Password: "x", IsActive: true, DateJoined: start}
	if err := db.Accounts().Create(ctx, alice); err != nil {
		t.Fatal(err)
	}
	message := record.Message{Kind: record.MessagePasswordReset, User: alice.ID, To: alice.Email, Created: start}
	if err := db.Outbox().Add(ctx, message); err != nil {
		t.Fatal(err)
	}
	output, now := &buffer{}, start
	output.setFail(errBroken)
	settings := mail.Settings{Output: output, BaseURL: "https://x.example", Timeout: wait.Limit, Logger: quiet, Now: func() time.Time { return now }}
	round := func(want int) {
		t.Helper()
		sender, err := mail.New(settings, accounts{"1": alice}, accounts{"1": alice}, unlimited{db.Outbox()})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := sender.SendDue(ctx); n != want || err != nil {
			t.Fatalf("took %d, %v; want %d", n, err, want)
		}
	}
	round(1)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = sqlite.Open(ctx, path, sqlitetest.Options); err != nil {
		t.Fatal(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	output.setFail(nil)
	round(0)
	now = now.Add(time.Minute)
	round(1)
	now = now.Add(time.Hour)
	round(0)
	if output.String() == "" {
		t.Error("nothing was written")
	}
}
