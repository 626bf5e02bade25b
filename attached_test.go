package jotgate_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
)

// separately is a store that does not know events which are attached to a change.
type separately struct{ record.Store }

func (s separately) Accounts() record.Accounts { return separateAccounts{s.Store.Accounts()} }

type separateAccounts struct{ record.Accounts }

func (as separateAccounts) Change(ctx context.Context, id record.UserID, change record.Change) error {
	return as.Accounts.Change((*record.Attached)(nil).To(ctx), id, change)
}

// The event of a change is stored once, whether the store adds it in the transaction of
// the change or not, and not at all if the change fails.
func TestEventOfAChange(t *testing.T) {
	db := sqlitetest.Open(t)
	for name, s := range map[string]record.Store{"together": db, "separately": separately{db}} {
		t.Run(name, func(t *testing.T) {
			gate, err := jotgate.New(jotgate.Settings{SecretKey: secret, Logger: slog.New(slog.DiscardHandler)}, s)
			if err != nil {
				t.Fatal(err)
			}
			a := &record.Account{Username: name, Email: name + "@example.com", Password: "!", IsActive: true}
			if err := db.Accounts().Create(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			client := jotgate.Client{Address: "192.0.2.1", Endpoint: "POST /x"}
			for range 2 {
				if err := gate.Accounts().SetNames(t.Context(), a, "Ada", "L", client); err != nil {
					t.Fatal(err)
				}
			}
			gone := &record.Account{ID: "4711", Username: "gone"}
			if err := gate.Accounts().SetNames(t.Context(), gone, "A", "B", client); err == nil {
				t.Error("an account that does not exist was changed")
			}
			events, err := db.Events().List(t.Context(), a.ID, 0, 10)
			if err != nil || len(events) != 2 || events[0].Name != "account" || events[0].Address != "192.0.2.1" || events[0].Outcome != "success" {
				t.Errorf("%+v %v", events, err)
			}
			if events, err := db.Events().List(t.Context(), gone.ID, 0, 10); err != nil || len(events) != 0 {
				t.Errorf("%+v %v", events, err)
			}
		})
	}
}
