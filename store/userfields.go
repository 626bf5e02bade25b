package store

import (
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

// The further columns that users set and see: Schema.Fields.

// protected are the columns that a user must not set.
var protected = []string{"is_active", "is_staff", "is_superuser", "last_login", "date_joined"}

// readFields reads Schema.Fields.
func (t *tables) readFields() error {
	t.fields = nil
	var errs []error
	for _, f := range t.schema.Fields {
		c, ok := t.user[f.Name]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("user fields: the table %s has no column %s", t.schema.Users, f.Name))
		case slices.Contains([]string{t.schema.ID, t.schema.Username, t.schema.Email, "password"}, f.Name):
			errs = append(errs, fmt.Errorf("user fields: %s is always there", f.Name))
		case slices.Contains(protected, f.Name) && !f.ReadOnly:
			errs = append(errs, fmt.Errorf("user fields: users must not set %s; it can be read-only", f.Name))
		case c.kind() == record.KindOther:
			errs = append(errs, fmt.Errorf("user fields: the column %s is of the type %s, which jotgate does not read", f.Name, c.typ))
		default:
			t.fields = append(t.fields, t.userField(f, c))
		}
	}
	// Where users log in by another column, a sign-up may still name the
	// username that the table keeps.
	if c, ok := t.user["username"]; ok && t.schema.Username != "username" && !t.hasField("username") {
		implied := t.userField(Field{Name: "username"}, c)
		implied.WriteOnly, implied.Blank = true, true
		t.fields = append(t.fields, implied)
	}
	t.shown = slices.DeleteFunc(slices.Clone(t.fields), func(f record.UserField) bool { return f.WriteOnly })
	return errors.Join(errs...)
}

func (t *tables) hasField(name string) bool {
	return slices.ContainsFunc(t.fields, func(f record.UserField) bool { return f.Name == name })
}

func (t *tables) userField(f Field, c column) record.UserField {
	_, filled := t.schema.NewUser[f.Name]
	needed := c.required && !filled && !c.free() && f.Name != "username"
	return record.UserField{
		Name: f.Name, Kind: c.kind(), MaxLength: c.limit, Null: c.nullable,
		Required: !f.ReadOnly && (f.Required || needed), ReadOnly: f.ReadOnly, Blank: c.free() && !f.Required,
	}
}

// fieldScan scans a column of any kind into the form of record.Account.Fields.
type fieldScan struct {
	kind record.Kind
	to   *any
}

// Scan implements sql.Scanner. A value of another form than the column's type
// implies, which SQLite allows, is read as text.
func (f fieldScan) Scan(v any) error {
	if b, ok := v.([]byte); ok {
		v = string(b)
	}
	switch v := v.(type) {
	case nil:
		*f.to = nil
	case time.Time:
		*f.to = f.time(v)
	case int64:
		*f.to = f.integer(v)
	case float64:
		if *f.to = v; f.kind == record.KindDecimal {
			*f.to = strconv.FormatFloat(v, 'f', -1, 64)
		}
	case string:
		*f.to = f.text(v)
	default:
		*f.to = v
	}
	return nil
}

func (f fieldScan) time(v time.Time) any {
	if f.kind == record.KindDate {
		return v.Format(time.DateOnly)
	}
	return v.UTC().Format("2006-01-02T15:04:05.999999Z07:00")
}

func (f fieldScan) integer(v int64) any {
	switch f.kind {
	case record.KindBoolean:
		return v != 0
	case record.KindDecimal:
		return strconv.FormatInt(v, 10)
	}
	return v
}

func (f fieldScan) text(v string) any {
	switch f.kind {
	case record.KindUUID:
		var id record.UserID
		_ = keyScan{&id}.Scan(v)
		return string(id)
	case record.KindJSON:
		if json.Valid([]byte(v)) {
			return json.RawMessage(v)
		}
	case record.KindDate, record.KindDateTime:
		var t time.Time
		if (moment{&t}).Scan(v) == nil {
			return f.time(t)
		}
	}
	return v
}

// changedFields returns the columns of Change.Fields, after checking them.
func (s *Store) changedFields(fields map[string]any) (row []cell, err error) {
	for _, f := range s.tables.fields {
		v, ok := fields[f.Name]
		if !ok {
			continue
		}
		c := s.tables.user[f.Name]
		if text, is := v.(string); is {
			if err := c.fits(f.Name, text); err != nil {
				return nil, err
			}
		}
		if v == nil && !c.nullable {
			return nil, refuse(f.Name, "This field may not be null.")
		}
		row = append(row, cell{f.Name, s.encode(c, v)})
	}
	return row, nil
}

// fieldName returns the name that an error uses for a column.
func (t *tables) fieldName(column string) string {
	switch column {
	case t.schema.Username:
		return "username"
	case t.schema.Email:
		return "email"
	}
	return column
}

// Model describes the user table. Its fields are those of Schema.Fields and, if users log
// in by another column, the column username if the table has it.
func (s *Store) Model() record.Model {
	t := s.tables
	m := record.Model{LoginIsEmail: t.loginIsEmail(), Fields: slices.Clone(t.fields)}
	for _, columns := range t.indexes {
		m.EmailIsUnique = m.EmailIsUnique || len(columns) == 1 && columns[0] == t.schema.Email
	}
	if list := t.missing(); len(list) > 0 {
		m.Unfilled = t.unfilled(list)
	}
	return m
}

// rejected replaces the violation of another rule of the user table, such as a
// CHECK, which only the database knows. A deferred one is reported by the commit.
func (s *Store) rejected(err error) error {
	var refusal *jotgate.Error
	if err == nil || errors.As(err, &refusal) && !refusal.Is(jotgate.ErrUnavailable) || !s.driver.Rejected(err) {
		return err
	}
	return jotgate.ErrRejected.Because(err)
}

// takenUser replaces a violated unique constraint of the user table with an
// error about the field that it is about, with the texts of Django REST
// framework.
func (s *Store) takenUser(err error) error {
	if err == nil || !s.driver.Taken(err) {
		return s.rejected(err)
	}
	names := s.tables.violated(&s.driver, err)
	switch {
	case len(names) == 0, slices.Contains(names, s.tables.schema.Username):
		return jotgate.ErrTaken.Because(err)
	case slices.Contains(names, s.tables.schema.ID):
		return err
	}
	field := s.tables.fieldName(names[0])
	if names[0] == "username" {
		refusal := refuse("username", jotgate.ErrTaken.Fields[0].Messages[0])
		refusal.Code = "username" // unlike ErrTaken, it is not about the login name
		return refusal.Because(err)
	}
	return refuse(field, "user with this "+strings.ReplaceAll(field, "_", " ")+" already exists.").Because(err)
}
