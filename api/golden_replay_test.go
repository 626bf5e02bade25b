package api

// One case: a gate on a copy of the template, and its steps one after another.

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/signing"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

// world is what a case runs in.
type world struct {
	*group
	t      *testing.T
	db     *store.Store
	back   *sql.DB
	gate   *jotgate.Gate
	sender *mail.Sender
	addr   string
	now    func() time.Time
	vars   map[string]string
	note   func(reason string) // that a difference of all answers was met
	texts  []text
	keep   func(exchanged)
}

// replay runs a case and says how jotgate differs; "" when it does not.
func replay(t *testing.T, g *group, c *goldenCase, tpl *template, table *differences) (diff string) {
	at := "before the first step"
	defer func() {
		if problem := recover(); problem != nil { // a form that the replay does not expect
			diff = fmt.Sprintf("%s: this is not understood: %v", at, problem)
		}
	}()
	w := newWorld(t, g, tpl)
	w.note, w.texts, w.keep = table.note, table.Texts, table.keep
	for i, s := range c.Steps {
		at = fmt.Sprintf("step %d, %s", i+1, s.Op)
		if diff := w.step(&s); diff != "" {
			return at + ": " + diff
		}
	}
	return ""
}

func newWorld(t *testing.T, g *group, tpl *template) *world {
	file := filepath.Join(tempdir.New(t), "golden.db")
	err := os.WriteFile(file, tpl.content, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{group: g, t: t, now: g.clock(), vars: map[string]string{}, back: backdoor(t, file)}
	if w.db, err = sqlite.Open(t.Context(), file, sqlitetest.Options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	settings, err := g.gateSettings(w.now)
	if err != nil {
		panic(err)
	}
	if w.gate, err = jotgate.New(settings, w.db); err != nil {
		panic(err)
	}
	w.sender, err = mail.New(mail.Settings{BaseURL: "http://app.example.com", Site: "Golden", Output: io.Discard, Now: w.now}, w.gate.Accounts(), w.gate.Links(), w.db.Outbox())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w.handler())
	t.Cleanup(server.Close)
	w.addr = server.Listener.Addr().String()
	return w
}

// clock stands still, now or, if the recording holds absolute times, five seconds
// before the earliest of them.
func (g *group) clock() func() time.Time {
	earliest := int64(0)
	for _, c := range g.Cases {
		for _, s := range c.Steps {
			var claims struct {
				NBF any `json:"nbf"`
			}
			_ = json.Unmarshal(s.Claims, &claims)
			if nbf, ok := claims.NBF.(float64); ok && (earliest == 0 || int64(nbf) < earliest) {
				earliest = int64(nbf)
			}
		}
	}
	at := time.Now()
	if earliest > 0 {
		at = time.Unix(earliest-5, 0)
	}
	return func() time.Time { return at }
}

// step does a step and says how the outcome differs.
func (w *world) step(s *step) string {
	w.t.Helper()
	user := "(SELECT id FROM auth_user WHERE username = ?)"
	switch s.Op {
	case "mint":
		w.vars[s.name()] = w.mint(s)
	case "http":
		return w.exchange(s)
	case "set_active":
		w.change("UPDATE auth_user SET is_active = ? WHERE username = ?", s.Value, s.Username)
	case "set_username":
		w.change("UPDATE auth_user SET username = ? WHERE username = ?", s.Value, s.Username)
	case "set_password":
		hasher, _ := passwd.New("pbkdf2_sha256:" + iterations)
		encoded, _ := hasher.Make(s.Value.(string))
		w.change("UPDATE auth_user SET password = ? WHERE username = ?", encoded, s.Username)
	case "set_hash":
		w.change("UPDATE auth_user SET password = ? WHERE username = ?", s.Value, s.Username)
	case "set_unusable":
		w.change("UPDATE auth_user SET password = ? WHERE username = ?", passwd.Unusable(), s.Username)
	case "delete_user":
		w.change("UPDATE token_blacklist_outstandingtoken SET user_id = NULL WHERE user_id = "+user, s.Username)
		w.change("DELETE FROM auth_user WHERE username = ?", s.Username)
	case "add_group":
		w.change("INSERT INTO auth_group (name) VALUES (?)", s.Value)
		w.change("INSERT INTO auth_user_groups (user_id, group_id) SELECT "+user+", id FROM auth_group WHERE name = ?", s.Username, s.Value)
	case "reset_token":
		w.resetToken(s)
	case "show_user":
		return w.showUser(s)
	case "row_counts":
		return w.rowCounts(s)
	case "rows":
		return w.rows(s)
	case "outbox":
		return w.outbox(s)
	default:
		return "this step is not understood"
	}
	return ""
}

// change changes the database as Django would.
func (w *world) change(text string, args ...any) {
	if _, err := w.back.Exec(text, args...); err != nil {
		panic(err)
	}
}

// name is what a step that saves one value calls it.
func (s *step) name() string {
	var name string
	_ = json.Unmarshal(s.Save, &name)
	return name
}

// names is what a step that saves several calls them, by what they are.
func (s *step) names() map[string]string {
	names := map[string]string{}
	_ = json.Unmarshal(s.Save, &names)
	return names
}

// fill puts saved values into a text.
func (w *world) fill(text string) string {
	for name, value := range w.vars {
		text = strings.ReplaceAll(text, "{{"+name+"}}", value)
	}
	return text
}

// resetToken makes a link as Django does.
func (w *world) resetToken(s *step) {
	a, err := w.db.Accounts().ByLogin(w.t.Context(), s.Username)
	if err != nil {
		panic(err)
	}
	keys, _ := signing.New(w.Settings.SecretKey)
	w.vars[s.name()] = signing.ResetTokens{Keys: keys}.Make(
		signing.Account{ID: string(a.ID), Password: a.Password, Email: a.Email, LastLogin: a.LastLogin}, w.now().Add(-time.Duration(s.Age)*time.Second))
	w.vars[s.SaveUID] = s.UIDValue
}

// exchange sends a request byte for byte as it was recorded.
func (w *world) exchange(s *step) string {
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nConnection: close\r\n", s.Request.Method, w.fill(s.Request.Path))
	for _, name := range slices.Sorted(mapsKeys(s.Request.Headers)) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, latin1(w.fill(s.Request.Headers[name])))
	}
	body := ""
	if s.Request.Body != nil {
		body = w.fill(*s.Request.Body)
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	if _, err := io.WriteString(conn, b.String()); err != nil {
		panic(err)
	}
	got, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: s.Request.Method})
	if err != nil {
		panic(fmt.Errorf("%s %s: %w", s.Request.Method, s.Request.Path, err))
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		panic(err)
	}
	if keep := w.keep; keep != nil {
		keep(exchanged{s.Request.Method, w.fill(s.Request.Path), s.Request.Headers, body, got.StatusCode, got.Header, string(text)})
	}
	return w.compare(s, got, string(text))
}

// exchanged is a line of the file that EXCHANGES names: what was sent and what
// jotgate answered. interop/openapi holds it against openapi.yaml.
type exchanged struct {
	Method, Path string
	Headers      map[string]string
	Body         string
	Status       int
	Header       http.Header
	Answer       string
}

// latin1 writes a header value as the recorder sent it.
func latin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}
