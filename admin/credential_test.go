package admin_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

// withoutPassword is an account that logs in in another way.
func withoutPassword(a *record.Account) { a.Password = "!" + strings.Repeat("x", 40) }

// An administrator disconnects an account at a provider as its user does: the sessions
// that began there end, the user gets an e-mail, and the last way to log in stays.
func TestProviderDisconnect(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.signIn("root")
	users := s.gate.Store().SocialAccounts()
	for _, c := range []struct {
		name    string
		account func(*record.Account)
		also    string // another connected account
		ok      bool
	}{
		{"password", func(*record.Account) {}, "", true},
		{"inactive", jotgatetest.Inactive, "", true},
		{"another", withoutPassword, "github", true},
		{"unknown", withoutPassword, "gone", false}, // a provider that is no longer in the settings
		{"only", withoutPassword, "", false},
	} {
		u := s.gate.User(c.name, c.account)
		active := *u
		active.IsActive = true
		s.must(s.gate.Store().Accounts().Change(t.Context(), u.ID, record.Change{IsActive: new(true), At: s.gate.Clock.Now()}))
		id := s.connect(u.ID, "google", "108"+c.name)
		if c.also != "" {
			s.connect(u.ID, c.also, "7"+c.name)
		}
		began := map[string]string{}
		for _, provider := range []string{"google", ""} {
			began[provider] = s.session(&active, provider)
		}
		s.must(s.gate.Store().Accounts().Change(t.Context(), u.ID, record.Change{IsActive: &u.IsActive, At: s.gate.Clock.Now()}))
		page, sent := s.get("/admin/users/"+string(u.ID)+"/"), len(s.queued())
		if strings.Contains(page.body, "/admin/providers/"+id+"/disconnect") != c.ok || strings.Contains(page.body, "only way to log in") == c.ok || !strings.Contains(page.body, "108"+c.name) {
			t.Errorf("%s: the page has\n%s", c.name, page.body)
		}
		question := s.get("/admin/providers/" + id + "/disconnect")
		if question.status != http.StatusOK || !strings.Contains(question.body, c.name+": Google 108") || !strings.Contains(question.body, u.Email) {
			t.Errorf("%s: %d\n%s", c.name, question.status, question.body)
		}
		before := len(s.events())
		got := s.post("/admin/providers/"+id+"/disconnect", url.Values{})
		left, err := users.ListSocial(t.Context(), u.ID)
		s.must(err)
		connected := slices.ContainsFunc(left, func(a record.SocialAccount) bool { return a.Provider == "google" })
		mails := s.queued()[sent:]
		if !c.ok {
			if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "must set a password") || !connected || len(s.events()) != before || len(mails) != 0 {
				t.Errorf("%s: %d, connected %v, %v\n%s", c.name, got.status, connected, mails, got.body)
			}
			continue
		}
		if got.path != "/admin/users/"+string(u.ID)+"/?done=provider.disconnect" || connected || len(s.events()) != before+1 {
			t.Errorf("%s: %s, connected %v, %d events", c.name, got.path, connected, len(s.events())-before)
		}
		if e := s.events()[0]; e.User != u.ID || e.Target != "provider "+id || e.Changes != `{"provider":["Google 108`+c.name+`",null]}` {
			t.Errorf("%s: %+v", c.name, e)
		}
		if len(mails) != 1 || mails[0].Kind != record.MessageProviderDisconnected || mails[0].To != u.Email || mails[0].Detail != "Google" {
			t.Errorf("%s: %+v", c.name, mails)
		}
		if there, here := s.ended(began["google"]), s.ended(began[""]); !there || here != !u.IsActive {
			t.Errorf("%s: the session with the provider has ended: %v, the other one: %v", c.name, there, here)
		}
		if again := s.post("/admin/providers/"+id+"/disconnect", url.Values{}); again.status != http.StatusNotFound {
			t.Errorf("%s again: %d", c.name, again.status)
		}
	}
}

