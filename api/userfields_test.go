package api

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"gopkg.in/yaml.v3"
)

// shopSite is a site with a user model of its own.
func shopSite(t *testing.T, columns string, schema store.Schema, c change) *site {
	t.Helper()
	file := filepath.Join(t.TempDir(), "site.db")
	must(t, backdoor(t, file), `CREATE TABLE shop_user (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL, last_login datetime NULL,
email varchar(254) NOT NULL UNIQUE, is_active bool NOT NULL, is_staff bool NOT NULL`+columns+`)`)
	schema.Users = "shop_user"
	return siteOn(t, file, schema, c)
}

// A sign-up that cannot succeed is closed, with one line in the log and none
// for each visitor.
func TestSignupThatCannotSucceed(t *testing.T) {
	for name, column := range map[string]string{
		"flag": "is_verified bool NOT NULL", "time": "updated_at datetime NOT NULL", "date": "date_of_birth date NOT NULL",
		"uuid": "uuid char(32) NOT NULL UNIQUE", "JSON": `prefs text NOT NULL CHECK ((JSON_VALID("prefs") OR "prefs" IS NULL))`,
	} {
		t.Run(name, func(t *testing.T) {
			byEmail := change{gate: func(s *jotgate.Settings) { s.LoginField = "email" }}
			s := shopSite(t, ", "+column, store.Schema{Username: "email"}, byEmail)
			field := strings.Fields(column)[0]
			for range 3 {
				want(t, "sign-up", s.ask("POST", "/auth/users/", object("email", "ann@example.com", "password", goodPassword)), 403, `{"detail":"Sign-up is closed.","code":"signup_closed"}`)
			}
			if logs := s.logs.String(); strings.Count(logs, "sign-up is closed") != 1 || !strings.Contains(logs, field) || strings.Contains(logs, "level=ERROR") {
				t.Errorf("the log:\n%s", logs)
			}
			if strings.Contains(s.ask("GET", "/api/schema/", "").Body, "SignUp") {
				t.Error("the schema has a sign-up")
			}
			// A program that knows the value can say so.
			value := map[string]any{"flag": false, "time": "2026-11-23T12:00:00Z", "date": "2000-01-02", "uuid": "0d9f1f5c-8f0e-4d2c-9a3b-111111111111", "JSON": "{}"}[name]
			s.API = s.reopen(change{gate: func(g *jotgate.Settings) {
				g.LoginField = "email"
				g.NewAccount = func(_ context.Context, a *record.Account) error { a.Fields[field] = value; return nil }
			}})
			want(t, "with a hook", s.ask("POST", "/auth/users/", object("email", "ann@example.com", "password", goodPassword)), 201, `{"email":"ann@example.com","id":1}`)
		})
	}
}

// What a rule of the table rejects is djoser's 400 and one warning with the cause,
// not an error of the server.
func TestSignupThatTheTableRejects(t *testing.T) {
	for name, c := range map[string]struct{ columns, value string }{
		"CHECK": {", kind varchar(9) NOT NULL CHECK (kind IN ('a', 'b'))", "c"}, "foreign key": {", kind bigint NOT NULL REFERENCES shop_user (id)", "99"},
		"deferred": {", kind bigint NOT NULL REFERENCES shop_user (id) DEFERRABLE INITIALLY DEFERRED", "99"},
	} {
		t.Run(name, func(t *testing.T) {
			s := shopSite(t, c.columns, store.Schema{Username: "email", NewUser: map[string]string{"kind": c.value}}, change{gate: func(s *jotgate.Settings) { s.LoginField = "email" }})
			want(t, "sign-up", s.ask("POST", "/auth/users/", object("email", "ann@example.com", "password", goodPassword)), 400, `["Unable to create account."]`)
			if logs := s.logs.String(); strings.Count(logs, "the database rejects a value") != 1 || strings.Contains(logs, "level=ERROR") {
				t.Errorf("the log:\n%s", logs)
			}
		})
	}
}

// The username that a table keeps beside the login takes what was sent, or
// else the address.
func TestKeptUsername(t *testing.T) {
	s := shopSite(t, ", username varchar(150) NOT NULL UNIQUE", store.Schema{Username: "email"}, change{gate: func(s *jotgate.Settings) { s.LoginField = "email" }})
	for _, c := range []struct{ email, username, kept string }{
		{"ann@example.com", "ann", "ann"}, {"bob@example.com", "", "bob@example.com"}, {"eve@example.com", "  ", "eve@example.com"},
	} {
		body := object("email", c.email, "password", goodPassword)
		if c.username != "" {
			body = object("email", c.email, "password", goodPassword, "username", c.username)
		}
		want(t, c.email, s.ask("POST", "/auth/users/", body), 201, `{"email":"`+c.email+`","id":`)
		var kept string
		if err := backdoor(t, s.file).QueryRowContext(t.Context(), "SELECT username FROM shop_user WHERE email = $1", c.email).Scan(&kept); err != nil || kept != c.kept {
			t.Errorf("%s: %q, %v", c.email, kept, err)
		}
	}
	want(t, "taken", s.ask("POST", "/auth/users/", object("email", "fay@example.com", "password", goodPassword, "username", "ann")), 400, `{"username":["A user with that username already exists."]}`)
	want(t, "taken address", s.ask("POST", "/auth/users/", object("email", "ann@example.com", "password", goodPassword, "username", "fay")), 400, `{"email":["user with this email address already exists."]}`)
}

