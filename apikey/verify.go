package apikey

// Verifying keys, and recording their use.

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate"
)

// Accepts implements jotgate.CredentialSource. A text that begins with jgk_ is a key,
// even if it is not complete: its refusal then names the cause in the log.
func (k *Keys) Accepts(scheme, value string) bool { return accepts(scheme, value, k.settings.Imported) }

// accepts is Accepts of both sources.
func accepts(scheme, value string, imported bool) bool {
	switch ours := strings.HasPrefix(value, prefix); {
	case strings.EqualFold(scheme, "Bearer"):
		return ours
	case strings.EqualFold(scheme, "Api-Key"), scheme == "X-Api-Key":
		if !ours && imported {
			_, ours = importedID(value)
		}
		return ours
	}
	return false
}

// Load implements jotgate.CredentialSource: it reads the key from the store, unless its
// checksum is wrong.
func (k *Keys) Load(ctx context.Context, value string, now time.Time) (c jotgate.Credential, err error) {
	id, ok := idOf(value)
	if !ok {
		return c, errNotValid.Because(errForm)
	}
	key, err := k.store.Find(ctx, id)
	switch {
	case errors.Is(err, jotgate.ErrNotFound):
		return c, errNotValid.Because(errUnknown)
	case err != nil:
		return c, err
	case !key.Live(now):
		return c, errNotValid.Because(errEnded)
	}
	ok, faster, err := k.matches(ctx, key, value)
	switch {
	case err != nil:
		return c, err
	case !ok:
		return c, errNotValid.Because(errSecret)
	case faster != "":
		k.note(Use{ID: key.ID, Time: now, Digest: faster})
	}
	owner := key.Owner
	key.Owner = nil // not to be cached
	return jotgate.Credential{
		ID: key.ID, Owner: key.User, Account: owner, Session: key.Session(), Scopes: key.Scopes, Networks: key.Networks, Expires: key.Expires, Detail: newUsed(key),
	}, nil
}

// used is a key in the cache of the gate, and when its use was last noted.
type used struct {
	*Key
	noted atomic.Int64 // Unix seconds
}

func newUsed(key *Key) *used {
	u := &used{Key: key}
	u.noted.Store(key.Used.Unix())
	return u
}

// noteEvery is how often the use of a key is noted at most, in seconds.
const noteEvery = 60

// maxUses bounds the uses that wait to be stored. Further ones are not recorded.
const maxUses = 50_000

// Admit implements jotgate.CredentialSource: it checks the networks of the key.
func (k *Keys) Admit(r *http.Request, c *jotgate.Credential) error {
	key := c.Detail.(*used)
	now := k.now()
	last := key.noted.Load()
	due := now.Unix()-last >= noteEvery
	if len(c.Networks) == 0 && !due {
		return nil
	}
	addr := k.proxies.ClientAddr(r)
	if !isInside(addr, c.Networks) {
		return errNetwork
	}
	if due && key.noted.CompareAndSwap(last, now.Unix()) {
		k.noteFrom(key.ID, now, addr)
	}
	return nil
}

// isInside reports whether an address is in one of the networks, or there are none.
func isInside(addr netip.Addr, networks []netip.Prefix) bool {
	return len(networks) == 0 || slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// noteFrom notes the use of a key at an address, which may be invalid.
func (k *Keys) noteFrom(id string, now time.Time, addr netip.Addr) {
	use := Use{ID: id, Time: now}
	if addr.IsValid() {
		use.Address = addr.String()
	}
	k.note(use)
}

func (k *Keys) note(use Use) {
	k.mu.Lock()
	defer k.mu.Unlock()
	noted, known := k.uses[use.ID]
	if use.Digest == "" {
		use.Digest = noted.Digest
	}
	if known || len(k.uses) < maxUses {
		k.uses[use.ID] = use
	}
}

// The intervals of Run.
const (
	flushEvery  = 30 * time.Second
	remindEvery = 10 * time.Minute
)

// Run stores when keys were used, reminds owners of keys that expire, and deletes keys
// that ended more than 90 days ago, until the context ends. It then stores the last
// uses and returns the context's error. Call it in a goroutine on every node.
func (k *Keys) Run(ctx context.Context) error {
	flush, remind := time.NewTicker(flushEvery), time.NewTicker(remindEvery)
	defer flush.Stop()
	defer remind.Stop()
	k.attempt(ctx, "owners of API keys were not reminded", k.Remind)
	for {
		select {
		case <-ctx.Done():
			k.attempt(context.WithoutCancel(ctx), "the last use of API keys was not stored", k.Flush)
			return ctx.Err()
		case <-flush.C:
			k.attempt(ctx, "the last use of API keys was not stored", k.Flush)
		case <-remind.C:
			k.attempt(ctx, "owners of API keys were not reminded", k.Remind)
			k.attempt(ctx, "old API keys were not deleted", k.purge)
		}
	}
}

func (k *Keys) attempt(ctx context.Context, failed string, do func(context.Context) error) {
	if err := do(ctx); err != nil && ctx.Err() == nil {
		k.gate.Settings().Logger.WarnContext(ctx, failed, "cause", err)
	}
}

// touchBatch is how many uses one transaction stores, so that other writers do not
// wait.
const touchBatch = 500

// Flush stores the uses of keys that were noted so far, as Run does every 30 seconds.
// If that fails, these uses are lost.
func (k *Keys) Flush(ctx context.Context) error {
	k.mu.Lock()
	noted := k.uses
	k.uses = map[string]Use{}
	k.mu.Unlock()
	list := make([]Use, 0, len(noted))
	for _, use := range noted {
		list = append(list, use)
	}
	// In one order, so that nodes do not wait for each other's rows in a circle.
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	for batch := range slices.Chunk(list, touchBatch) {
		if err := k.store.Touch(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}
