package admin_test

// Every action, every list and every parameter gets every kind of hostile value, by
// page and JSON, on both databases. Actions, their fields and the lists are those of
// the description of the JSON endpoints, so a new one joins by itself.

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/hostile"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

var hostiles = slices.Concat(hostile.Texts, hostile.Keys)

func TestEveryFieldOfEveryAction(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		file := sqlitetest.File(t)
		db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
		if err != nil {
			t.Fatal(err)
		}
		runSweep(t, db, "sqlite", "file:"+file, `SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'jotgate_user_search%' AND (c.type LIKE '%char%' OR c.type LIKE '%text%')`)
	})
	t.Run("postgresql", func(t *testing.T) {
		dsn := pgtest.Database(t)
		db, err := postgres.Open(context.WithoutCancel(t.Context()), dsn, postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		runSweep(t, db, "pgx", dsn, `SELECT table_name, column_name FROM information_schema.columns
			WHERE table_schema = 'public' AND data_type IN ('text', 'character varying', 'character')`)
	})
}

func runSweep(t *testing.T, db *store.Store, driver, dsn, columns string) {
	s := newSweep(t, db)
	var schema struct {
		Paths map[string]map[string]struct {
			Parameters  []struct{ Name, In string }
			RequestBody struct {
				Content map[string]struct {
					Schema struct{ Properties map[string]any }
				}
			}
		}
	}
	response := s.send("schema", "GET", "/admin/api/schema/", "", "")
	if err := json.Unmarshal(response.Body.Bytes(), &schema); err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(schema.Paths)) {
		for method, op := range schema.Paths[path] {
			var names []string
			for _, p := range op.Parameters {
				if p.In == "query" {
					names = append(names, p.Name)
				}
			}
			if method == "get" {
				s.reading(path, append(names, "after", "done"))
				continue
			}
			for _, content := range op.RequestBody.Content {
				names = append(names, slices.Sorted(maps.Keys(content.Schema.Properties))...)
			}
			s.acting(path, names)
		}
	}
	s.reading("/users/confirm", nil)
	s.acting("/users/confirm/", append([]string{"action", "selected", "all", "q", "group", "provider", "staff", "never"}, "reason"))
	if s.asked < 3000 {
		t.Errorf("only %d requests", s.asked)
	}
	t.Logf("%d requests", s.asked)
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	s.stored(raw, columns)
}

// door reports whether a value goes through this door: through each in the long form,
// and through one in the short form.
func (s *sweep) door(n, of int) bool { return rounds.Long() || s.turn%of == n }

// values are those that the next field is tried with: all in the long form, and one of three in
// the short form, so that each value is tried with one of three fields.
func (s *sweep) values() []string {
	s.fields++
	return rounds.Some(hostiles, s.fields, 3)
}

// reading tries every parameter of a list and every key.
func (s *sweep) reading(path string, names []string) {
	for _, v := range s.values() {
		if strings.Contains(path, "{id}") && v != "" {
			to := strings.ReplaceAll(path, "{id}", escaped(v))
			s.send("GET "+to, "GET", "/admin/api"+to, "", "")
			s.send("GET "+to, "GET", "/admin"+to, "", "")
		}
	}
	for _, name := range names {
		for _, v := range s.values() {
			s.turn++
			query := strings.ReplaceAll(path, "{id}", "1") + "?" + url.QueryEscape(name) + "=" + url.QueryEscape(v)
			for i, to := range []string{"/admin/api" + query, "/admin" + query, "/admin/api" + query + "&" + url.QueryEscape(name) + "=1&sort=username&limit=1"} {
				if s.door(i, 3) {
					s.send(fmt.Sprintf("GET %s %q", to, v), "GET", to, "", "")
				}
			}
		}
	}
}

// escaped is a value as a segment of a path, also if it is . or ..
func escaped(v string) string { return url.PathEscape("x" + v)[1:] }

