package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Rows of jotgate_name for accounts that did not get theirs with their name: those
// that are older than the table, and those that Django created or renamed. Their
// names may be similar to others.

const (
	indexPageSize  = 500 // accounts in a page of the index
	newestPageSize = 50  // accounts that are looked at before a new name is stored
	requestPages   = 20  // pages that a request indexes before it is rejected
	sweepInterval  = time.Hour
)

// The jobs in jotgate_progress.
const (
	jobIndex = "names"      // position: the last key, or finished
	jobSweep = "name_sweep" // position: when the last one began, in microseconds
	finished = "finished"
)

var errIndexing = errors.New("the usernames of existing accounts are being indexed; jotgate migrate does it before the first start")

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
		page, _, err := s.indexPage(ctx, after)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].id
	}
}

// index continues the index of all accounts, by at most so many pages (-1: all), and
// reports whether it is finished.
func (s *Store) index(ctx context.Context, pages int) (done bool, err error) {
	if s.indexed.Load() {
		return true, nil
	}
	var position string
	if err := s.read(ctx, func(ctx context.Context, q Queryer) error {
		_, err := one(ctx, q, []any{&position}, "SELECT position FROM jotgate_progress WHERE job = $1", jobIndex)
		return err
	}); err != nil {
		return false, err
	}
	for ; position != finished; pages-- {
		if pages == 0 || ctx.Err() != nil {
			return false, ctx.Err()
		}
		page, _, err := s.indexPage(ctx, record.UserID(position))
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

// beforeName prepares for a new name.
func (s *Store) beforeName(ctx context.Context) error {
	if s.tables.schema.SimilarNames {
		return nil
	}
	return s.catchUp(ctx)
}

// catchUp makes the rows of accounts that Django has created, before a new name is
// compared with them: it looks at the newest accounts until it finds a page of known
// ones.
func (s *Store) catchUp(ctx context.Context) error {
	done, err := s.index(ctx, requestPages)
	if err != nil {
		return err
	}
	if !done {
		return jotgate.ErrUnavailable.Because(errIndexing)
	}
	for offset := 0; ; offset += newestPageSize {
		page, err := s.namedPage(ctx, s.texts.newest, newestPageSize, offset)
		if err != nil {
			return err
		}
		if made, err := s.indexAccounts(ctx, page); err != nil || made == 0 {
			return err
		}
	}
}

// indexPage makes the rows of the page of accounts after a key.
func (s *Store) indexPage(ctx context.Context, after record.UserID) (page []named, made int, err error) {
	if after == "" {
		page, err = s.namedPage(ctx, s.texts.firstNames, indexPageSize)
	} else if key, ok := s.tables.key.encode(after); ok {
		page, err = s.namedPage(ctx, s.texts.namesAfter, indexPageSize, key)
	}
	if err == nil {
		made, err = s.indexAccounts(ctx, page)
	}
	return page, made, err
}

func (s *Store) namedPage(ctx context.Context, text string, args ...any) ([]named, error) {
	return ask(ctx, s, func(ctx context.Context, q Queryer) ([]named, error) { return all(ctx, q, scanNamed, text, args...) })
}

// indexAccounts makes the rows of those accounts that have none for their name, and
// returns how many these are.
func (s *Store) indexAccounts(ctx context.Context, page []named) (int, error) {
	if len(page) == 0 {
		return 0, nil
	}
	have := map[record.UserID]string{}
	marks, args := idList(page)
	err := s.read(ctx, func(ctx context.Context, q Queryer) error {
		rows, err := all(ctx, q, scanNameRow, "SELECT twin, user_id, name FROM jotgate_name WHERE user_id IN ("+marks+")", args...)
		for _, r := range rows {
			have[r.user] = r.name
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	var missing []named
	for _, n := range page {
		if have[n.id] != nameDigest(n.name) {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return 0, nil
	}
	return len(missing), s.write(ctx, func(ctx context.Context, q Queryer) error { return s.indexMissing(ctx, q, missing) })
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
