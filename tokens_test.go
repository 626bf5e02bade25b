package jotgate_test

// The content of tokens, and the results of VerifyToken.

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// VerifyToken accepts any type of token and does not read the user, like
// SimpleJWT's verify view; it rejects revoked tokens.
func TestVerifyToken(t *testing.T) {
	b := newGate(t, nil)
	b.user(t, "alice", nil)
	live, ended, used := b.login(t, "alice"), b.login(t, "alice"), b.login(t, "alice")
	if err := b.Logout(t.Context(), ended.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(time.Second)
	if _, err := b.Refresh(t.Context(), used.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	django := func(kind, jti string) string {
		return accessToken(t, func(c map[string]any) {
			c["token_type"], c["jti"], c["user_id"] = kind, jti, string(live.User.ID)
			delete(c, "sid")
		})
	}
	logout := django("refresh", "logged-out")
	if err := b.Logout(t.Context(), logout, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token string
		want  error
	}{
		"access":                          {live.Access, nil},
		"refresh":                         {live.Refresh, nil},
		"access of an ended session":      {ended.Access, jotgate.ErrTokenBlacklisted},
		"refresh of an ended session":     {ended.Refresh, jotgate.ErrTokenBlacklisted},
		"refresh that was used":           {used.Refresh, jotgate.ErrTokenBlacklisted},
		"Django's, of any type":           {django("sliding", "a"), nil},
		"Django's refresh":                {django("refresh", "b"), nil},
		"Django's refresh, logged out":    {logout, jotgate.ErrTokenBlacklisted},
		"refresh of nobody":               {accessToken(t, func(c map[string]any) { c["token_type"] = "refresh"; delete(c, "user_id") }), nil},
		"refresh of no session":           {accessToken(t, func(c map[string]any) { c["token_type"], c["sid"] = "refresh", strings.Repeat("0", 32) }), jotgate.ErrTokenBlacklisted},
		"refresh with a number for a jti": {accessToken(t, func(c map[string]any) { c["token_type"], c["jti"] = "refresh", 5 }), jotgate.ErrTokenInvalid},
		"expired":                         {accessToken(t, func(c map[string]any) { c["exp"] = noon.Unix() }), jotgate.ErrTokenExpired},
		"garbage":                         {"x", jotgate.ErrTokenInvalid},
	} {
		if err := b.Sessions().VerifyToken(t.Context(), c.token); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	b.db.Close()
	if err := b.Sessions().VerifyToken(t.Context(), live.Refresh); !errors.Is(err, jotgate.ErrUnavailable) {
		t.Errorf("without a database: %v", err)
	}
	if err := b.Sessions().VerifyToken(t.Context(), django("refresh", "c")); !errors.Is(err, jotgate.ErrUnavailable) {
		t.Errorf("Django's, without a database: %v", err)
	}
	if err := b.Sessions().VerifyToken(t.Context(), live.Access); err != nil {
		t.Errorf("an access token needs no database: %v", err)
	}
}

// Groups and permissions are read once, and only if Settings.Claims lists them.
func TestGrantsInTokens(t *testing.T) {
	for _, asked := range [][]string{{"groups", "permissions"}, {"permissions", "groups"}, {"groups"}, {"permissions"}, {}} {
		b := newGate(t, func(s *jotgate.Settings) { s.Claims = asked })
		alice := b.user(t, "alice", nil)
		if _, err := b.db.Groups().Create(t.Context(), "Editors"); err != nil {
			t.Fatal(err)
		}
		if err := b.db.Groups().AddMember(t.Context(), alice.ID, "Editors"); err != nil {
			t.Fatal(err)
		}
		if err := b.db.Permissions().GrantToAccount(t.Context(), alice.ID, "auth.add_user"); err != nil {
			t.Fatal(err)
		}
		user, err := b.VerifyAccess(b.login(t, "alice").Access)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"groups", "permissions"} {
			want, told := map[string]string{"groups": `["Editors"]`, "permissions": `["auth.add_user"]`}[name], false
			for _, a := range asked {
				told = told || a == name
			}
			if got, ok := user.Claim(name); ok != told || told && string(got) != want {
				t.Errorf("%v: %s is %s", asked, name, got)
			}
		}
	}
}

// A program's own claims are in the token, unless they fail or would replace one of the gate's.
func TestCustomClaims(t *testing.T) {
	for name, c := range map[string]struct {
		own  jwt.Object
		err  error
		want error
	}{
		"own":        {jwt.Object{{"tenant", "acme"}}, nil, nil},
		"none":       {nil, nil, nil},
		"failing":    {jwt.Object{{"tenant", "acme"}}, errors.New("no answer"), jotgate.ErrUnavailable},
		"the gate's": {jwt.Object{{"tenant", "acme"}, {"role", "admin"}}, nil, jotgate.ErrUnavailable},
	} {
		b := newGate(t, func(s *jotgate.Settings) {
			s.CustomClaims = func(context.Context, *record.Account) (jwt.Object, error) { return c.own, c.err }
		})
		b.user(t, "alice", nil)
		tokens, err := b.Login(t.Context(), "alice", password, jotgate.Client{})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		user, err := b.VerifyAccess(tokens.Access)
		if err != nil {
			t.Fatal(err)
		}
		if tenant, ok := user.Claim("tenant"); ok != (len(c.own) > 0) || ok && tenant != `"acme"` {
			t.Errorf("%s: %s", name, tenant)
		}
	}
}

// If the username is the user id, it is looked up.
func TestUsernameAsUserID(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.UserIDField = "username" })
	alice := b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	user, err := b.VerifyAccess(tokens.Access)
	if err != nil || user.ID != "alice" {
		t.Fatalf("%+v %v", user, err)
	}
	if account, err := b.Accounts().Of(t.Context(), user); err != nil || account.ID != alice.ID {
		t.Errorf("%+v %v", account, err)
	}
	if tokens, err = b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Accounts().SetUsername(t.Context(), alice, "alicia", "", jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrNoAccountForToken) {
		t.Errorf("under a name that nobody has: %v", err)
	}
	b.db.Close()
	if _, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrUnavailable) {
		t.Errorf("without a database: %v", err)
	}
}

