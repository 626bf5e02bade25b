// Sending what is in the outbox: which messages are due, their outcome, and when
// to try again.

package mail

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jotgate/jotgate/record"
)

const (
	pollEvery   = time.Second      // how often Run looks for messages
	atOnce      = 4                // messages sent concurrently by one process
	noteWithin  = 10 * time.Second // for recording the outcome in the outbox
	leaseSpare  = time.Minute      // the lease outlasts a delivery by this much
	firstRetry  = 30 * time.Second
	lastRetry   = 4 * time.Hour
	maxAttempts = 40 // reached after about five days; MaxAge comes first unless it is longer
)

// Run sends messages as they become due, until the context ends; it then finishes
// those being sent, which takes at most Settings.Timeout and some seconds. It
// returns the context's error.
func (s *Sender) Run(ctx context.Context) error {
	for {
		n, err := s.SendDue(ctx)
		if err != nil && ctx.Err() == nil {
			s.settings.Logger.WarnContext(ctx, "the outbox could not be read", "cause", err)
		}
		if n == atOnce && err == nil && ctx.Err() == nil {
			continue // there are probably more
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

// SendDue takes at most four messages that are due, sends them concurrently and
// returns how many it took, sent or not. The error is the outbox's, if it could not
// be read.
func (s *Sender) SendDue(ctx context.Context) (int, error) {
	letters, err := s.outbox.Due(ctx, s.settings.Now(), atOnce, s.settings.Timeout+leaseSpare)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	for _, letter := range letters {
		// Not cancelled with ctx: a delivery that is cut off may have
		// succeeded, and the message would be sent twice.
		all.Go(func() { s.send(context.WithoutCancel(ctx), letter) })
	}
	all.Wait()
	return len(letters), nil
}

// send sends one message, drops it, or schedules another attempt.
func (s *Sender) send(ctx context.Context, letter record.Letter) {
	if s.transport == (discarder{}) || s.isUnmarked(letter.ID) {
		s.remove(ctx, letter)
		return
	}
	log := s.settings.Logger.With("message", letter.ID, "kind", letter.Kind, "user_id", letter.User, "attempts", letter.Attempts)
	err := s.composeAndDeliver(ctx, letter)
	var drop dropped
	var refused *refusedError
	switch {
	case err == nil:
		log.InfoContext(ctx, "a message was sent")
		s.remove(ctx, letter)
	case errors.As(err, &drop) && letter.Kind == record.LetterDecoy:
		s.remove(ctx, letter) // not logged: the log must not disclose which addresses have accounts
	case errors.As(err, &drop):
		log.WarnContext(ctx, "a message was dropped", "cause", string(drop))
		s.remove(ctx, letter)
	case errors.As(err, &refused):
		log.ErrorContext(ctx, "a message was rejected and will not be sent", "cause", reason(err))
		s.remove(ctx, letter)
	default:
		wait := retryAfter(letter)
		log.WarnContext(ctx, "a message could not be sent and will be tried again", "cause", reason(err), "in", wait)
		s.postpone(ctx, letter, wait, err)
	}
}

func (s *Sender) composeAndDeliver(ctx context.Context, letter record.Letter) error {
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	e, err := s.compose(ctx, letter)
	if err != nil {
		return err
	}
	return s.transport.deliver(ctx, e)
}

// remove deletes the message from the outbox. If that fails, this process remembers
// that the message was sent and tries to delete it again once its lease is over.
func (s *Sender) remove(ctx context.Context, letter record.Letter) {
	ctx, cancel := context.WithTimeout(ctx, noteWithin)
	defer cancel()
	err := s.outbox.Sent(ctx, letter.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.unmarked, letter.ID)
		return
	}
	s.unmarked[letter.ID] = true
	s.settings.Logger.ErrorContext(ctx, "a message that was sent could not be removed from the outbox", "message", letter.ID, "cause", err)
}

func (s *Sender) isUnmarked(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unmarked[id]
}

// postpone records a failure. If that fails too, the message is due again when its
// lease ends.
func (s *Sender) postpone(ctx context.Context, letter record.Letter, wait time.Duration, cause error) {
	ctx, cancel := context.WithTimeout(ctx, noteWithin)
	defer cancel()
	if err := s.outbox.Failed(ctx, letter.ID, s.settings.Now().Add(wait), reason(cause)); err != nil {
		s.settings.Logger.WarnContext(ctx, "a failed attempt to send a message could not be recorded", "message", letter.ID, "cause", err)
	}
}

// retryAfter doubles with each attempt. The id spreads the messages of
// one outage over another quarter of the time.
func retryAfter(letter record.Letter) time.Duration {
	wait := min(firstRetry<<min(letter.Attempts, 16), lastRetry)
	return wait + wait*time.Duration(uint64(letter.ID)%16)/64
}

// reason returns what the outbox and the log keep of a failure: one line of bounded
// length, because the server chooses the text.
func reason(err error) string { return clean(err.Error(), maxDetail) }
