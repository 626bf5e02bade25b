// Second factors, and what is used once: the contract of record.Factors.

package storetest

import (
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/record"
)

var factorParts = []part{
	{"Factors", withFactors(factorRows)},
	{"FactorRemoval", withFactors(factorRemoval)},
	{"FactorConditions", withFactors(factorConditions)},
	{"FactorAtLogin", withFactors(factorEntries)},
	{"FactorSetUpAtLogin", withFactors(factorAdded)},
	{"FactorReset", withFactors(factorResets)},
	{"FactorSettings", withFactors(factorSettings)},
	{"FactorRaces", withFactors(factorRaces)},
	{"FactorChangeRaces", withFactors(factorChangeRaces)},
}

// withFactors runs the part if the store keeps second factors.
func withFactors(run func(b *bench, factors record.Factors)) func(*testing.T, record.Store) {
	return func(t *testing.T, s record.Store) {
		if factors := s.Factors(); factors != nil {
			run(newBench(t, s), factors)
		}
	}
}

func newFactor(kind record.FactorType) *record.Factor {
	return &record.Factor{Type: kind, Data: `{"secret": "S"}`, Created: start}
}

// enrol adds a factor to the user.
func (b *bench) enrol(user record.UserID, kind record.FactorType) *record.Factor {
	b.Helper()
	f := newFactor(kind)
	b.must(b.Factors().ChangeFactors(b.ctx, record.FactorChange{User: user, Add: []*record.Factor{f}}))
	return f
}

// kinds lists the kinds of the user's factors.
func (b *bench) kinds(user record.UserID) (kinds string) {
	b.Helper()
	list, err := b.Factors().ListFactors(b.ctx, user)
	b.must(err)
	for _, f := range list {
		if f.User != user {
			b.Errorf("%+v is listed for %s", f, user)
		}
		kinds += string(f.Type) + " "
	}
	return kinds
}

func (b *bench) hasKinds(user record.UserID, want string) {
	b.Helper()
	if got := b.kinds(user); got != want {
		b.Errorf("factors %q, want %q", got, want)
	}
}

func factorRows(b *bench, factors record.Factors) {
	a := b.account().ID
	b.hasKinds(a, "")
	b.hasKinds("no-such-user", "")
	totp := b.enrol(a, record.FactorTOTP)
	b.enrol(a, record.FactorPasskey)
	b.enrol(a, record.FactorPasskey) // any number of them
	b.enrol(a, record.FactorRecovery)
	list, err := factors.ListFactors(b.ctx, a)
	b.must(err)
	if len(list) != 4 || list[0].ID != totp.ID || list[0].Data != totp.Data || !list[0].Created.Equal(start) || !list[0].LastUsed.IsZero() {
		b.Fatalf("listed %+v", list)
	}
	for _, kind := range []record.FactorType{record.FactorTOTP, record.FactorRecovery} {
		b.is(factors.ChangeFactors(b.ctx, record.FactorChange{User: a, Add: []*record.Factor{newFactor(kind)}}), jotgate.ErrTaken)
	}
	// Of several new factors either all are added or none is.
	b.is(factors.ChangeFactors(b.ctx, record.FactorChange{User: a, Add: []*record.Factor{newFactor(record.FactorPasskey), newFactor(record.FactorTOTP)}}), jotgate.ErrTaken)
	b.hasKinds(a, "totp webauthn webauthn recovery_codes ")
	b.is(factors.ChangeFactors(b.ctx, record.FactorChange{User: "no-such-user", Add: []*record.Factor{newFactor(record.FactorTOTP)}}), jotgate.ErrNotFound)
}

// Another user's row is neither removed nor used, and recovery codes are removed with
// the last other factor.
func factorRemoval(b *bench, factors record.Factors) {
	a, other := b.account().ID, b.account().ID
	totp, passkey := b.enrol(a, record.FactorTOTP), b.enrol(a, record.FactorPasskey)
	b.enrol(a, record.FactorRecovery)
	foreign := b.enrol(other, record.FactorTOTP)
	b.is(factors.ChangeFactors(b.ctx, record.FactorChange{User: a, Remove: []int64{passkey.ID, foreign.ID}}), jotgate.ErrNotFound)
	use := record.FactorUse{ID: foreign.ID, Old: foreign.Data, New: `{"secret": "T"}`}
	b.is(factors.ChangeFactors(b.ctx, record.FactorChange{User: a, Uses: []record.FactorUse{use}}), jotgate.ErrCodeNotValid)
	b.hasKinds(a, "totp webauthn recovery_codes ")
	b.hasKinds(other, "totp ")
	b.must(factors.ChangeFactors(b.ctx, record.FactorChange{User: a, Remove: []int64{passkey.ID}}))
	b.hasKinds(a, "totp recovery_codes ")
	b.must(factors.ChangeFactors(b.ctx, record.FactorChange{User: a, Remove: []int64{totp.ID}}))
	b.hasKinds(a, "")
	b.must(b.Accounts().Delete(b.ctx, other))
	b.hasKinds(other, "")
}

