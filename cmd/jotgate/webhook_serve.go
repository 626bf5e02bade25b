package main

// Webhooks of serve, and what doctor reports about them.

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/throttle"
	"github.com/jotgate/jotgate/webhook"
)

// webhookFlags are webhook.Settings.
type webhookFlags struct {
	WebhookNetworks     []string      `group:"webhooks" placeholder:"NETWORK" help:"Networks that webhooks may be in although they are not public, also with http, such as 10.0.0.0/8. Default: none, public addresses with https."`
	WebhookTimeout      time.Duration `group:"webhooks" default:"15s" placeholder:"TIME" help:"Maximum duration of an attempt to send a message."`
	WebhookDisableAfter time.Duration `group:"webhooks" default:"5d" placeholder:"TIME" help:"How long a webhook may do nothing but fail before it is disabled."`
	WebhookRetention    time.Duration `group:"webhooks" default:"30d" placeholder:"TIME" help:"How long messages are kept, so that they can be sent again."`
}

// serveWebhookFlags are those of serve.
type serveWebhookFlags struct {
	Webhooks string `group:"webhooks" default:"on" enum:"on,off" placeholder:"on|off" help:"Send the messages of webhooks; off leaves that to other nodes."`
	webhookFlags
}

func (f *webhookFlags) settings() (s webhook.Settings, err error) {
	s = webhook.Settings{Timeout: f.WebhookTimeout, DisableAfter: f.WebhookDisableAfter, Retention: f.WebhookRetention}
	s.Networks, err = networksOf("--webhook-networks", f.WebhookNetworks)
	return s, err
}

func networksOf(flag string, list []string) (networks []netip.Prefix, err error) {
	for _, text := range list {
		p, err := throttle.ParseProxies([]string{text})
		if err != nil || p.Unix {
			return nil, usage("%s: %.60q is not a network such as 10.0.0.0/8", flag, text)
		}
		networks = append(networks, p.Networks...)
	}
	return networks, nil
}

// newWebhooks returns the webhooks in the gate's database. In a rehearsal there is none.
func (f *webhookFlags) newWebhooks(gate *jotgate.Gate) (*webhook.Webhooks, error) {
	s, err := f.settings()
	if err != nil {
		return nil, err
	}
	var hooks webhook.Store
	if db, ok := gate.Store().(*store.Store); ok {
		hooks = store.Webhooks(db)
	}
	made, err := webhook.New(gate, hooks, s)
	return made, inFlags("webhook", err)
}

// webhookFacts has a line for each webhook, without its URL, which may be secret.
func webhookFacts(a *app, db *store.Store) ([]store.Fact, error) {
	list, err := store.Webhooks(db).List(a.ctx)
	var facts []store.Fact
	for i := range list {
		facts = append(facts, webhookFact(&list[i]))
	}
	return facts, err
}

func webhookFact(e *webhook.Endpoint) store.Fact {
	f := store.Fact{OK: true, About: "webhook " + e.ID, Found: fmt.Sprintf("%s; %s", e.Describe(), plural(e.Waiting, "message")+" waiting")}
	if e.GivenUp > 0 {
		f.OK, f.Found = false, f.Found+fmt.Sprintf(", %d given up", e.GivenUp)
		f.Fix = "jotgate webhook replay " + e.ID + " --failed --since 30d sends them again"
	}
	switch {
	case !e.Disabled.IsZero():
		f.OK, f.Fix = e.Reason == "", "jotgate webhook enable "+e.ID+" sends what waits, or remove it"
	case !e.Failing.IsZero():
		f.OK, f.Fix = false, "jotgate webhook test "+e.ID+" tries it; deliveries "+e.ID+" --failed lists the messages"
	}
	return f
}
