package api

// Every field of every endpoint gets every kind of hostile value. The routes and
// their fields are those of routes.go, so a new one joins by itself.

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/internal/hostile"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/throttle"
)

func says(text string) func(form.Field) string {
	return func(form.Field) string { return text }
}

// ofText returns the message only for fields that hold a string.
func ofText(says func(form.Field) string) func(form.Field) string {
	return func(f form.Field) string {
		if f.Type != "string" && f.Type != "email" {
			return ""
		}
		return says(f)
	}
}

func notBlank(f form.Field) string {
	if f.Blank {
		return ""
	}
	return "This field may not be blank."
}

func tooLong(f form.Field) string {
	if f.MaxLength == 0 {
		return ""
	}
	return fmt.Sprintf("Ensure this field has no more than %d characters.", f.MaxLength)
}

// known are what Django says about hostile values in a CharField, or "" if that
// depends on the field.
var known = map[string]func(form.Field) string{
	`""`: ofText(notBlank),
	`"  \t\r\n\u000b\u0085\u00a0\u2003\u001c "`: ofText(notBlank),
	`null`: func(f form.Field) string {
		if f.Null {
			return ""
		}
		return "This field may not be null."
	},
	`true`:                                ofText(says("Not a valid string.")),
	`{"a":[1]}`:                           ofText(says("Not a valid string.")),
	`["a",1]`:                             ofText(says("Not a valid string.")),
	`"a\u0000b"`:                          ofText(says("Null characters are not allowed.")),
	`["a\u0000b"]`:                        ofText(says("Not a valid string.")),
	`"a\ud800b"`:                          ofText(says("Surrogate characters are not allowed: U+D800.")),
	`"a\udfff\ud800b"`:                    ofText(says("Surrogate characters are not allowed: U+DFFF.")),
	`"` + strings.Repeat("é", 5000) + `"`: ofText(tooLong),
}

// fit is a value for each other field of the body.
var fit = map[string]string{
	"password": goodPassword, "current_password": goodPassword, "new_password": "another horse battery",
	"email": "new@example.com", "username": "newname", "new_username": "newname",
}

// sweep is one site under attack.
type sweep struct {
	*site
	t      *testing.T
	query  func(string) *sql.Rows
	serial int
	asked  int
	paths  int
}

func TestEveryFieldOfEveryEndpoint(t *testing.T) {
	open := change{gate: func(g *jotgate.Settings) {
		g.ServeRevocations, g.LoginCodes, g.RPID, g.RPOrigins = true, true, "example.com", []string{"https://example.com"}
	}, api: func(s *Settings) {
		for _, scope := range []string{"login", "register", "email", "links", "refresh", "revocations"} {
			s.Rates[scope] = ""
		}
		free := throttle.Policy{Free: 1 << 30}
		s.Lockout = throttle.Lockout{Network: free, Account: free}
	}}
	t.Run("sqlite", func(t *testing.T) {
		s := siteOn(t, sqlitetest.File(t), store.Schema{}, open)
		runSweep(t, s, "sqlite", "file:"+s.file, `SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND (c.type LIKE '%char%' OR c.type LIKE '%text%')`)
	})
	t.Run("postgresql", func(t *testing.T) {
		dsn := pgtest.Database(t)
		db, err := postgres.Open(context.WithoutCancel(t.Context()), dsn, postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		s := siteAt(t, db, open)
		runSweep(t, s, "pgx", dsn, `SELECT table_name, column_name FROM information_schema.columns
			WHERE table_schema = 'public' AND data_type IN ('text', 'character varying', 'character')`)
	})
}

func runSweep(t *testing.T, s *site, driver, dsn, columns string) {
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	w := &sweep{site: s, t: t, query: func(text string) *sql.Rows {
		rows, err := raw.QueryContext(t.Context(), text)
		if err != nil {
			t.Fatal(text, err)
		}
		return rows
	}}
	for _, r := range s.routes() {
		for method, action := range map[string]*action{"GET": r.get, "POST": r.post, "PUT": r.put, "PATCH": r.patch, "DELETE": r.remove} {
			if action != nil {
				w.path(method, r.path)
				if r.render == nil { // TestOAuthInputs has the others
					w.bodies(method, r.path, action)
				}
			}
		}
	}
	if w.asked < 1000 {
		t.Errorf("only %d requests", w.asked)
	}
	t.Logf("%d requests", w.asked)
	w.stored(columns)
}

// member returns the headers of a new user, with a session.
func (w *sweep) member() []string {
	w.serial++
	name := fmt.Sprintf("user%d", w.serial)
	password, err := w.gate.Accounts().MakePassword(w.t.Context(), goodPassword)
	if err != nil {
		w.t.Fatal(err)
	}
	a := &record.Account{Username: name, Email: name + "@example.com", Password: password, IsActive: true, IsStaff: true, DateJoined: w.now.Now()}
	if err := w.db.Accounts().Create(w.t.Context(), a); err != nil {
		w.t.Fatal(err)
	}
	return w.login(name).header()
}

// send sends a request, with what must hold for every response.
func (w *sweep) send(what, method, path, body string, headers ...string) answer {
	w.asked++
	a := w.ask(method, path, body, append(headers, "from", fmt.Sprintf("10.%d.%d.7:1", w.asked>>8, w.asked&255))...)
	if a.Status >= 500 && !strings.HasPrefix(path, "/readyz") { // whose 503 depends on how busy the database is
		w.t.Errorf("%s: %d %.200s", what, a.Status, a.Body)
	}
	for name, values := range a.Header {
		if strings.ContainsFunc(strings.Join(values, ""), unicode.IsControl) {
			w.t.Errorf("%s: header %s: %q", what, name, values)
		}
	}
	if !utf8.ValidString(a.Body) || strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") && a.Body != "" && !json.Valid([]byte(a.Body)) {
		w.t.Errorf("%s: the body is not valid: %.200q", what, a.Body)
	}
	return a
}

