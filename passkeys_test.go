package jotgate_test

import (
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	soft "github.com/descope/virtualwebauthn"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// A softKey is a software authenticator with one passkey for example.com.
type softKey struct {
	rp   soft.RelyingParty
	auth soft.Authenticator
	cred soft.Credential
}

func newSoftKey(user record.UserID) *softKey {
	k := &softKey{
		rp:   soft.RelyingParty{ID: "example.com", Name: "Example", Origin: "https://example.com"},
		auth: soft.NewAuthenticatorWithOptions(soft.AuthenticatorOptions{UserHandle: passkey.Handle(string(user))}),
	}
	// Coordinates without leading zeros, which virtualwebauthn would drop.
	for k.cred = soft.NewCredential(soft.KeyTypeEC2); len(k.cred.Key.AttestationData()) != 77; {
		k.cred = soft.NewCredential(soft.KeyTypeEC2)
	}
	k.cred.Counter = 1
	return k
}

func (k *softKey) create(t testing.TB, c jotgate.PasskeyCeremony) []byte {
	t.Helper()
	o, err := soft.ParseAttestationOptions(string(c.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(soft.CreateAttestationResponse(k.rp, k.auth, k.cred, *o))
}

func (k *softKey) get(t testing.TB, c jotgate.PasskeyCeremony) []byte {
	t.Helper()
	o, err := soft.ParseAssertionOptions(string(c.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	k.cred.Counter++
	return []byte(soft.CreateAssertionResponse(k.rp, k.auth, k.cred, *o))
}

func withPasskeys(s *jotgate.Settings) { s.RPID = "example.com" }

// addPasskey stores a passkey of the account without the gate.
func (b *bench) addPasskey(t testing.TB, a *record.Account, k *softKey) {
	t.Helper()
	rp, err := passkey.New(passkey.Settings{ID: "example.com", Origins: []string{"https://example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	user := passkey.User{Handle: passkey.Handle(string(a.ID)), Name: a.Username}
	c, err := rp.BeginRegistration(user, passkey.Alone, noon)
	if err != nil {
		t.Fatal(err)
	}
	k.auth.Options.UserHandle = user.Handle
	p, err := rp.FinishRegistration(user, c.State, k.create(t, jotgate.PasskeyCeremony{PublicKey: c.Options}), "Laptop", noon)
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.Data()
	if err != nil {
		t.Fatal(err)
	}
	err = b.db.Factors().ChangeFactors(t.Context(), record.FactorChange{
		User: a.ID, Add: []*record.Factor{{Type: record.FactorPasskey, Data: string(data), Created: noon}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) beginPasskey(t testing.TB, pending string) jotgate.PasskeyCeremony {
	t.Helper()
	c, err := b.Factors().Passkeys().BeginLogin(t.Context(), pending, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (b *bench) factors(t testing.TB, a *record.Account) []record.Factor {
	t.Helper()
	list, err := b.db.Factors().ListFactors(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A passkey logs in by itself, with two factors, and as a second factor.
func TestPasskeyLogin(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		b := gateOn(t, db, withPasskeys)
		alice := b.user(t, "alice", nil)
		k := newSoftKey(alice.ID)
		b.addPasskey(t, alice, k)

		c := b.beginPasskey(t, "")
		state, err := b.Logins().Continue(t.Context(), c.Pending, jotgate.Passkey(k.get(t, c)), jotgate.Client{})
		if err != nil || state.Next != jotgate.StepDone || state.Tokens.User.Username != "alice" {
			t.Fatalf("alone: %+v, %v", state, err)
		}
		if list := b.factors(t, alice); len(list) != 1 || !list[0].LastUsed.Equal(noon) || !strings.Contains(strings.ReplaceAll(list[0].Data, " ", ""), `"count":2`) {
			t.Errorf("the row after the login: %+v", list)
		}

		var step *jotgate.StepError
		if _, err := b.Login(t.Context(), "alice", password, jotgate.Client{}); !errors.As(err, &step) || step.State.Next != jotgate.StepSecond || step.State.Flows[0] != "passkey" {
			t.Fatalf("a password alone: %v", err)
		}
		k.auth.Options.UserNotVerified = true // enough for a second factor
		c = b.beginPasskey(t, step.State.Pending)
		state, err = b.Logins().Continue(t.Context(), c.Pending, jotgate.Passkey(k.get(t, c)), jotgate.Client{})
		if err != nil || state.Next != jotgate.StepDone {
			t.Fatalf("second: %+v, %v", state, err)
		}
		// The token from before the passkey's options continues the same login, which
		// is over.
		if _, err := b.Factors().Passkeys().BeginLogin(t.Context(), step.State.Pending, jotgate.Client{}); err != nil {
			t.Errorf("options for a login that is over cost nothing: %v", err)
		}
		again := b.beginPasskey(t, step.State.Pending)
		if _, err := b.Logins().Continue(t.Context(), again.Pending, jotgate.Passkey(k.get(t, again)), jotgate.Client{}); !errors.Is(err, jotgate.ErrLoginNotValid) {
			t.Errorf("a second end of the same login: %v", err)
		}
	})
}

// Each login that is refused differs in one point from one that is accepted.
func TestPasskeyLoginRefused(t *testing.T) {
	type attempt struct {
		b       *bench
		alice   *record.Account
		k       *softKey
		client  jotgate.Client
		pending string
		between func() // before the credential is sent
		proof   func([]byte) jotgate.Proof
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, a *attempt)
		want   error
	}{
		{"accepted", func(*testing.T, *attempt) {}, nil},
		{"accepted a moment before the end", func(_ *testing.T, a *attempt) { a.between = func() { a.b.clock.Advance(5*time.Minute - time.Second) } }, nil},
		{"expired", func(_ *testing.T, a *attempt) { a.between = func() { a.b.clock.Advance(5 * time.Minute) } }, jotgate.ErrLoginNotValid},
		{"a browser's token in a body", func(_ *testing.T, a *attempt) { a.client.Browser = true }, jotgate.ErrLoginNotValid},
		{"changed token", func(_ *testing.T, a *attempt) { a.pending = "p1.AAAA" }, jotgate.ErrLoginNotValid},
		{"not verified", func(_ *testing.T, a *attempt) { a.k.auth.Options.UserNotVerified = true }, jotgate.ErrPasskeyNotValid},
		{"other origin", func(_ *testing.T, a *attempt) { a.k.rp.Origin = "https://example.org" }, jotgate.ErrPasskeyNotValid},
		{"copied", func(_ *testing.T, a *attempt) { a.k.cred.Counter = 0 }, jotgate.ErrPasskeyNotValid},
		{"another user's handle", func(t *testing.T, a *attempt) {
			a.k.auth.Options.UserHandle = passkey.Handle(string(a.b.user(t, "bob", nil).ID))
		}, jotgate.ErrPasskeyUnknown},
		{"nobody's handle", func(_ *testing.T, a *attempt) { a.k.auth.Options.UserHandle = []byte("zzz") }, jotgate.ErrPasskeyUnknown},
		{"removed", func(t *testing.T, a *attempt) {
			a.between = func() {
				if err := a.b.db.Factors().ChangeFactors(t.Context(), record.FactorChange{User: a.alice.ID, Remove: []int64{a.b.factors(t, a.alice)[0].ID}}); err != nil {
					t.Fatal(err)
				}
			}
		}, jotgate.ErrPasskeyUnknown},
		{"inactive", func(t *testing.T, a *attempt) {
			a.between = func() {
				inactive := false
				if err := a.b.db.Accounts().Change(t.Context(), a.alice.ID, record.Change{IsActive: &inactive, At: noon}); err != nil {
					t.Fatal(err)
				}
			}
		}, jotgate.ErrNoActiveAccount},
		{"a password instead", func(_ *testing.T, a *attempt) {
			a.proof = func([]byte) jotgate.Proof { return jotgate.Password("alice", password) }
		}, jotgate.ErrLoginNotValid},
		{"no credential", func(_ *testing.T, a *attempt) { a.proof = func([]byte) jotgate.Proof { return jotgate.Passkey(nil) } }, jotgate.ErrPasskeyNotValid},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newGate(t, withPasskeys)
			alice := b.user(t, "alice", nil)
			a := &attempt{b: b, alice: alice, k: newSoftKey(alice.ID), between: func() {}, proof: jotgate.Passkey}
			b.addPasskey(t, alice, a.k)
			begun := b.beginPasskey(t, "")
			a.pending = begun.Pending
			c.change(t, a)
			credential := a.k.get(t, begun)
			a.between()
			state, err := b.Logins().Continue(t.Context(), a.pending, a.proof(credential), a.client)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if (err == nil) != (state.Tokens.Access != "") {
				t.Errorf("tokens: %v", state.Tokens)
			}
		})
	}
}

// A passkey that did not verify its user is one factor: the password is next.
func TestPasskeyVerifiesLater(t *testing.T) {
	b := newGate(t, withPasskeys)
	alice := b.user(t, "alice", nil)
	k := newSoftKey(alice.ID)
	b.addPasskey(t, alice, k)
	f := b.factors(t, alice)[0]
	data := strings.Replace(f.Data, `"uv":1`, `"uv":0`, 1)
	if err := b.db.Factors().ChangeFactors(t.Context(), record.FactorChange{User: alice.ID, Uses: []record.FactorUse{{ID: f.ID, Old: f.Data, New: data}}}); err != nil {
		t.Fatal(err)
	}
	c := b.beginPasskey(t, "")
	state, err := b.Logins().Continue(t.Context(), c.Pending, jotgate.Passkey(k.get(t, c)), jotgate.Client{})
	if err != nil || state.Next != jotgate.StepSecond || len(state.Flows) != 1 || state.Flows[0] != "password" {
		t.Fatalf("got %+v, %v", state, err)
	}
	state, err = b.Logins().Continue(t.Context(), state.Pending, jotgate.Password("", password), jotgate.Client{})
	if err != nil || state.Next != jotgate.StepDone {
		t.Fatalf("with the password: %+v, %v", state, err)
	}
}

// One credential sent eight times concurrently, to two nodes, starts one
// session, on either database; so does it after the password.
func TestPasskeyOneWinner(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "test.db")
		testOneWinner(t, func() (*store.Store, error) { return sqlite.Open(t.Context(), file, sqlitetest.Options) })
	})
	t.Run("postgres", func(t *testing.T) {
		address := pgtest.Database(t)
		testOneWinner(t, func() (*store.Store, error) { return postgres.Open(t.Context(), address, postgrestest.Options) })
	})
}

func testOneWinner(t *testing.T, open func() (*store.Store, error)) {
	var nodes [2]*bench
	for i := range nodes {
		db, err := open()
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		nodes[i] = gateOn(t, db, withPasskeys)
	}
	alice := nodes[0].user(t, "alice", nil)
	k := newSoftKey(alice.ID)
	nodes[0].addPasskey(t, alice, k)
	for round := range raceRounds() {
		pending := ""
		if round%2 == 1 {
			var step *jotgate.StepError
			if _, err := nodes[0].Login(t.Context(), "alice", password, jotgate.Client{}); !errors.As(err, &step) {
				t.Fatal(err)
			}
			pending = step.State.Pending
		}
		c := nodes[0].beginPasskey(t, pending)
		credential := k.get(t, c)
		var won, lost atomic.Int32
		atOnce(8, func(i int) {
			state, err := nodes[i%2].Logins().Continue(t.Context(), c.Pending, jotgate.Passkey(credential), jotgate.Client{})
			switch {
			case err == nil && state.Next == jotgate.StepDone:
				won.Add(1)
			case errors.Is(err, jotgate.ErrLoginNotValid), errors.Is(err, jotgate.ErrPasskeyNotValid):
				lost.Add(1)
			default:
				t.Errorf("round %d: %+v, %v", round, state, err)
			}
		})
		if won.Load() != 1 || lost.Load() != 7 {
			t.Fatalf("round %d: %d won, %d lost", round, won.Load(), lost.Load())
		}
	}
	list, err := nodes[1].Sessions().List(t.Context(), alice.ID)
	if err != nil || len(list) != raceRounds() {
		t.Errorf("%d sessions after %d rounds, %v", len(list), raceRounds(), err)
	}
}

// Two logins with one passkey, begun apart and finished together, both succeed
// if its counter does not count, as that of a synced passkey.
func TestPasskeyTwoLoginsTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		b := gateOn(t, db, withPasskeys)
		alice := b.user(t, "alice", nil)
		k := newSoftKey(alice.ID)
		k.auth.Options.BackupEligible, k.auth.Options.BackupState, k.cred.Counter = true, true, 0
		b.addPasskey(t, alice, k)
		for range 20 {
			b.clock.Advance(time.Minute)
			var cs [2]jotgate.PasskeyCeremony
			var credentials [2][]byte
			for i := range cs {
				cs[i] = b.beginPasskey(t, "")
				k.cred.Counter = ^uint32(0)
				credentials[i] = k.get(t, cs[i])
			}
			atOnce(2, func(i int) {
				if _, err := b.Logins().Continue(t.Context(), cs[i].Pending, jotgate.Passkey(credentials[i]), jotgate.Client{}); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

func TestPasskeySettings(t *testing.T) {
	b := newGate(t, nil)
	if _, err := b.Factors().Passkeys().BeginLogin(t.Context(), "", jotgate.Client{}); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("without an RP ID: %v", err)
	}
	for id, origins := range map[string][]string{"127.0.0.1": nil, "example.com": {"http://example.com"}, "": {"https://example.com"}} {
		if _, err := jotgate.New(jotgate.Settings{SecretKey: secret, RPID: id, RPOrigins: origins}, b.db); err == nil {
			t.Errorf("RP ID %q, origins %q: accepted", id, origins)
		}
	}
}

// If the counter of a passkey shows that a copy is in use, the login is refused and
// the owner gets an e-mail that names the passkey; a wrong signature sends none.
func TestCopiedPasskey(t *testing.T) {
	b := newGate(t, withPasskeys)
	a := b.user(t, "ada", nil)
	k := newSoftKey(a.ID)
	b.addPasskey(t, a, k)
	forger := newSoftKey(a.ID)
	forger.cred.ID = k.cred.ID
	for _, c := range []struct {
		name  string
		key   *softKey
		count uint32
		sent  int
	}{
		{"another key", forger, 0, 0},
		{"a copy", k, 0, 1},
	} {
		c.key.cred.Counter = c.count
		ceremony := b.beginPasskey(t, "")
		_, err := b.Logins().Continue(b.Accounts().WithLanguage(t.Context(), "fr"), ceremony.Pending, jotgate.Passkey(c.key.get(t, ceremony)), jotgate.Client{})
		if !errors.Is(err, jotgate.ErrPasskeyNotValid) {
			t.Errorf("%s: %v", c.name, err)
		}
		due, err := b.db.Outbox().Due(t.Context(), noon.Add(time.Minute), 10, time.Nanosecond)
		if err != nil || len(due) != c.sent {
			t.Errorf("%s: %+v, %v", c.name, due, err)
		}
		for _, m := range due {
			if m.Kind != record.MessagePasskeyCopied || m.User != a.ID || m.Detail != "Laptop" || m.Language != "fr" {
				t.Errorf("%+v", m)
			}
		}
	}
}
