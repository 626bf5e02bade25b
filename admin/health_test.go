package admin_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/metrics"
)

// The health page and its JSON show the main figures, for sites without Prometheus, and
// a database that does not respond as a problem. Other metrics are not shown.
func TestHealthFigures(t *testing.T) {
	figures := metrics.New()
	up := 1.0
	figures.Collect(func(_ context.Context, set metrics.Set) {
		set(metrics.DBUp, up)
		set(metrics.Sessions, 4711)
		set(metrics.Lockouts, 3)
		set(metrics.OutboxPending, 12, "activation")
		set(metrics.OutboxOldest, 99, "activation")
		set(metrics.KeyAge, 86400, "ES256")
	})
	s := newSite(t, admin.Options{}, func(s *jotgate.Settings) { s.Metrics = figures })
	root := s.gate.User("root", jotgatetest.Superuser)
	token := s.gate.Token(root)
	if err := s.gate.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, _ := s.figure(token, "jotgate_logins_total password")
	if _, err := s.gate.Login(t.Context(), "root", "not the password", jotgate.Client{}); err == nil {
		t.Fatal("a wrong password is accepted")
	}
	figures.Count(metrics.Throttled, "login")

	for about, want := range map[string]string{
		"jotgate_logins_total password": before.add(1), "jotgate_refreshes_total ok": "0", "jotgate_throttled_total login": "1",
		"jotgate_lockouts_active": "3", "jotgate_sessions_active": "4711", "jotgate_hash_queue_length": "0", "jotgate_revocation_age_seconds": "",
		"jotgate_key_age_seconds ES256": "86400", "jotgate_outbox_pending activation": "12", "jotgate_outbox_oldest_seconds activation": "99",
		"jotgate_db_up": "1", "process_resident_memory_bytes": "",
	} {
		got, ok := s.figure(token, about)
		if got == "" || want != "" && string(got) != want || !ok {
			t.Errorf("%s: %q, %v, want %q", about, got, ok, want)
		}
	}
	if got, _ := s.figure(token, "go_goroutines"); got != "" {
		t.Errorf("go_goroutines is shown: %s", got)
	}
	s.signIn("root")
	page := s.get("/admin/health/")
	for _, want := range []string{"jotgate_sessions_active", "4711", "jotgate_outbox_pending activation"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if page = s.get("/admin/health/?lang=de"); !strings.Contains(page.body, "Aktive Sitzungen</bdi><br><code>jotgate_sessions_active</code>") {
		t.Error("the figures have no names in German")
	}
	up = 0
	if got, ok := s.figure(token, "jotgate_db_up"); got != "0" || ok {
		t.Errorf("a database that is down: %q, %v", got, ok)
	}
}

// A shown figure.
type shownFigure string

// add returns the figure plus n.
func (f shownFigure) add(n int) string {
	var value int
	_, _ = fmt.Sscan(string(f), &value)
	return fmt.Sprint(value + n)
}

// figure returns a figure of the health page, and whether it is in order.
func (s *site) figure(token, about string) (found shownFigure, ok bool) {
	s.Helper()
	status, list := s.api(token, http.MethodGet, "/admin/api/health/", "")
	if status != http.StatusOK {
		s.Fatalf("%d %v", status, list)
	}
	for _, row := range list["results"].([]any) {
		fact := row.(map[string]any)
		if fact["about"] == about {
			ok, _ = fact["ok"].(bool)
			text, _ := fact["found"].(string)
			return shownFigure(text), ok
		}
	}
	return "", false
}
