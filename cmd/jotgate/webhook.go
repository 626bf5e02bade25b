package main

// `webhook`: manages the URLs that get events, and what is sent to them. serve sends the
// messages (webhook_serve.go).

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/webhook"
)

type webhookCommands struct {
	Add        webhookAdd        `cmd:"" help:"Add a webhook, and print its secret once."`
	List       webhookList       `cmd:"" help:"List the webhooks, and how many messages wait."`
	Set        webhookSet        `cmd:"" help:"Change the URL or the types of events of a webhook."`
	Rotate     webhookRotate     `cmd:"" help:"Give a webhook another secret, and print it once."`
	Test       webhookAction     `cmd:"" help:"Send a test message to a webhook, and report the response."`
	Deliveries webhookDeliveries `cmd:"" help:"List the messages to a webhook, newest first."`
	Replay     webhookReplay     `cmd:"" help:"Send messages to a webhook again, with the ids that they had."`
	Disable    webhookAction     `cmd:"" help:"Disable a webhook; its messages wait."`
	Enable     webhookAction     `cmd:"" help:"Enable a webhook again, and send what has waited."`
	Remove     webhookAction     `cmd:"" help:"Remove a webhook and its messages."`
}

// webhookCommand is what the commands have in common.
type webhookCommand struct {
	gateFlags
	webhookFlags
}

// webhookArg names a webhook.
type webhookArg struct {
	webhookCommand
	ID string `arg:"" help:"The webhook, as webhook list shows it."`
}

// operator is named as the endpoint of events in the audit trail.
var operator = jotgate.Client{Endpoint: "command line"}

// do makes the webhooks of the database for do, and closes it afterwards.
func (c *webhookCommand) do(a *app, do func(hooks *webhook.Webhooks) error) error {
	gate, db, err := c.gate(a, a.logger(), false)
	if err != nil {
		return err
	}
	hooks, err := c.newWebhooks(gate)
	if err == nil {
		err = do(hooks)
	}
	return errors.Join(err, db.Close())
}

// do is that of webhookCommand.
func (c *webhookArg) do(a *app, do func(hooks *webhook.Webhooks) error) error {
	return notFound(c.webhookCommand.do(a, do), "webhook", c.ID)
}

// typesOf returns --types for a request: nil if it is not given, and empty for "default".
func typesOf(list []string) []string {
	if len(list) == 1 && list[0] == "default" {
		return []string{}
	}
	return list
}

type webhookAdd struct {
	webhookCommand
	listFlags
	URL   string   `arg:"" name:"url" help:"Where to send the messages, such as https://app.example.com/hooks."`
	Types []string `placeholder:"TYPE" help:"The types of events, such as user.deleted or user.*; several are separated by commas. Default: all that clients cannot cause at any rate."`
}

// Help is shown below the usage line.
func (webhookAdd) Help() string {
	return `    jotgate webhook add https://app.example.com/hooks
    jotgate webhook add https://app.example.com/hooks --types 'user.*,session.ended'

Standard output is the secret alone (whsec_…), with which the receiver verifies
the messages. It cannot be shown again.`
}

// Run adds the webhook.
func (c *webhookAdd) Run(a *app) error {
	return c.do(a, func(hooks *webhook.Webhooks) error {
		created, err := hooks.Add(a.ctx, webhook.Request{URL: c.URL, Types: typesOf(c.Types)}, operator)
		return c.printSecret(a, created, err)
	})
}

// printSecret prints a secret on standard output, and what belongs to it on standard
// error.
func (f *listFlags) printSecret(a *app, created webhook.Created, err error) error {
	switch {
	case err != nil:
		return err
	case f.JSON:
		return a.json(created)
	}
	a.print(created.Secret)
	a.warn("%s: the secret above cannot be shown again", created.ID)
	return nil
}

type webhookList struct {
	webhookCommand
	listFlags
}

// Help is shown below the usage line.
func (webhookList) Help() string { return `    jotgate webhook list` }

// Run lists the webhooks, oldest first.
func (c *webhookList) Run(a *app) error {
	return c.do(a, func(hooks *webhook.Webhooks) error {
		list, err := hooks.List(a.ctx)
		if err != nil {
			return err
		}
		var rows [][]string
		for i := range list {
			e := &list[i]
			rows = append(rows, []string{e.ID, e.URL, strings.Join(e.Types, " "), when(e.Created), strconv.Itoa(e.Waiting), strconv.Itoa(e.GivenUp), e.Describe()})
		}
		return c.show(a, append([]webhook.Endpoint{}, list...), "there are no webhooks", "ID URL TYPES CREATED WAITING GIVEN-UP STATE", rows)
	})
}

type webhookSet struct {
	webhookArg
	URL   string   `name:"url" placeholder:"URL" help:"Where to send the messages."`
	Types []string `placeholder:"TYPE" help:"The types of events, which replace the former ones; default: all that clients cannot cause at any rate."`
}

