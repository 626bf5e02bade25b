package admin_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

// deed is an action with a target that it can be done to.
type deed struct {
	target string
	in     admin.Fields
}

// deeds prepares, for each action, a target and the fields.
func deeds(s *site) map[string]func(n int) deed {
	ctx := s.Context()
	must := func(err error) {
		if err != nil {
			s.Helper()
			s.Fatal(err)
		}
	}
	user := func(n int, options ...func(*record.Account)) string {
		return string(s.gate.User(fmt.Sprintf("u%d", n), options...).ID)
	}
	key := func() string {
		k, err := s.gate.Keys().Make("ES256")
		must(err)
		must(s.gate.Store().Keys().Add(ctx, k))
		return k.ID
	}
	email := func(n int) string {
		must(s.gate.Store().Outbox().Add(ctx, record.Message{Kind: record.MessagePasswordReset, To: fmt.Sprintf("m%d@example.com", n), Created: s.gate.Clock.Now()}))
		list, err := s.store().Admin().Messages(ctx, 0, 500)
		must(err)
		return strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	invite := func(n int) string {
		i := &record.Invitation{Email: fmt.Sprintf("i%d@example.com", n), Groups: []int64{}, Nonce: "n", Created: s.gate.Clock.Now(), Expires: s.gate.Clock.Now().Add(time.Hour)}
		must(s.store().Admin().Change(ctx, func(ctx context.Context, tx adminstore.Tx) error { return tx.System.AddInvitation(ctx, i) }))
		return strconv.FormatInt(i.ID, 10)
	}
	return map[string]func(n int) deed{
		"invitation.add":    func(n int) deed { return deed{"", admin.Fields{"email": {fmt.Sprintf("j%d@example.com", n)}}} },
		"invitation.resend": func(n int) deed { return deed{invite(n), nil} },
		"invitation.revoke": func(n int) deed { return deed{invite(n), nil} },
		"user.add": func(n int) deed {
			return deed{"", admin.Fields{"username": {fmt.Sprintf("new%d", n)}, "email": {fmt.Sprintf("new%d@example.com", n)}, "send_reset": {"true"}}}
		},
		"user.change":         func(n int) deed { return deed{user(n), admin.Fields{"last_name": {"x"}}} },
		"user.activate":       func(n int) deed { return deed{user(n, jotgatetest.Inactive), nil} },
		"user.deactivate":     func(n int) deed { return deed{user(n), nil} },
		"user.delete":         func(n int) deed { return deed{user(n), nil} },
		"user.password":       func(n int) deed { return deed{user(n), admin.Fields{"password": {"a new long secret"}}} },
		"user.reset-password": func(n int) deed { return deed{user(n), nil} },
		"user.send-activation": func(n int) deed {
			a := s.gate.User(fmt.Sprintf("u%d", n), jotgatetest.Inactive)
			must(s.gate.Store().Addresses().AddPending(ctx, record.Pending{User: a.ID, Purpose: record.PendingActivation, Email: a.Email, Nonce: "n", Created: s.gate.Clock.Now()}))
			return deed{string(a.ID), nil}
		},
		"user.verify-email": func(n int) deed { return deed{user(n), nil} },
		"user.end-sessions": func(n int) deed {
			a := s.gate.User(fmt.Sprintf("u%d", n))
			s.gate.Token(a)
			return deed{string(a.ID), nil}
		},
		"user.remove-factor": func(n int) deed {
			id := user(n)
			must(s.gate.Store().Factors().ChangeFactors(ctx, record.FactorChange{User: record.UserID(id), Add: []*record.Factor{{User: record.UserID(id), Type: record.FactorTOTP, Data: `{"secret":"x"}`, Created: s.gate.Clock.Now()}}}))
			return deed{id, admin.Fields{"reason": {"lost the device at sea"}}}
		},
		"provider.disconnect": func(n int) deed { return deed{s.connect(record.UserID(user(n)), "google", strconv.Itoa(n)), nil} },
		"apikey.revoke":       func(n int) deed { return deed{s.apiKey(record.UserID(user(n)), "ci").ID, nil} },
		"user.impersonate":    func(n int) deed { return deed{user(n), admin.Fields{"reason": {"ticket 4711: cannot pay"}}} },
		"group.add":           func(n int) deed { return deed{"", admin.Fields{"name": {fmt.Sprintf("new%d", n)}}} },
		"group.change": func(n int) deed {
			return deed{s.group(fmt.Sprintf("g%d", n)), admin.Fields{"name": {fmt.Sprintf("other%d", n)}, "permissions": {"1"}}}
		},
		"group.delete": func(n int) deed { return deed{s.group(fmt.Sprintf("g%d", n)), nil} },
		"session.end": func(n int) deed {
			a := s.gate.User(fmt.Sprintf("u%d", n))
			s.gate.Token(a)
			list, err := s.gate.Sessions().List(ctx, a.ID)
			must(err)
			return deed{list[0].ID, nil}
		},
		"key.add":     func(int) deed { return deed{"", nil} },
		"key.switch":  func(int) deed { return deed{key(), nil} },
		"key.retire":  func(int) deed { return deed{key(), nil} },
		"key.delete":  func(int) deed { k := key(); must(s.gate.Keys().Retire(ctx, k)); return deed{k, nil} },
		"email.retry": func(n int) deed { return deed{email(n), nil} },
		"email.drop":  func(n int) deed { return deed{email(n), nil} },
		"throttle.forgive": func(n int) deed {
			k := fmt.Sprintf("login|u%d|192.0.2.0/24", n)
			must(s.gate.Store().Failures().Add(ctx, []string{k}, s.gate.Clock.Now(), time.Time{}))
			return deed{k, nil}
		},
		"job.start": func(n int) deed {
			return deed{"", admin.Fields{"action": {"user.end-sessions"}, "selected": {user(n)}}}
		},
		"job.undo": func(n int) deed {
			result, err := s.admin.Act(ctx, s.admin.Operator(), "job.start", "", admin.Fields{"action": {"user.deactivate"}, "selected": {user(n)}})
			must(err)
			s.finish(result.Target)
			return deed{result.Target, nil}
		},
		"user.export":  func(int) deed { return deed{"", admin.Fields{"format": {"csv"}, "q": {"nobody"}}} },
		"event.export": func(int) deed { return deed{"", admin.Fields{"format": {"jsonl"}, "event": {"reuse"}}} },
	}
}

// finish waits for a job to end.
func (s *site) finish(id string) *adminstore.Job {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	go func() { _ = s.admin.Run(ctx) }()
	var job *adminstore.Job
	wait.Until(s.T, "the job ends", func() bool {
		n, _ := strconv.ParseInt(id, 10, 64)
		list, err := s.store().Admin().Jobs(s.Context(), n+1, 1)
		if err != nil || len(list) == 0 {
			s.Fatal(err)
		}
		job = &list[0]
		return job.State == adminstore.JobDone || job.State == adminstore.JobUndone
	})
	return job
}

// Every action of the table, by page, JSON and command, is in the audit trail
// exactly once, with who did it; and no other event of the administration is.
func TestEveryActionIsAudited(t *testing.T) {
	s := newSite(t, admin.Options{SetPasswords: true})
	root := s.gate.User("root", jotgatetest.Superuser)
	token := s.gate.Token(root)
	s.signIn("root")
	who, err := s.admin.OperatorAs(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	prepare, n := deeds(s), 0
	for _, act := range s.admin.Actions() {
		for door, try := range map[string]func(d deed) string{
			"page": func(d deed) string {
				if got := s.post("/admin/"+s.path(act, d.target), url.Values(orEmpty(d.in))); got.status != 200 || strings.HasPrefix(got.path, "/account") != (act.Name == "user.impersonate") {
					return fmt.Sprint(got.status, " ", got.path, got.body)
				}
				if act.Name == "user.impersonate" { // back to the administration
					s.post("/account/logout", url.Values{})
				}
				return ""
			},
			"JSON": func(d deed) string {
				status, body := s.api(token, "POST", "/admin/api/"+s.path(act, d.target)+"/", jsonOf(d.in))
				if status != 200 {
					return fmt.Sprint(status, body)
				}
				return ""
			},
			"command": func(d deed) string {
				if _, err := s.admin.Act(t.Context(), who, act.Name, d.target, d.in); err != nil {
					return err.Error()
				}
				return ""
			},
		} {
			n++
			if prepare[act.Name] == nil {
				t.Fatalf("%s: add a deed", act.Name)
			}
			d := prepare[act.Name](n)
			before := s.events()
			if wrong := try(d); wrong != "" {
				t.Errorf("%s by %s: %s", act.Name, door, wrong)
			}
			if act.Name == "job.start" || act.Name == "job.undo" {
				s.settle()
			}
			var own []record.Event
			for _, e := range s.events()[:len(s.events())-len(before)] {
				if e.Parent == 0 {
					own = append(own, e)
				}
			}
			if len(own) != 1 || own[0].Detail != act.Name || own[0].Actor != root.ID || own[0].Target == "" || own[0].Outcome != "success" {
				t.Errorf("%s by %s: %+v", act.Name, door, own)
			}
		}
	}
}

// settle waits until no job is running.
func (s *site) settle() {
	s.Helper()
	list, err := s.store().Admin().Jobs(s.Context(), 0, 1)
	if err != nil {
		s.Fatal(err)
	}
	s.finish(strconv.FormatInt(list[0].ID, 10))
}

func orEmpty(in admin.Fields) admin.Fields {
	if in == nil {
		return admin.Fields{}
	}
	return in
}

func jsonOf(in admin.Fields) string {
	var parts []string
	for name, values := range in {
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = strconv.Quote(v)
		}
		parts = append(parts, strconv.Quote(name)+": ["+strings.Join(quoted, ", ")+"]")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// path returns the path of an action, as docs/admin.md describes it.
func (s *site) path(act admin.ActionInfo, target string) string {
	noun, verb, _ := strings.Cut(act.Name, ".")
	if act.Create {
		return noun + "s/" + verb
	}
	return noun + "s/" + url.PathEscape(target) + "/" + verb
}

// A job changes each selected user once, skips those it may not change, and is
// undone with one action.
func TestJob(t *testing.T) {
	s := newSite(t, admin.Options{})
	changer := s.gate.User("changer", jotgatetest.Staff)
	s.gate.Grant(changer, "auth.change_user", "auth.view_user")
	var sessions []string
	for i := range 60 {
		a := s.gate.User(fmt.Sprintf("bulk%d", i))
		if i < 3 {
			sessions = append(sessions, s.gate.Tokens(a).Refresh)
		}
	}
	s.gate.User("bulkroot", jotgatetest.Superuser)
	s.gate.User("bulkgone", jotgatetest.Inactive)
	s.signIn("changer")
	confirm := s.post("/admin/users/confirm", url.Values{"action": {"user.deactivate"}, "all": {"true"}, "q": {"bulk"}})
	if confirm.status != 200 || !strings.Contains(confirm.body, "62 users") || !strings.Contains(confirm.body, "bulk7") || !strings.Contains(confirm.body, "one click") {
		t.Fatalf("%d\n%s", confirm.status, confirm.body)
	}
	got := s.post("/admin/jobs/start", url.Values{"action": {"user.deactivate"}, "all": {"true"}, "q": {"bulk"}})
	if got.status != 200 || !strings.HasPrefix(got.path, "/admin/jobs/1/") {
		t.Fatalf("%d %s", got.status, got.path)
	}
	job := s.finish("1")
	if job.Done != 60 || job.Skipped != 2 || job.Total != 62 {
		t.Errorf("%+v", job)
	}
	if a := s.account("bulk59"); a.IsActive || !s.account("bulkroot").IsActive {
		t.Error("not the right users are inactive")
	}
	for _, token := range sessions {
		if _, err := s.gate.Refresh(t.Context(), token, jotgate.Client{}); err == nil {
			t.Error("a session of a deactivated user goes on")
		}
	}
	events := s.events()
	if n := len(events); n != 61 || events[0].Parent != events[60].ID || events[60].Detail != "job.start" {
		t.Errorf("%d events", n)
	}
	if page := s.get("/admin/jobs/1/"); !strings.Contains(page.body, "<dd>60</dd><dt>Skipped</dt><dd>2</dd>") || !strings.Contains(page.body, "jobs/1/undo") {
		t.Error(page.body)
	}
	s.post("/admin/jobs/1/undo", url.Values{})
	if job = s.finish("1"); job.Undone != 60 || job.State != adminstore.JobUndone {
		t.Errorf("%+v", job)
	}
	if !s.account("bulk0").IsActive || !s.account("bulk59").IsActive || s.account("bulkgone").IsActive {
		t.Error("not the right users are active again")
	}
}

// Two processes that do the same job do each user once.
func TestJobByTwoNodes(t *testing.T) {
	s := newSite(t, admin.Options{})
	for i := range 80 {
		s.gate.User(fmt.Sprintf("bulk%d", i))
	}
	other, err := admin.NewActions(s.gate.Gate, admin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result, err := s.admin.Act(ctx, s.admin.Operator(), "job.start", "", admin.Fields{"action": {"user.deactivate"}, "all": {"true"}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = other.Run(ctx) }()
	job := s.finish(result.Target)
	if job.Done != 80 || job.Skipped != 0 || len(s.events()) != 81 {
		t.Errorf("%+v, %d events", job, len(s.events()))
	}
}

// Names that a spreadsheet would take for formulas are texts in the file, and the
// file has one row for each user.
func TestExport(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	hostile := []string{"=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(1)", "\t=1", "\r=1", "\n=1", `"=1"`, "a,b;c\td", "'=1", " =1", "plain", "＝1", "x\n=1", "|dir", "%0A", "x;=1", `x;"+1;y`}
	for i, name := range hostile {
		s.gate.User(fmt.Sprintf("u%02d", i), func(a *record.Account) { a.FirstName = name })
	}
	var b bytes.Buffer
	if err := s.admin.Export(t.Context(), s.admin.Operator(), admin.Fields{"format": {"csv"}}, &b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != len(hostile)+2 {
		t.Fatal(len(rows), err)
	}
	var got []string
	for _, row := range rows[2:] {
		got = append(got, row[3])
		if strings.ContainsAny(row[3], "\t\r\n") || strings.ContainsRune("=+-@\t\r", []rune(row[3])[0]) {
			t.Errorf("%q is a formula or breaks its cell", row[3])
		}
	}
	if d := cmp.Diff([]string{"'=cmd|' /C calc'!A0", "'+1+1", "'-2", "'@SUM(1)", "' =1", "' =1", "' =1", `'"=1"`, "a,b;c d", "''=1", "' =1", "plain", "'＝1", "x =1", "'|dir", "'%0A", "x;'=1", `x;'"+1;y`}, got); d != "" {
		t.Error(d)
	}
	if list := s.events(); len(list) != 1 || list[0].Detail != "user.export" {
		t.Errorf("%+v", list)
	}
	s.signIn("root")
	for format, kind := range map[string]string{"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"} {
		got := s.post("/admin/users/export", url.Values{"format": {format}, "q": {"u0"}})
		if got.status != http.StatusOK || got.header.Get("Content-Type") != kind || !strings.Contains(got.header.Get("Content-Disposition"), "users."+format) {
			t.Errorf("%s: %d %v", format, got.status, got.header)
		}
		if n := strings.Count(got.body, "u0"); n < 10 || strings.Contains(got.body, "pbkdf2") {
			t.Errorf("%s: %d users\n%s", format, n, got.body)
		}
	}
}