// Further fields of the user model: at sign-up, in me, in the schema.
func TestUserFields(t *testing.T) {
	schema := store.Schema{
		Username: "email", NewUser: map[string]string{"role": "user"},
		Fields: []store.Field{{Name: "first_name", Required: true}, {Name: "phone"}, {Name: "born"}, {Name: "vip"}, {Name: "age"}, {Name: "role", ReadOnly: true}},
	}
	s := shopSite(t, ", first_name varchar(20) NOT NULL, phone varchar(20) NULL UNIQUE, born date NULL, vip bool NOT NULL DEFAULT FALSE, age integer NULL, role varchar(9) NOT NULL",
		schema, change{gate: func(s *jotgate.Settings) { s.LoginField = "email" }})
	post := func(extra string) answer {
		return s.ask("POST", "/auth/users/", `{"email":"ann@example.com","password":"`+goodPassword+`"`+extra+`}`)
	}
	want(t, "without a name", post(""), 400, `{"first_name":["This field is required."]}`)
	want(t, "blank", post(`,"first_name":"  "`), 400, `{"first_name":["This field may not be blank."]}`)
	want(t, "null", post(`,"first_name":null`), 400, `{"first_name":["This field may not be null."]}`)
	want(t, "types", post(`,"first_name":["a"],"born":"1.2.2000","vip":"maybe","age":"old"`), 400,
		`{"first_name":["Not a valid string."],"born":["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],"vip":["Must be a valid boolean."],"age":["A valid integer is required."]}`)
	want(t, "too long", post(`,"first_name":"`+strings.Repeat("a", 21)+`"`), 400, `{"first_name":["Ensure this field has no more than 20 characters."]}`)
	want(t, "similar", s.ask("POST", "/auth/users/", `{"email":"ann@example.com","password":"marguerite1","first_name":"Marguerite"}`), 400, `{"password":["The password is too similar to the first name."]}`)
	want(t, "sign-up", post(`,"first_name":" Ann ","phone":"1","born":"2000-02-29","vip":true,"age":26,"role":"admin"`), 201,
		`{"first_name":"Ann","phone":"1","born":"2000-02-29","vip":true,"age":26,"role":"user","email":"ann@example.com","id":1}`)
	bearer := s.login("ann@example.com").header()
	const rest = `,"born":"2000-02-29","vip":true,"age":26,"role":"user","id":1,"email":"ann@example.com"}`
	want(t, "me", s.ask("GET", "/auth/users/me/", "", bearer...), 200, `{"first_name":"Ann","phone":"1"`+rest)
	want(t, "PATCH", s.ask("PATCH", "/auth/users/me/", `{"phone":null,"role":"admin"}`, bearer...), 200, `{"first_name":"Ann","phone":null`+rest)
	want(t, "PUT", s.ask("PUT", "/auth/users/me/", `{"phone":"2"}`, bearer...), 400, `{"first_name":["This field is required."]`)
	want(t, "PUT", s.ask("PUT", "/auth/users/me/", `{"first_name":"Anna","vip":true}`, bearer...), 200, `{"first_name":"Anna","phone":null`+rest)
	want(t, "another", s.ask("POST", "/auth/users/", `{"email":"bob@example.com","password":"`+goodPassword+`","first_name":"Bob","phone":"7"}`), 201, `"vip":false`)
	want(t, "taken", s.ask("PATCH", "/auth/users/me/", `{"phone":"7"}`, bearer...), 400, `{"phone":["user with this phone already exists."]}`)
	want(t, "OPTIONS", s.ask("OPTIONS", "/auth/users/me/", "", bearer...), 200, `"vip":{"type":"boolean"`)
	var described struct {
		Components struct {
			Schemas map[string]struct {
				Required   []string
				Properties map[string]map[string]any
			}
		}
	}
	if err := yaml.Unmarshal([]byte(s.ask("GET", "/api/schema/", "").Body), &described); err != nil {
		t.Fatal(err)
	}
	schemas := described.Components.Schemas
	if p := schemas["User"].Properties; p["role"]["type"] != "string" || p["born"]["format"] != "date" || p["vip"]["type"] != "boolean" {
		t.Errorf("User: %v", p)
	}
	if _, found := schemas["SignUp"].Properties["role"]; found || schemas["SignUp"].Properties["first_name"]["maxLength"] != 20 {
		t.Errorf("SignUp: %v", schemas["SignUp"])
	}
}

