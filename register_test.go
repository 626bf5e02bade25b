package jotgate_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/signing"
)

var nobody = jotgate.Client{}

// says returns the JSON that a client would get for an error.
func says(err error) string {
	text, _ := jotgate.AsError(err).MarshalJSON()
	return string(text)
}

func TestRegister(t *testing.T) {
	b := newGate(t, nil)
	a, err := b.Register(t.Context(), jotgate.Registration{Username: "ａlice", Email: "Alice@EXAMPLE.com", Password: password}, nobody)
	if err != nil {
		t.Fatal(err)
	}
	if a.ID == "" || a.Username != "alice" || a.Email != "Alice@example.com" || !a.IsActive || a.IsStaff || !a.DateJoined.Equal(noon) {
		t.Errorf("%+v", a)
	}
	b.login(t, "alice")
	for name, row := range map[string]struct {
		r    jotgate.Registration
		want string
	}{
		"taken":      {jotgate.Registration{Username: "alice", Password: password}, `{"username":["A user with that username already exists."]}`},
		"same form":  {jotgate.Registration{Username: "aliｃe", Password: password}, `["Unable to create account."]`},
		"characters": {jotgate.Registration{Username: "al ice", Password: password}, `"username":["Enter a valid username.`},
		"too long":   {jotgate.Registration{Username: strings.Repeat("a", 151), Password: password}, `{"username":["Ensure this field has no more than 150 characters."]}`},
		"no address": {jotgate.Registration{Username: "carol", Email: "carol", Password: password}, `{"email":["Enter a valid email address."]}`},
		"two lines":  {jotgate.Registration{Username: "carol", Email: "carol@example.com\r\nBcc: eve@example.com", Password: password}, `{"email":["Enter a valid email address."]}`},
		"long email": {jotgate.Registration{Username: "carol", Email: strings.Repeat("k", 250) + "@example.com", Password: password}, `{"email":["Ensure this field has no more than 254 characters."]}`},
		"weak":       {jotgate.Registration{Username: "carol", Password: "12345"}, `{"password":["This password is too short. It must contain at least 8 characters.","This password is too common.","This password is entirely numeric."]}`},
		"similar":    {jotgate.Registration{Username: "carol", LastName: "Liddell", Password: "liddell12"}, `{"password":["The password is too similar to the last name."]}`},
		"long":       {jotgate.Registration{Username: "carol", Password: strings.Repeat("k", 4097)}, `{"password":["Ensure this field has no more than 4096 characters."]}`},
		"bytes":      {jotgate.Registration{Username: "carol", Password: "\xff\xfe not UTF-8"}, `{"password":["This password cannot be used."]}`},
	} {
		if _, err := b.Register(t.Context(), row.r, nobody); err == nil || !strings.Contains(says(err), row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPasswordRulesCanBeOff(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.PasswordRules = strength.Rules{} })
	if _, err := b.Register(t.Context(), jotgate.Registration{Username: "alice", Password: "1"}, nobody); err != nil {
		t.Error(err)
	}
}

func TestActivation(t *testing.T) {
	b := newGate(t, nil)
	a, err := b.Register(t.Context(), jotgate.Registration{Username: "alice", Email: "alice@example.com", Password: password, Activate: true}, nobody)
	if err != nil || a.IsActive {
		t.Fatal(a, err)
	}
	if due, err := b.db.Outbox().Due(t.Context(), noon, 10, time.Minute); err != nil || len(due) != 1 || due[0].Kind != record.MessageActivation || due[0].To != a.Email {
		t.Errorf("%v %v", due, err)
	}
	uid, token := b.Links().Parts(record.MessageActivation, a)
	const want = `{"token":["Invalid token for given user."]}` // for every link that is not valid
	for _, row := range []struct{ uid, token string }{{"!!", token}, {signing.EncodeUID("99"), token}, {uid, token + "0"}} {
		if _, err := b.Links().Activate(t.Context(), row.uid, row.token, nobody); says(err) != want {
			t.Errorf("%s %s: %v", row.uid, row.token, err)
		}
	}
	if a, err = b.Links().Activate(t.Context(), uid, token, nobody); err != nil || !a.IsActive {
		t.Fatal(err)
	}
	if _, err = b.Links().Activate(t.Context(), uid, token, nobody); says(err) != want {
		t.Errorf("twice: %v", err)
	}
	b.login(t, "alice")
}

// A link of one kind is not valid for another, unless djoser's form is
// enabled.
func TestDjoserLinks(t *testing.T) {
	for _, shared := range []bool{false, true} {
		b := newGate(t, func(s *jotgate.Settings) { s.DjoserLinks = shared })
		a, err := b.Register(t.Context(), jotgate.Registration{Username: "alice", Email: "alice@example.com", Password: password, Activate: true}, nobody)
		if err != nil {
			t.Fatal(err)
		}
		keys, _ := signing.New(secret)
		django := signing.ResetTokens{Keys: keys}.Make(signing.Account{ID: string(a.ID), Password: a.Password, Email: a.Email}, noon)
		_, activation := b.Links().Parts(record.MessageActivation, a)
		uid, reset := b.Links().Parts(record.MessagePasswordReset, a)
		if reset != django || (activation == django) != shared {
			t.Errorf("shared %v: reset %s, activation %s, Django's %s", shared, reset, activation, django)
		}
		reset2 := func() error {
			_, err := b.Links().ResetPassword(t.Context(), uid, activation, "a brand new pass 77", nobody)
			return err
		}
		if reset2() == nil {
			t.Errorf("shared %v: an activation link resets the password of an inactive account", shared)
		}
		if _, err := b.Links().Activate(t.Context(), uid, activation, nobody); err != nil {
			t.Fatal(err)
		}
		if err := reset2(); (err == nil) != shared {
			t.Errorf("shared %v: an activation link as a reset link: %v", shared, err)
		}
	}
}

func TestResetPassword(t *testing.T) {
	b := newGate(t, nil)
	a := b.user(t, "alice", func(a *record.Account) { a.LastName = "Liddell" })
	tokens := b.login(t, "alice")
	uid, token := b.Links().Parts(record.MessagePasswordReset, a)
	if _, err := b.Links().ResetPassword(t.Context(), uid, token, "liddell12", nobody); says(err) != `{"password":["The password is too similar to the last name."]}` {
		t.Errorf("similar: %v", err)
	}
	b.clock.Advance(time.Minute)
	if _, err := b.Links().ResetPassword(t.Context(), uid, token, "a brand new pass 77", nobody); err != nil {
		t.Fatal(err)
	}
	after, err := b.Accounts().ByID(t.Context(), a.ID)
	if err != nil || !after.LastLogin.Equal(noon.Add(time.Minute)) {
		t.Errorf("last login %v, %v", after.LastLogin, err)
	}
	if _, err := b.VerifyAccess(tokens.Access); err == nil {
		t.Error("the session goes on after a reset")
	}
	if _, err := b.Links().ResetPassword(t.Context(), uid, token, "a brand new pass 78", nobody); says(err) != `{"token":["Invalid token for given user."]}` {
		t.Errorf("twice: %v", err)
	}
}

func TestSetPassword(t *testing.T) {
	b := newGate(t, nil)
	a := b.user(t, "alice", nil)
	if err := b.Accounts().CheckPassword(t.Context(), a, "wrong horse battery"); !errors.Is(err, jotgate.ErrWrongPassword) {
		t.Error(err)
	}
	if err := b.Accounts().CheckPassword(t.Context(), a, password); err != nil {
		t.Error(err)
	}
	stale := *a
	if err := b.Accounts().SetPassword(t.Context(), a, "a brand new pass 77", "", nobody); err != nil {
		t.Fatal(err)
	}
	// A caller that read the account before the change cannot overwrite it.
	if err := b.Accounts().SetPassword(t.Context(), &stale, "a brand new pass 78", "", nobody); !errors.Is(err, jotgate.ErrWrongPassword) {
		t.Error(err)
	}
	if _, err := b.Login(t.Context(), "alice", "a brand new pass 77", nobody); err != nil {
		t.Error(err)
	}
	long := strings.Repeat("0a", passwd.MaxPassword/2)
	if err := b.Accounts().SetPassword(t.Context(), a, long+"x", "", nobody); says(err) != `{"password":["Ensure this field has no more than 4096 characters."]}` {
		t.Errorf("too long: %v", err)
	}
	fresh, err := b.Accounts().ByID(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Accounts().SetPassword(t.Context(), fresh, long, "", nobody); err != nil {
		t.Errorf("just not too long: %v", err)
	}
}

func TestSetUsernameAndEmail(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.ImmediateEmailChange = true })
	a := b.user(t, "alice", nil)
	b.user(t, "carol", nil)
	if err := b.Accounts().SetUsername(t.Context(), a, "carol", "", nobody); !errors.Is(err, jotgate.ErrTaken) {
		t.Error(err)
	}
	if err := b.Accounts().SetUsername(t.Context(), a, "no good!", "", nobody); jotgate.AsError(err).Status != 400 || errors.Is(err, jotgate.ErrTaken) {
		t.Error(err)
	}
	if err := b.Accounts().SetUsername(t.Context(), a, "alice2", "", nobody); err != nil {
		t.Error(err)
	}
	if err := b.Accounts().SetEmail(t.Context(), a, "not an address", false, nobody); says(err) != `{"email":["Enter a valid email address."]}` || a.Email != "alice@example.com" {
		t.Errorf("%v, %q", err, a.Email)
	}
	tokens := b.login(t, "alice2")
	if err := b.Accounts().SetEmail(t.Context(), a, "new@example.com", true, nobody); err != nil {
		t.Fatal(err)
	}
	if _, err := b.VerifyAccess(tokens.Access); err == nil {
		t.Error("an account that is to be confirmed is still logged in")
	}
	messages, err := b.db.Outbox().Due(t.Context(), noon, 10, time.Hour)
	if err != nil || a.Email != "new@example.com" || a.IsActive || len(messages) != 1 || messages[0].To != a.Email {
		t.Errorf("%+v, %v, %v", a, messages, err)
	}
	if err := b.Accounts().SetEmail(t.Context(), a, "newer@example.com", false, nobody); err != nil || a.Email != "newer@example.com" || a.IsActive {
		t.Errorf("another address makes it active: %+v, %v", a, err)
	}
	carol, err := b.db.Accounts().ByLogin(t.Context(), "carol")
	if err != nil {
		t.Fatal(err)
	}
	last := b.login(t, "carol")
	if err := b.Accounts().SetEmail(t.Context(), carol, "c@example.com", false, nobody); err != nil || !carol.IsActive {
		t.Errorf("another address makes it inactive: %+v, %v", carol, err)
	}
	if err := b.Accounts().Delete(t.Context(), carol, nobody); err != nil {
		t.Fatal(err)
	}
	if _, err := b.VerifyAccess(last.Access); err == nil {
		t.Error("a deleted account is still logged in")
	}
	if err := b.Accounts().Delete(t.Context(), carol, nobody); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	if err := b.Accounts().SetEmail(t.Context(), carol, "d@example.com", false, nobody); !errors.Is(err, jotgate.ErrNotFound) || carol.Email != "c@example.com" {
		t.Errorf("%+v, %v", carol, err)
	}
	if err := b.Accounts().Delete(t.Context(), a, nobody); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Accounts().ByID(t.Context(), a.ID); !errors.Is(err, jotgate.ErrNotFound) {
		t.Error(err)
	}
}

