package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/webhook"
)

// changesWithEvents are changes of which each follows from the ones before it.
func changesWithEvents(w *world, s *store.Store) []func(ctx context.Context) error {
	ada := w.account(s, "ada")
	login(w, s, ada.ID, "one")
	login(w, s, ada.ID, "two")
	created, signed, social := &record.Account{Username: "created", Password: "!"}, &record.Account{Username: "signed", Email: "s@example.com"}, &record.Account{Username: "social"}
	later := record.Pending{Purpose: record.PendingDeletion, Email: ada.Email, Nonce: "n", Created: noon, Expires: noon.Add(time.Hour)}
	key := func(id string) apikey.Key {
		return apikey.Key{ID: id, Digest: "digest of " + id, User: ada.ID, Scopes: []string{"a"}, Created: noon, Expires: noon.Add(time.Hour)}
	}
	client := &oauth.Client{ID: "client", Name: "service", Scopes: []string{"a"}, Secret: "x", Session: strings.Repeat("0123456789abcdef", 2), Created: noon}
	signing := record.Key{ID: "k", Algorithm: "ES256", State: record.KeyNext, Created: noon, Sealed: []byte("x")}
	no := false
	if _, err := s.Groups().Create(w.ctx, "editors"); err != nil {
		w.Fatal(err)
	}
	return []func(ctx context.Context) error{
		func(ctx context.Context) error { return s.Accounts().Create(ctx, created) },
		func(ctx context.Context) error { return s.Addresses().SignUp(ctx, signed, nil) },
		func(ctx context.Context) error {
			return s.SocialAccounts().SignUpSocial(ctx, social, &record.SocialAccount{Provider: "p", UID: "1", Data: `{}`}, false, nil)
		},
		func(ctx context.Context) error {
			return s.SocialAccounts().ChangeSocial(ctx, record.SocialChange{User: ada.ID, Connect: &record.SocialAccount{Provider: "p", UID: "2", Data: `{}`}})
		},
		func(ctx context.Context) error {
			missing, err := s.SocialAccounts().ChangeRights(ctx, ada.ID, []string{"editors"}, nil, record.Change{IsStaff: new(true), At: noon})
			if len(missing) > 0 {
				w.Errorf("there are no groups %q", missing)
			}
			return err
		},
		func(ctx context.Context) error {
			return s.Factors().ChangeFactors(ctx, record.FactorChange{User: ada.ID, Add: []*record.Factor{{Type: record.FactorTOTP, Data: `{}`, Created: noon}}})
		},
		func(ctx context.Context) error {
			return store.Webhooks(s).Add(ctx, webhook.Endpoint{ID: "wh_1", URL: "https://example.com/", Created: noon, Sealed: "one"})
		},
		func(ctx context.Context) error { return store.Webhooks(s).Rotate(ctx, "wh_1", "one", "two", noon) },
		func(ctx context.Context) error {
			return store.Webhooks(s).Change(ctx, "wh_1", "https://example.com/2", nil)
		},
		func(ctx context.Context) error { return store.Webhooks(s).SetDisabled(ctx, "wh_1", noon) },
		func(ctx context.Context) error { return store.Webhooks(s).Remove(ctx, "wh_1") },
		func(ctx context.Context) error { return s.APIKeys().Add(ctx, key("first")) },
		func(ctx context.Context) error { return s.APIKeys().Rotate(ctx, "first", key("second"), noon) },
		func(ctx context.Context) error { return s.APIKeys().Revoke(ctx, ada.ID, "second", noon) },
		func(ctx context.Context) error { return s.Clients().Create(ctx, client, client.Account()) },
		func(ctx context.Context) error {
			return s.Clients().Change(ctx, "client", oauth.Change{Disabled: new(true), Now: noon})
		},
		func(ctx context.Context) error { return s.Keys().Add(ctx, signing) },
		func(ctx context.Context) error { return s.Keys().Switch(ctx, "k", noon) },
		func(ctx context.Context) error {
			_, err := s.Sessions().End(ctx, record.Ending{ID: "one", Reason: record.EndedByUser, Now: noon})
			return err
		},
		func(ctx context.Context) error {
			_, err := s.Sessions().End(ctx, record.Ending{User: ada.ID, Reason: record.EndedByUser, Now: noon})
			return err
		},
		func(ctx context.Context) error {
			return s.Accounts().Change(ctx, ada.ID, record.Change{IsActive: &no, At: noon, Await: []record.Pending{later}})
		},
		func(ctx context.Context) error {
			p := later
			p.User = ada.ID
			done, err := s.DeleteDue(ctx, p)
			if err == nil && !done {
				err = fmt.Errorf("not deleted")
			}
			return err
		},
		func(ctx context.Context) error { return s.Accounts().Delete(ctx, created.ID) },
	}
}