// An administrator revokes an API key: every node refuses it, and neither page nor JSON
// has its secret.
func TestAPIKeyRevoke(t *testing.T) {
	s := newSite(t, admin.Options{})
	root := s.gate.User("root", jotgatetest.Superuser)
	s.signIn("root")
	ada := s.gate.User("ada")
	settings := s.gate.Settings()
	other, err := jotgate.New(settings, s.gate.Store())
	s.must(err)
	for _, gate := range []*jotgate.Gate{s.gate.Gate, other} {
		_, err := apikey.New(gate, s.store().APIKeys(), apikey.Settings{})
		s.must(err)
	}
	key, kept := s.apiKey(ada.ID, "nightly"), s.apiKey(ada.ID, "kept")
	works := func(gate *jotgate.Gate, k apikey.Created) bool {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+k.Secret)
		_, err := gate.Authenticate(r)
		return err == nil
	}
	for _, gate := range []*jotgate.Gate{s.gate.Gate, other} {
		if !works(gate, key) || !works(gate, kept) {
			t.Fatal("a key is refused")
		}
	}
	page := s.get("/admin/users/" + string(ada.ID) + "/")
	_, user := s.api(s.gate.Token(root), http.MethodGet, "/admin/api/users/"+string(ada.ID)+"/", "")
	text, err := json.Marshal(user)
	s.must(err)
	for where, body := range map[string]string{"page": page.body, "JSON": string(text)} {
		if !strings.Contains(body, "nightly") || !strings.Contains(body, key.ID) || strings.Contains(body, key.Digest) || strings.Contains(body, key.Secret[15:]) {
			t.Errorf("the %s has\n%s", where, body)
		}
	}
	if list := user["api_keys"].([]any); len(list) != 2 || list[0].(map[string]any)["expires"] == nil {
		t.Errorf("%v", list)
	}
	question := s.get("/admin/apikeys/" + key.ID + "/revoke")
	if question.status != http.StatusOK || !strings.Contains(question.body, "ada: nightly") {
		t.Errorf("%d\n%s", question.status, question.body)
	}
	if got := s.post("/admin/apikeys/"+key.ID+"/revoke", url.Values{}); got.path != "/admin/users/"+string(ada.ID)+"/?done=apikey.revoke" || strings.Contains(got.body, "/apikeys/"+key.ID) || !strings.Contains(got.body, "/apikeys/"+kept.ID+"/revoke") {
		t.Errorf("%s\n%s", got.path, got.body)
	}
	if e := s.events()[0]; e.User != ada.ID || e.Target != "apikey "+key.ID || e.Changes != `{"api_key":["nightly",null]}` {
		t.Errorf("%+v", e)
	}
	s.must(other.Sync(t.Context()))
	for i, gate := range []*jotgate.Gate{s.gate.Gate, other} {
		if works(gate, key) || !works(gate, kept) {
			t.Errorf("node %d: the revoked key works: %v, the other one: %v", i, works(gate, key), works(gate, kept))
		}
	}
	for _, id := range []string{key.ID, "unknown"} {
		if got := s.post("/admin/apikeys/"+id+"/revoke", url.Values{}); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", id, got.status)
		}
	}
	if len(s.events()) != 1 {
		t.Errorf("%d events", len(s.events()))
	}
	if got := s.post("/admin/apikeys/"+s.apiKey("999", "ci").ID+"/revoke", url.Values{}); got.path != "/admin/users/?done=apikey.revoke" {
		t.Errorf("of a user who is not in the table of users: %d %s", got.status, got.path)
	}
}

// The credentials of an account with a right that the administrator lacks stay as they
// are; those of others do not.
func TestCredentialsAboveOwnRights(t *testing.T) {
	s := newSite(t, admin.Options{})
	changer := s.gate.User("changer", jotgatetest.Staff)
	s.gate.Grant(changer, "auth.change_user")
	s.signIn("changer")
	strong, plain := s.gate.User("strong", jotgatetest.Staff), s.gate.User("plain")
	s.gate.Grant(strong, "auth.delete_user")
	for user, want := range map[*record.Account]int{s.gate.User("super", jotgatetest.Superuser): 403, strong: 403, plain: 200} {
		for _, path := range []string{"providers/" + s.connect(user.ID, "google", string(user.ID)) + "/disconnect", "apikeys/" + s.apiKey(user.ID, "ci").ID + "/revoke"} {
			before := len(s.events())
			if got := s.post("/admin/"+path, url.Values{}); got.status != want || (len(s.events()) > before) != (want == 200) {
				t.Errorf("%s of %s: %d, %d events", path, user.Username, got.status, len(s.events())-before)
			}
			if page := s.get("/admin/users/" + string(user.ID) + "/"); strings.Contains(page.body, path) {
				t.Errorf("%s: the page offers %s", user.Username, path)
			}
		}
	}
}

