package apikey

// Keys that are about to expire, and keys that are of no more use.

import (
	"context"
	"errors"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

const (
	// remindBefore is how long before a key expires its owner gets an e-mail. Keys
	// that live shorter than twice that time are made to expire soon: there is none.
	remindBefore = 7 * 24 * time.Hour
	keepEnded    = 90 * 24 * time.Hour
	batch        = 500
)

// Remind queues one e-mail to the owner of each key that expires within a week, if the
// owner's address is verified. Keys with a lifetime under two weeks cause none. Run
// calls it every ten minutes.
func (k *Keys) Remind(ctx context.Context) error {
	now := k.now()
	for {
		keys, err := k.store.Expiring(ctx, now, now.Add(remindBefore), batch)
		if err != nil {
			return err
		}
		for i := range keys {
			message, err := k.reminder(ctx, &keys[i], now)
			if err == nil {
				err = k.store.Remind(ctx, keys[i].ID, message)
			}
			if err != nil {
				return err
			}
		}
		if len(keys) < batch {
			return nil
		}
	}
}

// reminder returns the e-mail about a key, or nil if there is none to send.
func (k *Keys) reminder(ctx context.Context, key *Key, now time.Time) (*record.Message, error) {
	if key.Expires.Sub(key.Created) < 2*remindBefore {
		return nil, nil
	}
	account, err := k.gate.Accounts().ByID(ctx, key.User)
	switch {
	case errors.Is(err, jotgate.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case !account.IsActive:
		return nil, nil
	}
	verified, err := k.gate.Accounts().EmailVerified(ctx, account)
	if err != nil || !verified {
		return nil, err
	}
	return &record.Message{
		Kind: record.MessageAPIKeyExpiring, User: account.ID, To: account.Email, Created: now,
		Detail: key.Name + " (jgk_" + key.ID + "…), " + key.Expires.UTC().Format("2006-01-02 15:04 UTC"),
	}, nil
}

// purge deletes keys that ended long ago.
func (k *Keys) purge(ctx context.Context) error {
	for {
		n, err := k.store.Purge(ctx, k.now().Add(-keepEnded), batch)
		if err != nil || n < batch {
			return err
		}
	}
}
