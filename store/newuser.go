package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// What is written into the columns of a new account that jotgate does not
// know: never a value that the application may not have.

// filling returns the value of a column of a new account.
type filling struct {
	shown    string  // for doctor
	constant *string // as it was written; nil: not a constant
	value    func(s *Store, a *record.Account, joined time.Time) any
}

// words are the values of Schema.NewUser that are not constants.
var words = map[string]func(c column) func(s *Store, a *record.Account, joined time.Time) any{
	"uuid4": func(c column) func(*Store, *record.Account, time.Time) any {
		return func(s *Store, _ *record.Account, _ time.Time) any { return s.encode(c, newUUID()) }
	},
	"now": func(c column) func(*Store, *record.Account, time.Time) any {
		return func(s *Store, _ *record.Account, joined time.Time) any {
			return s.encode(c, joined.Format(time.RFC3339Nano))
		}
	},
	"today": func(column) func(*Store, *record.Account, time.Time) any {
		return func(_ *Store, _ *record.Account, joined time.Time) any { return joined.Format(time.DateOnly) }
	},
	"email": func(column) func(*Store, *record.Account, time.Time) any {
		return func(_ *Store, a *record.Account, _ time.Time) any { return a.Email }
	},
	"username": func(column) func(*Store, *record.Account, time.Time) any {
		return func(_ *Store, a *record.Account, _ time.Time) any { return a.Username }
	},
	"null": func(column) func(*Store, *record.Account, time.Time) any {
		return func(*Store, *record.Account, time.Time) any { return nil }
	},
}

// wordsOf names the words that a column of each kind can hold.
var wordsOf = map[record.Kind][]string{
	record.KindText: {"uuid4", "now", "today", "email", "username"}, record.KindUUID: {"uuid4"},
	record.KindDateTime: {"now"}, record.KindDate: {"now", "today"},
}

// modelColumns are the columns that jotgate fills itself.
func (t *tables) modelColumns() []string {
	s := t.schema
	return []string{
		s.ID, s.Username, s.Email, "password", "is_active", "is_staff", "is_superuser",
		"first_name", "last_name", "date_joined", "last_login",
	}
}

// readFills reads Schema.NewUser.
func (t *tables) readFills(driver Driver) error {
	t.fills = map[string]filling{}
	var errs []error
	for name, value := range t.schema.NewUser {
		c, ok := t.user[name]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("new user: the table %s has no column %s", t.schema.Users, name))
		case slices.Contains(t.modelColumns()[:7], name):
			errs = append(errs, fmt.Errorf("new user: jotgate writes the column %s itself", name))
		default:
			f, err := newFilling(c, value, driver)
			if err != nil {
				errs = append(errs, fmt.Errorf("new user: %s (%s): %w", name, c.typ, err))
			}
			t.fills[name] = f
		}
	}
	return errors.Join(errs...)
}

func newFilling(c column, value string, driver Driver) (f filling, err error) {
	f.shown = value
	if make, ok := words[value]; ok {
		if value == "null" && !c.nullable {
			return f, errors.New("the column must not be NULL")
		}
		if value != "null" && !slices.Contains(wordsOf[c.kind()], value) {
			return f, fmt.Errorf("the column cannot hold %s", value)
		}
		f.value = make(c)
		return f, nil
	}
	if text, ok := strings.CutPrefix(value, "'"); ok && strings.HasSuffix(text, "'") {
		value = strings.TrimSuffix(text, "'")
	}
	if c.unique {
		return f, errors.New("the column is UNIQUE, and every account would get the same value: use uuid4, email or username")
	}
	f.constant = &value
	constant, err := parseConstant(c, value)
	f.value = func(s *Store, _ *record.Account, _ time.Time) any { return s.encode(c, constant) }
	return f, err
}

// checkConstants has the database read the constants of NewUser: only it knows
// the values of an enumeration, or what a number may be.
func (t *tables) checkConstants(ctx context.Context, driver Driver, q Queryer) (err error) {
	for name, f := range t.fills {
		if f.constant == nil || driver.Cast == "" {
			continue
		}
		c := t.user[name]
		_, wrong := one(ctx, q, []any{new(bool)}, fmt.Sprintf(driver.Cast, c.typ), *f.constant)
		if wrong != nil && driver.Rejected(wrong) {
			wrong = fmt.Errorf("new user: %s (%s): %q is not a value of the column", name, c.typ, *f.constant)
		}
		err = errors.Join(err, wrong)
	}
	return err
}