// Where nobody logs in with providers and there are no API keys, the page of a user has no
// section for them, and JSON no member.
func TestNoCredentials(t *testing.T) {
	s := newSite(t, admin.Options{}, func(s *jotgate.Settings) { s.Providers = nil })
	root := s.gate.User("root", jotgatetest.Superuser)
	s.signIn("root")
	id := s.connect(root.ID, "google", "1") // from when there was a provider
	page := s.get("/admin/users/1/")
	for _, words := range []string{"Connected accounts", "API keys"} {
		if page.status != http.StatusOK || strings.Contains(page.body, words) {
			t.Errorf("%d: the page has %q", page.status, words)
		}
	}
	_, user := s.api(s.gate.Token(root), http.MethodGet, "/admin/api/users/1/", "")
	if user["providers"] != nil || user["api_keys"] != nil || user["sessions"] == nil {
		t.Errorf("%v", slices.Sorted(maps.Keys(user)))
	}
	if got := s.post("/admin/providers/"+id+"/disconnect", url.Values{}); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	if page := s.get("/admin/users/"); strings.Contains(page.body, `name="provider"`) {
		t.Error("the list has a filter for providers")
	}
}

// The list shows who has a connected account at a provider; so do JSON, commands, and an
// action on many users.
func TestProviderFilter(t *testing.T) {
	s := newSite(t, admin.Options{})
	root := s.gate.User("root", jotgatetest.Superuser)
	s.signIn("root")
	for i, id := range []string{"google", "github", "google", ""} {
		u := s.gate.User(fmt.Sprint("user", i))
		if id != "" {
			s.connect(u.ID, id, fmt.Sprint(i))
		}
	}
	page := s.get("/admin/users/?provider=google")
	if n := strings.Count(page.body, `name="selected"`); n != 2 || !strings.Contains(page.body, `<option value="google" selected>Google</option>`) || !strings.Contains(page.body, `<input type="hidden" name="provider" value="google">`) {
		t.Errorf("%d users\n%s", n, page.body)
	}
	for value, want := range map[string]float64{"google": 2, "github": 1, "other": 0, "": 5} {
		status, got := s.api(s.gate.Token(root), http.MethodGet, "/admin/api/users/?provider="+value, "")
		if n, _ := got["count"].(float64); status != http.StatusOK || n != want {
			t.Errorf("%q: %d %v, want %v", value, status, got["count"], want)
		}
	}
	if status, _ := s.api(s.gate.Token(root), http.MethodGet, "/admin/api/users/?provider="+strings.Repeat("x", 201), ""); status != http.StatusBadRequest {
		t.Errorf("a long name: %d", status)
	}
	result, err := s.admin.Act(t.Context(), s.admin.Operator(), "job.start", "", admin.Fields{"action": {"user.deactivate"}, "all": {"true"}, "provider": {"google"}})
	s.must(err)
	if job := s.finish(result.Target); job.Done != 2 || s.account("user0").IsActive || s.account("user2").IsActive || !s.account("user1").IsActive {
		t.Errorf("%+v", job)
	}
}

