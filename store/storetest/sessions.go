// Sessions: the contract of record.Sessions, with one caller at a time.

package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

var sessionsParts = []part{
	{"sessions", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		a := b.account()
		first := b.session(a.ID)
		if d := cmp.Diff(first, b.find(first.ID)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		second := newSession(a.ID)
		second.Created = start.Add(time.Second)
		b.must(b.Sessions().Create(b.ctx, second, "first"))
		expired := newSession(a.ID)
		expired.Expires = start.Add(time.Second)
		b.must(b.Sessions().Create(b.ctx, expired, "first"))
		list, err := b.Sessions().List(b.ctx, a.ID, start.Add(time.Second))
		b.must(err)
		if d := cmp.Diff([]record.Session{*second, *first}, list); d != "" {
			t.Errorf("live sessions, newest first (-want +got):\n%s", d)
		}
		for _, id := range []string{"", "x", first.ID + "\x00"} {
			_, err := b.Sessions().Find(b.ctx, id)
			b.is(err, jotgate.ErrNotFound)
		}

		b.is(b.Sessions().Create(b.ctx, newSession(a.ID), "second"), jotgate.ErrNotFound)
		b.is(b.Sessions().Create(b.ctx, newSession("999999"), "first"), jotgate.ErrNotFound)
		own := newSession("user-of-the-program")
		own.OwnUsers = true
		b.must(b.Sessions().Create(b.ctx, own, ""))
		r := rotation(own)
		r.OwnUsers = true
		out, err := b.Sessions().Rotate(b.ctx, r)
		b.must(err)
		if out.Account != nil || out.Session.JTI != r.Next {
			t.Errorf("with users of the program: %+v", out)
		}
		hostile := newSession(a.ID)
		hostile.UserAgent = "nul\x00 and \xff" + string(make([]byte, 5000))
		b.must(b.Sessions().Create(b.ctx, hostile, "first"))
	}},
	{"sessions by username", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		a := b.account()
		begin := func(username string, named bool) (*record.Session, error) {
			session := newSession(a.ID)
			session.Username, session.ByUsername = username, named
			return session, b.Sessions().Create(b.ctx, session, "first")
		}
		_, err := begin("another", false)
		b.is(err, jotgate.ErrNotFound)
		_, err = begin("another", true)
		b.is(err, jotgate.ErrNotFound)
		byName, err := begin(a.Username, true)
		b.must(err)
		byID, err := begin(a.Username, false)
		b.must(err)
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{Username: &a.Username, At: start}))
		if row := b.find(byName.ID); !row.Ended.IsZero() {
			t.Errorf("the same name ended the session: %+v", row)
		}
		other := a.Username + "2"
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{Username: &other, KeepSession: byID.ID, At: start}))
		if row := b.find(byName.ID); row.EndReason != record.EndedByUsername || !row.Ended.Equal(start) || len(b.revoked(byName.ID, "")) != 1 {
			t.Errorf("a session by the former name: %+v", row)
		}
		if row := b.find(byID.ID); !row.Ended.IsZero() {
			t.Errorf("a session by id: %+v", row)
		}
		_, err = b.Sessions().Rotate(b.ctx, rotation(byName))
		b.is(err, jotgate.ErrTokenBlacklisted)
		_, err = begin(a.Username, true)
		b.is(err, jotgate.ErrNotFound)
	}},
	{"rotate", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		a := b.account()

		session := b.session(a.ID)
		r := rotation(session)
		out, err := b.Sessions().Rotate(b.ctx, r)
		b.must(err)
		want := *session
		want.JTI, want.PreviousJTI, want.Rotated, want.LastSeen = r.Next, r.Presented, r.Now, r.Now
		want.Expires, want.Address, want.UserAgent = r.Expires, r.Address, r.UserAgent
		if d := cmp.Diff(record.Rotated{Session: want, Account: a}, out); d != "" {
			t.Fatalf("the winner (-want +got):\n%s", d)
		}

		retry := r
		retry.Now, retry.Next = r.Now.Add(r.Grace-time.Microsecond), "2"
		out, err = b.Sessions().Rotate(b.ctx, retry)
		b.must(err)
		if d := cmp.Diff(record.Rotated{Session: want, Account: a, Retry: true}, out); d != "" {
			t.Errorf("a retry (-want +got):\n%s", d)
		}
		if d := cmp.Diff(&want, b.find(session.ID)); d != "" {
			t.Errorf("a retry changed the row (-want +got):\n%s", d)
		}

		late := retry
		late.Now = r.Now.Add(r.Grace)
		_, err = b.Sessions().Rotate(b.ctx, late)
		b.is(err, jotgate.ErrTokenReused)
		if row := b.find(session.ID); row.EndReason != record.EndedByReuse || !row.Ended.Equal(late.Now) || len(b.revoked(session.ID, "")) != 1 {
			t.Errorf("after reuse: %+v", row)
		}
		winner := r
		winner.Presented, winner.Now = r.Next, late.Now
		_, err = b.Sessions().Rotate(b.ctx, winner)
		b.is(err, jotgate.ErrTokenBlacklisted)
		rotateRefused(b, a)
	}},
	{"the end of a lifetime", func(t *testing.T, s record.Store) {
		const life = 90 * time.Minute
		end := start.Add(life)
		for _, c := range []struct {
			name      string
			expires   time.Time     // as requested
			at        time.Duration // after the login
			want      error
			expiresAt time.Time // in the row
		}{
			{"a refresh that ends before", end.Add(-time.Microsecond), time.Minute, nil, end.Add(-time.Microsecond)},
			{"one that would end after", end.Add(time.Microsecond), time.Minute, nil, end},
			{"one on the next day", end.Add(24 * time.Hour), time.Minute, nil, end},
			{"at the last moment", end.Add(time.Hour), life - time.Microsecond, nil, end},
			{"at the end", end.Add(time.Hour), life, jotgate.ErrTokenBlacklisted, start.Add(2 * time.Hour)},
		} {
			for _, keep := range []bool{false, true} {
				b := newBench(t, s)
				session := newSession(b.account().ID)
				session.Expires = start.Add(2 * time.Hour) // as if the limit had been introduced later
				b.must(b.Sessions().Create(b.ctx, session, "first"))
				r := rotation(session)
				r.Lifetime, r.Expires, r.Now, r.Keep = life, c.expires, start.Add(c.at), keep
				_, err := b.Sessions().Rotate(b.ctx, r)
				if b.is(err, c.want); keep {
					c.expiresAt = session.Expires
				}
				if row := b.find(session.ID); !row.Expires.Equal(c.expiresAt) || !row.Ended.IsZero() {
					t.Errorf("%s, kept %v: expires %v, want %v", c.name, keep, row.Expires, c.expiresAt)
				}
			}
		}
		// After the end a retry is refused, and a session that expired there
		// is purged in time.
		b := newBench(t, s)
		session := b.session(b.account().ID)
		r := rotation(session)
		r.Lifetime, r.Now, r.Grace = 30*time.Minute, start.Add(29*time.Minute), time.Hour
		_, err := b.Sessions().Rotate(b.ctx, r)
		b.must(err)
		r.Now = start.Add(30 * time.Minute)
		_, err = b.Sessions().Rotate(b.ctx, r)
		b.is(err, jotgate.ErrTokenBlacklisted)
		_, err = b.Sessions().Purge(b.ctx, r.Now, r.Now.Add(time.Microsecond), 100)
		b.must(err)
		_, err = b.Sessions().Find(b.ctx, session.ID)
		b.is(err, jotgate.ErrNotFound)
	}},
	{"rotate without rotating", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		session := b.session(b.account().ID)
		r := rotation(session)
		r.Keep = true
		for _, c := range []struct{ now, seen time.Time }{
			{start.Add(59 * time.Second), start},
			{start.Add(time.Minute), start.Add(time.Minute)},
			{start.Add(90 * time.Second), start.Add(time.Minute)},
		} {
			r.Now = c.now
			out, err := b.Sessions().Rotate(b.ctx, r)
			b.must(err)
			want := *session
			want.LastSeen = c.seen
			if d := cmp.Diff(want, out.Session); d != "" || out.Account == nil || out.Account.ID != session.User {
				t.Errorf("at %v (-want +got):\n%s", c.now, d)
			}
		}
		b.must(b.Accounts().Change(b.ctx, session.User, record.Change{IsActive: new(false), At: r.Now}))
		_, err := b.Sessions().Rotate(b.ctx, r)
		b.is(err, jotgate.ErrNoAccountForToken)
	}},
	{"adopt", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		a := b.account()
		session := newSession(a.ID)
		r := rotation(session)
		r.Adopt = session
		out, err := b.Sessions().Rotate(b.ctx, r)
		b.must(err)
		if out.Session.JTI != r.Next || out.Session.PreviousJTI != r.Presented {
			t.Errorf("adopted: %+v", out.Session)
		}
		out, err = b.Sessions().Rotate(b.ctx, r)
		b.must(err)
		if !out.Retry || out.Session.JTI != r.Next {
			t.Errorf("adopted again: %+v", out)
		}
		r.Now = r.Now.Add(r.Grace)
		_, err = b.Sessions().Rotate(b.ctx, r)
		b.is(err, jotgate.ErrTokenReused)

		// No token is adopted for an account that is not active.
		a = b.account()
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{IsActive: new(false), At: start}))
		session = newSession(a.ID)
		r = rotation(session)
		r.Adopt = session
		_, err = b.Sessions().Rotate(b.ctx, r)
		b.is(err, jotgate.ErrNoAccountForToken)
		_, err = b.Sessions().Find(b.ctx, session.ID)
		b.is(err, jotgate.ErrNotFound)

		// The logout of a token that was never used is also effective.
		session = newSession(b.account().ID)
		end := record.Ending{User: session.User, ID: session.ID, IfJTI: session.JTI, Reason: record.EndedByLogout, Now: start, Adopt: session}
		for _, want := range []int{1, 0} {
			n, err := b.Sessions().End(b.ctx, end)
			b.must(err)
			if n != want {
				t.Errorf("%d sessions ended, want %d", n, want)
			}
		}
		r = rotation(session)
		r.Adopt = session
		_, err = b.Sessions().Rotate(b.ctx, r)
		b.is(err, jotgate.ErrTokenBlacklisted)
	}},
	{"end sessions", func(t *testing.T, s record.Store) {
		cases := []struct {
			name  string
			which func(user record.UserID, s [3]*record.Session) record.Ending
			ended [3]bool
		}{
			{"one", func(_ record.UserID, s [3]*record.Session) record.Ending { return record.Ending{ID: s[0].ID} }, [3]bool{true, false, false}},
			{"one of the user", func(u record.UserID, s [3]*record.Session) record.Ending {
				return record.Ending{ID: s[1].ID, User: u}
			}, [3]bool{false, true, false}},
			{"one of another user", func(_ record.UserID, s [3]*record.Session) record.Ending {
				return record.Ending{ID: s[1].ID, User: "999999"}
			}, [3]bool{}},
			{"all", func(u record.UserID, _ [3]*record.Session) record.Ending { return record.Ending{User: u} }, [3]bool{true, true, true}},
			{"all but one", func(u record.UserID, s [3]*record.Session) record.Ending {
				return record.Ending{User: u, Except: s[2].ID}
			}, [3]bool{true, true, false}},
			{"by its token", func(_ record.UserID, s [3]*record.Session) record.Ending {
				return record.Ending{ID: s[0].ID, IfJTI: s[0].JTI}
			}, [3]bool{true, false, false}},
			{"by an old token", func(_ record.UserID, s [3]*record.Session) record.Ending {
				return record.Ending{ID: s[0].ID, IfJTI: "older"}
			}, [3]bool{}},
			{"nothing named", func(record.UserID, [3]*record.Session) record.Ending { return record.Ending{} }, [3]bool{}},
			{"NUL", func(u record.UserID, _ [3]*record.Session) record.Ending { return record.Ending{User: u + "\x00"} }, [3]bool{}},
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				b := newBench(t, s)
				user := b.account().ID
				three := [3]*record.Session{b.session(user), b.session(user), b.session(user)}
				which := c.which(user, three)
				which.Reason, which.Now = record.EndedByUser, start.Add(time.Minute)
				n, err := b.Sessions().End(b.ctx, which)
				b.must(err)
				count := 0
				for i, want := range c.ended {
					row := b.find(three[i].ID)
					if (row.EndReason == record.EndedByUser) != want || row.Ended.Equal(which.Now) != want || (len(b.revoked(row.ID, "")) == 1) != want {
						t.Errorf("session %d: %+v", i, row)
					}
					if want {
						count++
					}
				}
				if n != count {
					t.Errorf("ended %d, want %d", n, count)
				}
			})
		}
	}},
	{"purge", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		user := b.account().ID
		expired, ended, live, adopted := newSession(user), b.session(user), newSession(user), newSession(user)
		expired.Expires = start.Add(10 * time.Minute)
		b.must(b.Sessions().Create(b.ctx, expired, "first"))
		live.Expires = start.Add(48 * time.Hour)
		b.must(b.Sessions().Create(b.ctx, live, "first"))
		adopted.Adopted = record.AdoptedToken{Issued: start, Expires: start.Add(3 * time.Hour)}
		end := record.Ending{ID: ended.ID, Reason: record.EndedByLogout, Now: start.Add(10 * time.Minute)}
		_, err := b.Sessions().End(b.ctx, end)
		b.must(err)
		end.ID, end.Adopt = adopted.ID, adopted
		_, err = b.Sessions().End(b.ctx, end)
		b.must(err)
		for _, c := range []struct {
			keep time.Duration
			want int
			gone []string
		}{
			{10 * time.Minute, 0, nil},
			{10*time.Minute + time.Microsecond, 1, []string{expired.ID}},
			{time.Hour, 0, nil},
			{time.Hour + time.Microsecond, 1, []string{ended.ID}}, // its tokens have expired
			{3 * time.Hour, 0, nil},
			{3*time.Hour + time.Microsecond, 1, []string{adopted.ID}}, // so has the one that Django issued
			{30 * time.Hour, 0, nil},
		} {
			total := 0
			for n := 1; n > 0; total += n {
				n, err = b.Sessions().Purge(b.ctx, start.Add(c.keep), start.Add(c.keep), 1)
				b.must(err)
			}
			if total != c.want { // the revocations have the database's time
				t.Errorf("before %v: purged %d rows, want %d", c.keep, total, c.want)
			}
			for _, id := range c.gone {
				_, err := b.Sessions().Find(b.ctx, id)
				b.is(err, jotgate.ErrNotFound)
			}
		}
		b.find(live.ID)
		made := b.revoked(ended.ID, "")[0].Made
		for _, c := range []struct {
			keep time.Time
			left int
		}{{made, 1}, {made.Add(time.Microsecond), 0}} {
			for n := 1; n > 0; {
				n, err = b.Sessions().Purge(b.ctx, start, c.keep, 100)
				b.must(err)
			}
			if left := len(b.revoked(ended.ID, "")); left != c.left {
				t.Errorf("%d revocations are left after a purge of those before %v, made at %v", left, c.keep, made)
			}
		}
	}},
}