// parseConstant returns a constant in the form of record.Account.Fields.
func parseConstant(c column, text string) (v any, err error) {
	bad := fmt.Errorf("%q is not a value of the column", text)
	switch c.kind() {
	case record.KindBoolean:
		v, err = strconv.ParseBool(strings.ToLower(text))
	case record.KindInteger:
		v, err = strconv.ParseInt(text, 10, 64)
	case record.KindNumber:
		v, err = strconv.ParseFloat(text, 64)
	case record.KindDecimal:
		_, err = strconv.ParseFloat(text, 64)
		v = text // PostgreSQL and SQLite read it exactly
	case record.KindDate:
		_, err = time.Parse(time.DateOnly, text)
		v = text
	case record.KindDateTime:
		_, err = time.Parse(time.RFC3339Nano, text)
		v = text
	case record.KindUUID:
		if v = text; !isUUID(text) {
			err = bad
		}
	case record.KindJSON:
		if v = json.RawMessage(text); !json.Valid([]byte(text)) {
			err = bad
		}
	default:
		v, err = text, c.fits(c.name, text)
	}
	if err != nil {
		err = bad
	}
	return v, err
}

// encode returns a value of record.Account.Fields as Django writes it.
func (s *Store) encode(c column, v any) any {
	switch v := v.(type) {
	case json.RawMessage:
		return string(v)
	case string:
		switch {
		case c.kind() == record.KindUUID && isUUID(v):
			return s.driver.UUID(v)
		case c.kind() == record.KindDateTime, c.kind() == record.KindDate:
			if t, err := time.Parse(time.RFC3339Nano, v); err == nil && c.kind() == record.KindDate {
				return t.UTC().Format(time.DateOnly)
			} else if err == nil {
				return s.driver.Time(t.UTC().Truncate(time.Microsecond))
			}
		}
	}
	return v
}

// complete adds the columns of a custom user model to a row: those of
// a.Fields and Schema.NewUser, and an empty text for columns to which it is a
// value like any other. What has no value is NULL or the database's default.
// The error names the columns that can be neither.
func (s *Store) complete(row []cell, a *record.Account, joined time.Time) ([]cell, error) {
	t := s.tables
	var missing []column
	for _, c := range t.columns[t.schema.Users] {
		if slices.Contains([]string{t.schema.ID, t.schema.Username, "password"}, c.name) {
			continue
		}
		i := slices.IndexFunc(row, func(have cell) bool { return have.name == c.name })
		var v any
		if i >= 0 {
			v = row[i].value
			row = slices.Delete(row, i, i+1)
		}
		v, ok, err := s.valueOf(c, v, a, joined)
		switch {
		case err != nil:
			return nil, err
		case ok:
			row = append(row, cell{c.name, v})
		case c.nullable && i >= 0:
			row = append(row, cell{c.name, nil})
		case !c.required: // NULL or the default
		case c.name == "username" && a.Email != "":
			row = append(row, cell{c.name, a.Email})
		case t.takesEmpty(c):
			row = append(row, cell{c.name, ""})
		default:
			missing = append(missing, c)
		}
	}
	return row, t.cannotFill(missing)
}

// valueOf returns the value of a column of a new account: that of a.Fields,
// of the model's own column (v), or of Schema.NewUser. ok is false if none of
// them has one that the column can hold.
func (s *Store) valueOf(c column, v any, a *record.Account, joined time.Time) (value any, ok bool, err error) {
	if given, found := a.Fields[c.name]; found {
		if text, is := given.(string); is {
			if err := c.fits(c.name, text); err != nil {
				return nil, false, err
			}
		}
		v = s.encode(c, given)
		ok = v == nil && c.nullable || v == "" && c.free()
	}
	if ok || v != nil && v != "" {
		return v, true, nil
	}
	f, found := s.tables.fills[c.name]
	if !found {
		return nil, false, nil
	}
	v = f.value(s, a, joined)
	return v, v == nil && c.nullable || v != nil && v != "" || v == "" && c.free(), nil
}

// takesEmpty reports whether an account may be created with an empty text in a
// column that must not be NULL. In a column that Django fills from the model,
// the latest accounts show whether that is one of its values.
func (t *tables) takesEmpty(c column) bool { return c.free() && !t.chosen[c.name] }

// cannotFill returns ErrSignupClosed for these columns. A missing e-mail address is
// the client's to send.
func (t *tables) cannotFill(missing []column) error {
	if len(missing) == 0 {
		return nil
	}
	for _, c := range missing {
		if slices.Contains([]string{t.schema.Email, "first_name", "last_name"}, c.name) || slices.ContainsFunc(t.fields, func(f record.UserField) bool { return f.Name == c.name }) {
			return refuse(t.fieldName(c.name), "This field is required.")
		}
	}
	return jotgate.ErrSignupClosed.Because(t.unfilled(missing))
}