// The jti of a token that Django issued may have up to 255 bytes.
func TestLongJTI(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	for jti, want := range map[string]error{strings.Repeat("a", 255): nil, strings.Repeat("b", 256): jotgate.ErrTokenInvalid, "": jotgate.ErrTokenInvalid} {
		token := accessToken(t, func(c map[string]any) {
			c["token_type"], c["user_id"], c["jti"] = "refresh", string(alice.ID), jti
			delete(c, "sid")
		})
		if _, err := b.Refresh(t.Context(), token, jotgate.Client{}); want == nil != (err == nil) {
			t.Errorf("%d bytes: %v", len(jti), err)
		}
	}
}

// last_login is written only if UpdateLastLogin is set.
func TestLastLogin(t *testing.T) {
	for _, ask := range []bool{false, true} {
		var said capture.Output
		b := newGate(t, func(s *jotgate.Settings) {
			s.UpdateLastLogin, s.Logger = ask, slog.New(slog.NewTextHandler(&said, nil))
		})
		alice := b.user(t, "alice", nil)
		if err := b.Logout(t.Context(), b.login(t, "alice").Refresh, jotgate.Client{}); err != nil {
			t.Error(err)
		}
		account, err := b.Accounts().ByID(t.Context(), alice.ID)
		if err != nil || account.LastLogin.Equal(noon) != ask || account.LastLogin.IsZero() == ask {
			t.Errorf("%v: %v, %v", ask, account.LastLogin, err)
		}
		if strings.Contains(said.String(), "WARN") {
			t.Errorf("%v: complains: %s", ask, said.String())
		}
	}
}

