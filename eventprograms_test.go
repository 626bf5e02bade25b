package jotgate_test

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/webhook"
)

// programCases are those of keys, clients, webhooks and the administration.
func programCases() []eventCase {
	cases := []eventCase{
		{"admin", "Admin.change", func(w *eventWorld) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				return last(w.admin.Act(ctx, w.admin.Operator(), "group.add", "", map[string][]string{"name": {"Writers"}}))
			}
		}},
	}
	add := func(kind, at string, prepare func(w *eventWorld) func(ctx context.Context) error) {
		cases = append(cases, eventCase{kind, at, prepare})
	}
	var key, other record.Key
	onKey := func(do func(w *eventWorld, ctx context.Context) error) {
		add("key", "Gate.changeKey", func(w *eventWorld) func(ctx context.Context) error {
			return func(ctx context.Context) error { return do(w, ctx) }
		})
	}
	onKey(func(w *eventWorld, ctx context.Context) (err error) {
		key, err = w.Keys().Add(ctx, jwt.ES256)
		return err
	})
	onKey(func(w *eventWorld, ctx context.Context) error { return w.Keys().Switch(ctx, key.ID) })
	onKey(func(w *eventWorld, ctx context.Context) (err error) {
		other, err = w.Keys().Add(ctx, jwt.ES256)
		return err
	})
	onKey(func(w *eventWorld, ctx context.Context) error { return w.Keys().Retire(ctx, key.ID) })
	onKey(func(w *eventWorld, ctx context.Context) error { return w.Keys().Delete(ctx, key.ID) })
	onKey(func(w *eventWorld, ctx context.Context) error { return w.Keys().Switch(ctx, other.ID) })
	return append(append(cases, apiKeyCases()...), append(clientCases(), webhookCases()...)...)
}

func apiKeyCases() (cases []eventCase) {
	var a *record.Account
	var made apikey.Created
	onAPIKey := func(do func(w *eventWorld, ctx context.Context) error) {
		cases = append(cases, eventCase{"api_key", "Keys.recorded", func(w *eventWorld) func(ctx context.Context) error {
			if a == nil {
				a = w.someone(nil)
			}
			return func(ctx context.Context) error { return do(w, ctx) }
		}})
	}
	onAPIKey(func(w *eventWorld, ctx context.Context) (err error) {
		made, err = w.keys.Create(ctx, a, apikey.Request{Name: "ci", Scopes: []string{"a"}}, noClient)
		return err
	})
	onAPIKey(func(w *eventWorld, ctx context.Context) error {
		next, err := w.keys.Rotate(ctx, a.ID, made.ID, time.Hour, noClient)
		if err == nil {
			made = next
		}
		return err
	})
	onAPIKey(func(w *eventWorld, ctx context.Context) error { return w.keys.Revoke(ctx, a.ID, made.ID, noClient) })
	return cases
}

func clientCases() []eventCase {
	var c oauth.Created
	of := func(do func(w *eventWorld, ctx context.Context) error) eventCase {
		return eventCase{"client", "Server.recorded", func(w *eventWorld) func(ctx context.Context) error {
			return func(ctx context.Context) error { return do(w, ctx) }
		}}
	}
	return []eventCase{
		of(func(w *eventWorld, ctx context.Context) (err error) {
			c, err = w.oauth.Create(ctx, oauth.Request{Name: "billing", Scopes: []string{"a"}}, noClient)
			return err
		}),
		{"client", "Server.recorded", func(w *eventWorld) func(ctx context.Context) error {
			w.must(w.Sync(w.Context()))
			form := url.Values{"client_id": {c.ID}, "client_secret": {c.Secret}, "grant_type": {"client_credentials"}}
			token, err := w.oauth.Token(w.Context(), oauth.Call{Header: http.Header{}, Form: form})
			w.must(err)
			form["token"] = []string{token.Access}
			return func(ctx context.Context) error {
				return w.oauth.Revoke(ctx, oauth.Call{Header: http.Header{}, Form: form})
			}
		}},
		of(func(w *eventWorld, ctx context.Context) error {
			return last(w.oauth.Rotate(ctx, c.ID, time.Hour, noClient))
		}),
		of(func(w *eventWorld, ctx context.Context) error {
			change, err := oauth.NewChange(nil, nil, new(true), w.clock.Now())
			if err != nil {
				return err
			}
			return w.oauth.Change(ctx, c.ID, change, noClient)
		}),
	}
}

func webhookCases() []eventCase {
	var c webhook.Created
	of := func(do func(w *eventWorld, ctx context.Context) error) eventCase {
		return eventCase{"webhook", "Webhooks.recorded", func(w *eventWorld) func(ctx context.Context) error {
			return func(ctx context.Context) error { return do(w, ctx) }
		}}
	}
	return []eventCase{
		of(func(w *eventWorld, ctx context.Context) (err error) {
			c, err = w.hooks.Add(ctx, webhook.Request{URL: "https://hooks.example/"}, noClient)
			return err
		}),
		of(func(w *eventWorld, ctx context.Context) error {
			return w.hooks.Change(ctx, c.ID, webhook.Request{URL: "https://hooks.example/2"}, noClient)
		}),
		of(func(w *eventWorld, ctx context.Context) error {
			return last(w.hooks.Rotate(ctx, c.ID, time.Hour, noClient))
		}),
		{"webhook", "Webhooks.recorded", func(w *eventWorld) func(ctx context.Context) error {
			hooks := store.Webhooks(w.db)
			_, err := hooks.Relay(w.Context(), 1000, func(events []record.Event, _ []webhook.Endpoint) []webhook.Delivery {
				return []webhook.Delivery{{ID: "msg_1", Endpoint: c.ID, Event: events[0].ID, Type: "t", Body: "{}", Created: noon, Due: noon}}
			})
			w.must(err)
			return func(ctx context.Context) error {
				n, err := w.hooks.Replay(ctx, c.ID, noon.Add(-time.Hour), false, noClient)
				if err == nil && n != 1 {
					w.Errorf("%d messages", n)
				}
				return err
			}
		}},
		{"webhook", "webhookFailed", func(w *eventWorld) func(ctx context.Context) error {
			due, err := store.Webhooks(w.db).Due(w.Context(), c.ID, w.clock.Now(), 1, time.Minute)
			w.must(err)
			return func(ctx context.Context) error {
				return last(store.Webhooks(w.db).Record(ctx, due[0], webhook.Outcome{Disable: true, Reason: "410"}, w.clock.Now()))
			}
		}},
		of(func(w *eventWorld, ctx context.Context) error { return w.hooks.SetDisabled(ctx, c.ID, false, noClient) }),
		of(func(w *eventWorld, ctx context.Context) error { return w.hooks.Remove(ctx, c.ID, noClient) }),
	}
}
