package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Rows of jotgate_name for accounts that did not get theirs with their name: those
// that are older than the table, and those that Django created or renamed. Their
// names may be similar to others.

const (
	indexPageSize  = 500 // accounts in a page of the index
	newestPageSize = 50  // accounts that are looked at before a new name is stored
	requestPages   = 4   // pages that a request indexes at most
	sweepInterval  = time.Hour
)

// The jobs in jotgate_progress.
const (
	jobIndex = "names"      // position: the last key, or finished
	jobSweep = "name_sweep" // position: when the last one began, in microseconds
	finished = "finished"
)

// named is an account and its username.
type named struct {
	id   record.UserID
	name string
}

func scanNamed(rows rowScanner) (n named, err error) {
	err = rows.Scan(keyScan{&n.id}, &n.name)
	return n, err
}

// Index implements record.Names. It makes the rows of all accounts that have
// none and, once an hour on one of the nodes, of those that Django renamed.
func (us usernames) Index(ctx context.Context) error {
	s := us.db
	if done, err := s.index(ctx, -1); err != nil || !done {
		return err
	}
	now := s.driver.Now().UnixMicro()
	due, err := act(ctx, s, func(ctx context.Context, q Queryer) (int, error) {
		return run(ctx, q, `INSERT INTO jotgate_progress (job, position) VALUES ($1, $2)
ON CONFLICT (job) DO UPDATE SET position = excluded.position WHERE CAST(jotgate_progress.position AS bigint) <= $3`,
			jobSweep, fmt.Sprint(now), now-sweepInterval.Microseconds())
	})
	if err != nil || due == 0 {
		return err
	}
	for after := record.UserID(""); ; {
		page, err := s.indexPage(ctx, after)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].id
	}
}

// index continues the index of all accounts, by at most this number of pages (-1: all), and
// reports whether it is finished.
func (s *Store) index(ctx context.Context, pages int) (done bool, err error) {
	if s.indexed.Load() {
		return true, nil
	}
	position, err := s.indexPosition(ctx)
	if err != nil {
		return false, err
	}
	for ; position != finished; pages-- {
		if pages == 0 || ctx.Err() != nil {
			return false, ctx.Err()
		}
		page, err := s.indexPage(ctx, record.UserID(position))
		if err != nil {
			return false, err
		}
		if position = finished; len(page) > 0 {
			position = string(page[len(page)-1].id)
		}
		if err := s.write(ctx, func(ctx context.Context, q Queryer) error {
			_, err := run(ctx, q, `INSERT INTO jotgate_progress (job, position) VALUES ($1, $2)
ON CONFLICT (job) DO UPDATE SET position = excluded.position WHERE jotgate_progress.position <> $3`, jobIndex, position, finished)
			return err
		}); err != nil {
			return false, err
		}
	}
	s.indexed.Store(true)
	return true, nil
}

// indexPosition returns the last key that the index has reached, or finished.
func (s *Store) indexPosition(ctx context.Context) (position string, err error) {
	err = s.read(ctx, func(ctx context.Context, q Queryer) error {
		_, err := one(ctx, q, []any{&position}, "SELECT position FROM jotgate_progress WHERE job = $1", jobIndex)
		return err
	})
	return position, err
}

// catchUp makes the rows of accounts that Django has created, before a new name is
// compared with them: it looks at the newest accounts until it finds a page of known
// ones. It reports whether all accounts have rows. If many have none, one request at
// a time helps to index them, and the names are compared without the index (scan).
func (s *Store) catchUp(ctx context.Context) (done bool, err error) {
	if !s.indexed.Load() {
		if !s.indexing.TryLock() {
			return false, nil
		}
		done, err = s.index(ctx, requestPages)
		s.indexing.Unlock()
		if err != nil || !done {
			return false, s.driver.unavailable(ctx.Err()) // another node may be indexing the same accounts
		}
	}
	pages, done, err := s.newestWithoutRows(ctx)
	if err != nil || !done {
		return false, err
	}
	for _, missing := range slices.Backward(pages) { // the newest last: if this is interrupted, the next request finds them
		if err := s.addRows(ctx, missing); err != nil {
			return false, err
		}
	}
	return true, nil
}

// newestWithoutRows returns the newest accounts without rows, by page. If these are more
// than a request indexes, because another program has inserted many accounts, the index
// of all accounts begins again.
func (s *Store) newestWithoutRows(ctx context.Context) (pages [][]named, done bool, err error) {
	for {
		page, err := s.namedPage(ctx, s.texts.newest, newestPageSize, len(pages)*newestPageSize)
		if err != nil {
			return nil, false, err
		}
		missing, err := s.withoutRows(ctx, page)
		switch {
		case err != nil:
			return nil, false, err
		case len(missing) == 0:
			return pages, true, nil
		case len(pages) == requestPages:
			return nil, false, s.indexAgain(ctx)
		}
		pages = append(pages, missing)
	}
}