// Every condition of a change is checked, and a change that is refused leaves
// nothing: no spent id, no use, no removed counter, no ended session.
func factorConditions(b *bench, factors record.Factors) {
	a := b.account().ID
	live := b.session(a)
	totp := b.enrol(a, record.FactorTOTP)
	set := record.FactorSet([]record.Factor{*totp})
	b.must(b.Failures().Add(b.ctx, []string{"counter"}, start, time.Time{}))
	spent := record.Spent{ID: "once " + rand.Text(), Expires: start.Add(time.Hour)}
	good := record.FactorChange{
		User: a, IfPassword: new("first"), IfFactors: &set, Spend: []record.Spent{spent}, Forgive: []string{"counter"},
		Uses: []record.FactorUse{{ID: totp.ID, Old: totp.Data, New: `{"secret": "S", "jotgate": {"step": 7}}`, LastUsed: start.Add(time.Minute)}},
		Add:  []*record.Factor{newFactor(record.FactorPasskey)}, EndSessions: record.EndedByFactors, At: start.Add(time.Minute),
	}
	b.refusesChanges(good, live.ID)
	b.must(factors.ChangeFactors(b.ctx, good))
	list, err := factors.ListFactors(b.ctx, a)
	b.must(err)
	if len(list) != 2 || list[0].Data == totp.Data || !list[0].LastUsed.Equal(start.Add(time.Minute)) || list[1].ID != good.Add[0].ID {
		b.Errorf("listed %+v", list)
	}
	if s := b.find(live.ID); s.Ended.IsZero() || s.EndReason != record.EndedByFactors {
		b.Errorf("the session %+v", s)
	}
	if len(b.revoked(live.ID, "")) == 0 && len(b.revoked("", a)) == 0 {
		b.Error("no revocation")
	}
	b.is(factors.ChangeFactors(b.ctx, record.FactorChange{User: a, Spend: []record.Spent{spent}}), jotgate.ErrLoginNotValid)
}

// refusesChanges spoils a good change in each way.
func (b *bench) refusesChanges(good record.FactorChange, live string) {
	b.Helper()
	a, spent, totp := good.User, good.Spend[0], good.Uses[0]
	for name, c := range map[string]struct {
		change func(*record.FactorChange)
		want   error
	}{
		"another password":  {func(c *record.FactorChange) { c.IfPassword = new("second") }, jotgate.ErrNotFound},
		"no factors":        {func(c *record.FactorChange) { c.IfFactors = new("") }, jotgate.ErrNotFound},
		"other factors":     {func(c *record.FactorChange) { c.IfFactors = new(*good.IfFactors + ",webauthn:1") }, jotgate.ErrNotFound},
		"other data":        {func(c *record.FactorChange) { c.Uses = []record.FactorUse{{ID: totp.ID, Old: "{}", New: "{}"}} }, jotgate.ErrCodeNotValid},
		"no such row":       {func(c *record.FactorChange) { c.Remove = []int64{totp.ID + 1000} }, jotgate.ErrNotFound},
		"a second TOTP":     {func(c *record.FactorChange) { c.Add = []*record.Factor{newFactor(record.FactorTOTP)} }, jotgate.ErrTaken},
		"spent twice in it": {func(c *record.FactorChange) { c.Spend = []record.Spent{spent, spent} }, jotgate.ErrLoginNotValid},
	} {
		bad := good
		c.change(&bad)
		if err := b.Factors().ChangeFactors(b.ctx, bad); !errors.Is(err, c.want) {
			b.Errorf("%s: %v, want %v", name, err, c.want)
		}
		b.hasKinds(a, "totp ")
		if found, err := b.Failures().Find(b.ctx, []string{"counter"}); err != nil || found["counter"].Count != 1 {
			b.Errorf("%s: the counter is %+v, %v", name, found, err)
		}
		if s := b.find(live); !s.Ended.IsZero() {
			b.Errorf("%s: the session has ended", name)
		}
	}
}

