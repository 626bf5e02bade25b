package storetest

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/record"
)

// A small model of the session machine. Random histories of logins,
// refreshes, retries, replays, expiries, logouts, deactivations, purges and
// clock changes run against both the model and the store, which must never
// differ in a result or in a row.

// modelSession is a session with every token it has had.
type modelSession struct {
	row    record.Session
	tokens []string
	purged bool
}

// machine is the model and the store it is compared with.
type machine struct {
	*bench
	now      time.Time
	grace    time.Duration
	lifetime time.Duration
	active   map[record.UserID]bool
	sessions map[string]*modelSession
	order    []string // session ids, to choose from
	serial   int
	revoked  map[string]bool
}

var modelParts = []part{
	{"model", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		histories(t, rounds.Of(15, 100))
		rapid.Check(t, func(rt *rapid.T) {
			m := &machine{
				bench: b, now: start, grace: rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(rt, "grace"),
				lifetime: rapid.SampledFrom([]time.Duration{0, 90 * time.Minute, 3 * time.Hour}).Draw(rt, "lifetime"),
				active:   map[record.UserID]bool{}, sessions: map[string]*modelSession{}, revoked: map[string]bool{},
			}
			for range 2 {
				m.active[b.account().ID] = true
			}
			rt.Repeat(map[string]func(*rapid.T){
				"login": m.login, "refresh": m.refresh, "logout": m.logout, "logout all": m.logoutAll,
				"deactivate": m.deactivate, "clock": m.clock, "purge": m.purge, "": m.compare,
			})
		})
	}},
}

// histories sets how many histories rapid.Check runs, unless the flag says it.
func histories(t *testing.T, n int) {
	t.Helper()
	const name = "rapid.checks"
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if given {
		return
	}
	number := flag.Lookup(name).Value
	before := number.String()
	t.Cleanup(func() { _ = number.Set(before) })
	if err := number.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) users() []record.UserID { return slices.Sorted(maps.Keys(m.active)) }

// pick chooses any session created so far.
func (m *machine) pick(rt *rapid.T) *modelSession {
	if len(m.order) == 0 {
		rt.Skip("no session yet")
	}
	return m.sessions[rapid.SampledFrom(m.order).Draw(rt, "session")]
}

// token returns a new name of a token.
func (m *machine) token(session string) string {
	m.serial++
	return fmt.Sprintf("%d-%s", m.serial, session)
}

func (m *machine) login(rt *rapid.T) {
	user := rapid.SampledFrom(m.users()).Draw(rt, "user")
	s := newSession(user)
	s.Created, s.LastSeen, s.Expires = m.now, m.now, m.now.Add(time.Hour)
	s.JTI = m.token(s.ID)
	err := m.Sessions().Create(m.ctx, s, "first")
	if !m.active[user] {
		m.same(rt, "login", err, jotgate.ErrNotFound)
		return
	}
	m.same(rt, "login", err, nil)
	m.sessions[s.ID] = &modelSession{row: *s, tokens: []string{s.JTI}}
	m.order = append(m.order, s.ID)
}

func (m *machine) refresh(rt *rapid.T) {
	s := m.pick(rt)
	recent := s.tokens[max(0, len(s.tokens)-3):]
	presented := rapid.SampledFrom(append(slices.Clone(recent), s.tokens[0], "never issued")).Draw(rt, "token")
	r := record.Rotation{
		Session: s.row.ID, User: s.row.User, Presented: presented, Next: m.token(s.row.ID), Now: m.now,
		Expires: m.now.Add(time.Hour), Lifetime: m.lifetime, Grace: m.grace, Address: s.row.Address, UserAgent: s.row.UserAgent,
		Keep: rapid.IntRange(0, 9).Draw(rt, "keep") == 0,
	}
	out, err := m.Sessions().Rotate(m.ctx, r)
	want, retry := m.rotate(s, r)
	m.same(rt, "refresh", err, want)
	if err == nil && (out.Retry != retry || out.Session.JTI != s.row.JTI || out.Account.ID != s.row.User) {
		rt.Fatalf("refresh: %+v, retry %v, want jti %s, retry %v", out.Session, out.Retry, s.row.JTI, retry)
	}
}

// rotate implements the rules of record.Rotation.
func (m *machine) rotate(s *modelSession, r record.Rotation) (err error, retry bool) {
	end := s.row.Created.Add(cmp.Or(r.Lifetime, 100*365*24*time.Hour))
	live := s.row.Ended.IsZero() && m.now.Before(s.row.Expires) && m.now.Before(end)
	switch {
	case s.purged || !s.row.Ended.IsZero() && s.row.EndReason != record.EndedByAccount:
		return jotgate.ErrTokenBlacklisted, false
	case !m.active[s.row.User]:
		return jotgate.ErrNoAccountForToken, false
	case !live:
		return jotgate.ErrTokenBlacklisted, false
	case r.Presented == s.row.JTI && r.Keep:
		if !m.now.Before(s.row.LastSeen.Add(time.Minute)) {
			s.row.LastSeen = m.now
		}
		return nil, false
	case r.Presented == s.row.JTI:
		s.row.PreviousJTI, s.row.JTI, s.row.Rotated, s.row.LastSeen, s.row.Expires = s.row.JTI, r.Next, m.now, m.now, r.Expires
		if end.Before(r.Expires) {
			s.row.Expires = end
		}
		s.tokens = append(s.tokens, r.Next)
		return nil, false
	case r.Presented == s.row.PreviousJTI && m.now.Before(s.row.Rotated.Add(m.grace)):
		return nil, true
	}
	m.end(s, record.EndedByReuse)
	return jotgate.ErrTokenReused, false
}

