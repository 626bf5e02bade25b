// Sending what is in the outbox: which messages are due, their outcome, and when
// to try again.

package mail

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jotgate/jotgate/internal/queue"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/trace"
)

const (
	pollEvery     = time.Second      // how often Run looks for messages
	concurrency   = 4                // messages sent concurrently by one process
	recordTimeout = 10 * time.Second // for recording the outcome in the outbox
	leaseMargin   = time.Minute      // the lease outlasts a delivery by this much
	firstRetry    = 30 * time.Second
	lastRetry     = 4 * time.Hour
	maxAttempts   = 40 // reached after about five days; MaxAge comes first unless it is longer
)

// Run sends messages as they become due, until the context ends; it then finishes
// those being sent, which takes at most Settings.Timeout and some seconds. It
// returns the context's error.
func (s *Sender) Run(ctx context.Context) error {
	return queue.Poll(ctx, pollEvery, s.queue().Drain, func(err error) {
		s.settings.Logger.WarnContext(ctx, "the outbox could not be read", "cause", err)
	})
}

// SendDue takes at most four messages that are due, sends them concurrently and
// returns how many it took, sent or not. The error is the outbox's, if it could not
// be read.
func (s *Sender) SendDue(ctx context.Context) (int, error) { return s.queue().Step(ctx) }

func (s *Sender) queue() queue.Queue[record.Message] {
	return queue.Queue[record.Message]{
		Take: func(ctx context.Context) ([]record.Message, error) {
			// The query for messages, once a second, has no span.
			return s.outbox.Due(trace.WithTracer(ctx, nil), s.settings.Now(), concurrency, s.settings.Timeout+leaseMargin)
		},
		Batch: concurrency, Handle: s.record,
	}
}

// record sends one message in a span.
func (s *Sender) record(ctx context.Context, message record.Message) {
	ctx, span := trace.Start(ctx, trace.Client, "jotgate.email", slog.String("jotgate.email.kind", string(message.Kind)))
	result := s.send(ctx, message)
	span.Set(slog.String("jotgate.email.result", result))
	if result != "rejected" && result != "postponed" {
		result = ""
	}
	span.End(result)
}

// send sends one message, drops it, or schedules another attempt. It returns what it
// did: the label of the metric, or "removed".
func (s *Sender) send(ctx context.Context, message record.Message) (result string) {
	if s.transport == (discarder{}) || s.isUnmarked(message.ID) {
		s.remove(ctx, message)
		return "removed"
	}
	log := s.settings.Logger.With("message", message.ID, "kind", message.Kind, "user_id", message.User, "attempts", message.Attempts)
	err := s.composeAndDeliver(ctx, message)
	var drop dropped
	var refused *refusedError
	switch {
	case err == nil:
		log.InfoContext(ctx, "a message was sent")
		s.remove(ctx, message)
		result = "sent"
	case errors.As(err, &drop) && message.Kind == record.MessageDecoy:
		s.remove(ctx, message) // not logged: the log must not disclose which addresses have accounts
		return "removed"
	case errors.As(err, &drop):
		log.WarnContext(ctx, "a message was dropped", "cause", string(drop))
		s.remove(ctx, message)
		result = "dropped"
	case errors.As(err, &refused):
		log.ErrorContext(ctx, "a message was rejected and will not be sent", "cause", reason(err))
		s.remove(ctx, message)
		result = "rejected"
	default:
		wait := retryAfter(message)
		log.WarnContext(ctx, "a message could not be sent and will be tried again", "cause", reason(err), "in", wait)
		s.postpone(ctx, message, wait, err)
		result = "postponed"
	}
	s.settings.Metrics.Count(metrics.Emails, string(message.Kind), result)
	return result
}

func (s *Sender) composeAndDeliver(ctx context.Context, message record.Message) error {
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	e, err := s.compose(ctx, message)
	if err != nil {
		return err
	}
	return s.transport.deliver(ctx, e)
}

// remove deletes the message from the outbox. If that fails, this process remembers
// that the message was sent and tries to delete it again once its lease is over.
func (s *Sender) remove(ctx context.Context, message record.Message) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	err := s.outbox.Sent(ctx, message.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.unmarked, message.ID)
		return
	}
	s.unmarked[message.ID] = true
	s.settings.Logger.ErrorContext(ctx, "a message that was sent could not be removed from the outbox", "message", message.ID, "cause", err)
}

func (s *Sender) isUnmarked(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unmarked[id]
}

// postpone records a failure. If that fails too, the message is due again when its
// lease ends.
func (s *Sender) postpone(ctx context.Context, message record.Message, wait time.Duration, cause error) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	if err := s.outbox.Failed(ctx, message.ID, s.settings.Now().Add(wait), reason(cause)); err != nil {
		s.settings.Logger.WarnContext(ctx, "a failed attempt to send a message could not be recorded", "message", message.ID, "cause", err)
	}
}

// retryAfter doubles with each attempt. The id spreads the messages of
// one outage over another quarter of the time.
func retryAfter(message record.Message) time.Duration {
	wait := min(firstRetry<<min(message.Attempts, 16), lastRetry)
	return wait + wait*time.Duration(uint64(message.ID)%16)/64
}

// reason returns what the outbox and the log keep of a failure: one line of bounded
// length, because the server chooses the text.
func reason(err error) string { return clean(err.Error(), maxDetail) }