// A session begins only with the factors that the login has read, spends what it
// says, and ends the session that it replaces.
func factorEntries(b *bench, factors record.Factors) {
	a := b.account().ID
	plain := b.session(a)
	totp := b.enrol(a, record.FactorTOTP)
	set := record.FactorSet([]record.Factor{*totp})
	create := func(entry record.Entry) (*record.Session, error) {
		s := newSession(a)
		s.Created, s.Entry = start.Add(time.Minute), entry
		return s, b.Sessions().Create(b.ctx, s, "first")
	}
	refused := func(want error, entry record.Entry) {
		b.Helper()
		s, err := create(entry)
		b.is(err, want)
		if _, err := b.Sessions().Find(b.ctx, s.ID); !errors.Is(err, jotgate.ErrNotFound) {
			b.Errorf("a refused login left a session: %v", err)
		}
	}
	use := record.FactorUse{ID: totp.ID, Old: totp.Data, New: `{"secret": "S", "jotgate": {"step": 7}}`}
	once := []record.Spent{{ID: "login " + rand.Text(), Expires: start.Add(time.Hour)}}
	refused(jotgate.ErrNotFound, record.Entry{})
	refused(jotgate.ErrNotFound, record.Entry{Factors: "totp:0"})
	refused(jotgate.ErrTokenBlacklisted, record.Entry{Factors: set, Spend: once, Uses: []record.FactorUse{use}, Replaces: "no such session"})
	b.must(factors.RequestReset(b.ctx, record.FactorReset{User: a, Due: start}))
	_, err := create(record.Entry{Factors: set, Spend: once, Uses: []record.FactorUse{use}, Replaces: plain.ID})
	b.must(err)
	if old := b.find(plain.ID); old.Ended.IsZero() || old.EndReason != record.EndedByStepUp {
		b.Errorf("replaced: %+v", old)
	}
	if r, err := factors.PendingReset(b.ctx, a); r != nil || err != nil {
		b.Errorf("the reset outlived a login with the factor: %+v, %v", r, err)
	}
	refused(jotgate.ErrLoginNotValid, record.Entry{Factors: set, Spend: once})
	refused(jotgate.ErrCodeNotValid, record.Entry{Factors: set, Uses: []record.FactorUse{use}})
	refused(jotgate.ErrTokenBlacklisted, record.Entry{Factors: set, Replaces: plain.ID})
}

// A factor that a login sets up is added with its session, or not at all.
func factorAdded(b *bench, factors record.Factors) {
	a := b.account().ID
	first := b.session(a)
	totp := b.enrol(a, record.FactorTOTP)
	set := record.FactorSet([]record.Factor{*totp})
	create := func(add record.FactorType) (*record.Session, error) {
		s := newSession(a)
		s.Entry = record.Entry{Factors: set, Add: []*record.Factor{newFactor(add)}}
		return s, b.Sessions().Create(b.ctx, s, "first")
	}
	for range 2 {
		s, err := create(record.FactorTOTP)
		b.is(err, jotgate.ErrTaken)
		if _, err := b.Sessions().Find(b.ctx, s.ID); !errors.Is(err, jotgate.ErrNotFound) {
			b.Errorf("a refused login left a session: %v", err)
		}
	}
	_, err := create(record.FactorPasskey)
	b.must(err)
	b.hasKinds(a, "totp webauthn ")
	_, err = create(record.FactorPasskey) // which has read one factor, and there are two
	b.is(err, jotgate.ErrNotFound)
	b.hasKinds(a, "totp webauthn ")
	if s := b.find(first.ID); !s.Ended.IsZero() {
		b.Error("a login ended another session")
	}
}

func factorResets(b *bench, factors record.Factors) {
	a, other := b.account().ID, b.account().ID
	if r, err := factors.PendingReset(b.ctx, a); r != nil || err != nil {
		b.Errorf("%+v, %v", r, err)
	}
	first := record.FactorReset{User: a, By: other, Reason: "lost phone", Due: start.Add(time.Hour)}
	b.must(factors.RequestReset(b.ctx, first))
	second := record.FactorReset{User: a, Reason: "again", Due: start.Add(2 * time.Hour)}
	b.must(factors.RequestReset(b.ctx, second))
	r, err := factors.PendingReset(b.ctx, a)
	b.must(err)
	if r == nil || r.By != "" || r.Reason != "again" || !r.Due.Equal(second.Due) || r.User != a {
		b.Errorf("%+v", r)
	}
	if r, err := factors.PendingReset(b.ctx, other); r != nil || err != nil {
		b.Errorf("of another user: %+v, %v", r, err)
	}
	b.enrol(a, record.FactorTOTP)
	if r, _ := factors.PendingReset(b.ctx, a); r == nil {
		b.Error("a change of factors ended the reset")
	}
	b.must(factors.ChangeFactors(b.ctx, record.FactorChange{User: a, EndReset: true}))
	if r, err := factors.PendingReset(b.ctx, a); r != nil || err != nil {
		b.Errorf("%+v, %v", r, err)
	}
	b.must(factors.RequestReset(b.ctx, first))
	b.must(b.Accounts().Delete(b.ctx, a))
	if r, err := factors.PendingReset(b.ctx, a); r != nil || err != nil {
		b.Errorf("of a deleted user: %+v, %v", r, err)
	}
}

