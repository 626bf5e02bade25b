package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// django changes the account as Django does, without the store.
func (w *world) asDjango(set string, id record.UserID) {
	w.Helper()
	w.exec("UPDATE auth_user SET " + set + " WHERE id = " + string(id))
}

func (w *world) is(err, want error) {
	w.Helper()
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		w.Fatalf("error: %v, want %v", err, want)
	}
}

// A password changed by Django ends the sessions with the previous one,
// however the change is noticed; sessions with the new one continue.
func TestPasswordChangedByDjango(t *testing.T) {
	notice := map[string]struct {
		by   func(w *world, s *store.Store, old *record.Session) error
		want error
	}{
		"a refresh": {func(w *world, s *store.Store, old *record.Session) error {
			_, err := s.Sessions().Rotate(w.ctx, use(old, old.JTI, "next"))
			return err
		}, jotgate.ErrTokenBlacklisted},
		"a refresh that does not rotate": {func(w *world, s *store.Store, old *record.Session) error {
			r := use(old, old.JTI, "next")
			r.Keep, r.Now = true, noon.Add(time.Second)
			_, err := s.Sessions().Rotate(w.ctx, r)
			return err
		}, jotgate.ErrTokenBlacklisted},
		"reading the account": {func(w *world, s *store.Store, old *record.Session) error {
			return s.Sessions().ConfirmPassword(w.ctx, old.ID, old.User, "of Django", noon.Add(time.Minute))
		}, jotgate.ErrPasswordChanged},
		"reading the account with a token of Django's": {func(w *world, s *store.Store, old *record.Session) error {
			return s.Sessions().ConfirmPassword(w.ctx, "", old.User, "of Django", noon.Add(time.Minute))
		}, jotgate.ErrPasswordChanged},
		"a login": {func(w *world, s *store.Store, old *record.Session) error {
			return s.Sessions().Create(w.ctx, &record.Session{ID: "new", User: old.User, Created: noon, JTI: "new0", Expires: noon.Add(time.Hour)}, "of Django")
		}, nil},
		"the first use of a token of Django's": {func(w *world, s *store.Store, old *record.Session) error {
			foreign := *old
			foreign.ID, foreign.JTI = "adopted", "foreign"
			foreign.Adopted = record.AdoptedToken{Issued: noon, Expires: noon.Add(time.Hour)}
			r := use(&foreign, foreign.JTI, "next")
			r.Adopt = &foreign
			_, err := s.Sessions().Rotate(w.ctx, r)
			return err
		}, jotgate.ErrTokenBlacklisted},
	}
	for name, c := range notice {
		t.Run(name, func(t *testing.T) {
			both(t, func(w *world) {
				s, old := beside(w)
				login(w, s, old.User, "old too")
				w.exec("INSERT INTO token_blacklist_outstandingtoken (token, expires_at, user_id, jti) VALUES ('x', '2030-01-01 00:00:00', " + string(old.User) + ", 'foreign0')")
				fresh := login(w, s, old.User, "fresh")
				w.asDjango("password = 'of Django'", old.User)
				w.exec("UPDATE jotgate_session SET password_digest = '" + record.DigestPassword("of Django") + "' WHERE id = 'fresh'")

				w.is(c.by(w, s, old), c.want)
				if n := w.count("SELECT COUNT(*) FROM jotgate_session WHERE end_reason = 'password' AND id IN ('sid', 'old too')"); n != 2 {
					t.Errorf("%d sessions of the old password were ended", n)
				}
				if n := w.count("SELECT COUNT(*) FROM jotgate_event WHERE event = 'password' AND user_id = '" + string(old.User) + "'"); n != 1 {
					t.Errorf("%d events", n)
				}
				if at, err := s.Sessions().NotBefore(w.ctx, old.User, ""); err != nil || at.Before(noon) {
					t.Errorf("void until %v, %v", at, err)
				}
				if w.black("foreign0") != 1 || w.black(fresh.JTI) != 0 {
					t.Errorf("blacklisted: Django's %d, the new session's %d", w.black("foreign0"), w.black(fresh.JTI))
				}
				_, err := s.Sessions().Rotate(w.ctx, use(fresh, fresh.JTI, "fresh1"))
				w.must(err)
			})
		})
	}
}

