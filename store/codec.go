package store

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jotgate/jotgate/record"
)

// Conversion of times, keys and texts between Go and the tables.

// moment scans a Django column that holds a time; NULL is the zero time.
// SQLite returns Django's text, or a time if the driver parsed it.
type moment struct{ to *time.Time }

// momentForms are the formats that Django and SQLite's functions write, and then those
// of other programs: what SQLite's driver reads in a column that is declared as a time.
var momentForms = []string{
	"2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02",
	"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05.999999999 -0700 MST",
}

// Scan implements sql.Scanner.
func (m moment) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*m.to = time.Time{}
	case time.Time:
		*m.to = v.UTC()
	case string:
		for _, form := range momentForms {
			if t, err := time.Parse(form, v); err == nil {
				*m.to = t.UTC()
				return nil
			}
		}
		return fmt.Errorf("not a time as Django writes it: %.40q", v)
	default:
		return fmt.Errorf("a time column holds a %T", v)
	}
	return nil
}

// micros returns t as jotgate's own tables store it, in microseconds of Unix
// time; the zero time is NULL.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// instant scans a column written by micros.
type instant struct{ to *time.Time }

// Scan implements sql.Scanner.
func (i instant) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*i.to = time.Time{}
	case int64:
		*i.to = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time column holds a %T", v)
	}
	return nil
}

// day returns the number of days since 1970, for jotgate_session.expires_day.
func day(t time.Time) int64 { return t.UnixMicro() / (24 * time.Hour).Microseconds() }

// keyKind is the type of the user table's primary key.
type keyKind struct {
	uuid bool
	max  int64 // the largest value of an integer key
	of   func(string) any
}

// integers are the largest values of the integer types of both databases.
// SQLite stores 64 bits, whatever the type is called.
var integers = map[string]int64{
	"postgres smallint": math.MaxInt16, "postgres integer": math.MaxInt32, "postgres bigint": math.MaxInt64,
	"sqlite integer": math.MaxInt64, "sqlite bigint": math.MaxInt64, "sqlite smallint": math.MaxInt64,
}

// keyOf derives the kind of a key from the column's type.
func keyOf(driver Driver, typ string) (keyKind, bool) {
	if typ == "uuid" || typ == "char(32)" {
		return keyKind{uuid: true, of: driver.UUID}, true
	}
	limit, ok := integers[driver.Name+" "+typ]
	return keyKind{max: limit}, ok
}

// encode returns the column's value for a UserID. Only the canonical spelling
// of a key is accepted: no user has the id "01" or a UUID in upper case.
func (k keyKind) encode(id record.UserID) (any, bool) {
	if k.uuid {
		if !isUUID(string(id)) {
			return nil, false
		}
		return k.of(string(id)), true
	}
	n, err := strconv.ParseInt(string(id), 10, 64)
	if err != nil || n > k.max || n < -k.max-1 || strconv.FormatInt(n, 10) != string(id) {
		return nil, false
	}
	return n, true
}

// anyInteger is the placeholder of an integer that a client chose, for a column of
// any integer type. Without the cast, PostgreSQL gives the parameter the type of the
// column, and the statement fails for a number that this cannot hold.
func anyInteger(placeholder string) string { return "CAST(" + placeholder + " AS bigint)" }

// keyScan scans a primary key into its text form.
type keyScan struct{ to *record.UserID }

// Scan implements sql.Scanner.
func (k keyScan) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*k.to = ""
	case int64:
		*k.to = record.UserID(strconv.FormatInt(v, 10))
	case string:
		if len(v) == 32 { // Django's char(32) in SQLite
			v = v[:8] + "-" + v[8:12] + "-" + v[12:16] + "-" + v[16:20] + "-" + v[20:]
		}
		*k.to = record.UserID(v)
	default:
		return fmt.Errorf("a primary key holds a %T", v)
	}
	return nil
}

// isUUID reports whether s is a UUID in lower case with its four hyphens.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return false
		}
	}
	return true
}

// storable reports whether both databases can hold s: PostgreSQL's text type
// accepts neither NUL bytes nor invalid UTF-8. A string that is not storable
// is never found in a table.
func storable(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// note makes a string that a client chose and that decides nothing, such as a
// user agent, fit to be stored: it removes what is not storable and cuts the
// rest to limit.
func note(s string, limit int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}
