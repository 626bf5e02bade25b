package api

// How an outcome is held against the recording.

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

func mapsKeys(m map[string]string) iter.Seq[string] { return maps.Keys(m) }

// ours are the headers that jotgate adds to what Django sends. Any other one
// that the recording does not have is a difference.
var ours = []string{
	"Cache-Control", "Content-Security-Policy", "X-Request-Id", "Content-Length", "Date", "Connection",
	"Cross-Origin-Opener-Policy", // since Django 4.0
}

// compare says how an answer differs from the recorded one.
func (w *world) compare(s *step, got *http.Response, body string) string {
	want := s.Response
	if got.StatusCode != want.Status {
		return fmt.Sprintf("%s %s: status %d, Django %d\n  jotgate: %.300s\n  Django:  %.300s", s.Request.Method, s.Request.Path, got.StatusCode, want.Status, body, oneLine(want.Body))
	}
	wanted := map[string]bool{}
	for name := range want.Headers {
		wanted[http.CanonicalHeaderKey(name)] = true
		if diff := headerDiff(name, got.Header.Get(name), want.Headers[name]); diff != "" {
			return diff
		}
	}
	for name := range got.Header {
		if _, recorded := wanted[name]; recorded {
			continue
		}
		if !slices.Contains(ours, name) {
			return fmt.Sprintf("header %s: %q, Django sends none", name, got.Header.Get(name))
		}
		w.note("all-headers")
	}
	return w.compareBody(s, body)
}

// oneLine is a page of HTML on one line, and other text as it is.
func oneLine(body string) string {
	if strings.HasPrefix(strings.TrimSpace(body), "<") {
		return strings.Join(strings.Fields(body), " ")
	}
	return body
}

// headerDiff compares a header; seconds to wait may differ by what a hash takes.
func headerDiff(name, got, want string) string {
	if got == want || name == "Retry-After" && near(got, want) {
		return ""
	}
	return fmt.Sprintf("header %s: %q, Django %q", name, got, want)
}

func near(a, b string) bool {
	x, err := strconv.Atoi(a)
	y, err2 := strconv.Atoi(b)
	return err == nil && err2 == nil && x-y <= 5 && y-x <= 5
}

var (
	placeholder = regexp.MustCompile(`\{\{(\w+)\}\}`)
	seconds     = regexp.MustCompile(`available in (\d+) seconds`)
	// loginUser is the member that every login answer has besides Django's
	// (design: POST /api/token/ → {refresh, access, user}).
	loginUser = regexp.MustCompile(`,"user":\{"id":.*\}\}$`)
)

// compareBody holds the body against the recorded text, in which {{name}}
// stands for a token or a value saved before.
func (w *world) compareBody(s *step, body string) string {
	want := s.Response.Body
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(want)), "<!doctype html>") {
		return fmt.Sprintf("Django answers with a page of HTML; jotgate: %.200s", body)
	}
	if s.Request.Method == "HEAD" {
		return ""
	}
	if !strings.Contains(want, `"user":`) && loginUser.MatchString(body) {
		w.note("all-login-user")
		body = loginUser.ReplaceAllString(body, "}")
	}
	if a, b := seconds.FindStringSubmatch(body), seconds.FindStringSubmatch(want); a != nil && b != nil && near(a[1], b[1]) {
		want = strings.Replace(want, b[0], a[0], 1)
	}
	found := matchBody(want, body)
	for _, other := range w.texts {
		if found == nil && strings.Contains(want, other.Recorded) {
			found = matchBody(strings.ReplaceAll(want, other.Recorded, other.Ours), body)
		}
	}
	if found == nil {
		return fmt.Sprintf("%s %s: body\n  jotgate: %.600s\n  Django:  %.600s", s.Request.Method, s.Request.Path, body, want)
	}
	for i, name := range placeholder.FindAllStringSubmatch(want, -1) {
		name := name[1]
		if token, ok := s.Response.Tokens[name]; ok {
			if diff := w.tokenDiff(found[i+1], token.Header, token.Claims); diff != "" {
				return name + ": " + diff
			}
		}
	}
	for name, key := range s.names() {
		if value := memberText(body, key); value != "" {
			w.vars[name] = value
		}
	}
	return ""
}