// indexAgain begins the index of all accounts again.
func (s *Store) indexAgain(ctx context.Context) error {
	s.indexed.Store(false)
	return s.write(ctx, func(ctx context.Context, q Queryer) error {
		_, err := run(ctx, q, "UPDATE jotgate_progress SET position = '' WHERE job = $1 AND position = $2", jobIndex, finished)
		return err
	})
}

// indexPage makes the rows of the page of accounts after a key.
func (s *Store) indexPage(ctx context.Context, after record.UserID) (page []named, err error) {
	page, err = s.accountsAfter(ctx, after, indexPageSize)
	if err != nil {
		return nil, err
	}
	missing, err := s.withoutRows(ctx, page)
	if err != nil || len(missing) == 0 {
		return page, err
	}
	return page, s.addRows(ctx, missing)
}

// accountsAfter returns accounts in the order of their keys, after one of them.
func (s *Store) accountsAfter(ctx context.Context, after record.UserID, size int) ([]named, error) {
	if after == "" {
		return s.namedPage(ctx, s.texts.firstNames, size)
	}
	key, ok := s.tables.key.encode(after)
	if !ok {
		return nil, nil
	}
	return s.namedPage(ctx, s.texts.namesAfter, size, key)
}

func (s *Store) namedPage(ctx context.Context, text string, args ...any) ([]named, error) {
	return ask(ctx, s, func(ctx context.Context, q Queryer) ([]named, error) { return all(ctx, q, scanNamed, text, args...) })
}

// withoutRows returns the accounts that have no rows for their name.
func (s *Store) withoutRows(ctx context.Context, page []named) (missing []named, err error) {
	if len(page) == 0 {
		return nil, nil
	}
	have := map[record.UserID]string{}
	marks, args := idList(page)
	err = s.read(ctx, func(ctx context.Context, q Queryer) error {
		rows, err := all(ctx, q, scanNameRow, "SELECT twin, user_id, name FROM jotgate_name WHERE user_id IN ("+marks+")", args...)
		for _, r := range rows {
			have[r.user] = r.name
		}
		return err
	})
	for _, n := range page {
		if have[n.id] != nameDigest(n.name) {
			missing = append(missing, n)
		}
	}
	return missing, err
}

// addRows makes the rows of accounts that have none.
func (s *Store) addRows(ctx context.Context, missing []named) error {
	return s.write(ctx, func(ctx context.Context, q Queryer) error { return s.indexMissing(ctx, q, missing) })
}

// indexMissing reads the names of the accounts again and makes their rows.
func (s *Store) indexMissing(ctx context.Context, q Queryer, accounts []named) error {
	marks, args := idList(accounts)
	if _, err := run(ctx, q, "DELETE FROM jotgate_name WHERE user_id IN ("+marks+")", args...); err != nil {
		return err
	}
	keys := make([]any, 0, len(accounts))
	for _, n := range accounts {
		if key, ok := s.tables.key.encode(n.id); ok {
			keys = append(keys, key)
		}
	}
	sch := s.tables.schema
	current, err := all(ctx, q, scanNamed, "SELECT "+quote(sch.ID)+", "+s.tables.username(quote(sch.Users))+" FROM "+quote(sch.Users)+
		" WHERE "+quote(sch.ID)+" IN ("+marks+") ORDER BY 1"+s.driver.lock("SHARE"), keys...)
	if err != nil || len(current) == 0 {
		return err
	}
	return s.insertNames(ctx, q, current)
}

// insertNames inserts the rows of many accounts with one statement, and those that
// are similar to others one by one.
func (s *Store) insertNames(ctx context.Context, q Queryer, accounts []named) error {
	if len(accounts) == 0 {
		return nil
	}
	var rows []string
	var args []any
	want := map[record.UserID]int{}
	for _, n := range accounts {
		for _, fold := range folds(n.name) {
			args = append(args, fold, string(n.id), nameDigest(n.name))
			rows = append(rows, fmt.Sprintf("($%d, '', $%d, $%d)", len(args)-2, len(args)-1, len(args)))
			want[n.id]++
		}
	}
	made, err := all(ctx, q, value[record.UserID], "INSERT INTO jotgate_name (fold, twin, user_id, name) VALUES "+strings.Join(rows, ", ")+
		" ON CONFLICT DO NOTHING RETURNING user_id", args...)
	if err != nil {
		return err
	}
	for _, id := range made {
		want[id]--
	}
	for _, n := range accounts {
		if want[n.id] > 0 {
			if err := s.takeName(ctx, q, n.id, n.name, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// idList returns placeholders for the ids of accounts, and the ids.
func idList(accounts []named) (marks string, args []any) {
	list := make([]string, len(accounts))
	for i, n := range accounts {
		list[i] = fmt.Sprintf("$%d", i+1)
		args = append(args, string(n.id))
	}
	return strings.Join(list, ", "), args
}
