package pages_test

// Every field of every form gets hostile values: a third of the kinds in the short form,
// all of them in the long one. The pages are those of routes.go and their fields those of
// forms, so a new page joins by itself.

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/hostile"
	"github.com/jotgate/jotgate/internal/leak"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
	"github.com/jotgate/jotgate/throttle"
)

// attack sends every hostile value in every field of a form, and in the parameters of
// its address.
func attack(form filled, send func(what, path string, body []byte, media string)) {
	path, query, _ := strings.Cut(form.path, "?")
	parameters, _ := url.ParseQuery(query)
	const asForm = "application/x-www-form-urlencoded"
	encode := func(skip, name, value string) string {
		values := url.Values{}
		for i := 0; i+1 < len(form.fields); i += 2 {
			values.Set(form.fields[i], form.fields[i+1])
		}
		if values.Del(skip); name != "" {
			values.Set(name, value)
		}
		return values.Encode()
	}
	for i := 0; i < len(form.fields); i += 2 {
		name := form.fields[i]
		for n, v := range rounds.Some(hostile.Texts, i/2, 3) {
			body := encode("", name, v)
			switch n % 4 {
			case 1:
				body += "&" + url.QueryEscape(name) + "=" + url.QueryEscape(v) // twice
			case 2:
				path += "?" + url.QueryEscape(name) + "=" + url.QueryEscape(v) // and in the address
			}
			send(fmt.Sprintf("%s %s=%.40q", path, name, v), path+map[bool]string{true: "?" + query}[query != "" && n%4 != 2], []byte(body), asForm)
			path, _, _ = strings.Cut(path, "?")
		}
		part := "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n\xff\x00\r\n--b--\r\n"
		send(path+" without "+name, form.path, []byte(encode(name, "", "")), asForm)
		send(path+" multipart", form.path, []byte(part), "multipart/form-data; boundary=b")
	}
	for name := range parameters {
		for _, v := range rounds.Some(hostile.Texts, 1, 3) {
			changed := url.Values{}
			for n := range parameters {
				changed.Set(n, parameters.Get(n))
			}
			changed.Set(name, v)
			send(fmt.Sprintf("%s?%s=%.40q", path, name, v), path+"?"+changed.Encode(), []byte(encode("", "", "")), asForm)
		}
	}
	for media, body := range map[string]string{
		asForm: "%zz=%ff&%ff=%00&a;b", "application/json": `{"username":["a"],"password":{"a":"\u0000"}}`, "text/\xffplain": "a", "": "a=b", "application/x-www-form-urlencoded; charset=utf-16": "a=b",
		"multipart/form-data": "a", "multipart/form-data; boundary=\x00": "a",
	} {
		send(fmt.Sprintf("%s as %q", path, media), form.path, []byte(body), media)
	}
}