// A refresh for an account that was deactivated or deleted is rejected although the session is live.
func TestRefreshWithoutAccount(t *testing.T) {
	b := newGate(t, nil)
	inactive := b.user(t, "alice", func(a *record.Account) { a.IsActive = false })
	token := accessToken(t, func(c map[string]any) {
		c["token_type"], c["user_id"] = "refresh", string(inactive.ID)
		delete(c, "sid")
	})
	if _, err := b.Refresh(t.Context(), token, jotgate.Client{}); !errors.Is(err, jotgate.ErrNoAccountForToken) {
		t.Errorf("inactive: %v", err)
	}
}

// directory is a program's own users table, with one account. It counts how often a password is compared.
type directory struct {
	account *record.Account
	checked *int
}

func (d directory) UserByLogin(_ context.Context, login string) (*record.Account, error) {
	if login != d.account.Username {
		return nil, jotgate.ErrNotFound
	}
	return d.account, nil
}

func (d directory) UserByID(_ context.Context, id record.UserID) (*record.Account, error) {
	if id != d.account.ID {
		return nil, jotgate.ErrNotFound
	}
	return d.account, nil
}

func (d directory) CheckPassword(_ context.Context, account *record.Account, given string) (bool, error) {
	*d.checked++
	return account != nil && given == password, nil
}

