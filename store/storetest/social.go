// Accounts at providers: the contract of record.SocialAccounts.

package storetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

var socialParts = []part{
	{"SocialAccounts", testSocial},
	{"SocialSignUp", testSocialSignUp},
	{"SocialDisconnect", testSocialDisconnect},
	{"SocialLogin", testSocialLogin},
	{"SocialRaces", testSocialRaces},
	{"SocialLogout", testSocialLogout},
	{"SocialLogoutRaces", testSocialLogoutRaces},
}

// social returns the accounts at providers of the store.
func (b *bench) social() record.SocialAccounts {
	b.Helper()
	s := b.SocialAccounts()
	if s == nil {
		b.Fatal("the store has no accounts at providers")
	}
	return s
}

func newSocial(uid string) *record.SocialAccount {
	return &record.SocialAccount{Provider: "google", UID: uid, Data: `{"sub": "x"}`, LastLogin: start, Joined: start}
}

// connect connects a new account at a provider.
func (b *bench) connect(user record.UserID) *record.SocialAccount {
	b.Helper()
	a := newSocial(rand.Text())
	b.must(b.social().ChangeSocial(b.ctx, record.SocialChange{User: user, Connect: a}))
	return a
}

func testSocial(t *testing.T, s record.Store) {
	b := newBench(t, s)
	social := b.social()
	a, other := b.account(), b.account()
	row := b.connect(a.ID)
	found, err := social.FindSocial(b.ctx, "google", row.UID)
	b.must(err)
	if found.ID != row.ID || found.User != a.ID || found.Data == "" || !found.LastLogin.Equal(start) || !found.Joined.Equal(start) {
		t.Errorf("found %+v", found)
	}
	for _, no := range [][2]string{{"google", row.UID + "x"}, {"github", row.UID}, {"Google", row.UID}, {"", ""}, {"google", "\x00"}} {
		_, err := social.FindSocial(b.ctx, no[0], no[1])
		b.is(err, jotgate.ErrNotFound)
	}
	second := b.connect(a.ID)
	list, err := social.ListSocial(b.ctx, a.ID)
	b.must(err)
	if len(list) != 2 || list[0].ID != row.ID || list[1].ID != second.ID || list[0].User != a.ID {
		t.Errorf("listed %+v", list)
	}
	// The same account again changes nothing, for another user it is refused.
	b.must(social.ChangeSocial(b.ctx, record.SocialChange{User: a.ID, Connect: newSocial(row.UID)}))
	b.is(social.ChangeSocial(b.ctx, record.SocialChange{User: other.ID, Connect: newSocial(row.UID)}), jotgate.ErrConnected)
	if list, _ := social.ListSocial(b.ctx, other.ID); len(list) != 0 {
		t.Errorf("listed %+v", list)
	}
	// A pending connection is used once.
	spent := []record.Spent{{ID: "provider " + rand.Text(), Expires: start.Add(time.Hour)}}
	b.must(social.ChangeSocial(b.ctx, record.SocialChange{User: a.ID, Connect: newSocial("once"), Spend: spent}))
	b.is(social.ChangeSocial(b.ctx, record.SocialChange{User: a.ID, Connect: newSocial("twice"), Spend: spent}), jotgate.ErrLoginNotValid)
	b.is(social.SpendOnce(b.ctx, spent[0]), jotgate.ErrLoginNotValid)
	_, err = social.FindSocial(b.ctx, "google", "twice")
	b.is(err, jotgate.ErrNotFound)
	// The conditions.
	b.is(social.ChangeSocial(b.ctx, record.SocialChange{User: a.ID, Connect: newSocial("v"), IfVerified: "user@example.com"}), jotgate.ErrNotFound)
	live := b.session(a.ID)
	b.must(social.ChangeSocial(b.ctx, record.SocialChange{User: a.ID, Connect: newSocial("s"), IfSession: live.ID, At: start}))
	for _, c := range []record.SocialChange{
		{User: a.ID, IfSession: live.ID, At: start.Add(2 * time.Hour)}, {User: other.ID, IfSession: live.ID, At: start}, {User: a.ID, IfSession: "x", At: start},
	} {
		c.Connect = newSocial("no")
		b.is(social.ChangeSocial(b.ctx, c), jotgate.ErrNotFound)
	}
	no := false
	b.must(b.Accounts().Change(b.ctx, other.ID, record.Change{IsActive: &no, At: start}))
	b.is(social.ChangeSocial(b.ctx, record.SocialChange{User: other.ID, Connect: newSocial("no")}), jotgate.ErrNotFound)
	b.is(social.ChangeSocial(b.ctx, record.SocialChange{User: "no-such-user", Connect: newSocial("no")}), jotgate.ErrNotFound)
	b.must(b.Accounts().Delete(b.ctx, a.ID))
	_, err = social.FindSocial(b.ctx, "google", row.UID)
	b.is(err, jotgate.ErrNotFound)
}

