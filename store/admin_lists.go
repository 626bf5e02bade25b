package store

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// Lists for package admin other than those of users and groups.

// Sessions implements adminstore.Store.
func (ad admin) Sessions(ctx context.Context, user record.UserID, before time.Time, limit int) ([]record.Session, error) {
	text, args := "SELECT "+sessionColumns+" FROM jotgate_session WHERE created < $1", []any{int64(math.MaxInt64), limit}
	if !before.IsZero() {
		args[0] = before.UnixMicro()
	}
	if user != "" {
		if !storable(string(user)) {
			return nil, nil
		}
		// The index of a user's sessions has the live ones.
		text, args = text+" AND user_id = $3 AND ended IS NULL", append(args, string(user))
	}
	return ask(ctx, ad.db, func(ctx context.Context, q Queryer) ([]record.Session, error) {
		return all(ctx, q, scanSession, text+" ORDER BY created DESC, id DESC LIMIT $2", args...)
	})
}

const queuedColumns = "id, kind, user_id, recipient, language, detail, created, attempts, due, reason"

func scanQueued(rows rowScanner) (m adminstore.Message, err error) {
	err = rows.Scan(&m.ID, &m.Kind, &m.User, &m.To, &m.Language, &m.Detail, instant{&m.Created}, &m.Attempts, instant{&m.Due}, &m.Reason)
	return m, err
}

// Messages implements adminstore.Store. It leaves out decoys, which are never
// sent.
func (ad admin) Messages(ctx context.Context, after int64, limit int) ([]adminstore.Message, error) {
	return ask(ctx, ad.db, func(ctx context.Context, q Queryer) ([]adminstore.Message, error) {
		return all(ctx, q, scanQueued, "SELECT "+queuedColumns+" FROM jotgate_outbox WHERE id > $1 AND kind <> 'decoy' ORDER BY id LIMIT $2", after, limit)
	})
}

// Failures implements adminstore.Store.
func (ad admin) Failures(ctx context.Context, after string, limit int) ([]adminstore.Failure, error) {
	if !storable(after) {
		return nil, nil
	}
	return ask(ctx, ad.db, func(ctx context.Context, q Queryer) ([]adminstore.Failure, error) {
		return all(ctx, q, scanFailure, "SELECT key, count, latest FROM jotgate_failure WHERE key > $1 ORDER BY key LIMIT $2", after, limit)
	})
}

func scanFailure(rows rowScanner) (f adminstore.Failure, err error) {
	err = rows.Scan(&f.Key, &f.Count, instant{&f.Last})
	return f, err
}

// Addresses implements adminstore.Store.
func (ad admin) Addresses(ctx context.Context, user record.UserID) ([]adminstore.Address, error) {
	key, ok := ad.db.tables.key.encode(user)
	if !ok || !ad.db.tables.addresses {
		return nil, nil
	}
	return ask(ctx, ad.db, func(ctx context.Context, q Queryer) ([]adminstore.Address, error) {
		return all(ctx, q, func(rows rowScanner) (a adminstore.Address, err error) {
			err = rows.Scan(&a.Email, &a.Verified, &a.Primary)
			return a, err
		}, `SELECT email, verified, "primary" FROM account_emailaddress WHERE user_id = $1 ORDER BY "primary" DESC, id LIMIT 100`, key)
	})
}

// Social implements adminstore.Store.
func (ad admin) Social(ctx context.Context, id int64) (*record.SocialAccount, error) {
	if !ad.db.tables.social {
		return nil, jotgate.ErrNotFound
	}
	a := record.SocialAccount{ID: id}
	found, err := ask(ctx, ad.db, func(ctx context.Context, q Queryer) (bool, error) {
		return one(ctx, q, []any{keyScan{&a.User}, &a.Provider, &a.UID, moment{&a.LastLogin}, moment{&a.Joined}},
			"SELECT user_id, provider, uid, last_login, date_joined FROM socialaccount_socialaccount WHERE id = "+anyInteger("$1"), id)
	})
	return &a, orNotFound(found, err)
}