// path tries values in the path, the query and the headers that are read.
func (w *sweep) path(method, path string) {
	headers := w.member()
	w.paths++
	for _, v := range rounds.Some([]string{"%00", "a%00b", "%0d%0aX-Evil:1", "%ff", "%ed%a0%80", "%e2%80%ae", " ", "%20", "9223372036854775808", "-1", "%2e%2e", "%2f", strings.Repeat("9", 3000)}, w.paths, 2) {
		v = strings.ReplaceAll(v, " ", "%20")
		to := strings.NewReplacer("{id}", v, "{file}", v).Replace(path)
		if a := w.send(method+" "+to, method, to+"?after="+v+"&limit="+v+"&page="+v, "{}", headers...); a.Status < 300 || a.Status == 401 {
			headers = w.member()
		}
	}
	for _, v := range rounds.Some([]string{"\xff\xfe", "a\x00b", "x\r\nX-Evil: 1", "\x1b[31m", "\u202e", strings.Repeat("é", 3000), "\xed\xa0\x80"}, w.paths, 2) {
		all := headers
		for _, name := range []string{"User-Agent", "Accept-Language", "Cookie", "X-Request-Id", "Origin", "Referer", "X-Forwarded-For", "Traceparent"} {
			all = append(all, name, v)
		}
		body := object("username", fmt.Sprintf("user%d", w.serial), "password", goodPassword)
		if a := w.send(fmt.Sprintf("%s %s with headers %.20q", method, path, v), method, path, body, all...); a.Status < 300 && method != "GET" || a.Status == 401 {
			headers = w.member()
		}
	}
	w.send(method+" "+path+" with Accept", method, path, "", append(headers, "Accept", "\xff\x00,;q=\x1b")...)
}

// bodies tries every field of an action.
func (w *sweep) bodies(method, path string, action *action) {
	if action.fields == nil {
		return
	}
	fields := action.fields(w.API)
	headers := w.member()
	send := func(what, body string, more ...string) answer {
		a := w.send(what, method, path, body, append(headers, more...)...)
		if a.Status < 300 || a.Status == 401 {
			headers = w.member() // what has succeeded may have ended the session
		}
		return a
	}
	names := func(f form.Field) string { return method + " " + path + " " + f.Name }
	for _, f := range fields {
		if f.ReadOnly {
			continue
		}
		answered := 0
		for _, value := range hostile.JSON {
			what := fmt.Sprintf("%s=%.60s", names(f), value)
			a := send(what, jsonBody(fields, f.Name, value))
			text := ""
			if says := known[value]; says != nil {
				text = says(f)
				answered++
			}
			if text != "" && a.Status != 401 && a.Status != 403 && !saysOf(a.Body, f.Name, text) {
				w.t.Errorf("%s: %d %.300s, want %q", what, a.Status, a.Body, text)
			}
			var entered string
			if json.Unmarshal([]byte(value), &entered) == nil && w.asked%3 == 0 {
				send(what+" in a form", formBody(fields, f.Name, entered), "Content-Type", "application/x-www-form-urlencoded")
			}
		}
		if answered != len(known) {
			w.t.Fatalf("%d of %d values with a known answer were sent", answered, len(known))
		}
		if a := send(names(f)+" missing", jsonBody(fields, f.Name, "")); !f.Optional && a.Status != 401 && !saysOf(a.Body, f.Name, "This field is required.") {
			w.t.Errorf("%s missing: %d %.300s", names(f), a.Status, a.Body)
		}
		name, _ := json.Marshal(f.Name)
		for what, text := range map[string]string{
			"twice":         `{` + string(name) + `:"a",` + string(name) + `:"b"}`,
			"invalid UTF-8": `{` + string(name) + ":\"\xff\xc0\xaf\"}",
			"a surrogate":   `{` + string(name) + ":\"\xed\xa0\x80\"}",
			"a raw NUL":     `{` + string(name) + ":\"a\x00b\"}",
			"a raw newline": `{` + string(name) + ":\"a\r\nb\"}",
			"no end":        `{` + string(name) + `:"a`,
		} {
			if a := send(names(f)+" "+what, text); a.Status != 400 && a.Status != 401 || !strings.Contains(a.Body, "parse error") {
				w.t.Errorf("%s %s: %d %.300s", names(f), what, a.Status, a.Body)
			}
		}
		send(names(f)+" percent", url.QueryEscape(f.Name)+"=%ff%00%zz&%ff=%00", "Content-Type", "application/x-www-form-urlencoded")
		send(names(f)+" multipart", "--b\r\nContent-Disposition: form-data; name=\""+f.Name+"\"\r\n\r\n\xff\x00\r\n--b--\r\n", "Content-Type", "multipart/form-data; boundary=b")
	}
	for _, text := range []string{`[]`, `"a"`, `1`, `true`, `null`, `{`, `{"\ud800":1,"\u0000":2,"__proto__":{}}`, strings.Repeat(`{"a":`, 2000), "\x00"} {
		send(method+" "+path+" "+text, text)
	}
}

