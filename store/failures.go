package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Failed password checks, and the networks from which an account has logged
// in.

// failureKey returns a throttle's key as it is stored.
func failureKey(key string) string { return note(key, 512) }

// Find implements record.Failures.
func (fs failures) Find(ctx context.Context, keys []string) (found map[string]record.Failure, err error) {
	found = map[string]record.Failure{}
	if len(keys) == 0 {
		return found, nil
	}
	stored, args := map[string]record.Failure{}, make([]any, len(keys))
	for i, key := range keys {
		args[i] = failureKey(key)
	}
	err = fs.db.read(ctx, func(ctx context.Context, q Queryer) error {
		_, err := all(ctx, q, func(rows rowScanner) (key string, err error) {
			var f record.Failure
			err = rows.Scan(&key, &f.Count, instant{&f.Last})
			stored[key] = f
			return key, err
		}, failuresText(len(keys)), args...)
		return err
	})
	for _, key := range keys {
		if f, ok := stored[failureKey(key)]; ok {
			found[key] = f
		}
	}
	return found, err
}

// failuresText selects the given number of counters.
func failuresText(keys int) string {
	text := "SELECT key, count, latest FROM jotgate_failure WHERE key IN ($1"
	for i := range keys - 1 {
		text += ", $" + strconv.Itoa(i+2)
	}
	return text + ")"
}

const addFailureText = `INSERT INTO jotgate_failure (key, count, latest) VALUES ($1, 1, $2)
ON CONFLICT (key) DO UPDATE SET count = CASE WHEN jotgate_failure.latest < $3 THEN 1
WHEN jotgate_failure.count < 1000000 THEN jotgate_failure.count + 1 ELSE jotgate_failure.count END, latest = excluded.latest`

// Add implements record.Failures. Counters stop at one million.
func (fs failures) Add(ctx context.Context, keys []string, now, forget time.Time) error {
	keys = slices.Sorted(slices.Values(keys)) // always in the same order, to prevent deadlocks
	return fs.db.write(ctx, func(ctx context.Context, q Queryer) error {
		for _, key := range keys {
			if _, err := run(ctx, q, addFailureText, failureKey(key), now.UnixMicro(), forget.UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Forgive implements record.Failures. If there is nothing to forgive,
// it writes nothing.
func (fs failures) Forgive(ctx context.Context, f record.Forgiveness) error {
	found, err := fs.Find(ctx, []string{f.Own})
	if err != nil || len(found) == 0 {
		return err
	}
	return fs.db.write(ctx, func(ctx context.Context, q Queryer) error { return fs.db.forgiveFailures(ctx, q, f) })
}

// forgiveFailures locks the counters in the order of their keys, as Add
// does: Total is a prefix of Pair, and Pair of Own.
func (s *Store) forgiveFailures(ctx context.Context, q Queryer, f record.Forgiveness) error {
	counts := map[string]record.Failure{}
	_, err := all(ctx, q, func(rows rowScanner) (key string, err error) {
		var c record.Failure
		err = rows.Scan(&key, &c.Count, instant{&c.Last})
		counts[key] = c
		return key, err
	}, failuresText(3)+" ORDER BY key"+s.driver.lock("UPDATE"), failureKey(f.Total), failureKey(f.Pair), failureKey(f.Own))
	if err != nil {
		return err
	}
	own, pair := counts[failureKey(f.Own)], counts[failureKey(f.Pair)].Count
	n := min(own.Count, pair)
	if own.Last.Before(f.Forget) {
		n = 0
	}
	for _, c := range []struct {
		key string
		by  int
	}{{f.Total, min(pair, f.Share) - min(pair-n, f.Share)}, {f.Pair, n}, {f.Own, own.Count}} {
		if err := lowerFailure(ctx, q, failureKey(c.key), c.by); err != nil {
			return err
		}
	}
	return nil
}

// lowerFailure subtracts by from a counter and removes the counter at 0.
func lowerFailure(ctx context.Context, q Queryer, key string, by int) error {
	if by == 0 {
		return nil
	}
	if _, err := run(ctx, q, "DELETE FROM jotgate_failure WHERE key = $1 AND count <= $2", key, by); err != nil {
		return err
	}
	_, err := run(ctx, q, "UPDATE jotgate_failure SET count = count - $2 WHERE key = $1", key, by)
	return err
}

// Purge implements record.Failures. It also deletes networks last
// seen more than 400 days before keep. It keeps the counters of wrong codes of one
// kind in a row (mfa|user|kind), which only a success or the end of the account
// removes (NIST SP 800-63B section 3.2.2).
func (fs failures) Purge(ctx context.Context, keep time.Time, limit int) (int, error) {
	return act(ctx, fs.db, func(ctx context.Context, q Queryer) (int, error) {
		n, err := run(ctx, q, "DELETE FROM jotgate_failure WHERE key IN (SELECT key FROM jotgate_failure WHERE latest < $1 AND key NOT LIKE 'mfa|%|%' LIMIT $2)",
			keep.UnixMicro(), limit)
		if err != nil {
			return 0, err
		}
		m, err := run(ctx, q, `DELETE FROM jotgate_network WHERE (user_id, network) IN
(SELECT user_id, network FROM jotgate_network WHERE latest < $1 LIMIT $2)`, keep.AddDate(0, 0, -400).UnixMicro(), limit)
		return n + m, err
	})
}

// RememberNetwork implements record.Failures. It writes a known network at
// most once a day.
func (fs failures) RememberNetwork(ctx context.Context, user record.UserID, network string, now time.Time) (known bool, err error) {
	id, net := note(string(user), 64), note(network, 64)
	var latest time.Time
	err = fs.db.read(ctx, func(ctx context.Context, q Queryer) (err error) {
		known, err = one(ctx, q, []any{instant{&latest}}, "SELECT latest FROM jotgate_network WHERE user_id = $1 AND network = $2", id, net)
		return err
	})
	if err != nil || known && now.Before(latest.Add(24*time.Hour)) {
		return known, err
	}
	return known, fs.db.write(ctx, func(ctx context.Context, q Queryer) error {
		_, err := run(ctx, q, `INSERT INTO jotgate_network (user_id, network, latest) VALUES ($1, $2, $3)
ON CONFLICT (user_id, network) DO UPDATE SET latest = excluded.latest`, id, net, now.UnixMicro())
		return err
	})
}

// KnownNetwork implements record.Failures.
func (fs failures) KnownNetwork(ctx context.Context, user record.UserID, network string) (known bool, err error) {
	return ask(ctx, fs.db, func(ctx context.Context, q Queryer) (bool, error) {
		return one(ctx, q, []any{new(int)}, "SELECT 1 FROM jotgate_network WHERE user_id = $1 AND network = $2",
			note(string(user), 64), note(network, 64))
	})
}
