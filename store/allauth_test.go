package store_test

import (
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// allauth's tables: made as its migrations would, or adopted as it made them.

// allauth51 is what allauth 0.51 (Debian 12) makes on SQLite with migrations
// account 0001 and 0002: an address belongs to one account, verified or not.
const allauth51 = `CREATE TABLE "account_emailaddress" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "verified" bool NOT NULL, "primary" bool NOT NULL, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "email" varchar(254) NOT NULL UNIQUE);
CREATE TABLE "account_emailconfirmation" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "created" datetime NOT NULL, "sent" datetime NULL, "key" varchar(64) NOT NULL UNIQUE, "email_address_id" integer NOT NULL REFERENCES "account_emailaddress" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX "account_emailconfirmation_email_address_id_5b7f8c58" ON "account_emailconfirmation" ("email_address_id");
CREATE INDEX "account_emailaddress_user_id_2c513194" ON "account_emailaddress" ("user_id");`

// allauth51Postgres is the same on PostgreSQL with Django 3.2.
const allauth51Postgres = `CREATE TABLE "account_emailaddress" ("id" serial NOT NULL PRIMARY KEY, "email" varchar(254) NOT NULL UNIQUE, "verified" boolean NOT NULL, "primary" boolean NOT NULL, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "account_emailconfirmation" ("id" serial NOT NULL PRIMARY KEY, "created" timestamp with time zone NOT NULL, "sent" timestamp with time zone NULL, "key" varchar(64) NOT NULL UNIQUE, "email_address_id" integer NOT NULL REFERENCES "account_emailaddress" ("id") DEFERRABLE INITIALLY DEFERRED);`

func (w *world) isVerified(s *store.Store, a *record.Account, want, wantListed bool) {
	w.Helper()
	verified, listed, err := s.Addresses().Verified(w.ctx, a.ID, a.Email)
	if verified != want || listed != wantListed || err != nil {
		w.Errorf("%s: verified %v, listed %v, %v; want %v, %v", a.Email, verified, listed, err, want, wantListed)
	}
}

func (w *world) signUp(s *store.Store, name, email string) *record.Account {
	w.Helper()
	a := &record.Account{Username: name, Email: email, Password: "first", IsActive: true}
	w.must(s.Addresses().SignUp(w.ctx, a, nil))
	return a
}

func TestAllauthTablesAreMade(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		if n := w.count("SELECT COUNT(*) FROM django_migrations WHERE app = 'account'"); n != 9 {
			t.Errorf("%d migrations of account, want 9", n)
		}
		a := w.signUp(s, "ada", "Ada@Example.com")
		if n := w.count(`SELECT COUNT(*) FROM account_emailaddress WHERE email = 'ada@example.com' AND NOT verified AND "primary" AND user_id = ` + string(a.ID)); n != 1 {
			t.Errorf("%d rows for the address of a sign-up", n)
		}
		// The constraints are allauth's.
		for name, text := range map[string]string{
			"unique_verified_email": `INSERT INTO account_emailaddress (email, verified, "primary", user_id) VALUES ('v@example.com', true, false, 1), ('v@example.com', true, false, 2)`,
			"unique_primary_email":  `INSERT INTO account_emailaddress (email, verified, "primary", user_id) VALUES ('p@example.com', false, true, 1)`,
			"user_id, email":        `INSERT INTO account_emailaddress (email, verified, "primary", user_id) VALUES ('ada@example.com', false, false, 1)`,
		} {
			if _, err := w.raw.Exec(text); err == nil || !strings.Contains(strings.ToLower(err.Error()), "unique") {
				t.Errorf("%s: %v", name, err)
			}
		}
		// Django without allauth deletes users without knowing the table.
		w.exec("DELETE FROM auth_user WHERE id = " + string(a.ID))
		if n := w.count("SELECT COUNT(*) FROM account_emailaddress"); n != 0 {
			t.Errorf("%d addresses of a deleted user", n)
		}
		w.must(s.Close())
		w.open() // and has nothing to do
		if n := w.count("SELECT COUNT(*) FROM django_migrations WHERE app = 'account'"); n != 9 {
			t.Errorf("%d migrations of account after a second start", n)
		}
	})
}

// An app of the site with the label account is not mistaken for allauth's.
func TestAnotherAccountApp(t *testing.T) {
	both(t, func(w *world) {
		w.must(w.open().Close())
		w.exec("DROP TABLE account_emailconfirmation")
		w.exec("DROP TABLE account_emailaddress")
		w.exec("DELETE FROM django_migrations WHERE app = 'account'")
		w.exec("INSERT INTO django_migrations (app, name, applied) VALUES ('account', '0001_profiles', '2026-01-02 03:04:05')")
		w.open()
		if n := w.count("SELECT COUNT(*) FROM django_migrations WHERE app = 'account'"); n != 1 {
			t.Errorf("%d migrations of account, want the site's own", n)
		}
	})
}

func TestOlderAllauthIsAdopted(t *testing.T) {
	both(t, func(w *world) {
		w.must(w.open().Close())
		w.exec("DROP TABLE account_emailconfirmation")
		w.exec("DROP TABLE account_emailaddress")
		w.exec("DELETE FROM django_migrations WHERE app = 'account'")
		for text := range strings.SplitSeq(w.on(allauth51, allauth51Postgres), ";\n") {
			w.exec(text)
		}
		s := w.open()
		owner, stranger := w.signUp(s, "owner", "o@example.com"), w.signUp(s, "stranger", "O@example.com")
		w.isVerified(s, owner, false, true)
		w.isVerified(s, stranger, false, true) // though the table has no room for it
		w.must(s.Accounts().Change(w.ctx, owner.ID, record.Change{VerifyEmail: true}))
		w.isVerified(s, owner, true, true)
		w.must(s.Accounts().Change(w.ctx, stranger.ID, record.Change{Email: new("s@example.com"), VerifyEmail: true}))
		stranger.Email = "s@example.com"
		w.isVerified(s, stranger, true, true)
		w.exec("INSERT INTO account_emailconfirmation (created, key, email_address_id) SELECT '2026-01-02 03:04:05', 'k', id FROM account_emailaddress WHERE user_id = " + string(owner.ID))
		w.must(s.Accounts().Delete(w.ctx, owner.ID))
		if _, err := s.Accounts().ByID(w.ctx, owner.ID); jotgate.AsError(err) != jotgate.ErrNotFound {
			t.Error(err)
		}
		if n := w.count("SELECT COUNT(*) FROM django_migrations WHERE app = 'account'"); n != 0 {
			t.Errorf("%d rows were put into Django's history", n)
		}
	})
}