// attacking is a request of the attack, from another network each time.
func attacking(t *testing.T, n int, path string, body []byte, media string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
	r.RemoteAddr = fmt.Sprintf("10.%d.%d.7:1", n>>8&255, n&255)
	r.Header.Set("Content-Type", media)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// sound fails the test unless the response is one that a browser shows.
func sound(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code >= 500 {
		t.Errorf("%s: %d %.300s", what, w.Code, w.Body)
	}
	for name, values := range w.Header() {
		if strings.ContainsFunc(strings.Join(values, ""), unicode.IsControl) {
			t.Errorf("%s: header %s: %q", what, name, values)
		}
	}
	html := strings.HasPrefix(w.Header().Get("Content-Type"), "text/html")
	control := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\n", r) }
	if text := w.Body.String(); !utf8.ValidString(text) || html && strings.ContainsFunc(text, control) || strings.Contains(text, "<script>alert") {
		t.Errorf("%s: the body is not text: %.300q", what, text)
	}
}

// The form of each page, in the state in which it is filled in.
func TestEveryFieldOfEveryForm(t *testing.T) {
	for _, page := range pages.AllPages() {
		prepare := forms[page.Path]
		if prepare == nil {
			continue
		}
		t.Run(page.Path, func(t *testing.T) {
			t.Parallel()
			s := twiceSite(t, page.Path)
			form := prepare(s)
			u, err := url.Parse(s.server.URL)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			cookies := s.jar.Cookies(encrypted(u))
			attack(form, func(what, path string, body []byte, media string) {
				r := attacking(t, n, path, body, media)
				for _, c := range cookies {
					r.AddCookie(c)
				}
				n++
				w := httptest.NewRecorder()
				s.pages.ServeHTTP(w, r)
				sound(t, what, w)
				if w.Code == http.StatusSeeOther { // the form has done what it is for
					s = twiceSite(t, page.Path)
					prepare(s)
					cookies = s.jar.Cookies(encrypted(u))
				}
			})
		})
	}
}

// The same values, on both databases: what is stored and logged.
func TestFieldsStored(t *testing.T) {
	list := fieldsOf(t)
	t.Run("sqlite", func(t *testing.T) {
		file := sqlitetest.File(t)
		db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
		if err != nil {
			t.Fatal(err)
		}
		storeFields(t, list, db, "sqlite", "file:"+file, `SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'jotgate_user_search%' AND (c.type LIKE '%char%' OR c.type LIKE '%text%')`)
	})
	t.Run("postgresql", func(t *testing.T) {
		dsn := pgtest.Database(t)
		db, err := postgres.Open(context.WithoutCancel(t.Context()), dsn, postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		storeFields(t, list, db, "pgx", dsn, `SELECT table_name, column_name FROM information_schema.columns
			WHERE table_schema = 'public' AND data_type IN ('text', 'character varying', 'character')`)
	})
}

// fieldsOf returns the form of every page, with values that fit, by path.
func fieldsOf(t *testing.T) map[string]filled {
	t.Helper()
	list := map[string]filled{}
	for path, prepare := range forms {
		form := prepare(twiceSite(t, path))
		form.path, _, _ = strings.Cut(form.path, "?")
		form.path += "?uid=Mg&token=a&next=%2Faccount%2F&lang=de"
		list[path] = form
	}
	return list
}

func storeFields(t *testing.T, list map[string]filled, db *store.Store, driver, dsn, columns string) {
	t.Cleanup(func() { db.Close() })
	logs := new(capture.Output)
	p, gate := fieldSite(t, db, logs)
	n, users := 0, 0
	var cookies []*http.Cookie
	signIn := func() {
		users++
		name := fmt.Sprintf("user%d", users)
		password, err := gate.Accounts().MakePassword(t.Context(), jotgatetest.Password)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Accounts().Create(t.Context(), &record.Account{Username: name, Email: name + "@example.com", Password: password, IsActive: true, DateJoined: gate.Settings().Now()}); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		body := url.Values{"username": {name}, "password": {jotgatetest.Password}}.Encode()
		p.ServeHTTP(w, attacking(t, n, "/account/login", []byte(body), "application/x-www-form-urlencoded"))
		if cookies = w.Result().Cookies(); w.Code != http.StatusSeeOther {
			t.Fatalf("login: %d\n%s", w.Code, w.Body)
		}
	}
	for _, page := range pages.AllPages() {
		if forms[page.Path] == nil {
			continue
		}
		if cookies = nil; page.Member {
			signIn()
		}
		attack(list[page.Path], func(what, path string, body []byte, media string) {
			r := attacking(t, n, path, body, media)
			for _, c := range cookies {
				r.AddCookie(c)
			}
			n++
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			sound(t, what, w)
			if page.Member && w.Code == http.StatusSeeOther {
				signIn()
			}
		})
	}
	t.Logf("%d requests", n)
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	soundTables(t, raw, columns)
	for line := range strings.Lines(logs.String()) {
		if !strings.HasPrefix(line, "time=2") || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unicode.IsControl) || strings.Contains(line, "panic") ||
			strings.Contains(line, "level=ERROR") || strings.Contains(line, jotgatetest.Password) {
			t.Errorf("a line of the log: %q", line)
		}
	}
}

// fieldSite is a site without limits.
func fieldSite(t *testing.T, db *store.Store, logs *capture.Output) (*pages.Pages, *jotgate.Gate) {
	t.Helper()
	hasher, err := passwd.New("pbkdf2_sha256:1")
	if err != nil {
		t.Fatal(err)
	}
	gate, err := jotgate.New(jotgate.Settings{
		SecretKey: jotgate.Secret(strings.Repeat("secret", 10)), Hasher: hasher, LoginCodes: true, RPID: "example.com", RPOrigins: []string{"https://example.com"},
		Logger: slog.New(slog.NewTextHandler(leak.Watch(t, logs, jotgatetest.Password), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, db)
	if err != nil {
		t.Fatal(err)
	}
	free := throttle.Policy{Free: 1 << 30}
	rates := map[string]string{"login": "", "register": "", "email": "", "links": "", "refresh": ""}
	endpoints, err := api.New(gate, api.Settings{Rates: rates, Lockout: throttle.Lockout{Network: free, Account: free}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := pages.New(gate, pages.Options{API: endpoints})
	if err != nil {
		t.Fatal(err)
	}
	return p, gate
}

// soundTables reads every text of every table.
func soundTables(t *testing.T, db *sql.DB, columns string) {
	t.Helper()
	texts := func(query string, n int) (list [][]string) {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(query, err)
		}
		defer rows.Close()
		for rows.Next() {
			row, to := make([]string, n), make([]any, n)
			for i := range row {
				to[i] = &row[i]
			}
			if err := rows.Scan(to...); err != nil {
				t.Fatal(err)
			}
			list = append(list, row)
		}
		return list
	}
	seen := 0
	for _, c := range texts(columns, 2) {
		name := slices.Contains([]string{"username", "email", "recipient"}, c[1])
		for _, row := range texts(`SELECT "`+c[1]+`" FROM "`+c[0]+`" WHERE "`+c[1]+`" IS NOT NULL`, 1) {
			text := row[0]
			if seen++; !utf8.ValidString(text) || strings.ContainsAny(text, "\x00") || strings.TrimSpace(text) != text {
				t.Errorf("%s.%s is %q", c[0], c[1], text)
			}
			if name && strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Z) }) {
				t.Errorf("%s.%s is %q", c[0], c[1], text)
			}
		}
	}
	if seen < 1000 {
		t.Errorf("only %d texts are stored", seen)
	}
}