// A user who has no session at jotgate: a password that Django changes is noticed
// by what was recorded when jotgate last saw the user, whatever the order.
func TestPasswordChangedByDjangoWithoutASession(t *testing.T) {
	adopt := func(w *world, s *store.Store, user record.UserID, jti string, issued time.Time) error {
		session := &record.Session{
			ID: "of " + jti, User: user, Created: issued, LastSeen: issued, JTI: jti, Expires: noon.Add(24 * time.Hour),
			Adopted: record.AdoptedToken{Issued: issued, Expires: noon.Add(24 * time.Hour)},
		}
		r := use(session, jti, "next "+jti)
		r.Adopt, r.Now = session, noon.Add(time.Minute)
		_, err := s.Sessions().Rotate(w.ctx, r)
		return err
	}
	read := func(w *world, s *store.Store, user record.UserID, password string) error {
		return s.Sessions().ConfirmPassword(w.ctx, "", user, password, noon.Add(time.Minute))
	}
	end := func(w *world, s *store.Store, user record.UserID) error {
		_, err := s.Sessions().End(w.ctx, record.Ending{ID: "of seen", User: user, Reason: record.EndedByLogout, Now: noon})
		return err
	}
	for name, seen := range map[string]func(w *world, s *store.Store, user record.UserID) error{
		"an access token was read": func(w *world, s *store.Store, user record.UserID) error { return read(w, s, user, "first") },
		"a refresh token was adopted and its session ended": func(w *world, s *store.Store, user record.UserID) error {
			return errors.Join(adopt(w, s, user, "seen", noon), end(w, s, user))
		},
		"a login that has ended": func(w *world, s *store.Store, user record.UserID) error {
			return errors.Join(s.Sessions().Create(w.ctx, &record.Session{ID: "of seen", User: user, Created: noon, JTI: "j", Expires: noon.Add(time.Hour)}, "first"), end(w, s, user))
		},
		"jotgate hashed the password again": func(w *world, s *store.Store, user record.UserID) error {
			return errors.Join(read(w, s, user, "first"), s.Accounts().Change(w.ctx, user, record.Change{Password: new("second hash"), IfPassword: new("first")}),
				read(w, s, user, "second hash"))
		},
		"jotgate changed the password and kept the sessions": func(w *world, s *store.Store, user record.UserID) error {
			return errors.Join(read(w, s, user, "first"), s.Accounts().Change(w.ctx, user, record.Change{Password: new("second")}), read(w, s, user, "second"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(w *world) {
				s := w.open()
				user := w.account(s, "ada").ID
				w.must(seen(w, s, user))
				w.must(adopt(w, s, user, "before", noon)) // nothing has changed
				w.must(end(w, s, user))
				w.exec("UPDATE jotgate_session SET ended = 1, end_reason = 'logout' WHERE ended IS NULL")

				w.asDjango("password = 'of Django'", user)
				// jotgate's own hash of Django's new password does not hide the change.
				w.must(s.Accounts().Change(w.ctx, user, record.Change{Password: new("of Django, again"), IfPassword: new("of Django")}))
				w.is(adopt(w, s, user, "old", noon), jotgate.ErrTokenBlacklisted)
				w.is(adopt(w, s, user, "old", noon), jotgate.ErrTokenBlacklisted)
				if n := w.count("SELECT COUNT(*) FROM jotgate_event WHERE event = 'password'"); n != 1 {
					t.Errorf("%d events", n)
				}
				if n := w.count("SELECT COUNT(*) FROM jotgate_revocation WHERE sessionless AND user_id = '" + string(user) + "'"); n != 1 {
					t.Errorf("%d revocations", n)
				}
				w.must(read(w, s, user, "of Django, again"))
				w.must(adopt(w, s, user, "new", noon.Add(2*time.Minute)))
				w.must(s.Accounts().Delete(w.ctx, user))
				if n := w.count("SELECT COUNT(*) FROM jotgate_password"); n != 0 {
					t.Errorf("%d digests of deleted accounts", n)
				}
			})
		})
	}
}

