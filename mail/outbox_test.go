// What the tests share: an outbox in memory that keeps the law of
// record.Outbox and can be told to fail, accounts, and a Sender on them.

package mail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/record"
)

var quiet = slog.New(slog.DiscardHandler)

var errBroken = errors.New("the disk is full")

// outbox is safe for concurrent use, as the law demands.
type outbox struct {
	mu       sync.Mutex
	rows     []*row
	last     int64
	failSent bool // Sent fails
	failures []failure
}

type row struct {
	record.Message
	due time.Time
}

type failure struct {
	message   int64
	at, retry time.Time
	reason    string
}

func (o *outbox) Add(_ context.Context, l record.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	l.ID = o.last
	o.rows = append(o.rows, &row{l, l.Created})
	return nil
}

func (o *outbox) Due(_ context.Context, now time.Time, limit int, lease time.Duration) (due []record.Message, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows {
		if len(due) < limit && !r.due.After(now) {
			r.due = now.Add(lease)
			due = append(due, r.Message)
		}
	}
	return due, nil
}

func (o *outbox) Sent(_ context.Context, id int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failSent {
		return errBroken
	}
	o.rows = slices.DeleteFunc(o.rows, func(r *row) bool { return r.ID == id })
	return nil
}

func (o *outbox) Failed(_ context.Context, id int64, retry time.Time, reason string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failures = append(o.failures, failure{id, time.Now(), retry, reason})
	for _, r := range o.rows {
		if r.ID == id {
			r.Attempts, r.due = r.Attempts+1, retry
		}
	}
	return nil
}

func (o *outbox) setFailSent(fail bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failSent = fail
}

func (o *outbox) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.rows)
}

func (o *outbox) failed() []failure {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.failures)
}

// accounts are people by id; their links have a uid and a token that tell for
// whom and what they are.
type accounts map[record.UserID]*record.Account

func (a accounts) ByID(_ context.Context, id record.UserID) (*record.Account, error) {
	if account, ok := a[id]; ok {
		return account, nil
	}
	return nil, jotgate.ErrNotFound
}

func (a accounts) Parts(kind record.MessageKind, account *record.Account) (uid, token string) {
	return "uid" + string(account.ID), "token-" + string(kind)
}

func (a accounts) Accounts(_ context.Context, _ record.MessageKind, email string) (list []*record.Account, err error) {
	for _, id := range slices.Sorted(maps.Keys(a)) {
		if a[id].Email == email {
			list = append(list, a[id])
		}
	}
	return list, nil
}

// EmailVerified: an account that is active has followed its link.
func (a accounts) EmailVerified(_ context.Context, account *record.Account) (bool, error) {
	return account.IsActive, nil
}

func people() accounts {
	return accounts{
		"1": {ID: "1", Username: "alice", Password: "pbkdf2_sha256$1$salt$x", Email: "alice@example.com", IsActive: true},
		"2": {ID: "2", Username: "newbie", Email: "newbie@example.com"},
	}
}

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// office is a Sender with everything around it.
type office struct {
	*mail.Sender
	outbox  *outbox
	people  accounts
	output  *buffer // messages, without a Server
	log     *buffer
	now     time.Time // moved by the tests between rounds
	nowLock sync.Mutex
}

func (o *office) clock() time.Time {
	o.nowLock.Lock()
	defer o.nowLock.Unlock()
	return o.now
}

func (o *office) advance(d time.Duration) {
	o.nowLock.Lock()
	defer o.nowLock.Unlock()
	o.now = o.now.Add(d)
}

// open makes an office; change may set what a test is about.
func open(t *testing.T, change func(*mail.Settings)) *office {
	t.Helper()
	o := &office{outbox: &outbox{}, people: people(), output: &buffer{}, log: &buffer{}, now: start}
	s := mail.Settings{
		Output: o.output, From: "Golden <noreply@example.com>", Site: "Golden", BaseURL: "https://app.example.com", Timeout: wait.Limit,
		Logger: slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: o.clock,
	}
	if change != nil {
		change(&s)
	}
	var err error
	if o.Sender, err = mail.New(s, o.people, o.people, o.outbox); err != nil {
		t.Fatal(err)
	}
	return o
}

// write enqueues a message to the account, as a gate does.
func (o *office) write(t *testing.T, kind record.MessageKind, id record.UserID) {
	t.Helper()
	o.enqueue(t, record.Message{Kind: kind, User: id, To: o.people[id].Email, Created: o.clock()})
}

func (o *office) enqueue(t *testing.T, message record.Message) {
	t.Helper()
	if err := o.outbox.Add(t.Context(), message); err != nil {
		t.Fatal(err)
	}
}

// round sends what is due and checks how much that was.
func (o *office) round(t *testing.T, want int) {
	t.Helper()
	if got, err := o.SendDue(t.Context()); err != nil || got != want {
		t.Fatalf("SendDue = %d, %v; want %d messages; log:\n%s", got, err, want, o.log)
	}
}

// logged checks that the log has each of these, and no link.
func (o *office) logged(t *testing.T, parts ...string) {
	t.Helper()
	log := o.log.String()
	for _, part := range parts {
		if !strings.Contains(log, part) {
			t.Errorf("the log lacks %q:\n%s", part, log)
		}
	}
	if strings.Contains(log, "token-") || strings.Contains(log, "app.example.com") {
		t.Errorf("there is a link in the log:\n%s", log)
	}
}

// buffer is a bytes.Buffer for several goroutines, which fails on demand.
type buffer struct {
	mu   sync.Mutex
	b    bytes.Buffer
	fail error
}

var _ io.Writer = (*buffer)(nil)

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return 0, b.fail
	}
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *buffer) setFail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = err
}
