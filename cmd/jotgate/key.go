package main

// `key`: the keys that sign tokens, stored in the database. Every node uses a
// change within seconds, and no user is logged out.

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

type keyCommands struct {
	List   keyList   `cmd:"" help:"List the keys."`
	Add    keyAdd    `cmd:"" help:"Create a key and publish it; it verifies, but does not sign yet."`
	Rotate keyRotate `cmd:"" help:"Sign with a new key: publish it, wait until caches have expired, switch."`
	Retire keyRetire `cmd:"" help:"Stop a key from signing, or delete it."`
	Export keyExport `cmd:"" help:"Print the public keys, and the settings for Django."`
}

// with makes a gate for do and closes it afterwards. The gate does not log,
// because the command prints what was done.
func (f *gateFlags) with(a *app, do func(gate *jotgate.Gate) error) error {
	gate, db, err := f.gate(a, slog.New(slog.NewTextHandler(io.Discard, nil)), false)
	if err != nil {
		return err
	}
	defer db.Close()
	return do(gate)
}

type keyList struct {
	gateFlags
	listFlags
}

// Help is shown below the usage line.
func (keyList) Help() string { return `    jotgate key list` }

// Run lists the keys, oldest first.
func (c *keyList) Run(a *app) error {
	return c.with(a, func(gate *jotgate.Gate) error {
		keys, err := gate.Keys().List(a.ctx)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, k := range keys {
			rows = append(rows, []string{k.ID, k.Algorithm, string(k.State), when(k.Created), when(k.Switched), when(k.Retired)})
		}
		return c.show(a, append([]record.Key{}, keys...), "there are no keys: HS256 with the secret signs", "KID ALG STATE CREATED SWITCHED RETIRED", rows)
	})
}

type keyAdd struct {
	gateFlags
	Alg string `arg:"" optional:"" default:"ES256" help:"Algorithm: ES256, EdDSA, RS256 or another that is not HS."`
}

// Help is shown below the usage line.
func (keyAdd) Help() string { return `    jotgate key add EdDSA` }

// Run creates a key.
func (c *keyAdd) Run(a *app) error {
	return c.with(a, func(gate *jotgate.Gate) error {
		key, err := gate.Keys().Add(a.ctx, jwt.Algorithm(c.Alg))
		if err != nil {
			return err
		}
		a.print(key.ID)
		a.warn("published; `jotgate key rotate` lets it sign, after %s", when(key.Created.Add(jotgate.KeyPublishTime)))
		return nil
	})
}

type keyRotate struct {
	gateFlags
	Alg    string `default:"ES256" placeholder:"ALG" help:"Algorithm of the new key, if none has been added: ES256, EdDSA, RS256 or another that is not HS."`
	Now    bool   `help:"Do not wait for caches of the public keys: verifiers with a cached copy reject the new tokens for minutes."`
	NoWait bool   `help:"Only publish the key; run the command again later to switch."`
}

// Help is shown below the usage line.
func (keyRotate) Help() string {
	return `Verifiers may cache the public keys for some minutes. Therefore the new key is
published first, and signs when every copy without it has expired. The previous
key still verifies; run key retire --delete when its last token has expired.

    jotgate key rotate --alg ES256
    jotgate key rotate --now        # when nothing but jotgate verifies`
}

// Run publishes a key, waits and switches to it.
func (c *keyRotate) Run(a *app) error {
	return c.gateFlags.with(a, func(gate *jotgate.Gate) error {
		key, err := c.next(a, gate)
		if err != nil {
			return err
		}
		due := key.Created.Add(jotgate.KeyPublishTime)
		if !c.Now && time.Now().Before(due) {
			a.warn("key %s is published and may sign after %s UTC", key.ID, when(due))
			if c.NoWait {
				return nil
			}
			if err := waitUntil(a.ctx, due); err != nil {
				return fmt.Errorf("interrupted: the key is published, run the command again to switch: %w", err)
			}
		}
		if err := gate.Keys().Switch(a.ctx, key.ID); err != nil {
			return err
		}
		a.printf("key %s (%s) signs now\n", key.ID, key.Algorithm)
		return nil
	})
}

// next returns the key that has been published, or a new one.
func (c *keyRotate) next(a *app, gate *jotgate.Gate) (record.Key, error) {
	keys, err := gate.Keys().List(a.ctx)
	if err != nil {
		return record.Key{}, err
	}
	for _, k := range keys {
		if k.State == record.KeyNext {
			return k, nil
		}
	}
	return gate.Keys().Add(a.ctx, jwt.Algorithm(c.Alg))
}

func waitUntil(ctx context.Context, due time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(due)):
		return nil
	}
}

type keyRetire struct {
	gateFlags
	ID     string `arg:"" name:"kid" help:"The key, as key list shows it."`
	Delete bool   `help:"Also delete it: tokens that it signed stop working."`
}

// Help is shown below the usage line.
func (keyRetire) Help() string {
	return `    jotgate key retire KID             # it verifies, but signs no more
    jotgate key retire KID --delete    # an emergency: its tokens stop working`
}

// Run retires the key.
func (c *keyRetire) Run(a *app) error {
	return c.with(a, func(gate *jotgate.Gate) error {
		if err := gate.Keys().Retire(a.ctx, c.ID); err != nil {
			return fmt.Errorf("key %s: %w", c.ID, err)
		}
		if c.Delete {
			if err := gate.Keys().Delete(a.ctx, c.ID); err != nil {
				return fmt.Errorf("key %s: %w", c.ID, err)
			}
			a.printf("key %s is deleted\n", c.ID)
			return nil
		}
		a.printf("key %s only verifies now\n", c.ID)
		return nil
	})
}