// rows are the contents of the tables that those changes write.
func (w *world) rows() string {
	w.Helper()
	var all strings.Builder
	for _, table := range strings.Fields("auth_user auth_user_groups jotgate_session jotgate_revocation jotgate_not_before jotgate_key jotgate_api_key jotgate_client jotgate_pending jotgate_deletion jotgate_name mfa_authenticator socialaccount_socialaccount account_emailaddress") {
		rows, err := w.raw.Query("SELECT * FROM " + table + " ORDER BY 1")
		w.must(err)
		defer rows.Close()
		columns, err := rows.Columns()
		w.must(err)
		for rows.Next() {
			values, places := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				places[i] = &values[i]
			}
			w.must(rows.Scan(places...))
			fmt.Fprintln(&all, table, values)
		}
		w.must(rows.Err())
	}
	return all.String()
}

// A change and the event attached to it are stored together, or neither is.
func TestAttachedEvents(t *testing.T) {
	both(t, func(w *world) {
		s := w.openAt(func() time.Time { return noon })
		for i, change := range changesWithEvents(w, s) {
			w.exec(w.on("CREATE TRIGGER stop BEFORE INSERT ON jotgate_event WHEN NEW.event = 'attached' BEGIN SELECT RAISE(ABORT, 'stop'); END",
				"ALTER TABLE jotgate_event ADD CONSTRAINT stop CHECK (event <> 'attached') NOT VALID"))
			before := w.rows()
			a := &record.Attached{Event: record.Event{Name: "attached", Time: noon}}
			if err := change(a.To(w.ctx)); err == nil {
				w.Errorf("%d succeeds without its event", i)
			}
			if after := w.rows(); after != before {
				w.Errorf("%d is stored without its event:\n%s\n%s", i, before, after)
			}
			w.exec(w.on("DROP TRIGGER stop", "ALTER TABLE jotgate_event DROP CONSTRAINT stop"))
			*a = record.Attached{Event: record.Event{Name: "attached", Time: noon}}
			if err := change(a.To(w.ctx)); err != nil || !a.Stored {
				w.Errorf("%d: %v", i, err)
			}
			if n := w.count("SELECT COUNT(*) FROM jotgate_event WHERE event = 'attached'"); n != i+1 {
				w.Errorf("%d: %d events", i, n)
			}
		}
		// A change that does nothing has no event.
		a := &record.Attached{Event: record.Event{Name: "attached", Time: noon}}
		if n, err := s.Sessions().End(a.To(w.ctx), record.Ending{ID: "one", Reason: record.EndedByUser, Now: noon}); n != 0 || err != nil || a.Stored {
			w.Errorf("%d %v %v", n, err, a)
		}
		eve := w.account(s, "eve")
		before := w.rows()
		missing, err := s.SocialAccounts().ChangeRights(a.To(w.ctx), eve.ID, []string{"editors", "none"}, nil, record.Change{IsStaff: new(true), At: noon})
		if err != nil || a.Stored || len(missing) != 1 || missing[0] != "none" || w.rows() != before {
			w.Errorf("a group that does not exist: %q %v %v", missing, err, a)
		}
		if n := w.count("SELECT COUNT(*) FROM jotgate_event WHERE event = 'attached' AND user_id = ''"); n != 19 { // not the four new accounts
			w.Errorf("%d events without a user", n)
		}
	})
}
