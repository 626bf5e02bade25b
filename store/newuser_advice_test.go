package store_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// What is suggested for a column, literally entered, is accepted by the database
// for every account; where no such value is known, the sentence says what to
// enter instead, and such a value is accepted.
func TestAdviceOnRequiredColumns(t *testing.T) {
	cases := []struct{ name, sqlite, postgres, value, says, good string }{
		{"foreign key", "v bigint NOT NULL REFERENCES team (id)", "v bigint NOT NULL REFERENCES team (id)", "VALUE", "the key of a row of the table team", "7"},
		{"deferred foreign key", "v integer NOT NULL REFERENCES team (id) DEFERRABLE INITIALLY DEFERRED", "v integer NOT NULL REFERENCES team (id) DEFERRABLE INITIALLY DEFERRED", "VALUE", "the key of a row of the table team", "7"},
		{"named foreign key", "v bigint NOT NULL, CONSTRAINT fk FOREIGN KEY (v) REFERENCES team (id)", "v bigint NOT NULL, CONSTRAINT fk FOREIGN KEY (v) REFERENCES team (id)", "VALUE", "the key of a row of the table team", "7"},
		{"foreign key to a text", "v varchar(9) NOT NULL REFERENCES place (code)", "v varchar(9) NOT NULL REFERENCES place (code)", "VALUE", "the key of a row of the table place", "de"},
		{"foreign key one to one", "v bigint NOT NULL UNIQUE REFERENCES team (id)", "v bigint NOT NULL UNIQUE REFERENCES team (id)", "", "each account needs another value", ""},
		{"unique number", "v integer NOT NULL UNIQUE", "v integer NOT NULL UNIQUE", "", "each account needs another value", ""},
		{"unique decimal", "v decimal NOT NULL UNIQUE", "v numeric(5,2) NOT NULL UNIQUE", "", "each account needs another value", ""},
		{"unique date", "v date NOT NULL UNIQUE", "v date NOT NULL UNIQUE", "", "each account needs another value", ""},
		{"unique with another", "v integer NOT NULL, UNIQUE (v, is_active)", "v integer NOT NULL, UNIQUE (v, is_active)", "", "each account needs another value", ""},
		{"unique text", "v text NOT NULL UNIQUE", "v text NOT NULL UNIQUE", "uuid4", "", ""},
		{"short unique text", "v varchar(20) NOT NULL UNIQUE", "v varchar(20) NOT NULL UNIQUE", "username", "names over 20 characters are refused", ""},
		{"checked unique text", "v varchar(99) NOT NULL UNIQUE CHECK (v LIKE '%@%')", "v varchar(99) NOT NULL UNIQUE CHECK (v LIKE '%@%')", "VALUE", "uuid4, email or username", "email"},
		{"uuid", "v char(32) NOT NULL", "v uuid NOT NULL", "uuid4", "", ""},
		{"uuid as text", "v char(36) NOT NULL", "v char(36) NOT NULL", "uuid4", "", ""},
		{"short fixed text", "v char(2) NOT NULL", "v char(2) NOT NULL", "VALUE", "at most 2 characters", "de"},
		{"checked number", "v integer NOT NULL CHECK (v BETWEEN 18 AND 120)", "v integer NOT NULL CHECK (v BETWEEN 18 AND 120)", "VALUE", "CHECK constraint", "18"},
		{"checked flag", "v bool NOT NULL CHECK (v)", "v boolean NOT NULL CHECK (v)", "VALUE", "CHECK constraint", "true"},
		{"checked date", "v date NOT NULL CHECK (v < '2010-01-01')", "v date NOT NULL CHECK (v < '2010-01-01')", "VALUE", "CHECK constraint", "2000-02-29"},
		{"checked time", "v datetime NOT NULL CHECK (v < '2010-01-01')", "v timestamptz NOT NULL CHECK (v < '2010-01-01')", "VALUE", "CHECK constraint", "2000-02-29T00:00:00Z"},
		{"checked text", "v varchar(9) NOT NULL CHECK (v IN ('user', 'admin'))", "v varchar(9) NOT NULL CHECK (v IN ('user', 'admin'))", "VALUE", "CHECK constraint", "user"},
		{"checked by name", "v integer NOT NULL, CONSTRAINT c CHECK (v > 0)", "v integer NOT NULL, CONSTRAINT c CHECK (v > 0)", "VALUE", "CHECK constraint", "1"},
		{"number", "v integer NOT NULL", "v smallint NOT NULL", "0", "", ""},
		{"big number", "v bigint NOT NULL", "v bigint NOT NULL", "0", "", ""},
		{"real", "v real NOT NULL", "v double precision NOT NULL", "0", "", ""},
		{"decimal", "v decimal NOT NULL", "v numeric(2,2) NOT NULL", "0", "", ""},
		{"flag", "v bool NOT NULL", "v boolean NOT NULL", "false", "", ""},
		{"date", "v date NOT NULL", "v date NOT NULL", "today", "", ""},
		{"time", "v datetime NOT NULL", "v timestamptz NOT NULL", "now", "", ""},
		{"time without zone", "v datetime NOT NULL", "v timestamp NOT NULL", "now", "", ""},
		{"JSON", "v text NOT NULL CHECK (JSON_VALID(v))", "v json NOT NULL CHECK (v IS NOT NULL)", "VALUE", "CHECK constraint", "{}"},
		{"blob", "v blob NOT NULL", "v bytea NOT NULL", "VALUE", "a value of the type", "x"},
		{"enumeration", "v text NOT NULL CHECK (v IN ('ok', 'sad'))", "v mood NOT NULL", "VALUE", "", "ok"},
		{"domain", "v integer NOT NULL CHECK (v > 0)", "v positive NOT NULL", "VALUE", "", "1"},
		{"array", "v text NOT NULL CHECK (v LIKE '{%}')", "v text[] NOT NULL", "VALUE", "", "{}"},
		{"interval", "v bigint NOT NULL CHECK (v > 1)", "v interval NOT NULL", "VALUE", "", "2"},
		{"network", "v char(39) NOT NULL CHECK (v <> 'x')", "v inet NOT NULL", "VALUE", "", "127.0.0.1"},
	}
	both(t, func(w *world) {
		w.open()
		w.exec("CREATE TABLE team (id bigint PRIMARY KEY)")
		w.exec("CREATE TABLE place (code varchar(9) PRIMARY KEY)")
		w.exec("INSERT INTO team VALUES (7)")
		w.exec("INSERT INTO place VALUES ('de')")
		if w.on("", "p") != "" {
			w.exec("CREATE TYPE mood AS ENUM ('ok', 'sad')")
			w.exec("CREATE DOMAIN positive AS integer CHECK (VALUE > 0)")
		}
		key := w.on("integer NOT NULL PRIMARY KEY AUTOINCREMENT", "bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY")
		for i, c := range cases {
			schema := store.Schema{Users: fmt.Sprintf("shop_%d", i)}
			w.exec("CREATE TABLE " + schema.Users + " (id " + key + ", password varchar(128) NOT NULL, username varchar(150) NOT NULL UNIQUE, email varchar(254) NOT NULL, is_active bool NOT NULL, " +
				strings.ReplaceAll(w.on(c.sqlite, c.postgres), "CONSTRAINT ", fmt.Sprintf("CONSTRAINT c%d", i)) + ")")
			said := fmt.Sprint(w.openWith(schema).Model().Unfilled)
			value := ""
			if m := suggested.FindStringSubmatch(said); m != nil {
				value = m[1]
			}
			if value != c.value || !strings.Contains(said, c.says) {
				w.Errorf("%s: %q, want %q and %q in: %s", c.name, value, c.value, c.says, said)
				continue
			}
			if value == "VALUE" {
				value = c.good
			}
			if value == "" {
				continue
			}
			schema.NewUser = map[string]string{"v": value}
			s := w.openWith(schema)
			w.must(s.Model().Unfilled)
			for _, name := range []string{"ann", "bob", "eve"} {
				name += fmt.Sprint(i)
				if err := s.Accounts().Create(w.ctx, &record.Account{Username: name, Email: name + "@example.com", IsActive: true}); err != nil {
					w.Errorf("%s, with v=%s: %v", c.name, value, err)
				}
			}
		}
	})
}

var suggested = regexp.MustCompile(`--new-user "v=([^"]*)"`)

// The values of an enumeration are named.
func TestAdviceNamesTheValues(t *testing.T) {
	w := postgresWorld(t)
	w.open()
	w.exec("CREATE TYPE mood AS ENUM ('ok', 'sad', 'so so')")
	w.exec("CREATE TABLE shop_user (id bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, password text NOT NULL, username varchar(150) NOT NULL UNIQUE, email text NOT NULL, is_active boolean NOT NULL, v mood NOT NULL)")
	if said := fmt.Sprint(w.openWith(store.Schema{Users: "shop_user"}).Model().Unfilled); !strings.Contains(said, "v: one of ok, sad, so so") {
		t.Error(said)
	}
}