// Accounts that share an address get one message; an unknown address a decoy.
func TestRequestLink(t *testing.T) {
	b := newGate(t, nil)
	for _, name := range []string{"alice", "alice2", "alice3"} {
		b.user(t, name, func(a *record.Account) { a.Email = "Alice@example.com" })
	}
	b.user(t, "banned", func(a *record.Account) { a.IsActive = false })
	if _, err := b.Register(t.Context(), jotgate.Registration{Username: "bob", Email: "bob@example.com", Password: password, Activate: true}, nobody); err != nil {
		t.Fatal(err)
	}
	if due, err := b.db.Outbox().Due(t.Context(), noon, 10, time.Hour); err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	for _, row := range []struct {
		kind     record.MessageKind
		email    string
		found    bool
		messages int
	}{
		{record.MessagePasswordReset, "alice@EXAMPLE.com", true, 1},
		{record.MessageActivation, "banned@example.com", false, 1},
		{record.MessageActivation, "alice@example.com", false, 1},
		{record.MessageActivation, "bob@example.com", true, 1},
		{record.MessagePasswordReset, "bob@example.com", false, 1},
		{record.MessagePasswordReset, "nobody@example.com", false, 1},
	} {
		began := time.Now()
		found, err := b.Links().Request(t.Context(), row.kind, row.email)
		if took := time.Since(began); took < 25*time.Millisecond {
			t.Errorf("%s: answered after %v, before the time that hides what was found", row.email, took)
		}
		if err != nil || found != row.found {
			t.Errorf("%s %s: %v %v", row.kind, row.email, found, err)
		}
		var due []record.Message
		due, err = b.db.Outbox().Due(t.Context(), noon, 10, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if len(due) != row.messages || row.found != (due[0].Kind == row.kind) || row.found && !strings.EqualFold(due[0].To, row.email) {
			t.Errorf("%s %s: %v", row.kind, row.email, due)
		}
	}
}

// Without a username the e-mail address is used, whatever characters it
// contains.
func TestRegisterByEmail(t *testing.T) {
	b := newGate(t, nil)
	const address = "o'hara@example.com"
	a, err := b.Register(t.Context(), jotgate.Registration{Email: address, Password: password}, jotgate.Client{})
	if err != nil || a.Username != address || a.Email != address {
		t.Fatalf("%+v, %v", a, err)
	}
	b.login(t, address)
	if _, err := b.Register(t.Context(), jotgate.Registration{Email: address, Password: password}, jotgate.Client{}); !errors.Is(err, jotgate.ErrTaken) {
		t.Errorf("again: %v", err)
	}
	if _, err := b.Register(t.Context(), jotgate.Registration{Password: password}, jotgate.Client{}); err == nil {
		t.Error("registered without any name")
	}
}

// If users log in by e-mail, the address is the username, at sign-up and
// later, and is validated as an address.
func TestUsernameIsTheEmail(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.LoginField, s.ImmediateEmailChange = "email", true })
	for _, r := range []jotgate.Registration{{Username: "Ann@EXAMPLE.com"}, {Email: "Bob@EXAMPLE.com"}} {
		want := r.Username + r.Email
		want = strings.Replace(want, "EXAMPLE", "example", 1)
		r.Password = password
		if a, err := b.Register(t.Context(), r, nobody); err != nil || a.Username != want || a.Email != want {
			t.Errorf("%+v, %v", a, err)
		}
	}
	a, err := b.db.Accounts().ByLogin(t.Context(), "Ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "ann", "o hara@example.com", strings.Repeat("a", 255) + "@example.com"} {
		if _, err := b.Register(t.Context(), jotgate.Registration{Username: bad, Password: password}, nobody); jotgate.AsError(err).Status != 400 {
			t.Errorf("register %.20s: %v", bad, err)
		}
		if err := b.Accounts().SetUsername(t.Context(), a, bad, "", nobody); jotgate.AsError(err).Status != 400 {
			t.Errorf("set %.20s: %v", bad, err)
		}
	}
	if err := b.Accounts().SetUsername(t.Context(), a, "o'hara@example.com", "", nobody); err != nil {
		t.Fatal(err)
	}
	if a, err = b.Accounts().ByID(t.Context(), a.ID); err != nil || a.Username != "o'hara@example.com" || a.Email != a.Username {
		t.Errorf("%+v, %v", a, err)
	}
	// So does the e-mail address, whichever method changes it.
	if err := b.Accounts().SetEmail(t.Context(), a, "Now@EXAMPLE.com", false, nobody); err != nil || a.Username != a.Email {
		t.Fatalf("%+v, %v", a, err)
	}
	if now, err := b.Accounts().ByID(t.Context(), a.ID); err != nil || now.Username != a.Email || now.Email != a.Email {
		t.Errorf("%+v, %v", now, err)
	}
	if err := b.Accounts().SetEmail(t.Context(), a, "", false, nobody); says(err) != `{"email":["This field may not be blank."]}` {
		t.Errorf("no address: %v", err)
	}
	usual := newGate(t, nil)
	if err := usual.Accounts().SetUsername(t.Context(), usual.user(t, "carol", nil), "o'hara@example.com", "", nobody); jotgate.AsError(err).Status != 400 {
		t.Errorf("a username with an apostrophe: %v", err)
	}
}