const (
	asForm = "application/x-www-form-urlencoded"
	asJSON = "application/json"
)

// acting tries every field of an action, and every key of its target.
func (s *sweep) acting(path string, names []string) {
	page := "/admin" + strings.TrimSuffix(path, "/")
	for _, v := range s.values() {
		if strings.Contains(path, "{id}") && v != "" && v != "1" {
			what := fmt.Sprintf("POST %s %q", path, v)
			s.send(what, "POST", strings.ReplaceAll("/admin/api"+path, "{id}", escaped(v)), `{"reason":"a good reason"}`, asJSON)
			s.send(what, "POST", strings.ReplaceAll(page, "{id}", escaped(v)), "reason=a+good+reason", asForm)
		}
	}
	target := s.target(path)
	send := func(what, to, body, media string) {
		if w := s.send(what, "POST", strings.ReplaceAll(to, "{id}", target), body, media); w.Code < 400 && strings.Contains(path, "{id}") {
			target = s.target(path) // the action has done what it does
		}
	}
	for _, name := range names {
		for _, v := range s.values() {
			s.turn++
			what := fmt.Sprintf("%s %s=%.40q", path, name, v)
			in := s.fit(names)
			in.Set(name, v)
			once := in.Encode()
			in.Add(name, "1")
			in.Add(name, v)
			for i, r := range [][3]string{{"/admin/api" + path, once, asForm}, {page, once, asForm}, {"/admin/api" + path, listOf(in, name, v), asJSON}, {page, in.Encode(), asForm}} {
				if s.door(i, 4) {
					send(what, r[0], r[1], r[2])
				}
			}
		}
		for _, text := range []string{`null`, `true`, `-1e400`, `[[1]]`, `{"a":1}`, `["1",1,null,true]`, `"\ud800"`, `"\u0000"`, "\"\xff\"", "\"a\nb\""} {
			send(path+" "+name+"="+text, "/admin/api"+path, fmt.Sprintf(`{%q:%s}`, name, text), asJSON)
		}
		in := s.fit(names)
		in.Del(name)
		send(path+" without "+name, page, in.Encode(), asForm)
		send(path+" "+name+" in the query", page+"?"+url.QueryEscape(name)+"=%ff%00", in.Encode(), asForm)
		send(path+" "+name+" multipart", page, "--b\r\nContent-Disposition: form-data; name=\""+name+"\"\r\n\r\n\xff\x00\r\n--b--\r\n", "multipart/form-data; boundary=b")
	}
	for media, body := range map[string]string{
		asJSON: "\xff", asForm: "%zz=%ff&%ff=%00&a;b", "text/\xffplain": "a", "application/json; charset=utf-16": "{}", "": "a=b", "multipart/form-data": "a", "application/xml": "<a/>",
	} {
		send(fmt.Sprintf("%s as %q", path, media), "/admin/api"+path, body, media)
		send(fmt.Sprintf("%s as %q", path, media), page, body, media)
	}
}

// fit is a valid value for each field.
func (s *sweep) fit(names []string) url.Values {
	s.serial++
	fit := url.Values{}
	for _, name := range names {
		switch name {
		case "username", "name":
			fit.Set(name, fmt.Sprintf("name%d", s.serial))
		case "email":
			fit.Set(name, fmt.Sprintf("name%d@example.com", s.serial))
		case "password":
			fit.Set(name, "another horse battery")
		case "reason":
			fit.Set(name, "a good reason")
		case "is_active":
			fit.Set(name, "1")
		case "format":
			fit.Set(name, "csv")
		case "action":
			fit.Set(name, "user.activate")
		case "selected":
			fit.Set(name, "2")
		}
	}
	return fit
}

func listOf(in url.Values, name, value string) string {
	all := map[string]any{}
	for n := range in {
		all[n] = in.Get(n)
	}
	all[name] = []string{value}
	text, _ := json.Marshal(all)
	return string(text)
}
