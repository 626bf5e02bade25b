package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// django inserts accounts as Django does, without jotgate.
func django(w *world, names ...string) {
	w.Helper()
	for _, name := range names {
		w.exec("INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) VALUES ('p', false, $1, '', '', '', false, true, '2020-01-02 03:04:05')", name)
	}
}

func similar(w *world, s *store.Store, name string) {
	w.Helper()
	err := s.Accounts().Create(w.ctx, &record.Account{Username: name, Password: "p"})
	if !errors.Is(err, jotgate.ErrTaken) || !errors.Is(err, record.ErrSimilarName) {
		w.Fatalf("%q: %v", name, err)
	}
}

// Accounts that are older than the table, and those that Django creates, renames or
// deletes afterwards, count.
func TestSimilarNamesBesideDjango(t *testing.T) {
	both(t, func(w *world) {
		now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
		s := w.openAt(func() time.Time { return now })
		django(w, "boss")
		similar(w, s, "Boss")
		django(w, "later")
		similar(w, s, "lаter")
		w.exec("UPDATE auth_user SET username = 'renamed' WHERE username = 'boss'")
		w.account(s, "Boss") // given up at Django
		similar(w, s, "Renamed")
		w.exec("UPDATE auth_user SET username = 'again' WHERE username = 'renamed'")
		w.must(s.Names().Index(w.ctx))
		similar(w, s, "Again")
		w.exec("UPDATE auth_user SET username = 'third' WHERE username = 'again'")
		now = now.Add(time.Hour)
		w.must(s.Names().Index(w.ctx)) // once an hour
		similar(w, s, "Third")
		w.exec("DELETE FROM auth_user WHERE username = 'third'")
		w.account(s, "Third")
	})
}

// An upgrade: many accounts, some of them similar to each other.
func TestSimilarNamesThatExist(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		var many []string
		for i := range 1200 {
			many = append(many, fmt.Sprintf("user-%s", strings.Repeat("x", i%7)+fmt.Sprint(i*7)))
		}
		django(w, "boss", "Boss", "bоss")
		django(w, many...)
		similar(w, s, "BOSS")
		similar(w, s, strings.ToUpper(many[0]))
		similar(w, s, strings.ToUpper(many[len(many)-1]))
		for _, name := range []string{"boss", "Boss"} {
			a, err := s.Accounts().ByLogin(w.ctx, name)
			w.must(err)
			w.must(s.Accounts().Change(w.ctx, a.ID, record.Change{Username: &name, Email: new("x@example.com")})) // keeps its name
			w.must(s.Accounts().Delete(w.ctx, a.ID))
			similar(w, s, "BOSS") // until the last of them is gone
		}
		a, err := s.Accounts().ByLogin(w.ctx, "bоss")
		w.must(err)
		w.must(s.Accounts().Delete(w.ctx, a.ID))
		w.account(s, "BOSS")
		if n := w.count("SELECT COUNT(*) FROM jotgate_name WHERE user_id NOT IN (SELECT CAST(id AS text) FROM auth_user)"); n != 0 {
			t.Errorf("%d rows of accounts that are gone", n)
		}
	})
}

// With SimilarNames they are allowed; without it again, they count.
func TestSimilarNamesAllowed(t *testing.T) {
	both(t, func(w *world) {
		strict, open := w.open(), w.openWith(store.Schema{SimilarNames: true})
		w.account(strict, "boss")
		w.must(open.Names().Check(w.ctx, "Boss", ""))
		b := w.account(open, "Boss")
		similar(w, strict, "BOSS")
		w.must(open.Accounts().Change(w.ctx, b.ID, record.Change{Username: new("BOSS")}))
		if err := open.Accounts().Create(w.ctx, &record.Account{Username: "boss", Password: "p"}); !errors.Is(err, jotgate.ErrTaken) {
			t.Errorf("the same name: %v", err)
		}
		n, err := strict.Transfer().Import(w.ctx, []store.Record{{Username: "bOss", Password: "p"}})
		if err != nil || n != 1 {
			t.Errorf("an import: %d, %v", n, err)
		}
	})
}

// If users log in by e-mail, their address is the name, also when it is changed as
// an address; and keys may be UUIDs.
func TestSimilarAddresses(t *testing.T) {
	both(t, func(w *world) {
		s := w.openWith(custom(w, ", date_joined "+w.on("datetime", "timestamptz")+" NOT NULL"))
		ada := &record.Account{Username: "ada@example.com", Password: "p"}
		w.must(s.Accounts().Create(w.ctx, ada))
		similar(w, s, "ADA@example.com")
		tom := &record.Account{Username: "tom1@example.com", Password: "p"}
		w.must(s.Accounts().Create(w.ctx, tom))
		w.must(s.Accounts().Create(w.ctx, &record.Account{Username: "toml@example.com", Password: "p"})) // another mailbox
		if err := s.Accounts().Change(w.ctx, tom.ID, record.Change{Email: new("Ada@Example.com")}); !errors.Is(err, record.ErrSimilarName) {
			t.Errorf("a change of address: %v", err)
		}
		w.exec("INSERT INTO accounts_user (id, password, is_superuser, email, is_active, is_staff, phone, date_joined) VALUES ('"+
			w.on("00000000000040008000000000000001", "00000000-0000-4000-8000-000000000001")+"', 'p', false, 'grace@example.com', true, false, '', $1)", time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC))
		similar(w, s, "Grace@example.com")
	})
}
