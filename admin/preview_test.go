package admin_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/mail"
)

// emails passes the sender on that is made after the site, of its gate.
type emails struct{ *mail.Sender }

func newPreviews(t *testing.T) (*site, *mail.Sender) {
	t.Helper()
	e := &emails{}
	s := newSite(t, admin.Options{Emails: e})
	sender, err := mail.New(mail.Settings{BaseURL: "https://app.example.com", Output: io.Discard, Language: "de"}, s.gate.Accounts(), s.gate.Links(), s.store().Outbox())
	if err != nil {
		t.Fatal(err)
	}
	e.Sender = sender
	return s, sender
}

// Each kind of e-mail is shown in each language, with the texts of the mail package
// and sample data.
func TestPreviews(t *testing.T) {
	s, sender := newPreviews(t)
	s.gate.User("root", jotgatetest.Superuser)
	s.signIn("root")
	kinds, languages := sender.Previews()
	if len(kinds) < 20 || len(languages) < 7 || languages[0] != "de" {
		t.Fatal(kinds, languages)
	}
	for i, kind := range kinds {
		for j, language := range languages {
			if j > 0 && j != 1+i%(len(languages)-1) {
				continue // each kind in the first language and in another one
			}
			want, err := sender.Preview(kind, language)
			if err != nil {
				t.Fatal(err)
			}
			query := fmt.Sprintf("?kind=%s&language=%s", kind, language)
			got := s.get("/admin/emails/preview/" + query)
			if text := html.UnescapeString(got.body); got.status != http.StatusOK || !strings.Contains(text, want.Subject) || !strings.Contains(text, want.Text) {
				t.Errorf("%s: %d\n%s", query, got.status, got.body)
			}
			if policy := got.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "; frame-src 'self'") {
				t.Error(policy)
			}
			frame := html.UnescapeString(between(got.body, `<iframe class="mail" sandbox=""`, "</iframe>"))
			if got = s.get(between(frame, `src="`, `"`)); got.status != http.StatusOK || got.body != want.HTML {
				t.Errorf("the frame of %s: %d\n%s", query, got.status, got.body)
			}
			if policy := got.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox; default-src 'none';") || !strings.HasSuffix(policy, "frame-ancestors 'self'") {
				t.Error(policy)
			}
		}
	}
	if got := s.get("/admin/emails/"); !strings.Contains(got.body, `href="/admin/emails/preview/"`) {
		t.Error("the queue does not lead to the previews")
	}
	for _, wrong := range []string{"?kind=decoy", "?kind=x", "?language=xx", "?language=%2e%2e"} {
		for _, path := range []string{"", "html"} {
			if got := s.get("/admin/emails/preview/" + path + wrong); got.status != http.StatusNotFound {
				t.Errorf("%s%s: %d", path, wrong, got.status)
			}
		}
	}
	if n := len(s.events()); n != 0 {
		t.Errorf("%d events of pages that change nothing", n)
	}
}

// The permission is that of the queue. Without a sender there are no previews.
func TestPreviewsRefused(t *testing.T) {
	s, _ := newPreviews(t)
	s.gate.User("carl", jotgatetest.Staff)
	s.gate.Grant(s.gate.User("vera", jotgatetest.Staff), "auth.view_user")
	for name, want := range map[string]int{"carl": http.StatusForbidden, "vera": http.StatusOK} {
		s.signIn(name)
		for _, path := range []string{"emails/", "emails/preview/", "emails/preview/html"} {
			if got := s.get("/admin/" + path); got.status != want {
				t.Errorf("%s as %s: %d", path, name, got.status)
			}
		}
	}
	s = newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.signIn("root")
	for path, want := range map[string]int{"emails/": 200, "emails/preview/": 404, "emails/preview/html": 404} {
		if got := s.get("/admin/" + path); got.status != want || strings.Contains(got.body, "emails/preview/") && want == 200 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}