// A token of Django that is refused: the operator learns why.
func TestWhyATokenIsNotAdopted(t *testing.T) {
	both(t, func(w *world) {
		s, session := beside(w)
		user := session.User
		w.exec("INSERT INTO token_blacklist_outstandingtoken (token, expires_at, user_id, jti) VALUES ('x', '2030-01-01 00:00:00', " + string(user) + ", 'black')")
		w.exec("INSERT INTO token_blacklist_blacklistedtoken (token_id, blacklisted_at) SELECT id, '2026-01-01 00:00:00' FROM token_blacklist_outstandingtoken WHERE jti = 'black'")
		_, err := s.Sessions().End(w.ctx, record.Ending{User: user, Reason: record.EndedByUser, Now: noon})
		w.must(err)
		for jti, c := range map[string]struct {
			token record.AdoptedToken
			want  string
		}{
			"black":   {record.AdoptedToken{Issued: noon.Add(time.Hour)}, "blacklisted at Django"},
			"undated": {record.AdoptedToken{}, "iat is missing"},
			"old":     {record.AdoptedToken{Issued: noon}, "before all tokens of its user were revoked"},
			"named":   {record.AdoptedToken{Issued: noon.Add(time.Hour), Username: "somebody"}, "an earlier owner"},
		} {
			foreign := &record.Session{
				ID: "of " + jti, User: user, Created: noon, LastSeen: noon, JTI: jti, Expires: noon.Add(3 * time.Hour),
				Adopted: c.token, Username: c.token.Username, ByUsername: c.token.Username != "",
			}
			r := use(foreign, jti, "next")
			r.Adopt = foreign
			_, err := s.Sessions().Rotate(w.ctx, r)
			if !errors.Is(err, jotgate.ErrTokenBlacklisted) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", jti, err, c.want)
			}
		}
	})
}

// A session of before digests were kept learns its own at the next refresh.
func TestUnknownPasswordDigest(t *testing.T) {
	both(t, func(w *world) {
		for _, keep := range []bool{false, true} {
			s := w.open()
			session := login(w, s, w.account(s, w.on("a", "b")+map[bool]string{true: "1", false: "2"}[keep]).ID, map[bool]string{true: "kept", false: "rotated"}[keep])
			w.exec("UPDATE jotgate_session SET password_digest = ''")
			w.must(s.Sessions().ConfirmPassword(w.ctx, session.ID, session.User, "other", noon))
			r := use(session, session.JTI, "next"+session.ID)
			r.Keep = keep
			out, err := s.Sessions().Rotate(w.ctx, r)
			w.must(err)
			if out.Session.PasswordDigest != record.DigestPassword("first") {
				t.Errorf("kept %v: %+v", keep, out.Session)
			}
			w.asDjango("password = 'of Django'", session.User)
			r.Presented, r.Next = out.Session.JTI, "last"
			_, err = s.Sessions().Rotate(w.ctx, r)
			w.is(err, jotgate.ErrTokenBlacklisted)
		}
	})
}

// An account deactivated by Django: what is refused meanwhile stays refused
// after the account is activated again.
func TestDeactivatedByDjango(t *testing.T) {
	both(t, func(w *world) {
		s, session := beside(w)
		foreign := &record.Session{
			ID: "adopted", User: session.User, Created: noon, LastSeen: noon, JTI: "foreign", Expires: noon.Add(time.Hour),
			Adopted: record.AdoptedToken{Issued: noon, Expires: noon.Add(time.Hour)},
		}
		r := use(foreign, foreign.JTI, "next")
		r.Adopt = foreign
		w.asDjango("is_active = FALSE", session.User)
		for range 2 {
			_, err := s.Sessions().Rotate(w.ctx, use(session, "sid0", "sid1"))
			w.is(err, jotgate.ErrNoAccountForToken)
			_, err = s.Sessions().Rotate(w.ctx, r)
			w.is(err, jotgate.ErrNoAccountForToken)
		}
		if n := w.count("SELECT COUNT(*) FROM jotgate_event WHERE event = 'account'"); n != 1 {
			t.Errorf("%d events", n)
		}
		w.asDjango("is_active = TRUE", session.User)
		_, err := s.Sessions().Rotate(w.ctx, use(session, "sid0", "sid1"))
		w.is(err, jotgate.ErrTokenBlacklisted)
		_, err = s.Sessions().Rotate(w.ctx, r)
		w.is(err, jotgate.ErrTokenBlacklisted)
	})
}

