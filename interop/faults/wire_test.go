package faults

// The wire to PostgreSQL, broken by toxiproxy in every way it knows, with one node behind it and one beside.

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/jotgate/jotgate/internal/pgtest"
)

// wire is a proxy between a node and PostgreSQL.
type wire struct {
	*toxiproxy.Proxy
	dsn string // the database's address, through the proxy
}

// wireTo starts a proxy in front of the database.
func wireTo(t *testing.T, dsn string) *wire {
	t.Helper()
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "postgres", "127.0.0.1:0", address.Host)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	address.Host = proxy.Listen
	return &wire{proxy, address.String()}
}

// poison adds toxics, each written as toxiproxy's API takes it.
func (w *wire) poison(t *testing.T, toxics ...string) {
	t.Helper()
	for _, toxic := range toxics {
		if _, err := w.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			t.Fatalf("%s: %v", toxic, err)
		}
	}
}

func (w *wire) heal() { w.Toxics.ResetToxics(context.Background()) }

// Whether somebody must be answered 503 while a wire is broken.
const (
	nobody   = "nobody"   // it only slows down
	anybody  = "anybody"  // an operation that is repeated on a new connection may succeed
	somebody = "somebody" // no connection works
)

// toxics are the ways a wire breaks.
var toxics = []struct {
	name    string
	refused string
	short   bool // in the short form, too
	json    []string
}{
	{"latency", nobody, true, []string{`{"name":"d","type":"latency","attributes":{"latency":50}}`}},
	{"jitter", nobody, false, []string{
		`{"name":"d","type":"latency","attributes":{"latency":20,"jitter":20}}`,
		`{"name":"u","type":"latency","stream":"upstream","attributes":{"latency":20,"jitter":20}}`,
	}},
	{"slices", nobody, false, []string{`{"name":"d","type":"slicer","attributes":{"average_size":7,"size_variation":3,"delay":100}}`}},
	{"bandwidth", anybody, false, []string{`{"name":"d","type":"bandwidth","attributes":{"rate":1}}`}},
	{"long latency", somebody, false, []string{`{"name":"d","type":"latency","attributes":{"latency":7000}}`}},
	{"reset", somebody, false, []string{`{"name":"d","type":"reset_peer","attributes":{"timeout":0}}`}},
	{"reset after a while", anybody, true, []string{`{"name":"d","type":"reset_peer","attributes":{"timeout":300}}`}},
	{"half-open, no answers", somebody, true, []string{`{"name":"d","type":"timeout","attributes":{"timeout":0}}`}},
	{"half-open, no questions", somebody, false, []string{`{"name":"u","type":"timeout","stream":"upstream","attributes":{"timeout":0}}`}},
	{"blackhole", somebody, true, []string{
		`{"name":"d","type":"timeout","attributes":{"timeout":0}}`,
		`{"name":"u","type":"timeout","stream":"upstream","attributes":{"timeout":0}}`,
	}},
	{"slow close", nobody, false, []string{`{"name":"d","type":"slow_close","attributes":{"delay":2000}}`}},
	{"data limit, in a greeting", somebody, false, []string{`{"name":"d","type":"limit_data","attributes":{"bytes":20}}`}},
	{"data limit, in an answer", anybody, true, []string{`{"name":"d","type":"limit_data","attributes":{"bytes":3000}}`}},
	{"data limit, in a question", anybody, false, []string{`{"name":"u","type":"limit_data","stream":"upstream","attributes":{"bytes":2000}}`}},
}

func TestWire(t *testing.T) {
	t.Parallel()
	cluster := pgtest.Start(t, pgtest.Options{})
	for _, toxic := range toxics {
		if !toxic.short && !long() {
			continue
		}
		t.Run(toxic.name, func(t *testing.T) {
			t.Parallel()
			troubles, prompt := brokenWire(t, cluster.Database(t), toxic.json)
			if toxic.refused == nobody && prompt > 0 || toxic.refused == somebody && troubles == 0 {
				t.Errorf("%d answers of 503, %d of them without waiting", troubles, prompt)
			}
		})
	}
}

// brokenWire breaks the wire of one node under load, and mends it; it counts the answers of 503, and those that came promptly.
func brokenWire(t *testing.T, database string, toxics []string) (troubles, prompt int) {
	w := wireTo(t, database)
	here, beside := node(t, w.dsn), node(t, database)
	l := newLoad(t, here.URL)
	l.several = true // logouts go to the other node as well
	l.rest = either(60*time.Millisecond, 15*time.Millisecond)
	l.start()
	before := logoutOn(t, beside.URL)
	l.hears(before)
	w.poison(t, toxics...)
	for began := time.Now(); time.Since(began) < either(7*time.Second, 30*time.Second); time.Sleep(50 * time.Millisecond) {
		if a := l.ask("a logout of the other node", "GET", "/auth/check", before.Access); a.status == 200 {
			l.fault("a session that was logged out opens the gate")
		}
	}
	during := logoutOn(t, beside.URL)
	if a := l.ask("dead refresh", "POST", "/api/token/refresh/", "", "refresh", during.Refresh); a.status == 200 {
		l.fault("a session that was logged out on the other node was refreshed")
	}
	troubles, prompt = l.troubles()
	w.heal()
	back := l.recoversWithin(recovered)
	l.isDead(during)
	l.end()
	l.verify()
	t.Logf("%d answers of 503; recovered after %v", troubles, back.Round(time.Millisecond))
	return troubles, prompt
}

// troubles counts the answers of 503, and those that no limit of time explains. In the long form these are all.
func (l *load) troubles() (all, prompt int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if long() {
		return l.busy, l.busy
	}
	return l.busy, l.prompt
}

// logoutOn logs alice in and out on another node.
func logoutOn(t *testing.T, address string) tokens {
	t.Helper()
	l := &load{t: t, http: newClient(), url: func(int) string { return address }, counts: map[string]int{}}
	l.inAndOut()
	if len(l.gone) != 1 {
		t.Fatalf("a logout on the other node: %v %v", l.counts, l.faults)
	}
	return l.gone[0]
}