// If a program keeps the accounts, tokens work and every change of an account is forbidden.
func TestOwnUsersKeepTheirAccounts(t *testing.T) {
	alice := &record.Account{ID: "x-1", Username: strings.Repeat("a", 1024), Email: "alice@example.com", IsActive: true}
	checked := 0
	b := newGate(t, func(s *jotgate.Settings) {
		s.Users, s.UpdateLastLogin, s.Claims = directory{alice, &checked}, true, []string{"groups", "permissions"}
	})
	tokens := b.login(t, alice.Username)
	if user, err := b.VerifyAccess(tokens.Access); err != nil || user.ID != "x-1" || len(user.Groups)+len(user.Permissions) > 0 {
		t.Errorf("%+v %v", user, err)
	}
	if checked != 1 {
		t.Errorf("a login compares the password %d times", checked)
	}
	if _, err := b.Login(t.Context(), alice.Username, "wrong", jotgate.Client{}); !errors.Is(err, jotgate.ErrNoActiveAccount) || checked != 2 {
		t.Errorf("a wrong password: %v, compared %d times", err, checked-1)
	}
	again, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{})
	if err != nil || again.Access == "" || again.Refresh == "" {
		t.Errorf("%+v %v", again, err)
	}
	for _, change := range []func(){func() { alice.IsActive = false }, func() { alice.IsActive, alice.ID = true, "x-2" }} {
		change()
		if _, err := b.Refresh(t.Context(), again.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrNoAccountForToken) {
			t.Errorf("refreshed for %+v: %v", alice, err)
		}
	}
	alice.ID = "x-1"
	alice.Username += "a" // longer than what is looked up
	if _, err := b.Logins().Check(t.Context(), alice.Username, password); !errors.Is(err, jotgate.ErrNoActiveAccount) {
		t.Errorf("a name of 1025 bytes: %v", err)
	}
	uid, token := b.Links().Parts(record.MessagePasswordReset, alice)
	none := jotgate.Client{}
	for name, call := range map[string]func() error{
		"register": func() error { _, err := b.Register(t.Context(), jotgate.Registration{}, none); return err },
		"activate": func() error { _, err := b.Links().Activate(t.Context(), uid, token, none); return err },
		"reset": func() error {
			_, err := b.Links().ResetPassword(t.Context(), uid, token, password+"2", none)
			return err
		},
		"password": func() error { return b.Accounts().SetPassword(t.Context(), alice, password+"2", "", none) },
		"username": func() error { return b.Accounts().SetUsername(t.Context(), alice, "alicia", "", none) },
		"email":    func() error { return b.Accounts().SetEmail(t.Context(), alice, "a@example.com", false, none) },
		"delete":   func() error { return b.Accounts().Delete(t.Context(), alice, none) },
	} {
		if err := call(); !errors.Is(err, jotgate.ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	alice.Username = "alice"
	b.db.Close()
	checked = 0
	if _, err := b.Login(t.Context(), "alice", password, none); !errors.Is(err, jotgate.ErrUnavailable) || checked != 1 {
		t.Errorf("without a database: %v, compared %d times", err, checked)
	}
	if found, err := b.Links().Request(t.Context(), record.MessagePasswordReset, alice.Email); found || !errors.Is(err, jotgate.ErrUnavailable) {
		t.Errorf("a link: %v %v", found, err)
	}
}

func TestResetUsername(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	uid, token := b.Links().Parts(record.MessageUsernameReset, alice)
	none := jotgate.Client{}
	if _, err := b.Links().ResetUsername(t.Context(), uid, token, "a b", none); jotgate.AsError(err).Status != 400 {
		t.Errorf("a name with a blank: %v", err)
	}
	if _, err := b.Links().ResetUsername(t.Context(), uid, token+"0", "alicia", none); jotgate.AsError(err).Status != 400 {
		t.Errorf("a wrong token: %v", err)
	}
	if _, err := b.Links().ResetUsername(t.Context(), uid, token, "alicia", none); err != nil {
		t.Fatal(err)
	}
	if account, err := b.Accounts().ByID(t.Context(), alice.ID); err != nil || account.Username != "alicia" {
		t.Errorf("%+v %v", account, err)
	}
	if _, err := b.Links().ResetUsername(t.Context(), uid, token, "alice", none); jotgate.AsError(err).Status != 400 {
		t.Errorf("the link works twice: %v", err)
	}
}

// An e-mail is queued only for an account with an address.
func TestNotify(t *testing.T) {
	var said capture.Output
	b := newGate(t, func(s *jotgate.Settings) { s.Logger = slog.New(slog.NewTextHandler(&said, nil)) })
	for name, address := range map[string]string{"alice": "alice@example.com", "bob": ""} {
		account := b.user(t, name, func(a *record.Account) { a.Email = address })
		b.Accounts().Notify(t.Context(), record.MessageActivation, account, "x")
		messages, err := b.db.Outbox().Due(t.Context(), noon, 10, time.Hour)
		if err != nil || len(messages) != len(address)/len("alice@example.com") {
			t.Errorf("%s: %v, %v", name, messages, err)
		}
	}
	if strings.Contains(said.String(), "WARN") {
		t.Errorf("complains of messages that were written: %s", said.String())
	}
}

// A process that starts late in a token's life reads the revocations made early in it.
func TestLateStartReadsEarlyRevocations(t *testing.T) {
	b := newGate(t, nil)
	b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	if err := b.Logout(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(299 * time.Second) // it would live for one more
	late := gateOn(t, b.db, func(s *jotgate.Settings) { s.Now = b.clock.Now })
	if _, err := late.VerifyAccess(tokens.Access); err != nil {
		t.Fatalf("refused before anything was heard: %v", err)
	}
	if err := late.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := late.VerifyAccess(tokens.Access); err == nil {
		t.Error("a token that was logged out opens the gate")
	}
}

// With RevocationsRequired the gate rejects tokens until it has read the
// revocations, and when they are older than RevocationMaxAge.
func TestRevocationsRequired(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.RevocationsRequired = true })
	b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	for _, c := range []struct {
		sync  bool
		later time.Duration
		open  bool
	}{{false, 0, false}, {true, 0, true}, {false, 10 * time.Second, true}, {false, time.Microsecond, false}, {true, 0, true}} {
		b.clock.Advance(c.later)
		if c.sync {
			if err := b.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.VerifyAccess(tokens.Access); (err == nil) != c.open || err != nil && !errors.Is(err, jotgate.ErrUnavailable) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
