package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
)

// Check connects to the mail server and logs in, without sending anything; it
// takes at most Settings.Timeout. Without a Server it returns nil. The error is
// the server's or the connection's and never holds the password.
func (s *Sender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	return s.transport.check(ctx)
}

// SendTest sends a short message to the address immediately, without the outbox,
// so that an operator sees whether e-mail arrives. It takes at most
// Settings.Timeout. The error is the server's or the connection's.
func (s *Sender) SendTest(ctx context.Context, to string) error {
	if !isAddress(to) {
		return fmt.Errorf("mail: %q is not an e-mail address", to)
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	site := clean(s.settings.Site, maxName)
	_, domain, _ := strings.Cut(s.from.Address, "@")
	err := s.transport.deliver(ctx, envelope{
		s.from, to, "jotgate.test." + rand.Text() + "@" + domain, s.settings.Now(),
		Message{Subject: "Test message from " + site, Text: "This message was sent to check that e-mail from " + site + " arrives.\nThere is nothing to do.\n"},
	})
	var refused *refusedError
	if errors.As(err, &refused) {
		return refused.cause
	}
	return err
}