func testSocialSignUp(t *testing.T, s record.Store) {
	b := newBench(t, s)
	social := b.social()
	for verified, email := range map[bool]string{true: "New@Example.com", false: "other@example.com"} {
		a := &record.Account{Username: "u" + rand.Text(), Email: email, Password: "!", IsActive: true}
		row := newSocial(rand.Text())
		b.must(social.SignUpSocial(b.ctx, a, row, verified, nil))
		if a.ID == "" || row.User != a.ID || row.ID == 0 {
			t.Errorf("signed up %+v, %+v", a, row)
		}
		if ok, listed, err := b.Addresses().Verified(b.ctx, a.ID, email); ok != verified || !listed || err != nil {
			t.Errorf("verified %v, listed %v, %v", ok, listed, err)
		}
		// Verified is also the condition of a later connection.
		err := social.ChangeSocial(b.ctx, record.SocialChange{User: a.ID, Connect: newSocial(rand.Text()), IfVerified: "new@example.com"})
		if verified {
			b.must(err)
		} else {
			b.is(err, jotgate.ErrNotFound)
		}
		// Neither an account nor a row is left behind if something is taken.
		again := &record.Account{Username: "u" + rand.Text(), Password: "!", IsActive: true}
		b.is(social.SignUpSocial(b.ctx, again, newSocial(row.UID), false, nil), jotgate.ErrConnected)
		if _, err := b.Accounts().ByLogin(b.ctx, again.Username); !errors.Is(err, jotgate.ErrNotFound) {
			t.Errorf("an account without its connection: %v", err)
		}
		b.is(social.SignUpSocial(b.ctx, &record.Account{Username: a.Username, Password: "!", IsActive: true}, newSocial("taken"), false, nil), jotgate.ErrTaken)
		_, err = social.FindSocial(b.ctx, "google", "taken")
		b.is(err, jotgate.ErrNotFound)
	}
	spent := []record.Spent{{ID: "provider " + rand.Text(), Expires: start.Add(time.Hour)}}
	b.must(social.SpendOnce(b.ctx, spent[0]))
	again := &record.Account{Username: "u" + rand.Text(), Password: "!", IsActive: true}
	b.is(social.SignUpSocial(b.ctx, again, newSocial("spent"), false, spent), jotgate.ErrLoginNotValid)
	if _, err := b.Accounts().ByLogin(b.ctx, again.Username); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("an account of a sign-up that was used before: %v", err)
	}
}

