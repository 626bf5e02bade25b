// Package monitoring judges the metrics and the alerts by Prometheus' own tool, and
// by real faults: each raises its alert and no other.
package monitoring

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

// folder has the files that operators take.
const folder = "../../packaging/monitoring/"

// promtool runs the tool and returns what it says.
func promtool(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "promtool", args...)
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	return string(out), err
}

func TestRules(t *testing.T) {
	for _, args := range [][]string{{"check", "rules", folder + "alerts.yaml"}, {"test", "rules", folder + "alerts_test.yaml"}} {
		if out, err := promtool(t, "", args...); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// TestFaults raises each alert that operators get, by its fault, and looks for each in the others.
func TestEveryAlertIsRaised(t *testing.T) {
	text, err := os.ReadFile(folder + "alerts.yaml")
	must(t, err)
	source, err := os.ReadFile("faults_test.go")
	must(t, err)
	var found []string
	for _, alert := range regexp.MustCompile(`(?m)^\s+- alert: (\w+)$`).FindAllStringSubmatch(string(text), -1) {
		found = append(found, alert[1])
		if !regexp.MustCompile(`expect\(t, .*"` + alert[1] + `"\)`).Match(source) {
			t.Errorf("no fault of TestFaults raises %s", alert[1])
		}
	}
	if !slices.Equal(found, alerts) {
		t.Errorf("the alerts are %v, and TestFaults looks for %v", found, alerts)
	}
}

// A scrape of a gate that has done everything is in order.
func TestMetrics(t *testing.T) {
	n := newNode(t, sqliteOf)
	n.use(t)
	w := httptest.NewRecorder()
	n.figures.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if out, err := promtool(t, w.Body.String(), "check", "metrics"); err != nil || out != "" {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := promtool(t, "# HELP x_total X.\n# TYPE x_total gauge\nx_total{a=\"b} 1\n", "check", "metrics"); err == nil {
		t.Errorf("promtool accepts anything: %s", out)
	}
}

// Every metric in an expression of the alerts and the dashboard is one that a gate
// has.
func TestExpressionsNameMetrics(t *testing.T) {
	n := newNode(t, sqliteOf)
	n.use(t)
	known := map[string]bool{}
	for name := range n.scrape(t) {
		name, _, _ = strings.Cut(name, "{")
		known[name] = true
	}
	for _, file := range []string{"alerts.yaml", "dashboard.json"} {
		text, err := os.ReadFile(folder + file)
		if err != nil {
			t.Fatal(err)
		}
		if file == "dashboard.json" && !json.Valid(text) {
			t.Error("the dashboard is not JSON")
		}
		found := regexp.MustCompile(`\b(jotgate_[a-z_]+|go_sql_[a-z_]+|process_[a-z_]+)`).FindAllString(string(text), -1)
		if len(found) < 5 {
			t.Errorf("%s names %d metrics", file, len(found))
		}
		for _, name := range found {
			if !known[name] && !known[name+"_bucket"] {
				t.Errorf("%s: there is no metric %s", file, name)
			}
		}
	}
}

// node is a gate with its figures, its store and its e-mails.
type node struct {
	figures *metrics.Registry
	db      *store.Store
	gate    *jotgate.Gate
	mail    *mail.Sender
	began   time.Time
	ahead   time.Duration // of the clock
}

func sqliteOf(t *testing.T, n *node) *store.Store {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "jotgate.db"), sqlite.Options{Metrics: n.figures, Now: n.now, BusyTimeout: wait.Limit})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// now is a clock that stands still unless a test turns it.
func (n *node) now() time.Time { return n.began.Add(n.ahead) }

func newNode(t *testing.T, open func(*testing.T, *node) *store.Store) *node {
	t.Helper()
	n := &node{figures: metrics.New(), began: time.Now()}
	n.figures.Collect(func(_ context.Context, set metrics.Set) { set(metrics.BuildInfo, 1, "1.0", "go") }) // as serve does
	n.db = open(t, n)
	t.Cleanup(func() { _ = n.db.Close() })
	hasher, err := passwd.New("pbkdf2_sha256:1")
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	n.gate, err = jotgate.New(jotgate.Settings{
		SecretKey: "a-secret-for-tests-a-secret-for-tests-0123456789", Hasher: hasher, Metrics: n.figures, Logger: quiet, Now: n.now,
		PasswordRules: strength.Rules{}, ServeRevocations: true,
	}, n.db)
	if err != nil {
		t.Fatal(err)
	}
	n.mail, err = mail.New(mail.Settings{
		Server: "smtp://127.0.0.1:1", From: "site@example.com", BaseURL: "https://example.com", Logger: quiet, Now: n.now, Metrics: n.figures,
	}, n.gate.Accounts(), n.gate.Links(), n.db.Outbox())
	if err != nil {
		t.Fatal(err)
	}
	return n
}
