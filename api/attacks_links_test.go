package api

import (
	"context"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/signing"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// A link to reset the password or the username, of jotgate or of a Django beside it, that
// was made before all sessions of its user ended does not work, even in the same second.
// One that is requested afterwards does.
func TestLinksEndWithSessions(t *testing.T) {
	open := change{api: func(a *Settings) { a.Rates = nil }}
	t.Run("sqlite", func(t *testing.T) { linksEndWithSessions(t, siteOn(t, sqlitetest.File(t), store.Schema{}, open)) })
	t.Run("postgresql", func(t *testing.T) {
		db, err := postgres.Open(context.WithoutCancel(t.Context()), pgtest.Database(t), postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		linksEndWithSessions(t, siteAt(t, db, open))
	})
}

func linksEndWithSessions(t *testing.T, s *site) {
	keys, err := signing.New(siteSecret)
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(user tokens) answer{
		"everywhere": func(user tokens) answer { return s.ask("DELETE", "/auth/sessions/", "", user.header()...) },
		"elsewhere":  func(user tokens) answer { return s.ask("DELETE", "/auth/sessions/?others=true", "", user.header()...) },
	} {
		want(t, name, s.ask("POST", users, object("username", name, "email", name+"@example.com", "password", goodPassword)), 201, "")
		user, a := s.login(name), s.account(name)
		confirm := func(kind record.MessageKind, uid, token string) answer {
			if kind == record.MessagePasswordReset {
				return s.reset(uid, token, "a brand new pass 77")
			}
			return s.ask("POST", "/auth/users/reset_username_confirm/", object("uid", uid, "token", token, "new_username", name+"2"))
		}
		type link struct {
			kind       record.MessageKind
			uid, token string
		}
		var before []link
		for _, kind := range []record.MessageKind{record.MessagePasswordReset, record.MessageUsernameReset} {
			uid, token := s.link(kind, name)
			before = append(before, link{kind, uid, token})
		}
		of := signing.Account{ID: string(a.ID), Password: a.Password, Email: a.Email, LastLogin: a.LastLogin}
		django := signing.ResetTokens{Keys: keys}
		before = append(before, link{record.MessagePasswordReset, signing.EncodeUID(string(a.ID)), django.Make(of, s.now.Now())})
		if a := end(user); a.Status != 204 {
			t.Fatalf("%s: %d %s", name, a.Status, a.Body)
		}
		for _, l := range before {
			want(t, name+": "+string(l.kind)+" from before", confirm(l.kind, l.uid, l.token), 400, "Invalid token for given user.")
		}
		uid, token := s.link(record.MessagePasswordReset, name)
		want(t, name+": of the same second", s.reset(uid, token, "a brand new pass 77"), 204, "")
		a = s.account(name)
		of.Password, of.LastLogin = a.Password, a.LastLogin
		s.now.turn(2 * time.Second)
		want(t, name+": of Django, later", s.reset(uid, django.Make(of, s.now.Now()), "a brand new pass 78"), 204, "")
	}
}
