package webhook

// Sending messages.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jotgate/jotgate/internal/hooksign"
	"github.com/jotgate/jotgate/internal/queue"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/trace"
)

const (
	pollEvery     = time.Second // how often Run looks for events and messages
	purgeEvery    = 10 * time.Minute
	relayBatch    = 100
	concurrency   = 4                // messages sent concurrently to one endpoint by one process
	leaseMargin   = time.Minute      // the lease outlasts an attempt by this much
	recordTimeout = 10 * time.Second // for recording an outcome
	maxResponse   = 64 << 10         // bytes of a response that are read
)

// Run sends messages as they become due, until the context ends; it then finishes those
// being sent. It returns the context's error. An endpoint that is slow does not delay the
// others.
func (w *Webhooks) Run(ctx context.Context) error {
	defer w.client.CloseIdleConnections()
	defer w.busy.wait()
	var purged time.Time
	return queue.Poll(trace.WithTracer(ctx, nil), pollEvery, func(ctx context.Context) error { // looking for messages is not a span
		err := w.step(ctx)
		if now := w.now(); err == nil && now.Sub(purged) >= purgeEvery {
			purged = now
			_, err = w.store.Purge(ctx, now.Add(-w.settings.Retention), 1000)
		}
		return err
	}, func(err error) { w.warn(ctx, "webhooks could not be read", "cause", err) })
}

func (w *Webhooks) warn(ctx context.Context, text string, about ...any) {
	w.gate.Settings().Logger.WarnContext(ctx, text, about...)
}

// Flush sends the messages that are due now, and returns when they are sent or have
// failed. Run does so regularly.
func (w *Webhooks) Flush(ctx context.Context) error {
	err := w.step(ctx)
	w.busy.wait()
	return err
}

// step makes messages of new events, and begins to send to each endpoint that has
// messages which are due.
func (w *Webhooks) step(ctx context.Context) error {
	for {
		n, err := w.store.Relay(ctx, relayBatch, route(w.now()))
		if err != nil {
			return err
		}
		if n < relayBatch {
			break
		}
	}
	endpoints, err := w.store.Waiting(ctx, w.now())
	for _, id := range endpoints {
		w.busy.start(id, func() {
			if err := w.sendTo(ctx, id); err != nil && ctx.Err() == nil {
				w.warn(ctx, "the messages to a webhook could not be read", "webhook", id, "cause", err)
			}
		})
	}
	return err
}

// busy are the endpoints to which this process is sending.
type busy struct {
	mu      sync.Mutex
	ids     map[string]bool
	running sync.WaitGroup
}

// start calls do in a goroutine, unless one of the same id is running.
func (b *busy) start(id string, do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ids[id] {
		return
	}
	if b.ids == nil {
		b.ids = map[string]bool{}
	}
	b.ids[id] = true
	b.running.Go(func() {
		defer func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			delete(b.ids, id)
		}()
		do()
	})
}

func (b *busy) wait() { b.running.Wait() }

// sendTo sends the messages to an endpoint that are due.
func (w *Webhooks) sendTo(ctx context.Context, id string) error {
	return queue.Queue[Delivery]{
		Take: func(ctx context.Context) ([]Delivery, error) {
			return w.store.Due(ctx, id, w.now(), concurrency, w.settings.Timeout+leaseMargin)
		},
		Batch: concurrency, Handle: w.send,
	}.Drain(ctx)
}

// send makes an attempt and records its outcome. If that fails, the message is due again
// when its lease ends.
func (w *Webhooks) send(ctx context.Context, d Delivery) {
	o := w.try(ctx, &d)
	result, level, text := "postponed", slog.LevelWarn, "a webhook was not delivered and will be tried again"
	switch {
	case o.Delivered:
		result, level, text = "delivered", slog.LevelDebug, "a webhook was delivered"
	case o.Retry.IsZero():
		result, level, text = "given_up", slog.LevelError, "a webhook was not delivered and is given up"
	}
	w.gate.Settings().Metrics.Count(metrics.Webhooks, result)
	recording, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	disabled, err := w.store.Record(recording, d, o, w.now())
	about := []any{"webhook", d.Endpoint, "message", d.ID, "type", d.Type, "attempts", d.Attempts + 1, "status", o.Status}
	if o.Reason != "" {
		about = append(about, "cause", o.Reason)
	}
	if !o.Retry.IsZero() {
		about = append(about, "at", o.Retry)
	}
	switch {
	case err != nil:
		level, text, about = slog.LevelWarn, "the outcome of a webhook could not be recorded", append(about, "error", err)
	case disabled:
		level, text = slog.LevelError, "a webhook was disabled"
	}
	w.gate.Settings().Logger.Log(ctx, level, text, about...)
}

// try makes an attempt.
func (w *Webhooks) try(ctx context.Context, d *Delivery) Outcome {
	now := w.now()
	o := Outcome{DisableIf: now.Add(-w.settings.DisableAfter)}
	e, err := w.store.Find(ctx, d.Endpoint)
	var header http.Header
	if err == nil {
		o.Status, header, err = w.post(ctx, e, d.ID, d.Body)
	}
	if o.Delivered = err == nil; o.Delivered {
		return o
	}
	o.Reason, o.Retry = reason(err), retryAt(d, header, w.now())
	if o.Disable = o.Status == http.StatusGone; o.Disable {
		o.Retry = time.Time{}
	}
	return o
}

// post sends a body to the endpoint, signed at the present time. It returns an error
// unless the response has a status 2xx.
func (w *Webhooks) post(ctx context.Context, e *Endpoint, id, body string) (status int, header http.Header, err error) {
	now := w.now()
	keys, err := w.keys(e, now)
	if err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "jotgate-webhook")
	hooksign.Sign(r.Header, keys, id, body, now)
	resp, err := w.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxResponse) // so that the connection can be used again
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return resp.StatusCode, nil, nil
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		err = fmt.Errorf("the response is a redirect (%d), which is not followed", resp.StatusCode)
	default:
		err = fmt.Errorf("the status is %d", resp.StatusCode)
	}
	return resp.StatusCode, resp.Header, err
}

// reason returns what the store keeps of a failure: without the URL, which may contain
// something secret, in one line of bounded length.
func reason(err error) string {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	return strings.ToValidUTF8(text[:min(len(text), 200)], "")
}
