package store

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// Pages of users for package admin: their order, and where each begins.

// ordering is the order of a page: by an expression, if it is not empty, and the
// key.
type ordering struct {
	by   string
	down bool
	time bool   // by is a column of times
	less string // the operators of by
	more string
	use  string // the operator class of ORDER BY
	only string // a further condition
}

// Sorts implements adminstore.Store.
func (ad admin) Sorts() []string {
	list := []string{"id", "username"}
	for column, sort := range map[string]string{"date_joined": "joined", "last_login": "login"} {
		if _, ok := ad.db.tables.user[column]; ok {
			list = append(list, sort)
		}
	}
	if ad.db.tables.hasEmail() && !ad.db.tables.loginIsEmail() {
		list = append(list, "email")
	}
	slices.Sort(list[2:])
	return list
}

// ordering returns the order of a query.
func (s *Store) ordering(q adminstore.Query) (o ordering, err error) {
	o = ordering{less: "<", more: ">"}
	sort, down := strings.CutPrefix(cmp.Or(q.Sort, "id"), "-")
	if !slices.Contains(admin{s}.Sorts(), sort) {
		return o, jotgate.ErrNotFound
	}
	if q.Filtered() {
		if s.searchKind(q.Search) == adminstore.SearchPrefix {
			o.by, _ = s.prefixColumn(q.Search)
			if s.driver.Name == "postgres" {
				o.less, o.more, o.use = "~<~", "~>~", " USING ~<~"
			}
		}
		return o, nil
	}
	switch o.down = down; sort {
	case "username":
		o.by = "u." + quote(s.tables.schema.Username)
	case "email": // equal addresses are few, once empty ones are left out: the index has no key
		o.by = "UPPER(u." + quote(s.tables.schema.Email) + ")"
		o.only = o.by + " > ''"
	case "joined":
		o.by, o.time = "u.date_joined", true
	case "login":
		o.by, o.time, o.only = "u.last_login", true, "u.last_login IS NOT NULL"
	}
	return o, nil
}

// cursor is the end of a page: its last key and, if the page has another order,
// the value of that.
type cursor struct {
	ID   record.UserID `json:"id"`
	Text string        `json:"t,omitempty"`
	Time time.Time     `json:"at,omitzero"`
}

func (c cursor) String() string {
	text, _ := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseCursor(text string) (c cursor, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || !storable(c.Text) {
		return c, jotgate.ErrNotFound.Because(err)
	}
	return c, nil
}

// Users implements adminstore.Store.
func (ad admin) Users(ctx context.Context, q adminstore.Query) (page adminstore.Page, err error) {
	if err := ad.learn(ctx, q.Search); err != nil {
		return page, err
	}
	text, args, o, err := ad.db.pageText(q)
	if err != nil {
		return page, err
	}
	type row struct {
		account *record.Account
		cursor  cursor
	}
	rows, err := ask(ctx, ad.db, func(ctx context.Context, qr Queryer) ([]row, error) {
		return all(ctx, qr, func(rows rowScanner) (r row, err error) {
			a := ad.db.tables.accountRow()
			var by any = &r.cursor.Text
			if o.time {
				by = moment{&r.cursor.Time}
			}
			err = rows.Scan(append(a.columns(), by)...)
			r.account = a.account()
			r.cursor.ID = r.account.ID
			return r, err
		}, text, args...)
	})
	page.Search = ad.db.searchKind(q.Search)
	for i, r := range rows {
		if i == q.Limit {
			page.Next = rows[i-1].cursor.String()
			break
		}
		page.Users = append(page.Users, r.account)
	}
	return page, err
}

// learn prepares a search by substrings.
func (ad admin) learn(ctx context.Context, search string) error {
	if ad.db.searchKind(search) != adminstore.SearchSubstring {
		return nil
	}
	return ad.db.learn(ctx)
}

// pageText returns the statement of a page. The keys are selected first, so that
// the order comes from an index.
func (s *Store) pageText(q adminstore.Query) (text string, args []any, o ordering, err error) {
	if q.Limit < 1 || q.Limit > adminstore.MaxPage || !storable(q.Search+q.Provider) {
		return "", nil, o, jotgate.ErrNotFound
	}
	l, err := s.listing(q)
	if err != nil {
		return "", nil, o, err
	}
	if o, err = s.ordering(q); err != nil {
		return "", nil, o, err
	}
	if err := l.after(q.After, o); err != nil {
		return "", nil, o, err
	}
	if o.only != "" {
		l.and(o.only)
	}
	shown := o.by
	if shown == "" {
		shown = "''"
	}
	users := "SELECT " + strings.Join(s.tables.accountColumns(), ", ") + ", " + shown + " FROM " + quote(s.tables.schema.Users) + " AS u" + s.tables.groupJoin()
	text = users + " WHERE u." + quote(s.tables.schema.ID) + " IN (SELECT " + l.keys() + " FROM " + l.from + l.conditions() + o.text(l.key) +
		" LIMIT " + l.arg(q.Limit+1) + ")" + o.text("u."+quote(s.tables.schema.ID))
	return text, l.args, o, nil
}

// text returns the ORDER BY clause.
func (o ordering) text(key string) string {
	direction := ""
	if o.down {
		direction = " DESC"
	}
	if o.by == "" {
		return " ORDER BY " + key + direction
	}
	return " ORDER BY " + o.by + o.use + direction + ", " + key + direction
}

// after begins the page after a cursor.
func (l *listing) after(text string, o ordering) error {
	if text == "" {
		return nil
	}
	c, err := parseCursor(text)
	if err != nil {
		return err
	}
	key, ok := l.s.tables.key.encode(c.ID)
	if !ok {
		return jotgate.ErrNotFound
	}
	than := o.more
	if o.down {
		than = o.less
	}
	if o.by == "" {
		l.and(l.key + " " + map[bool]string{true: "<", false: ">"}[o.down] + " " + l.arg(key))
		return nil
	}
	var value any = c.Text
	if o.time {
		value = l.s.driver.Time(c.Time)
	}
	if o.use != "" { // no row comparison by another operator
		from := l.arg(value)
		l.and(o.by + " ~>=~ " + from + " AND (" + o.by + " <> " + from + " OR " + l.key + " > " + l.arg(key) + ")")
		return nil
	}
	l.and("(" + o.by + ", " + l.key + ") " + than + " (" + l.arg(value) + ", " + l.arg(key) + ")")
	return nil
}

// Count implements adminstore.Store.
func (ad admin) Count(ctx context.Context, q adminstore.Query) (n int, err error) {
	if !storable(q.Search + q.Provider) {
		return 0, nil
	}
	if err := ad.learn(ctx, q.Search); err != nil {
		return 0, err
	}
	l, err := ad.db.listing(q)
	if err != nil {
		return 0, err
	}
	text := "SELECT COUNT(*) FROM (SELECT " + l.keys() + " FROM " + l.from + l.conditions() + " LIMIT " + l.arg(adminstore.MaxCount) + ") AS t"
	err = ad.db.read(ctx, func(ctx context.Context, q Queryer) error {
		_, err := one(ctx, q, []any{&n}, text, l.args...)
		return err
	})
	return n, err
}