func factorSettings(b *bench, factors record.Factors) {
	name := "test " + rand.Text()
	if v, err := factors.Setting(b.ctx, name); v != "" || err != nil {
		b.Errorf("%q, %v", v, err)
	}
	for _, value := range []string{"first", "second"} {
		if v, err := factors.PinSetting(b.ctx, name, value); v != "first" || err != nil {
			b.Errorf("%q, %v", v, err)
		}
	}
	if v, err := factors.Setting(b.ctx, name); v != "first" || err != nil {
		b.Errorf("%q, %v", v, err)
	}
	a := b.account().ID
	for _, now := range []time.Time{start, start.Add(time.Hour), start.Add(-time.Hour)} {
		if since, err := factors.GraceStart(b.ctx, a, now); err != nil || !since.Equal(start) {
			b.Errorf("%v, %v", since, err)
		}
	}
}

// factorRounds returns how often each race of factors is run.
func factorRounds() int { return rounds.Of(5, 200) }

// Of concurrent logins exactly one uses a code, and one spends a pending login.
func factorRaces(b *bench, _ record.Factors) {
	const callers = 8
	for range factorRounds() {
		a := b.account().ID
		totp := b.enrol(a, record.FactorTOTP)
		set := record.FactorSet([]record.Factor{*totp})
		entry := func(spent string, uses ...record.FactorUse) error {
			s := newSession(a)
			s.Entry = record.Entry{Factors: set, Spend: []record.Spent{{ID: spent, Expires: start.Add(time.Hour)}}, Uses: uses}
			return b.Sessions().Create(b.ctx, s, "first")
		}
		login := "login " + rand.Text()
		b.oneWinner("one code in several logins", callers, func(i int) error { return entry(login+strconv.Itoa(i), nextStep(totp, i)) })
		b.oneWinner("one pending login", callers, func(int) error { return entry(login) })
	}
}

// Of concurrent callers exactly one uses a code, adds the factor that exists once,
// removes a factor, pins a setting or counts an attempt.
func factorChangeRaces(b *bench, factors record.Factors) {
	const callers = 8
	for round := range factorRounds() {
		a := b.account().ID
		totp := b.enrol(a, record.FactorTOTP)
		set := record.FactorSet([]record.Factor{*totp})
		b.oneWinner("one code at several changes", callers, func(i int) error {
			return factors.ChangeFactors(b.ctx, record.FactorChange{User: a, Uses: []record.FactorUse{nextStep(totp, i)}})
		})
		b.oneWinner("recovery codes", callers, func(int) error {
			return factors.ChangeFactors(b.ctx, record.FactorChange{User: a, Add: []*record.Factor{newFactor(record.FactorRecovery)}})
		})
		b.oneWinner("an attempt", callers, func(int) error {
			counted, err := factors.CountAttempt(b.ctx, "mfa|"+string(a), record.Failure{}, start)
			if err == nil && !counted {
				err = jotgate.ErrNotFound
			}
			return err
		})
		b.oneWinner("a removal", callers, func(int) error {
			return factors.ChangeFactors(b.ctx, record.FactorChange{User: a, IfFactors: &set, Remove: []int64{totp.ID}})
		})
		b.hasKinds(a, "")
		b.oneWinner("the first factor", callers, func(int) error {
			return factors.ChangeFactors(b.ctx, record.FactorChange{User: a, IfFactors: new(""), Add: []*record.Factor{newFactor(record.FactorPasskey)}})
		})
		name := "race " + strconv.Itoa(round) + rand.Text()
		b.oneWinner("a setting", callers, func(i int) error {
			value, err := factors.PinSetting(b.ctx, name, strconv.Itoa(i))
			if err == nil && value != strconv.Itoa(i) {
				err = jotgate.ErrTaken
			}
			return err
		})
	}
}

// nextStep is a use of a TOTP factor that writes its time step.
func nextStep(totp *record.Factor, step int) record.FactorUse {
	return record.FactorUse{ID: totp.ID, Old: totp.Data, New: `{"secret": "S", "jotgate": {"step": ` + strconv.Itoa(step+1) + `}}`}
}

// oneWinner makes the calls concurrently: one succeeds, and the others are refused.
func (b *bench) oneWinner(what string, callers int, call func(i int) error) {
	b.Helper()
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() { errs[i] = call(i) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case jotgate.AsError(err).Status >= 500:
			b.Errorf("%s: %v", what, err)
		}
	}
	if won != 1 {
		b.Errorf("%s: %d of %d callers succeeded: %v", what, won, callers, errs)
	}
}
