package store_test

import (
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// allauth's tables of accounts at providers: made as its migrations would, or adopted.

func TestSocialTablesAreMade(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		if s.SocialAccounts() == nil {
			t.Fatal("the store has no accounts at providers")
		}
		if n := w.count("SELECT COUNT(*) FROM django_migrations WHERE app = 'socialaccount'"); n != 6 {
			t.Errorf("%d migrations of socialaccount, want 6", n)
		}
		a := w.signUp(s, "ada", "ada@example.com")
		row := &record.SocialAccount{Provider: "google", UID: "1", Data: `{"sub": "1"}`, LastLogin: a.DateJoined, Joined: a.DateJoined}
		w.must(s.SocialAccounts().ChangeSocial(w.ctx, record.SocialChange{User: a.ID, Connect: row}))
		const insert = `INSERT INTO socialaccount_socialaccount (provider, uid, user_id, last_login, date_joined, extra_data) VALUES `
		for text, want := range map[string]string{
			insert + `('google', '1', 1, '2026-01-02 03:04:05', '2026-01-02 03:04:05', '{}')`:      "unique",
			insert + `('github', '1', 1, '2026-01-02 03:04:05', '2026-01-02 03:04:05', 'no json')`: "json",
		} {
			if _, err := w.raw.Exec(text); err == nil || !strings.Contains(strings.ToLower(err.Error()), want) {
				t.Errorf("%s: %v", text, err)
			}
		}
		w.exec(`INSERT INTO socialaccount_socialtoken (token, token_secret, account_id) VALUES ('t', '', 1)`)
		// Django without allauth deletes users without knowing the tables.
		w.exec("DELETE FROM auth_user WHERE id = " + string(a.ID))
		if n := w.count("SELECT (SELECT COUNT(*) FROM socialaccount_socialaccount) + (SELECT COUNT(*) FROM socialaccount_socialtoken)"); n != 0 {
			t.Errorf("%d rows of a deleted user", n)
		}
	})
}

// A token that allauth keeps does not prevent disconnecting, nor deleting the user,
// although allauth's own foreign keys do not cascade.
func TestSocialTablesOfDjangoAreAdopted(t *testing.T) {
	both(t, func(w *world) {
		w.must(w.open().Close())
		for _, name := range []string{"socialtoken", "socialapp_sites", "socialapp", "socialaccount"} {
			w.exec("DROP TABLE socialaccount_" + name)
		}
		w.exec("DELETE FROM django_migrations WHERE app = 'socialaccount'")
		w.exec("INSERT INTO django_migrations (app, name, applied) VALUES ('socialaccount', '0001_initial', '2026-01-02 03:04:05')")
		// As allauth 0.51 creates them: the data is text on PostgreSQL, too.
		id := w.on("integer NOT NULL PRIMARY KEY AUTOINCREMENT", "serial NOT NULL PRIMARY KEY")
		moment := w.on("datetime", "timestamp with time zone")
		w.exec(`CREATE TABLE socialaccount_socialaccount (id ` + id + `, provider varchar(30) NOT NULL, uid varchar(191) NOT NULL, last_login ` + moment + ` NOT NULL, date_joined ` + moment +
			` NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED, extra_data text NOT NULL, UNIQUE (provider, uid))`)
		w.exec(`CREATE TABLE socialaccount_socialtoken (id ` + id + `, token text NOT NULL, token_secret text NOT NULL, expires_at ` + moment +
			`, account_id integer NOT NULL REFERENCES socialaccount_socialaccount (id) DEFERRABLE INITIALLY DEFERRED, app_id integer NOT NULL)`)
		s := w.open()
		if n := w.count("SELECT COUNT(*) FROM django_migrations WHERE app = 'socialaccount'"); n != 1 {
			t.Errorf("%d rows in Django's history, want its own", n)
		}
		a := w.signUp(s, "ada", "ada@example.com")
		social := s.SocialAccounts()
		for _, uid := range []string{"1", "2"} {
			row := &record.SocialAccount{Provider: "google", UID: uid, Data: `{}`, LastLogin: a.DateJoined, Joined: a.DateJoined}
			w.must(social.ChangeSocial(w.ctx, record.SocialChange{User: a.ID, Connect: row}))
			w.exec(`INSERT INTO socialaccount_socialtoken (token, token_secret, account_id, app_id) SELECT 't', '', id, 1 FROM socialaccount_socialaccount WHERE uid = '` + uid + `'`)
		}
		rows, err := social.ListSocial(w.ctx, a.ID)
		w.must(err)
		w.must(social.ChangeSocial(w.ctx, record.SocialChange{User: a.ID, Disconnect: rows[0].ID, IfPassword: "first", IfRemaining: []int64{rows[1].ID}}))
		w.must(s.Accounts().Delete(w.ctx, a.ID))
		if _, err := social.FindSocial(w.ctx, "google", "2"); jotgate.AsError(err) != jotgate.ErrNotFound {
			t.Error(err)
		}
	})
}