// An export of the audit trail has the events that the filters select, each once and
// newest first, without its own; no cell is a formula.
func TestExportEvents(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	ada := s.gate.User("ada")
	for i := range 1100 { // more than two pages of the store
		s.must(s.gate.Store().Events().Add(t.Context(), record.Event{Time: s.gate.Clock.Now(), Name: "profile", User: ada.ID, Detail: fmt.Sprint("n", i)}))
	}
	hostile := []string{"=cmd|' /C calc'!A0", "+1", "x;=1", "a\tb\nc", "plain"}
	for _, text := range hostile {
		s.must(s.gate.Store().Events().Add(t.Context(), record.Event{Time: s.gate.Clock.Now(), Name: "login_failed", Detail: text}))
	}
	export := func(in admin.Fields) string {
		t.Helper()
		var b bytes.Buffer
		s.must(s.admin.ExportEvents(t.Context(), s.admin.Operator(), in, &b))
		return b.String()
	}
	rows, err := csv.NewReader(strings.NewReader(export(admin.Fields{"format": {"csv"}, "event": {"login_failed"}}))).ReadAll()
	s.must(err)
	var got []string
	at := slices.Index(rows[0], "detail")
	for _, row := range rows[1:] {
		got = append(got, row[at])
	}
	if d := cmp.Diff([]string{"plain", "a b c", "x;'=1", "'+1", "'=cmd|' /C calc'!A0"}, got); d != "" {
		t.Error(d)
	}
	var ids []int64
	for line := range strings.Lines(export(admin.Fields{"format": {"jsonl"}, "user": {"ada"}})) {
		var e record.Event
		s.must(json.Unmarshal([]byte(line), &e))
		if ids = append(ids, e.ID); e.User != ada.ID {
			t.Errorf("%+v", e)
		}
	}
	if len(ids) != 1100 || !slices.IsSortedFunc(ids, func(a, b int64) int { return int(b - a) }) || len(slices.Compact(ids)) != 1100 {
		t.Errorf("%d events", len(ids))
	}
	if n := strings.Count(export(admin.Fields{"format": {"jsonl"}, "event": {"admin"}}), "\n"); n != 2 {
		t.Errorf("%d events of the two exports before", n)
	}
	if list := s.events(); len(list) != 3 || list[2].Detail != "event.export" || list[2].Target != "events" || list[2].Changes != `{"format":[null,"csv"],"selection":[null,{"event":"login_failed"}]}` {
		t.Errorf("%+v", list)
	}
	for field, value := range map[string]string{"format": "xml", "since": "yesterday"} {
		in := admin.Fields{"format": {"csv"}, "since": {"2026-01-31"}}
		in[field] = []string{value}
		if err := s.admin.ExportEvents(t.Context(), s.admin.Operator(), in, new(bytes.Buffer)); jotgate.AsError(err).Status != 400 || len(jotgate.AsError(err).Fields) != 1 || jotgate.AsError(err).Fields[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if got := export(admin.Fields{"format": {"csv"}, "event": {"nothing"}}); got != strings.Join(rows[0], ",")+"\r\n" {
		t.Errorf("without events the file is %q", got)
	}
	s.exportOnPage()
	if got := s.post("/admin/users/export", url.Values{"format": {"csv"}, "selected": {"no key"}}); got.status != http.StatusNotFound {
		t.Errorf("of a key that is not valid: %d\n%s", got.status, got.body)
	}
}

// exportOnPage exports what the page of the audit trail shows.
func (s *site) exportOnPage() {
	s.Helper()
	s.signIn("root")
	page := s.get("/admin/events/?event=login_failed&since=2020-01-31")
	for _, input := range []string{`<input type="hidden" name="event" value="login_failed">`, `<input type="hidden" name="since" value="2020-01-31">`, `action="/admin/events/export"`} {
		if !strings.Contains(page.body, input) {
			s.Errorf("the page has no %s\n%s", input, page.body)
		}
	}
	for format, kind := range map[string]string{"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"} {
		got := s.post("/admin/events/export", url.Values{"format": {format}, "event": {"login_failed"}, "since": {"2020-01-31"}})
		if got.status != http.StatusOK || got.header.Get("Content-Type") != kind || got.header.Get("Content-Disposition") != `attachment; filename="events.`+format+`"` || strings.Count(got.body, "login_failed") != 5 {
			s.Errorf("%s: %d %v\n%s", format, got.status, got.header, got.body)
		}
	}
	if got := s.post("/admin/events/export", url.Values{"format": {"xml"}, "event": {"login_failed"}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "csv") || !strings.Contains(got.body, `value="login_failed" selected`) {
		s.Errorf("%d\n%s", got.status, got.body)
	}
}

// must ends the test with an error.
func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// session starts a session of an active user, which began with a provider or with the
// password.
func (s *site) session(u *record.Account, provider string) string {
	s.Helper()
	n := &record.Session{ID: strings.ToLower(u.Username) + "-" + provider, User: u.ID, JTI: u.Username + provider, Created: s.gate.Clock.Now(), Expires: s.gate.Clock.Now().Add(time.Hour), LastSeen: s.gate.Clock.Now()}
	if provider != "" {
		list, err := s.gate.Store().SocialAccounts().ListSocial(s.Context(), u.ID)
		s.must(err)
		n.Entry.Social = []record.SocialUse{{ID: list[0].ID, Provider: list[0].Provider, UID: list[0].UID, At: s.gate.Clock.Now()}}
	}
	s.must(s.gate.Store().Sessions().Create(s.Context(), n, u.Password))
	return n.ID
}

// ended reports whether a session has ended.
func (s *site) ended(id string) bool {
	s.Helper()
	found, err := s.gate.Store().Sessions().Find(s.Context(), id)
	s.must(err)
	return !found.Ended.IsZero()
}

// queued lists the e-mails of the queue.
func (s *site) queued() (list []record.Message) {
	s.Helper()
	messages, err := s.store().Admin().Messages(s.Context(), 0, 500)
	s.must(err)
	for _, m := range messages {
		list = append(list, m.Message)
	}
	return list
}