// An address that is taken is reported as an address.
func TestTakenAddress(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.db")
	must(t, backdoor(t, file), `CREATE TABLE shop_user (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL, last_login datetime NULL,
username varchar(150) NOT NULL UNIQUE, email varchar(254) NOT NULL UNIQUE, is_active bool NOT NULL, is_staff bool NOT NULL)`)
	const taken = `{"email":["user with this email already exists."]}`
	for name, immediate := range map[string]bool{"immediately": true, "by a link": false} {
		t.Run(name, func(t *testing.T) {
			s := siteOn(t, file, store.Schema{Users: "shop_user"}, change{gate: func(s *jotgate.Settings) { s.ImmediateEmailChange = immediate }})
			for _, who := range []string{"ann", "bob"} {
				s.ask("POST", "/auth/users/", object("username", who, "email", who+"@example.com", "password", goodPassword))
			}
			want(t, "sign-up", s.ask("POST", "/auth/users/", object("username", "eve", "email", "ann@example.com", "password", goodPassword)), 400, taken)
			want(t, "PATCH me", s.ask("PATCH", "/auth/users/me/", object("email", "ann@example.com"), s.login("bob").header()...), 400, taken)
			want(t, "both", s.ask("POST", "/auth/users/", object("username", "bob", "email", "ann@example.com", "password", goodPassword)), 400, `{"username":["A user with that username already exists."]`)
			want(t, "no address", s.ask("POST", "/auth/users/", object("username", "fay", "password", goodPassword)), 400, `{"email":["This field is required."]}`)
		})
	}
}

// An international domain is accepted as Django does, found, and kept as it
// was sent.
func TestInternationalAddress(t *testing.T) {
	s := newSite(t, change{gate: func(s *jotgate.Settings) { s.ImmediateEmailChange = true }})
	want(t, "sign-up", s.ask("POST", "/auth/users/", object("username", "eve", "email", "eve@MÜNCHEN.de", "password", goodPassword)), 201, `"email":"eve@münchen.de"`)
	bearer := s.login("alice").header()
	want(t, "PATCH", s.ask("PATCH", "/auth/users/me/", object("email", "bob@münchen.de"), bearer...), 200, `"email":"bob@münchen.de"`)
	want(t, "PUT back", s.ask("PUT", "/auth/users/me/", object("email", "bob@münchen.de"), bearer...), 200, `"email":"bob@münchen.de"`)
	want(t, "reset", s.ask("POST", "/auth/users/reset_password/", object("email", "bob@münchen.de")), 204, "")
	messages, err := s.db.Outbox().Due(t.Context(), s.now.Now(), 10, time.Minute)
	if err != nil || len(messages) != 1 || messages[0].To != "bob@münchen.de" {
		t.Errorf("%+v, %v", messages, err)
	}
	want(t, "local part", s.ask("PATCH", "/auth/users/me/", object("email", "jörg@example.com"), bearer...), 400, `{"email":["Enter a valid email address."]}`)
}

// Keys in a path are accepted in every form that Django accepts.
func TestKeysInAPath(t *testing.T) {
	s := newSite(t, change{})
	alice := s.account("alice")
	for _, id := range []string{string(alice.ID), "0" + string(alice.ID), "000" + string(alice.ID)} {
		want(t, id, s.ask("GET", "/auth/users/"+id+"/", "", s.login("alice").header()...), 200, `"username":"alice"`)
	}
	want(t, "another user", s.ask("GET", "/auth/users/03/", "", s.login("alice").header()...), 404, "")
	file := filepath.Join(t.TempDir(), "site.db")
	must(t, backdoor(t, file), `CREATE TABLE shop_user (id char(32) NOT NULL PRIMARY KEY, password varchar(128) NOT NULL, last_login datetime NULL,
username varchar(150) NOT NULL UNIQUE, email varchar(254) NOT NULL, is_active bool NOT NULL, is_staff bool NOT NULL)`)
	u := siteOn(t, file, store.Schema{Users: "shop_user"}, change{})
	want(t, "sign-up", u.ask("POST", "/auth/users/", object("username", "ann", "password", goodPassword)), 201, "")
	id := string(u.account("ann").ID)
	for _, form := range []string{id, strings.ToUpper(id), strings.ReplaceAll(id, "-", ""), "%7B" + id + "%7D", "urn:uuid:" + id} {
		want(t, form, u.ask("GET", "/auth/users/"+form+"/", "", u.login("ann").header()...), 200, `"username":"ann"`)
	}
	want(t, "no UUID", u.ask("GET", "/auth/users/"+id[1:]+"/", "", u.login("ann").header()...), 404, "")
}