// rotateRefused checks rotations that each differ from a valid one in one
// respect.
func rotateRefused(b *bench, a *record.Account) {
	cases := []struct {
		name   string
		change func(b *bench, r *record.Rotation)
		want   error
		ended  record.EndReason
	}{
		{"none", func(*bench, *record.Rotation) {}, nil, ""},
		{"unknown session", func(_ *bench, r *record.Rotation) { r.Session = "x" }, jotgate.ErrTokenBlacklisted, ""},
		{"another user", func(b *bench, r *record.Rotation) { r.User = b.account().ID }, jotgate.ErrTokenBlacklisted, ""},
		{"no user", func(_ *bench, r *record.Rotation) { r.User = "999999" }, jotgate.ErrTokenBlacklisted, ""},
		{"not a key", func(_ *bench, r *record.Rotation) { r.User = "x" }, jotgate.ErrNoAccountForToken, ""},
		{"expired", func(_ *bench, r *record.Rotation) { r.Now = start.Add(time.Hour) }, jotgate.ErrTokenBlacklisted, ""},
		{"a microsecond before", func(_ *bench, r *record.Rotation) { r.Now = start.Add(time.Hour - time.Microsecond) }, nil, ""},
		{"unknown jti", func(_ *bench, r *record.Rotation) { r.Presented = "x" }, jotgate.ErrTokenReused, record.EndedByReuse},
		{"no previous yet", func(_ *bench, r *record.Rotation) { r.Presented = "" }, jotgate.ErrTokenReused, record.EndedByReuse},
		{"NUL", func(_ *bench, r *record.Rotation) { r.Presented += "\x00" }, jotgate.ErrTokenBlacklisted, ""},
		{"logged out", func(b *bench, r *record.Rotation) {
			_, err := b.Sessions().End(b.ctx, record.Ending{ID: r.Session, Reason: record.EndedByLogout, Now: start})
			b.must(err)
		}, jotgate.ErrTokenBlacklisted, record.EndedByLogout},
		{"deactivated", func(b *bench, r *record.Rotation) {
			b.must(b.Accounts().Change(b.ctx, r.User, record.Change{IsActive: new(false), At: start}))
		}, jotgate.ErrNoAccountForToken, record.EndedByAccount},
	}
	for _, c := range cases {
		b.Run(c.name, func(t *testing.T) {
			b := newBench(t, b.Store)
			session := b.session(b.account().ID)
			r := rotation(session)
			c.change(b, &r)
			_, err := b.Sessions().Rotate(b.ctx, r)
			b.is(err, c.want)
			if row := b.find(session.ID); row.EndReason != c.ended {
				t.Errorf("the session ended with %q, want %q", row.EndReason, c.ended)
			}
		})
	}
}