// Help is shown below the usage line.
func (webhookSet) Help() string {
	return `    jotgate webhook set wh_… --types user.deleted
    jotgate webhook set wh_… --url https://app.example.com/hooks --types default`
}

// Run changes the webhook.
func (c *webhookSet) Run(a *app) error {
	if c.URL == "" && len(c.Types) == 0 {
		return usage("give --url or --types")
	}
	return c.do(a, func(hooks *webhook.Webhooks) error {
		err := hooks.Change(a.ctx, c.ID, webhook.Request{URL: c.URL, Types: typesOf(c.Types)}, operator)
		if err == nil {
			a.print("changed " + c.ID)
		}
		return err
	})
}

type webhookRotate struct {
	webhookArg
	listFlags
	Overlap time.Duration `default:"1d" placeholder:"TIME" help:"How long messages are signed with the former secret, too, up to 30d."`
}

// Help is shown below the usage line.
func (webhookRotate) Help() string {
	return `    jotgate webhook rotate wh_… --overlap 1h

During the overlap each message has two signatures, so that the receiver can
change its secret at any time.`
}

// Run rotates the secret.
func (c *webhookRotate) Run(a *app) error {
	return c.do(a, func(hooks *webhook.Webhooks) error {
		created, err := hooks.Rotate(a.ctx, c.ID, c.Overlap, operator)
		return c.printSecret(a, created, err)
	})
}

type webhookDeliveries struct {
	webhookArg
	listFlags
	Failed bool `help:"Only those that were not delivered."`
	Limit  int  `default:"100" placeholder:"N" help:"Maximum number of messages, up to 10000."`
}

// Help is shown below the usage line.
func (webhookDeliveries) Help() string { return `    jotgate webhook deliveries wh_… --failed` }

// Run lists the messages.
func (c *webhookDeliveries) Run(a *app) error {
	if c.Limit < 1 || c.Limit > 10000 {
		return usage("--limit is %d, it must be 1 to 10000", c.Limit)
	}
	return c.do(a, func(hooks *webhook.Webhooks) error {
		list, err := hooks.Deliveries(a.ctx, c.ID, c.Failed, c.Limit)
		if err != nil {
			return err
		}
		var rows [][]string
		for i := range list {
			d := &list[i]
			rows = append(rows, []string{d.ID, d.Type, when(d.Created), strconv.Itoa(d.Attempts), strconv.Itoa(d.Status), d.Describe()})
		}
		return c.show(a, append([]webhook.Delivery{}, list...), "there are no such messages", "MESSAGE TYPE CREATED ATTEMPTS STATUS STATE", rows)
	})
}

type webhookReplay struct {
	webhookArg
	Since  time.Duration `required:"" placeholder:"TIME" help:"Messages of the last 15m, 12h, 7d, …"`
	Failed bool          `help:"Only those that were not delivered."`
}

// Help is shown below the usage line.
func (webhookReplay) Help() string {
	return `    jotgate webhook replay wh_… --since 1d
    jotgate webhook replay wh_… --since 7d --failed`
}

// Run makes the messages due now; serve sends them.
func (c *webhookReplay) Run(a *app) error {
	return c.do(a, func(hooks *webhook.Webhooks) error {
		n, err := hooks.Replay(a.ctx, c.ID, time.Now().Add(-c.Since), c.Failed, operator)
		if err != nil {
			return err
		}
		list, err := hooks.List(a.ctx)
		if err != nil {
			return err
		}
		how := "by serve"
		if slices.ContainsFunc(list, func(e webhook.Endpoint) bool { return e.ID == c.ID && !e.Disabled.IsZero() }) {
			how = "after jotgate webhook enable " + c.ID + ": it is disabled"
		}
		a.print(plural(n, "message") + " will be sent again " + how)
		return nil
	})
}

// webhookAction is one of the commands that only need the name of a webhook.
type webhookAction struct{ webhookArg }

// Help is shown below the usage line.
func (webhookAction) Help() string {
	return `    jotgate webhook test wh_…
    jotgate webhook disable wh_…
    jotgate webhook enable wh_…
    jotgate webhook remove wh_…

A test sends a message of the type webhook.test once, from this machine; the
status is 1 if the response is not 2xx.`
}

// Run does what the command is named after.
func (c *webhookAction) Run(a *app, line *kong.Context) error {
	name := line.Selected().Name
	err := c.do(a, func(hooks *webhook.Webhooks) error {
		switch name {
		case "test":
			status, err := hooks.Test(a.ctx, c.ID)
			if err == nil {
				a.printf("%s accepted the message (%d)\n", c.ID, status)
			}
			return err
		case "remove":
			return hooks.Remove(a.ctx, c.ID, operator)
		}
		before := map[string]string{"disable": "enabled", "enable": "disabled"}[name]
		return notFound(hooks.SetDisabled(a.ctx, c.ID, name == "disable", operator), before+" webhook", c.ID)
	})
	if err == nil && name != "test" {
		a.print(name + "d " + c.ID)
	}
	return err
}