// A password too similar to the login name names it as Django would: by the
// field's verbose_name.
func TestSimilarPasswordNamesTheField(t *testing.T) {
	for field, want := range map[string]string{"": "username", "login_name": "login name", "email": "email address"} {
		b := newGate(t, func(s *jotgate.Settings) { s.LoginField = field })
		_, err := b.Register(t.Context(), jotgate.Registration{Username: "marguerite@example.com", Password: "marguerite-1"}, nobody)
		if says(err) != `{"password":["The password is too similar to the `+want+`."]}` {
			t.Errorf("%q: %v", field, err)
		}
		// Django checks the address last.
		_, err = b.Register(t.Context(), jotgate.Registration{Username: "marguerite@example.com", FirstName: "Marguerite", Password: "marguerite-1"}, nobody)
		if field == "email" && says(err) != `{"password":["The password is too similar to the first name."]}` {
			t.Errorf("with a first name: %v", err)
		}
	}
}

// A sign-up that has to be confirmed needs an address to send the link to: without it, nobody could activate the account.
func TestActivationNeedsAnAddress(t *testing.T) {
	b := newGate(t, nil)
	for username, activate := range map[string]bool{"alice": false, "bob": true} {
		_, err := b.Register(t.Context(), jotgate.Registration{Username: username, Password: password, Activate: activate}, nobody)
		if refused := err != nil && says(err) == `{"email":["This field is required."]}`; refused != activate {
			t.Errorf("activate %v: %v", activate, err)
		}
	}
}