// unfilled explains in one sentence which settings are missing.
func (t *tables) unfilled(list []column) error {
	var names, example, meanings []string
	for _, c := range list {
		value, meaning := c.advice()
		if names = append(names, c.name+" ("+c.typ+")"); value != "" {
			example = append(example, c.name+"="+value)
		}
		if meaning != "" {
			meanings = append(meanings, "; "+c.name+": "+meaning)
		}
	}
	what := "the column " + names[0] + " of the table " + t.schema.Users + " needs a value"
	if len(list) > 1 {
		what = "the columns " + strings.Join(names, ", ") + " of the table " + t.schema.Users + " need values"
	}
	if what += " that only the application knows"; len(example) > 0 {
		what += fmt.Sprintf(": set NewUser (--new-user %q)", strings.Join(example, ";"))
	}
	return errors.New(what + strings.Join(meanings, ""))
}

// advice returns what NewUser may say about the column: a value that the database
// accepts for every account, or VALUE and what to write in its place, or nothing
// and what helps if no setting can fill the column.
func (c column) advice() (value, meaning string) {
	kind := c.kind()
	text := kind == record.KindText || kind == record.KindUUID
	long := c.limit == 0 || c.limit >= len("00000000-0000-0000-0000-000000000000") || kind == record.KindUUID
	switch {
	case c.refers != "":
		meaning = "the key of a row of the table " + c.refers + ", which every new account gets"
	case c.unique && c.checked && text:
		return "VALUE", "uuid4, email or username, which the CHECK constraint has to allow"
	case c.values != "":
		meaning = "one of " + c.values
	case c.checked:
		meaning = "a value that the CHECK constraint or the type allows"
	case kind == record.KindUUID, text && long && (c.unique || c.fixed()):
		return "uuid4", ""
	case text && c.unique:
		return "username", fmt.Sprintf("accounts with names over %d characters are refused", c.limit)
	case kind == record.KindDateTime:
		return "now", ""
	case kind == record.KindText && c.limit > 0:
		meaning = fmt.Sprintf("a text of at most %d characters, such as a choice of the model", c.limit)
	case kind == record.KindText:
		meaning = "a text, such as a choice of the model"
	default:
		value, meaning = harmless[kind], "a value of the type "+c.typ
	}
	if c.unique { // every account needs another one
		return "", "each account needs another value, which no setting has: give the column a default in the database, create accounts in Django, or set it in Go (Settings.NewAccount)"
	}
	if value != "" {
		return value, ""
	}
	return "VALUE", meaning
}

// harmless are values that columns of a kind without rules accept.
var harmless = map[record.Kind]string{
	record.KindDate: "today", record.KindBoolean: "false", record.KindJSON: "{}",
	record.KindInteger: "0", record.KindNumber: "0", record.KindDecimal: "0",
}

// missing lists the columns that must have a value, and neither the database,
// Schema.NewUser nor a field of Schema.Fields has it.
func (t *tables) missing() (list []column) {
	for _, c := range t.columns[t.schema.Users] {
		_, filled := t.fills[c.name]
		isField := slices.ContainsFunc(t.fields, func(f record.UserField) bool { return f.Name == c.name && !f.ReadOnly })
		model := slices.Contains(t.modelColumns(), c.name) && c.name != "last_login"
		if c.required && !filled && !isField && !model && c.name != "username" && !t.takesEmpty(c) {
			list = append(list, c)
		}
	}
	return list
}

// learn notes in which columns none of the latest accounts has an empty text.
func (t *tables) learn(ctx context.Context, q Queryer) error {
	t.chosen = map[string]bool{}
	if t.user[t.schema.ID].name == "" {
		return nil // check reports it
	}
	for _, c := range t.columns[t.schema.Users] {
		_, filled := t.fills[c.name]
		if !c.required || filled || !c.free() || slices.Contains(t.modelColumns(), c.name) {
			continue
		}
		var rows, empty int
		_, err := one(ctx, q, []any{&rows, &empty}, fmt.Sprintf("SELECT COUNT(*), COUNT(CASE WHEN c = '' THEN 1 END) FROM (SELECT %s AS c FROM %s ORDER BY %s DESC LIMIT 1000) AS latest",
			quote(c.name), quote(t.schema.Users), quote(t.schema.ID)))
		if err != nil {
			return err
		}
		t.chosen[c.name] = rows > 0 && empty == 0
	}
	return nil
}
