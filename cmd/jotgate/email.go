package main

// `email`: tests whether e-mail can be sent.

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

type emailCommands struct {
	Test emailTest `cmd:"" help:"Send a test message, as serve with the same settings would."`
}

type emailTest struct {
	gateFlags
	mailFlags
	BaseURL string `group:"requests" placeholder:"URL" help:"The public URL of the API, if there is no --mail-base-url. Default: none."`
	Address string `arg:"" help:"The recipient."`
}

// Help is shown below the usage line.
func (emailTest) Help() string {
	return `Connects to --mail-server and sends one short message directly, without the outbox;
neither database nor secret is needed. The status is 1 if the server refuses it.

    jotgate email test alice@example.com
    jotgate email test alice@example.com --mail-server smtp://user:password@mail.example.com --mail-from noreply@example.com`
}

// Run sends the message.
func (c *emailTest) Run(a *app) error {
	f := serveFlags{gateFlags: c.gateFlags, mailFlags: c.mailFlags}
	f.SecretKey = randomText(secretLength, secretAlphabet) // nothing is signed here
	gate, err := f.dryRunGate(a, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	c.PrintEmails = true // this message has no link
	sender, err := c.sender(a, gate, noOutbox{}, cmp.Or(c.BaseURL, "http://127.0.0.1"), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(a.ctx, time.Minute)
	defer cancel()
	if err := sender.SendTest(ctx, c.Address); err != nil {
		return err
	}
	if c.MailServer == "" {
		a.warn("there is no --mail-server: the message was printed above")
		return nil
	}
	a.printf("sent to %s\n", c.Address)
	return nil
}
