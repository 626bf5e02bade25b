package webhook

// The types of events: what an endpoint subscribes to, and what a message contains.

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/internal/hooksign"
	"github.com/jotgate/jotgate/record"
)

// kinds gives events of the audit trail their types: the first line with the event's name
// whose detail is the event's, or is empty, or whose detail ends with * and begins the
// event's. Other events have the name as their type, with a dot for the first underscore.
var kinds = []struct{ name, detail, kind string }{
	{"register", "", "user.created"},
	{"account", "created", "user.created"},
	{"role", "superuser created", "user.created"},
	{"admin", "user.add", "user.created"},

	{"activate", "", "user.activated"},
	{"account", "active", "user.activated"},
	{"admin", "user.activate", "user.activated"},
	{"account", "inactive", "user.deactivated"},
	{"admin", "user.deactivate", "user.deactivated"},

	{"account", "deleted", "user.deleted"},
	{"admin", "user.delete", "user.deleted"},
	{"delete", "requested", "user.deletion_requested"},
	{"delete", "undone", "user.deletion_undone"},
	{"delete", "", "user.deleted"},

	{"email", "requested", "user.email_requested"},
	{"email", "", "user.updated"},
	{"username", "", "user.updated"},
	{"profile", "", "user.updated"},
	{"role", "", "user.updated"},
	{"account", "", "user.updated"},
	{"admin", "user.change", "user.updated"},

	{"password", "", "password.changed"},
	{"admin", "user.password", "password.changed"},
	{"login", "", "session.started"},
	{"logout", "", "session.ended"},
	{"admin", "session.end", "session.ended"},
	{"reuse", "", "session.reused"},

	{"factor", "", "factor.changed"},
	{"recovery_code", "", "factor.recovery_code_used"},
	{"provider", "", "provider.changed"},
	{"api_key", "created*", "api_key.created"},
	{"api_key", "rotated*", "api_key.rotated"},
	{"api_key", "revoked*", "api_key.revoked"},
	{"client", "", "client.changed"},
	{"key", "", "key.changed"},
	{"admin", "key.*", "key.changed"},
	{"admin", "", "admin.changed"},
	{"webhook", "", typeOwn},
	{"throttled", "", "request.throttled"},
	{"forbidden", "", "request.forbidden"},
}

// typeOwn is the type of events about endpoints, and typeTest that of Webhooks.Test.
const (
	typeOwn  = "webhook.changed"
	typeTest = "webhook.test"
)

// typeOf returns the type of an event.
func typeOf(e *record.Event) string {
	for _, k := range kinds {
		begin, many := strings.CutSuffix(k.detail, "*")
		if k.name == e.Name && (k.detail == "" || k.detail == e.Detail || many && strings.HasPrefix(e.Detail, begin)) {
			return k.kind
		}
	}
	return strings.Replace(e.Name, "_", ".", 1)
}

// Types lists the types of events. An endpoint without Request.Types gets the standard
// ones. The further ones must be named, because clients without an account can cause many
// of them, for example by failed logins.
func Types() (standard, further []string) {
	for _, kind := range record.EventKinds {
		all := []string{typeOf(&record.Event{Name: kind.Name})}
		for _, k := range kinds {
			if k.name == kind.Name {
				all = append(all, k.kind)
			}
		}
		if kind.Bounded || kind.Name == "webhook" {
			further = append(further, all...)
		} else {
			standard = append(standard, all...)
		}
	}
	slices.Sort(standard)
	slices.Sort(further)
	return slices.Compact(standard), slices.Compact(further)
}

// matches reports whether a type is among those that an endpoint asked for.
func matches(patterns []string, kind string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		begin, many := strings.CutSuffix(p, "*")
		return p == kind || many && strings.HasPrefix(kind, begin)
	})
}

// wants reports whether the endpoint gets an event of the type.
func (e *Endpoint) wants(kind string, standard bool) bool {
	if len(e.Types) == 0 {
		return standard
	}
	return matches(e.Types, kind)
}

// message is the body of a request, as Standard Webhooks has it.
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

// data has the ids of an event. The detail, which may contain names, is not part of it.
type data struct {
	EventID int64         `json:"event_id,omitempty"` // of the audit trail
	Event   string        `json:"event,omitempty"`    // its name there
	User    record.UserID `json:"user_id,omitempty"`
	Actor   record.UserID `json:"actor_id,omitempty"` // the member of staff who did it, if it was not the user
	Session string        `json:"sid,omitempty"`      // the claim sid of the tokens
	Outcome string        `json:"outcome,omitempty"`
	Count   int64         `json:"count,omitempty"` // of events that one row of the audit trail counts, if more than one
}

// bodyOf returns the body of the message about an event.
func bodyOf(e *record.Event, kind string) string {
	d := data{EventID: e.ID, Event: e.Name, User: e.User, Actor: e.Actor, Session: e.Session, Outcome: e.Outcome}
	if e.Count > 1 {
		d.Count = e.Count
	}
	text, _ := json.Marshal(message{kind, e.Time.UTC(), d}) // these types have no errors
	return string(text)
}

// route returns the messages about events to endpoints.
func route(now time.Time) func(events []record.Event, endpoints []Endpoint) []Delivery {
	return func(events []record.Event, endpoints []Endpoint) (list []Delivery) {
		for i := range events {
			e := &events[i]
			kind := typeOf(e)
			of, _ := record.EventKindOf(e.Name)
			for j := range endpoints {
				to := &endpoints[j]
				if e.Time.Before(to.Created) || !to.wants(kind, !of.Bounded && kind != typeOwn) {
					continue
				}
				list = append(list, Delivery{
					ID: hooksign.NewID("msg_"), Endpoint: to.ID, Event: e.ID, Type: kind, Body: bodyOf(e, kind), Created: now, Due: now,
				})
			}
		}
		return list
	}
}