// matchBody holds a body against a text with placeholders, and finds what they
// stand for.
func matchBody(want, body string) []string {
	var pattern []string
	for _, part := range placeholder.Split(want, -1) {
		pattern = append(pattern, regexp.QuoteMeta(part))
	}
	return regexp.MustCompile("^(?s)" + strings.Join(pattern, `([^"]*)`) + "$").FindStringSubmatch(body)
}

// memberText is a string member of a JSON object.
func memberText(body, name string) string {
	var members map[string]any
	_ = json.Unmarshal([]byte(body), &members)
	text, _ := members[name].(string)
	return text
}

// extra are the claims that jotgate adds: the session, and in the group with a
// serializer of its own the facts about the user.
var extra = []string{"sid", "email", "role"}

// tokenDiff compares a token's header and claims, order included.
func (w *world) tokenDiff(token string, header, claims json.RawMessage) string {
	gotHeader, gotClaims, err := jwt.DecodeUnverified(token)
	if err != nil {
		return err.Error()
	}
	if diff := w.claimsDiff(string(gotHeader), header, nil); diff != "" {
		return "header: " + diff
	}
	return w.claimsDiff(string(gotClaims), claims, extra)
}

func (w *world) claimsDiff(got string, want json.RawMessage, extra []string) string {
	var left []string // "name=value", those that may be there besides left out
	wanted := members(string(want))
	for _, m := range members(got) {
		name, _, _ := strings.Cut(m, "=")
		known := slices.ContainsFunc(wanted, func(other string) bool { return strings.HasPrefix(other, name+"=") })
		if known || !slices.Contains(extra, name) {
			left = append(left, m)
		} else {
			w.note("all-claims")
		}
	}
	same := func(a, b string) bool { return a == b || w.stands(a, b) }
	if !slices.EqualFunc(left, wanted, same) {
		return fmt.Sprintf("claims\n  jotgate: %s\n  Django:  %s", left, wanted)
	}
	return ""
}

// members lists a JSON object's members in order, as name=compact JSON.
func members(text string) (list []string) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	_, _ = dec.Token()
	for dec.More() {
		name, _ := dec.Token()
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return append(list, "broken")
		}
		list = append(list, fmt.Sprintf("%v=%s", name, value))
	}
	return list
}

var (
	relative = regexp.MustCompile(`^"\{\{now([+-]\d+)\}\}"$`)
	hex32    = regexp.MustCompile(`^"[0-9a-f]{32}"$`)
)

// stands reports whether a claim is what a placeholder stands for.
func (w *world) stands(got, want string) bool {
	name, value, _ := strings.Cut(got, "=")
	name2, pattern, _ := strings.Cut(want, "=")
	if name != name2 {
		return false
	}
	if offset := relative.FindStringSubmatch(pattern); offset != nil {
		n, err := strconv.ParseInt(value, 10, 64)
		by, _ := strconv.ParseInt(offset[1], 10, 64)
		late := w.now().Unix() + by - n
		if name == "iat" && by < 0 && late+(-by) >= 0 && late+(-by) <= 10 { // copied from a refresh token that old
			w.note("all-iat")
			return err == nil
		}
		return err == nil && late >= 0 && late <= 10
	}
	if name == w.idClaim() && value == `"`+pattern+`"` {
		w.note("all-user-id")
		return true
	}
	if name == "hash_password" { // the digest of a hash with a random salt
		return regexp.MustCompile(`^"[0-9A-F]{32}"$`).MatchString(value)
	}
	return pattern == `"{{hex32}}"` && hex32.MatchString(value)
}

