package monitoring

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// alerts are all that alerts.yaml has.
var alerts = []string{"JotgateLoginFlood", "JotgateDatabaseDown", "JotgateSigningKeyOld", "JotgateEmailQueueStuck", "JotgateFeedLagging"}

const password = "correct horse battery"

// use does what a site does: a sign-up, logins, a request, a refresh, a key, an
// e-mail that cannot be sent.
func (n *node) use(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	must(t, n.gate.Sync(ctx))
	account, err := n.gate.Register(ctx, jotgate.Registration{Username: "alice", Email: "alice@example.com", Password: password}, jotgate.Client{})
	must(t, err)
	tokens, err := n.gate.Login(ctx, "alice", password, jotgate.Client{})
	must(t, err)
	_, err = n.gate.Refresh(ctx, tokens.Refresh, jotgate.Client{})
	must(t, err)
	h := n.figures.Wrap(n.gate.Require(http.NotFoundHandler()))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+tokens.Access)
	h.ServeHTTP(httptest.NewRecorder(), r)
	_, _ = n.gate.Login(ctx, "alice", "wrong", jotgate.Client{})
	key, err := n.gate.Keys().Add(ctx, jwt.ES256)
	must(t, err)
	must(t, n.gate.Keys().Switch(ctx, key.ID))
	must(t, n.db.Outbox().Add(ctx, record.Message{Kind: record.MessagePasswordChanged, User: account.ID, To: account.Email, Created: n.now()}))
	limited, err := api.New(n.gate, api.Settings{Rates: map[string]string{"login": "1/day"}})
	must(t, err)
	for range 2 {
		limited.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/api/token/", nil))
	}
	_, err = n.mail.SendDue(ctx)
	must(t, err)
	_, err = n.gate.Purge(ctx)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// scrape returns the value of each series, among them what is read from the database, for which a scrape waits a second
// at most.
func (n *node) scrape(t *testing.T) (found map[string]float64) {
	t.Helper()
	wait.Until(t, "the database has responded in time", func() bool {
		found = scrape(t, n.figures)
		_, read := found["jotgate_sessions_active"]
		return found["jotgate_db_up"] == 1 && read
	})
	return found
}

func scrape(t *testing.T, figures http.Handler) map[string]float64 {
	t.Helper()
	w := httptest.NewRecorder()
	figures.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	found := map[string]float64{}
	for line := range strings.Lines(w.Body.String()) {
		i := strings.LastIndexByte(line, ' ')
		if line[0] == '#' {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(line[i:]), 64)
		must(t, err)
		found[line[:i]] = v
	}
	return found
}