// end implements what every ending does.
func (m *machine) end(s *modelSession, reason record.EndReason) bool {
	if s.purged || !s.row.Ended.IsZero() {
		return false
	}
	s.row.Ended, s.row.EndReason = m.now, reason
	m.revoked[s.row.ID] = true
	return true
}

func (m *machine) logout(rt *rapid.T) {
	s := m.pick(rt)
	token := rapid.SampledFrom(append([]string{""}, s.tokens...)).Draw(rt, "token")
	n, err := m.Sessions().End(m.ctx, record.Ending{User: s.row.User, ID: s.row.ID, IfJTI: token, Reason: record.EndedByLogout, Now: m.now})
	m.same(rt, "logout", err, nil)
	ours := token == "" || token == s.row.JTI || token == s.row.PreviousJTI
	if ended := ours && m.end(s, record.EndedByLogout); (n == 1) != ended || n > 1 {
		rt.Fatalf("logout ended %d sessions, the model says %v", n, ended)
	}
}

func (m *machine) logoutAll(rt *rapid.T) {
	except := m.pick(rt)
	n, err := m.Sessions().End(m.ctx, record.Ending{User: except.row.User, Except: except.row.ID, Reason: record.EndedByUser, Now: m.now})
	m.same(rt, "logout all", err, nil)
	want := 0
	for id, s := range m.sessions {
		if s.row.User == except.row.User && id != except.row.ID && m.end(s, record.EndedByUser) {
			want++
		}
	}
	if n != want {
		rt.Fatalf("logout of all others ended %d sessions, the model says %d", n, want)
	}
}

func (m *machine) deactivate(rt *rapid.T) {
	user := rapid.SampledFrom(m.users()).Draw(rt, "user")
	active := rapid.Bool().Draw(rt, "active")
	m.same(rt, "change", m.Accounts().Change(m.ctx, user, record.Change{IsActive: &active, At: m.now}), nil)
	m.active[user] = active
	for _, s := range m.sessions {
		if !active && s.row.User == user {
			m.end(s, record.EndedByAccount)
		}
	}
}

// clock moves forward, and sometimes back, as real clocks do.
func (m *machine) clock(rt *rapid.T) {
	m.now = m.now.Add(rapid.SampledFrom([]time.Duration{
		time.Microsecond, time.Second, 10*time.Second - time.Microsecond, 10 * time.Second, time.Minute, time.Hour, -time.Second,
	}).Draw(rt, "step"))
}

func (m *machine) purge(rt *rapid.T) {
	keep := m.now.Add(-30 * time.Minute)
	for n := 1; n > 0; {
		var err error
		n, err = m.Sessions().Purge(m.ctx, m.now, keep, 3)
		m.same(rt, "purge", err, nil)
	}
	for _, s := range m.sessions {
		if s.row.Expires.Before(keep) {
			s.purged = true
		}
		if !s.row.Ended.IsZero() && s.row.Ended.Before(keep) {
			delete(m.revoked, s.row.ID)
		}
	}
}

// compare compares every row.
func (m *machine) compare(rt *rapid.T) {
	for id, s := range m.sessions {
		row, err := m.Sessions().Find(m.ctx, id)
		if s.purged {
			m.same(rt, "find", err, jotgate.ErrNotFound)
			continue
		}
		m.same(rt, "find", err, nil)
		if d := diff.Diff(&s.row, row); d != "" {
			rt.Fatalf("a row (-model +store):\n%s", d)
		}
	}
	page, err := m.Revocations().List(m.ctx, record.RevocationCursor{}, m.now, 29*time.Minute)
	m.same(rt, "feed", err, nil)
	feed := page.Entries
	for _, r := range feed {
		if s := m.sessions[r.Session]; s != nil && s.row.Ended.IsZero() {
			rt.Fatalf("the feed names a live session: %+v", r)
		}
	}
	for id := range m.revoked {
		ended := m.sessions[id].row.Ended
		fresh := !ended.Before(m.now.Add(-29 * time.Minute))
		if fresh && !slices.ContainsFunc(feed, func(r record.Revocation) bool { return r.Session == id }) {
			rt.Fatalf("the feed does not name the session that ended at %v", ended)
		}
	}
}

func (m *machine) same(rt *rapid.T, what string, got, want error) {
	if !errors.Is(got, want) || (got == nil) != (want == nil) || errors.Is(got, jotgate.ErrTokenReused) != errors.Is(want, jotgate.ErrTokenReused) {
		rt.Fatalf("%s: %v, the model says %v", what, got, want)
	}
}