// The same for a user whose account is only read: by a page, or with an access
// token, with and without a session.
func TestDeactivatedByDjangoIsNoticedByReading(t *testing.T) {
	both(t, func(w *world) {
		s, session := beside(w)
		only := w.account(s, "only").ID // has tokens of Django alone
		w.must(s.Sessions().ConfirmPassword(w.ctx, "", only, "first", noon))
		for _, user := range []record.UserID{session.User, only} {
			if ended, err := s.Sessions().ConfirmActive(w.ctx, user, noon); ended || err != nil {
				t.Errorf("active: %v, %v", ended, err)
			}
			w.asDjango("is_active = FALSE", user)
			for i := range 3 {
				if ended, err := s.Sessions().ConfirmActive(w.ctx, user, noon); ended != (i == 0) || err != nil {
					t.Errorf("inactive, read %d times before: %v, %v", i, ended, err)
				}
			}
			w.asDjango("is_active = TRUE", user)
			if at, err := s.Sessions().NotBefore(w.ctx, user, ""); err != nil || !at.Equal(noon) {
				t.Errorf("void until %v, %v", at, err)
			}
		}
		_, err := s.Sessions().Rotate(w.ctx, use(session, "sid0", "sid1"))
		w.is(err, jotgate.ErrTokenBlacklisted)
		if n := w.count("SELECT COUNT(*) FROM jotgate_event WHERE event = 'account'"); n != 2 {
			t.Errorf("%d events", n)
		}
	})
}

// Every outstanding token of a user is blacklisted for Django, and no other.
func TestDjangoSeesThatAllEnds(t *testing.T) {
	both(t, func(w *world) {
		s, kept := beside(w)
		other := login(w, s, w.account(s, "other").ID, "of another")
		for i, user := range []string{string(kept.User), "NULL"} {
			w.exec("INSERT INTO token_blacklist_outstandingtoken (token, expires_at, user_id, jti) VALUES ('x', '2030-01-01 00:00:00', " +
				user + ", 'foreign" + string(rune('0'+i)) + "')")
		}
		w.must(s.Accounts().Change(w.ctx, kept.User, record.Change{
			Password: new("second"), EndSessions: record.EndedByPassword, KeepSession: kept.ID, At: noon,
		}))
		for jti, want := range map[string]int{"foreign0": 1, "foreign1": 0, kept.JTI: 0, other.JTI: 0} {
			if w.black(jti) != want {
				t.Errorf("%s is blacklisted %d times, want %d", jti, w.black(jti), want)
			}
		}
		_, err := s.Sessions().Rotate(w.ctx, use(kept, kept.JTI, "sid1"))
		w.must(err)
		w.must(s.Accounts().Delete(w.ctx, kept.User))
		if w.black("sid1") != 1 {
			t.Error("the kept session's token is not blacklisted when the account is deleted")
		}
	})
}