// expect has Prometheus' tool play two scrapes of one process: as if the first one
// had been repeated for ten minutes, and what lies between them then happened each
// minute for two hours. Exactly the alert named want must be raised; "" is none.
func expect(t *testing.T, before, after map[string]float64, want string) {
	t.Helper()
	var b strings.Builder
	file, err := filepath.Abs(folder + "alerts.yaml")
	must(t, err)
	fmt.Fprintf(&b, "rule_files: [%q]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n", file)
	for _, series := range slices.Sorted(maps.Keys(after)) {
		old, known := before[series]
		if !known {
			old = after[series]
		}
		slope := after[series] - old
		if name, _, _ := strings.Cut(series, "{"); !strings.HasSuffix(name, "_total") && !strings.HasSuffix(name, "_count") && !strings.HasSuffix(name, "_bucket") {
			slope = 0
		}
		labelled := strings.Replace(series, "{", `{job="jotgate",instance="node",`, 1)
		if labelled == series {
			labelled += `{job="jotgate",instance="node"}`
		}
		fmt.Fprintf(&b, "      - {series: '%s', values: '%g+0x9 %g+%gx120'}\n", labelled, old, after[series], slope)
	}
	for series, old := range before { // such as the e-mails of a database that is gone
		if _, known := after[series]; !known {
			fmt.Fprintf(&b, "      - {series: '%s', values: '%g+0x9 stale'}\n", strings.Replace(series, "{", `{job="jotgate",instance="node",`, 1), old)
		}
	}
	b.WriteString("    promql_expr_test:\n")
	for _, alert := range alerts {
		samples := "[]"
		if alert == want {
			samples = "[{labels: '{}', value: 1}]"
		}
		fmt.Fprintf(&b, "      - {expr: 'count(ALERTS{alertname=%q,alertstate=\"firing\"})', eval_time: 2h, exp_samples: %s}\n", alert, samples)
	}
	test := filepath.Join(t.TempDir(), "test.yaml")
	must(t, os.WriteFile(test, []byte(b.String()), 0o600))
	if out, err := promtool(t, "", "test", "rules", test); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Each fault of a real gate raises its alert and no other.
func TestFaults(t *testing.T) {
	t.Run("none", func(t *testing.T) {
		n := newNode(t, sqliteOf)
		n.use(t)
		before := n.scrape(t)
		for range 5 { // users who mistype
			_, _ = n.gate.Login(t.Context(), "alice", "wrong", jotgate.Client{})
		}
		expect(t, before, n.scrape(t), "")
	})
	t.Run("flood of logins", func(t *testing.T) {
		n := newNode(t, sqliteOf)
		n.use(t)
		before := n.scrape(t)
		for i := range 150 {
			_, _ = n.gate.Login(t.Context(), fmt.Sprint("user", i), "wrong", jotgate.Client{})
		}
		expect(t, before, n.scrape(t), "JotgateLoginFlood")
	})
	t.Run("many users", func(t *testing.T) { // as many logins, most of them right
		n := newNode(t, sqliteOf)
		n.use(t)
		before := n.scrape(t)
		for i := range 150 {
			_, _ = n.gate.Login(t.Context(), "alice", []string{password, "wrong"}[i%2], jotgate.Client{})
		}
		expect(t, before, n.scrape(t), "")
	})
	t.Run("dead database", func(t *testing.T) {
		cluster := pgtest.Start(t, pgtest.Options{})
		n := newNode(t, func(t *testing.T, n *node) *store.Store {
			db, err := postgres.Open(t.Context(), cluster.Database(t), postgrestest.Limits(postgres.Options{Metrics: n.figures, Now: n.now}))
			must(t, err)
			return db
		})
		n.use(t)
		before := n.scrape(t)
		cluster.Stop(t)
		n.ahead = 10 * time.Minute // no revocation is read, and no e-mail is sent
		if err := n.gate.Sync(t.Context()); err == nil {
			t.Error("the database is not dead")
		}
		expect(t, before, scrape(t, n.figures), "JotgateDatabaseDown")
		cluster.Resume(t)
	})
	t.Run("old key", func(t *testing.T) {
		n := newNode(t, sqliteOf)
		must(t, n.gate.Sync(t.Context()))
		key, err := n.gate.Keys().Add(t.Context(), jwt.ES256)
		must(t, err)
		must(t, n.gate.Keys().Switch(t.Context(), key.ID))
		before := n.scrape(t)
		n.ahead = 101 * 24 * time.Hour
		must(t, n.gate.Sync(t.Context()))
		expect(t, before, n.scrape(t), "JotgateSigningKeyOld")
	})
	t.Run("stuck e-mails", func(t *testing.T) {
		n := newNode(t, sqliteOf)
		n.use(t)
		before := n.scrape(t)
		n.ahead = 20 * time.Minute
		_, err := n.mail.SendDue(t.Context())
		must(t, err)
		must(t, n.gate.Sync(t.Context()))
		expect(t, before, n.scrape(t), "JotgateEmailQueueStuck")
	})
	t.Run("node that does not read revocations", func(t *testing.T) {
		n := newNode(t, sqliteOf)
		must(t, n.gate.Sync(t.Context()))
		before := n.scrape(t)
		n.ahead = time.Minute
		expect(t, before, n.scrape(t), "JotgateFeedLagging")
	})
	t.Run("guard that lost its feed", func(t *testing.T) {
		key, err := jwt.NewHMAC(jwt.HS256, []byte("a-secret-for-tests-a-secret-for-tests-0123456789"))
		must(t, err)
		figures := metrics.New()
		n := newNode(t, sqliteOf)
		must(t, n.gate.Sync(t.Context()))
		feed := httptest.NewServer(feedOf(n.gate))
		t.Cleanup(feed.Close)
		guard, err := jotgate.NewGuard(jotgate.GuardSettings{
			Keys: key, RevocationsURL: feed.URL + "/auth/revocations", Metrics: figures, Now: n.now,
		})
		must(t, err)
		follow(t, guard)
		before := scrape(t, figures)
		if _, known := before["jotgate_revocation_age_seconds"]; !known {
			t.Fatal("the guard has read nothing")
		}
		n.ahead = time.Minute
		expect(t, before, scrape(t, figures), "JotgateFeedLagging")
	})
}

// feedOf serves the API of a gate.
func feedOf(gate *jotgate.Gate) http.Handler {
	mux := http.NewServeMux()
	api.Mount(mux, gate)
	return mux
}

// follow runs the guard until it has read the feed.
func follow(t *testing.T, guard *jotgate.Guard) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- guard.Run(ctx) }()
	wait.Until(t, "the guard has read the feed", func() bool { return guard.RevocationAge() < time.Hour })
	stop()
	<-ended
}