// jsonBody is a JSON object with a fitting value for every field but one. If text is
// empty, that one is missing. There is a field that nobody knows.
func jsonBody(fields []form.Field, name, text string) string {
	parts := []string{`"is_superuser":true,"\u202eid":"\ud800"`}
	for _, f := range fields {
		key, _ := json.Marshal(f.Name)
		switch value, _ := json.Marshal(fitting(f)); {
		case f.Name != name:
			parts = append(parts, string(key)+":"+string(value))
		case text != "":
			parts = append(parts, string(key)+":"+text)
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func fitting(f form.Field) any {
	switch v := fit[f.Name]; {
	case f.Type == "field":
		return map[string]any{}
	case f.Type == "boolean":
		return true
	case f.Type == "list":
		return []string{"account"}
	case f.Type == "email":
		return "new@example.com"
	case v != "":
		return v
	}
	return "1"
}

func formBody(fields []form.Field, name, text string) string {
	values := url.Values{}
	for _, f := range fields {
		if values.Set(f.Name, fmt.Sprint(fitting(f))); f.Name == name {
			values.Set(f.Name, text)
		}
	}
	return values.Encode()
}

// saysOf reports whether an error body has the message for the field.
func saysOf(body, field, text string) bool {
	var errors map[string][]string
	_ = json.Unmarshal([]byte(body), &errors)
	for _, found := range errors[field] {
		if found == text {
			return true
		}
	}
	return false
}

// stored reads every text of every table, and the log.
func (w *sweep) stored(columns string) {
	var tables [][2]string
	rows := w.query(columns)
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			w.t.Fatal(err)
		}
		tables = append(tables, c)
	}
	rows.Close()
	seen := 0
	for _, c := range tables {
		rows := w.query(`SELECT "` + c[1] + `" FROM "` + c[0] + `" WHERE "` + c[1] + `" IS NOT NULL`)
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				w.t.Fatal(err)
			}
			if seen++; !utf8.ValidString(text) || strings.ContainsAny(text, "\x00") || strings.TrimSpace(text) != text {
				w.t.Errorf("%s.%s is %q", c[0], c[1], text)
			}
			name := c[1] == "username" || c[1] == "email" || c[1] == "recipient"
			if name && strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Z) }) {
				w.t.Errorf("%s.%s is %q", c[0], c[1], text)
			}
		}
		rows.Close()
	}
	if seen < 1000 {
		w.t.Errorf("only %d texts are stored", seen)
	}
	for line := range strings.Lines(w.logs.String()) {
		if !strings.HasPrefix(line, "time=2") || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unicode.IsControl) {
			w.t.Errorf("a line of the log: %q", line)
		}
		if strings.Contains(line, "panic") || strings.Contains(line, goodPassword) {
			w.t.Errorf("a line of the log: %q", line)
		}
	}
	for _, m := range w.messages() {
		if strings.ContainsFunc(m.To+m.Language+m.Detail, unicode.IsControl) {
			w.t.Errorf("a message to %q in %q about %q", m.To, m.Language, m.Detail)
		}
	}
}