// Removing a right revokes the access tokens of the users who had it.
func TestTakingRightsAwayRevokesAccessTokens(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		member, staff, other := w.account(s, "member"), w.account(s, "staff"), w.account(s, "other")
		w.must(s.Accounts().Change(w.ctx, staff.ID, record.Change{IsStaff: new(true), IsSuperuser: new(true)}))
		for _, group := range []string{"one", "two"} {
			_, err := s.Groups().Create(w.ctx, group)
			w.must(err)
			w.must(s.Groups().AddMember(w.ctx, member.ID, group))
			w.must(s.Permissions().GrantToGroup(w.ctx, group, "auth.add_user"))
		}
		w.must(s.Permissions().GrantToAccount(w.ctx, member.ID, "auth.add_user"))
		if n := w.count("SELECT COUNT(*) FROM jotgate_revocation"); n != 0 {
			t.Fatalf("%d revocations because of rights that were given", n)
		}
		session := login(w, s, member.ID, "of the member")
		for _, c := range []struct {
			name string
			do   func() error
			who  *record.Account
		}{
			{"a member leaves", func() error { return s.Groups().RemoveMember(w.ctx, member.ID, "one") }, member},
			{"again", func() error { return s.Groups().RemoveMember(w.ctx, member.ID, "one") }, nil},
			{"a permission", func() error { return s.Permissions().RevokeFromAccount(w.ctx, member.ID, "auth.add_user") }, member},
			{"again", func() error { return s.Permissions().RevokeFromAccount(w.ctx, member.ID, "auth.add_user") }, nil},
			{"a group's permission", func() error { return s.Permissions().RevokeFromGroup(w.ctx, "two", "auth.add_user") }, member},
			{"again", func() error { return s.Permissions().RevokeFromGroup(w.ctx, "two", "auth.add_user") }, nil},
			{"a group without members", func() error { return s.Permissions().RevokeFromGroup(w.ctx, "one", "auth.add_user") }, nil},
			{"the group's name", func() error { return s.Groups().Rename(w.ctx, "two", "three") }, member},
			{"the same name", func() error { return s.Groups().Rename(w.ctx, "three", "three") }, nil},
			{"the group", func() error { return s.Groups().Delete(w.ctx, "three") }, member},
			{"staff", func() error { return s.Accounts().Change(w.ctx, staff.ID, record.Change{IsStaff: new(false)}) }, staff},
			{"superuser", func() error { return s.Accounts().Change(w.ctx, staff.ID, record.Change{IsSuperuser: new(false)}) }, staff},
			{"given", func() error { return s.Accounts().Change(w.ctx, other.ID, record.Change{IsStaff: new(true)}) }, nil},
		} {
			w.exec("DELETE FROM jotgate_revocation")
			w.must(c.do())
			if c.who == nil {
				if n := w.count("SELECT COUNT(*) FROM jotgate_revocation"); n != 0 {
					t.Errorf("%s: %d revocations", c.name, n)
				}
				continue
			}
			n := w.count("SELECT COUNT(*) FROM jotgate_revocation WHERE user_id = $1 AND username = $2 AND NOT sessionless AND session = '' AND not_before % 1000000 = 0",
				string(c.who.ID), c.who.Username)
			if all := w.count("SELECT COUNT(*) FROM jotgate_revocation"); n != 1 || all != 1 {
				t.Errorf("%s: %d revocations of %s, %d in all", c.name, n, c.who.Username, all)
			}
		}
		if at, err := s.Sessions().NotBefore(w.ctx, member.ID, member.Username); err != nil || !at.IsZero() {
			t.Errorf("refresh tokens of Django are void: %v, %v", at, err)
		}
		_, err := s.Sessions().Rotate(w.ctx, use(session, session.JTI, "next"))
		w.must(err)
	})
}

// The tables of the version before, with its rows, are brought up to date.
func TestMigratesWithSessions(t *testing.T) {
	both(t, func(w *world) {
		// The table of migrations as goose created it.
		w.exec(w.on(`CREATE TABLE jotgate_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`, `CREATE TABLE jotgate_migrations (
id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp NOT NULL DEFAULT now())`))
		for version, name := range []string{"", "0001_jotgate.sql", "0002_revoked_username.sql"} {
			if version > 0 {
				text, err := os.ReadFile(filepath.Join(w.name, "schema", name))
				w.must(err)
				up, _, _ := strings.Cut(string(text), "-- +goose Down")
				w.exec(up)
			}
			w.exec("INSERT INTO jotgate_migrations (version_id, is_applied) VALUES ($1, true)", version)
		}
		w.exec(`INSERT INTO jotgate_session (id, user_id, created, last_seen, address, user_agent, jti, previous_jti, rotated, expires, expires_day)
VALUES ('before', '1', $1, $1, '', '', 'before0', '', $1, $2, $2 / 86400000000)`, noon.UnixMicro(), noon.Add(time.Hour).UnixMicro())
		w.exec("INSERT INTO jotgate_revocation (user_id, username, not_before, made) VALUES ('7', 'bob', 1, 1)")

		s := w.open()
		if a := w.account(s, "ada"); a.ID != "1" {
			t.Fatalf("the account has the id %s", a.ID)
		}
		session, err := s.Sessions().Find(w.ctx, "before")
		w.must(err)
		w.must(s.Sessions().ConfirmPassword(w.ctx, session.ID, session.User, "any", noon))
		out, err := s.Sessions().Rotate(w.ctx, use(session, session.JTI, "next"))
		w.must(err)
		if out.Session.PasswordDigest != record.DigestPassword("first") || !out.Session.Adopted.Expires.IsZero() {
			t.Errorf("after the migration: %+v", out.Session)
		}
		page, err := s.Revocations().List(w.ctx, record.RevocationCursor{}, noon, time.Hour)
		w.must(err)
		if list := page.Entries; len(list) != 1 || list[0].Sessionless || list[0].Username != "bob" {
			t.Errorf("revocations of before: %+v", list)
		}
	})
}