// idClaim is the claim that says who the user is.
func (w *world) idClaim() string {
	if claim := w.base.JWT.UserIDClaim; claim != "" {
		return claim
	}
	return "user_id"
}

// showUser compares a row of auth_user.
func (w *world) showUser(s *step) string {
	var want struct {
		Prefix    string  `json:"password_prefix"`
		Active    bool    `json:"is_active"`
		LastLogin *string `json:"last_login"`
		Email     string
	}
	if err := json.Unmarshal(s.Result, &want); err != nil {
		panic(err)
	}
	a, err := w.db.Accounts().ByLogin(w.t.Context(), s.Username)
	if err != nil {
		return "there is no " + s.Username
	}
	algorithm, _, _ := strings.Cut(want.Prefix, "$")
	switch {
	case !strings.HasPrefix(a.Password, algorithm+"$"+iterations+"$"):
		return fmt.Sprintf("password %.30s…", a.Password)
	case a.IsActive != want.Active || a.Email != want.Email:
		return fmt.Sprintf("is_active %v, email %s", a.IsActive, a.Email)
	case want.LastLogin == nil && !a.LastLogin.IsZero(), want.LastLogin != nil && w.now().Sub(a.LastLogin) > 10*time.Second:
		return fmt.Sprintf("last_login %v", a.LastLogin)
	}
	return ""
}

// rowCounts compares how many rows Django's tables have; one that is not there
// has none.
func (w *world) rowCounts(s *step) string {
	var want map[string]int
	if err := json.Unmarshal(s.Result, &want); err != nil {
		panic(err)
	}
	for table, n := range want {
		got := 0
		_ = w.back.QueryRow("SELECT count(*) FROM " + table).Scan(&got)
		if got != n {
			return fmt.Sprintf("%s has %d rows, Django's %d", table, got, n)
		}
	}
	return ""
}

func (w *world) rows(s *step) string {
	rows, err := w.back.Query("SELECT " + strings.Join(s.Columns, ", ") + " FROM " + s.Table + " ORDER BY id")
	if err != nil {
		return err.Error()
	}
	defer rows.Close()
	got := [][]string{}
	for rows.Next() {
		texts, into := make([]*string, len(s.Columns)), make([]any, len(s.Columns))
		for i := range texts {
			into[i] = &texts[i]
		}
		if err := rows.Scan(into...); err != nil {
			panic(err)
		}
		line := make([]string, len(texts))
		for i, text := range texts {
			if line[i] = "None"; text != nil {
				line[i] = *text
			}
		}
		got = append(got, line)
	}
	var want [][]string
	_ = json.Unmarshal([]byte(w.fill(string(s.Result))), &want)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Sprintf("%s\n  jotgate: %v\n  Django:  %v", s.Table, got, want)
	}
	return ""
}

// outbox compares the messages that were written since the last look, and takes
// the link's parts out of the last.
func (w *world) outbox(s *step) string {
	due, err := w.db.Outbox().Due(w.t.Context(), w.now().Add(time.Second), 100, time.Hour)
	if err != nil {
		panic(err)
	}
	due = slices.DeleteFunc(due, func(l record.Message) bool { return l.Kind == record.MessageDecoy })
	if len(due) != len(s.Mails) {
		return fmt.Sprintf("messages: %v, Django %v", due, s.Mails)
	}
	for i, message := range due {
		content, err := w.sender.Preview(message.Kind, message.Language)
		if err != nil || content.Subject != s.Mails[i].Subject || message.To != s.Mails[i].To[0] {
			return fmt.Sprintf("message %q to %s, Django %q to %s", content.Subject, message.To, s.Mails[i].Subject, s.Mails[i].To)
		}
		if names := s.names(); len(names) > 0 {
			a, err := w.db.Accounts().ByID(w.t.Context(), message.User)
			if err != nil {
				panic(err)
			}
			w.vars[names["uid"]], w.vars[names["token"]] = w.gate.Links().Parts(message.Kind, a)
		}
	}
	return ""
}