// maxScanned is how many rows a page of events reads at most.
const maxScanned = 20_000

// Events implements adminstore.Store. A page is selected among the next
// maxScanned rows of an index, so that no filter reads the whole table.
func (ad admin) Events(ctx context.Context, eq adminstore.EventQuery) (page adminstore.EventPage, err error) {
	if !storable(eq.Name + string(eq.User) + string(eq.Actor)) {
		return page, nil
	}
	l := &listing{s: ad.db}
	before := eq.Before
	if before <= 0 {
		before = math.MaxInt64
	}
	l.and("id < " + l.arg(before))
	switch { // the condition with an index
	case eq.Parent != 0:
		l.and("parent <> 0 AND parent = " + l.arg(eq.Parent))
	case eq.User != "":
		l.and("user_id = " + l.arg(string(eq.User)))
	case eq.Actor != "":
		l.and("actor <> '' AND actor = " + l.arg(string(eq.Actor)))
	}
	inner := "SELECT " + eventColumns + " FROM jotgate_event" + l.conditions() + " ORDER BY id DESC LIMIT " + l.arg(maxScanned)
	scanned := len(l.args)
	l.where = nil
	if eq.Name != "" {
		l.and("event = " + l.arg(eq.Name))
	}
	if eq.User != "" && eq.Parent != 0 {
		l.and("user_id = " + l.arg(string(eq.User)))
	}
	if eq.Actor != "" && (eq.Parent != 0 || eq.User != "") {
		l.and("actor = " + l.arg(string(eq.Actor)))
	}
	if !eq.Since.IsZero() {
		l.and("made >= " + l.arg(eq.Since.UnixMicro()))
	}
	return ad.eventPage(ctx, l, inner, scanned, cmp.Or(eq.Limit, 1))
}

// eventPage reads a page, and where the next one begins. inner selects the rows to
// look at, with the first scanned arguments.
func (ad admin) eventPage(ctx context.Context, l *listing, inner string, scanned, limit int) (page adminstore.EventPage, err error) {
	text := "SELECT * FROM (" + inner + ") AS e" + l.conditions() + " ORDER BY id DESC LIMIT " + l.arg(limit+1)
	err = ad.db.read(ctx, func(ctx context.Context, q Queryer) (err error) {
		page = adminstore.EventPage{}
		if page.Events, err = all(ctx, q, scanEvent, text, l.args...); err != nil {
			return err
		}
		if len(page.Events) > limit {
			page.Events = page.Events[:limit]
			page.Next = page.Events[limit-1].ID
			return nil
		}
		var n int
		var last int64
		_, err = one(ctx, q, []any{&n, &last}, "SELECT COUNT(*), COALESCE(MIN(id), 0) FROM ("+inner+") AS e", l.args[:scanned]...)
		if n == maxScanned {
			page.Next = last
		}
		return err
	})
	return page, err
}

const jobColumns = "id, actor, action, selection, state, position, total, done, skipped, undone, parent, created, updated"

func scanJob(rows rowScanner) (j adminstore.Job, err error) {
	var selection string
	err = rows.Scan(&j.ID, &j.Actor, &j.Action, &selection, &j.State, &j.Position, &j.Total, &j.Done, &j.Skipped, &j.Undone, &j.Parent,
		instant{&j.Created}, instant{&j.Updated})
	if err == nil {
		err = json.Unmarshal([]byte(selection), &j.Selection)
	}
	return j, err
}

// Jobs implements adminstore.Store.
func (ad admin) Jobs(ctx context.Context, before int64, limit int) ([]adminstore.Job, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return ask(ctx, ad.db, func(ctx context.Context, q Queryer) ([]adminstore.Job, error) {
		return all(ctx, q, scanJob, "SELECT "+jobColumns+" FROM jotgate_job WHERE id < $1 ORDER BY id DESC LIMIT $2", before, limit)
	})
}
