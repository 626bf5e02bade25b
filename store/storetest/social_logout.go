// Sessions that end with a session at a provider: the contract of EndSocial.

package storetest

import (
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/record"
)

// An originBench makes sessions that began with a provider.
type originBench struct {
	*bench
	user record.UserID
	row  *record.SocialAccount
}

// begin creates a session; origin is sub and sid at the provider. The login began at.
func (b originBench) begin(sub, sid string, at time.Time, replaces string) (*record.Session, error) {
	session := newSession(b.user)
	session.Created, session.Entry.Replaces = start, replaces
	if sub != "" {
		session.Entry.Social = []record.SocialUse{{ID: b.row.ID, Provider: b.row.Provider, UID: b.row.UID, Subject: sub, Session: sid, At: at}}
	}
	return session, b.Sessions().Create(b.ctx, session, "first")
}

// end ends sessions and returns their ids.
func (b originBench) end(provider, sub, sid string) (ids []string) {
	b.Helper()
	which := record.SocialUse{Provider: provider, Subject: sub, Session: sid, At: start.Add(time.Minute)}
	list, err := b.social().EndSocial(b.ctx, which, record.Spent{ID: "logout " + rand.Text(), Expires: start.Add(time.Hour)})
	b.must(err)
	for i := range list {
		ids = append(ids, list[i].ID)
		if list[i].EndReason != record.EndedByProvider || list[i].User != b.user || list[i].Provider != provider {
			b.Errorf("ended %+v", list[i])
		}
	}
	return ids
}

// live lists the sessions that are live, in order.
func (b originBench) live() (ids []string) {
	b.Helper()
	list, err := b.Sessions().List(b.ctx, b.user, start.Add(time.Minute))
	b.must(err)
	for i := range list {
		ids = append(ids, list[i].ID)
	}
	slices.Sort(ids)
	return ids
}

func testSocialLogout(t *testing.T, s record.Store) {
	b := originBench{bench: newBench(t, s)}
	b.user = b.account().ID
	b.row = b.connect(b.user)
	id := func(session *record.Session, err error) string {
		t.Helper()
		b.must(err)
		return session.ID
	}
	first, second := id(b.begin("s", "1", start, "")), id(b.begin("s", "2", start, ""))
	without, other := id(b.begin("s", "", start, "")), id(b.begin("t", "3", start, ""))
	password := id(b.begin("", "", start, ""))
	is := func(want ...string) {
		t.Helper()
		if slices.Sort(want); !slices.Equal(b.live(), want) {
			t.Errorf("live: %v, want %v", b.live(), want)
		}
	}
	if found, err := b.Sessions().Find(b.ctx, first); err != nil || found.Provider != b.row.Provider {
		t.Errorf("%+v, %v", found, err)
	}
	// What names no session ends none: another provider, another subject of that sid, nothing.
	for _, which := range [][3]string{{"github", "s", "1"}, {b.row.Provider, "t", "1"}, {b.row.Provider, "", "4"}, {b.row.Provider, "", ""}, {b.row.Provider, "\x00", ""}, {"", "s", ""}} {
		if ids := b.end(which[0], which[1], which[2]); len(ids) != 0 {
			t.Errorf("%q ended %v", which, ids)
		}
	}
	is(first, second, without, other, password)
	// A session that replaced another one began with the same session at the provider.
	again := id(b.begin("", "", start, second))
	is(first, again, without, other, password)
	if ids := b.end(b.row.Provider, "s", "2"); !slices.Equal(ids, []string{again}) {
		t.Errorf("ended %v, want %s", ids, again)
	}
	is(first, without, other, password)
	if ids := b.end(b.row.Provider, "s", "2"); len(ids) != 0 {
		t.Errorf("ended %v again", ids)
	}
	// Without a sid, all sessions of the subject end.
	ids := b.end(b.row.Provider, "s", "")
	if slices.Sort(ids); len(ids) != 2 {
		t.Errorf("ended %v", ids)
	}
	is(other, password)
	if found, err := b.Sessions().Find(b.ctx, first); err != nil || found.EndReason != record.EndedByProvider || !found.Ended.Equal(start.Add(time.Minute)) {
		t.Errorf("%+v, %v", found, err)
	}
	// A login that began before cannot create a session any more; later ones can.
	for _, origin := range [][2]string{{"s", "2"}, {"s", ""}, {"s", "5"}} {
		_, err := b.begin(origin[0], origin[1], start, "")
		b.is(err, jotgate.ErrLoginNotValid)
	}
	later := id(b.begin("s", "5", start.Add(2*time.Minute), ""))
	_, err := b.begin("s", "2", start.Add(2*time.Minute), "")
	b.is(err, jotgate.ErrLoginNotValid) // a sid is not used again
	is(other, password, later)
	// A logout is applied once.
	which := record.SocialUse{Provider: b.row.Provider, Session: "3", At: start.Add(time.Minute)}
	once := record.Spent{ID: "logout " + rand.Text(), Expires: start.Add(time.Hour)}
	_, err = b.social().EndSocial(b.ctx, which, once)
	b.must(err)
	is(password, later)
	which.Session = "5"
	_, err = b.social().EndSocial(b.ctx, which, once)
	b.is(err, jotgate.ErrLoginNotValid)
	is(password, later)
}

// Logins that overlap a logout by the provider either end with it or are refused: when
// the logout has returned and the logins have, no session older than it is live. So it is
// with sessions that replace one that ends.
func testSocialLogoutRaces(t *testing.T, s record.Store) {
	b := newBench(t, s)
	users := make([]originBench, 4)
	for i := range users {
		users[i] = originBench{bench: b, user: b.account().ID}
		users[i].row = b.connect(users[i].user)
	}
	for round := range rounds.Of(6, 200) {
		sub, sid := fmt.Sprint("sub", round), ""
		if round%2 == 1 {
			sid = fmt.Sprint("sid", round)
		}
		which := record.SocialUse{Provider: users[0].row.Provider, Subject: sub, At: start.Add(time.Minute)}
		if sid != "" {
			which.Subject, which.Session = "", sid
		}
		old := make([]string, len(users))
		for i, u := range users {
			session, err := u.begin(sub, sid, start, "")
			b.must(err)
			old[i] = session.ID
		}
		var wg sync.WaitGroup
		for i, u := range users {
			for n := range 3 { // one of them replaces a session
				wg.Go(func() {
					var err error
					if n == 0 {
						_, err = u.begin("", "", start, old[i])
					} else {
						_, err = u.begin(sub, sid, start, "")
					}
					if err != nil && jotgate.AsError(err).Status >= 500 {
						t.Error(err)
					}
				})
			}
		}
		wg.Go(func() {
			if _, err := b.social().EndSocial(b.ctx, which, record.Spent{ID: "logout " + rand.Text(), Expires: start.Add(time.Hour)}); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		for _, u := range users {
			if ids := u.live(); len(ids) > 0 {
				t.Fatalf("round %d: %v are live after the logout", round, ids)
			}
		}
	}
}