func testSocialDisconnect(t *testing.T, s record.Store) {
	b := newBench(t, s)
	social := b.social()
	a, other := b.account(), b.account()
	row, second := b.connect(a.ID), b.connect(a.ID)
	good := record.SocialChange{User: a.ID, Disconnect: row.ID, IfPassword: "first", IfRemaining: []int64{second.ID}}
	for name, change := range map[string]func(*record.SocialChange){
		"other password": func(c *record.SocialChange) { c.IfPassword = "second" },
		"other factors":  func(c *record.SocialChange) { c.IfFactors = "totp:1" },
		"other rows":     func(c *record.SocialChange) { c.IfRemaining = nil },
		"more rows":      func(c *record.SocialChange) { c.IfRemaining = []int64{second.ID, second.ID + 1} },
		"row of another": func(c *record.SocialChange) { c.User, c.IfRemaining = other.ID, nil },
		"no such row":    func(c *record.SocialChange) { c.Disconnect, c.IfRemaining = second.ID+1000, []int64{row.ID, second.ID} },
	} {
		c := good
		change(&c)
		if err := social.ChangeSocial(b.ctx, c); !errors.Is(err, jotgate.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// So is the removal of a factor that leaves them as the only way.
	if factors := b.Factors(); factors != nil {
		totp := &record.Factor{Type: record.FactorTOTP, Data: `{"secret": "S"}`, Created: start}
		b.must(factors.ChangeFactors(b.ctx, record.FactorChange{User: a.ID, Add: []*record.Factor{totp}}))
		b.is(factors.ChangeFactors(b.ctx, record.FactorChange{User: a.ID, Remove: []int64{totp.ID}, IfSocial: &[]int64{row.ID}}), jotgate.ErrNotFound)
		b.must(factors.ChangeFactors(b.ctx, record.FactorChange{User: a.ID, Remove: []int64{totp.ID}, IfSocial: &[]int64{row.ID, second.ID}}))
	}
	b.must(social.ChangeSocial(b.ctx, good))
	if list, _ := social.ListSocial(b.ctx, a.ID); len(list) != 1 || list[0].ID != second.ID {
		t.Errorf("left are %+v", list)
	}
	b.is(social.ChangeSocial(b.ctx, good), jotgate.ErrNotFound)
}

// A session that begins with a provider is created only while the account there is
// the user's.
func testSocialLogin(t *testing.T, s record.Store) {
	b := newBench(t, s)
	social := b.social()
	a, other := b.account(), b.account()
	row := b.connect(a.ID)
	use := record.SocialUse{ID: row.ID, Provider: "google", UID: row.UID, Data: `{"sub": "y"}`}
	login := func(user record.UserID, use record.SocialUse) error {
		session := newSession(user)
		session.Created, session.Entry.Social = start.Add(time.Minute), []record.SocialUse{use}
		return b.Sessions().Create(b.ctx, session, "first")
	}
	b.must(login(a.ID, use))
	found, err := social.FindSocial(b.ctx, "google", row.UID)
	b.must(err)
	if found.Data == row.Data || !found.LastLogin.Equal(start.Add(time.Minute)) || !found.Joined.Equal(start) {
		t.Errorf("after a login: %+v", found)
	}
	b.is(login(other.ID, use), jotgate.ErrNotFound)
	b.is(login(a.ID, record.SocialUse{ID: row.ID, Provider: "google", UID: "x"}), jotgate.ErrNotFound)
	b.is(login(a.ID, record.SocialUse{ID: row.ID + 1000, Provider: "google", UID: row.UID}), jotgate.ErrNotFound)
	b.must(social.ChangeSocial(b.ctx, record.SocialChange{User: a.ID, Disconnect: row.ID, IfPassword: "first"}))
	b.is(login(a.ID, use), jotgate.ErrNotFound)
	if list, _ := b.Sessions().List(b.ctx, a.ID, start.Add(2*time.Minute)); len(list) != 1 {
		t.Errorf("%d sessions, want that of the first login", len(list))
	}
}

// Of concurrent callers exactly one connects an account at a provider, signs up with
// it, uses a flow, or removes one of the last two ways to log in.
func testSocialRaces(t *testing.T, s record.Store) {
	b := newBench(t, s)
	social := b.social()
	accounts := []*record.Account{b.account(), b.account(), b.account(), b.account()}
	for round := range 3 {
		uid := fmt.Sprint("race", round)
		b.oneWinner("connect", len(accounts), func(i int) error {
			return social.ChangeSocial(b.ctx, record.SocialChange{User: accounts[i].ID, Connect: newSocial(uid)})
		})
		b.oneWinner("sign up", 4, func(i int) error {
			a := &record.Account{Username: fmt.Sprintf("r%d-%d-%s", round, i, rand.Text()), Password: "!", IsActive: true}
			return social.SignUpSocial(b.ctx, a, newSocial("new"+uid), false, nil)
		})
		b.oneWinner("spend", 4, func(int) error {
			return social.SpendOnce(b.ctx, record.Spent{ID: "provider " + uid, Expires: start.Add(time.Hour)})
		})
		a := b.account()
		rows := []*record.SocialAccount{b.connect(a.ID), b.connect(a.ID)}
		b.oneWinner("disconnect", 2, func(i int) error {
			return social.ChangeSocial(b.ctx, record.SocialChange{User: a.ID, Disconnect: rows[i].ID, IfPassword: "first", IfRemaining: []int64{rows[1-i].ID}})
		})
	}
}
