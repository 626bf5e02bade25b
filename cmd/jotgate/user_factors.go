package main

// `user factors`: a user's second factors, for a lost phone.

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type userFactors struct {
	List   factorsList   `cmd:"" help:"List the second factors."`
	Remove factorsRemove `cmd:"" help:"Remove second factors; the user is notified, and sessions end."`
}

type factorsList struct {
	databaseFlags
	listFlags
	User string `arg:"" help:"The username."`
}

// shownFactor is the output for a factor. It does not contain the secret.
type shownFactor struct {
	ID       int64             `json:"id"`
	Type     record.FactorType `json:"type"`
	Created  time.Time         `json:"created_at"`
	LastUsed time.Time         `json:"last_used_at,omitzero"`
}

// Help is shown below the usage line.
func (factorsList) Help() string { return `    jotgate user factors list alice` }

// Run lists the factors.
func (c *factorsList) Run(a *app) error {
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		factors, err := db.Factors().ListFactors(a.ctx, account.ID)
		if err != nil {
			return err
		}
		list, rows := []shownFactor{}, [][]string{}
		for _, f := range factors {
			list = append(list, shownFactor{f.ID, f.Type, f.Created, f.LastUsed})
			rows = append(rows, []string{strconv.FormatInt(f.ID, 10), string(f.Type), when(f.Created), when(f.LastUsed)})
		}
		return c.show(a, list, c.User+" has no second factor", "ID TYPE CREATED LAST-USED", rows)
	})
}

type factorsRemove struct {
	databaseFlags
	User   string  `arg:"" help:"The username."`
	ID     []int64 `arg:"" optional:"" help:"The factors to remove, as user factors list shows them. Default: all."`
	Reason string  `placeholder:"TEXT" help:"Why, for the audit trail."`
}

// Help is shown below the usage line.
func (factorsRemove) Help() string {
	return `    jotgate user factors remove alice --reason "lost phone, known by voice"
    jotgate user factors remove alice 7`
}

// Run removes the factors, ends the user's sessions and notifies the user.
func (c *factorsRemove) Run(a *app) error {
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		factors, err := db.Factors().ListFactors(a.ctx, account.ID)
		if err != nil {
			return err
		}
		change := record.FactorChange{
			User: account.ID, Remove: c.ID, EndReset: true,
			EndSessions: record.EndedByFactors, At: time.Now(),
		}
		for _, f := range factors {
			if len(c.ID) == 0 && f.Type != record.FactorRecovery { // removed with the last other one
				change.Remove = append(change.Remove, f.ID)
			}
		}
		if len(change.Remove) == 0 {
			return fmt.Errorf("%s has no second factor", c.User)
		}
		detail := fmt.Sprintf("%d removed by command: %s", len(change.Remove), cmp.Or(c.Reason, "no reason given"))
		if err := db.Factors().ChangeFactors(a.recording(record.Event{Name: "factor", User: account.ID, Detail: detail}), change); err != nil {
			return err
		}
		a.printf("%d second factors of %s were removed\n", len(change.Remove), c.User)
		if account.Email == "" {
			return nil
		}
		return db.Outbox().Add(a.ctx, record.Message{Kind: record.MessageFactorRemoved, User: account.ID, To: account.Email, Created: time.Now()})
	})
}
