package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/webhook"
)

// Webhooks cost a login no statement, whether there are any or not. The event is marked
// for them by the statement that stores it, if there is one, and Relay takes it once.
func TestWebhooksCostNoStatement(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		hooks := store.Webhooks(s)
		w.account(s, "ada")
		o := observe(w, s)
		enter := func(session string) (statements int) {
			o.sent = nil
			login(w, s, "1", session)
			for _, sent := range o.sent {
				if strings.Contains(sent.text, "jotgate_webhook") && !strings.HasPrefix(sent.text, "INSERT INTO jotgate_event ") {
					w.Errorf("a login sends %s", sent.text)
				}
			}
			return len(o.sent)
		}
		enter("warm")
		without := enter("without")
		w.must(hooks.Add(w.ctx, webhook.Endpoint{ID: "wh_1", URL: "https://example.com/", Created: noon, Sealed: "x"}))
		if with := enter("with"); with != without {
			w.Errorf("%d statements with a webhook, %d without", with, without)
		}
		var taken []record.Event
		for range 2 {
			_, err := hooks.Relay(w.ctx, 100, func(events []record.Event, endpoints []webhook.Endpoint) []webhook.Delivery {
				taken = append(taken, events...)
				return []webhook.Delivery{{ID: "msg_1", Endpoint: "wh_1", Event: events[0].ID, Type: "t", Body: "{}", Created: noon, Due: noon}}
			})
			w.must(err)
		}
		if len(taken) != 1 || taken[0].Session != "with" || w.count("SELECT COUNT(*) FROM jotgate_event WHERE relay IS NOT NULL") != 0 {
			w.Errorf("%+v", taken)
		}
		// A node whose lease has ended does not overwrite what another has recorded.
		first, err := hooks.Due(w.ctx, "wh_1", noon, 10, time.Minute)
		w.must(err)
		none, err := hooks.Due(w.ctx, "wh_1", noon.Add(time.Second), 10, time.Minute)
		w.must(err)
		second, err := hooks.Due(w.ctx, "wh_1", noon.Add(time.Hour), 10, time.Minute)
		w.must(err)
		if len(first) != 1 || len(none) != 0 || len(second) != 1 {
			w.Fatalf("%d, %d, %d", len(first), len(none), len(second))
		}
		for _, d := range []webhook.Delivery{first[0], second[0], second[0]} {
			_, err := hooks.Record(w.ctx, d, webhook.Outcome{Retry: noon.Add(2 * time.Hour)}, noon)
			w.must(err)
		}
		if n := w.count("SELECT attempts FROM jotgate_webhook_delivery"); n != 1 {
			w.Errorf("%d attempts", n)
		}
	})
}

// New events are found by the index of those that are marked, not by reading the trail.
func TestRelayUsesItsIndex(t *testing.T) {
	both(t, func(w *world) {
		w.open()
		w.exec(`INSERT INTO jotgate_event (made, event) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i, 'login' FROM n`)
		w.exec("ANALYZE")
		for _, text := range []string{"SELECT 1 FROM jotgate_event WHERE relay LIMIT 1", strings.Replace(store.RelayText, "$1", "100", 1)} {
			if plan := strings.Join(w.steps(w.on("EXPLAIN QUERY PLAN ", "EXPLAIN ")+text), "\n"); !strings.Contains(plan, "jotgate_event_relay") || strings.Contains(plan, "Seq Scan") || strings.Contains(plan+"\n", "SCAN jotgate_event\n") {
				w.Errorf("%s:\n%s", text, plan)
			}
		}
	})
}
