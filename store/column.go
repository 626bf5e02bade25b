package store

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/jotgate/jotgate/record"
)

// The columns of the user table and their rules, as the catalogue describes
// them.

// column is a column as the database's catalogue describes it.
type column struct {
	name, typ string
	limit     int  // of varchar(n), in characters; 0: no limit
	required  bool // NOT NULL without a default
	nullable  bool
	unique    bool   // of a unique index or constraint, alone or with others
	checked   bool   // named in a CHECK constraint, or of a type with rules
	refers    string // the table that a foreign key refers to
	values    string // of an enumeration, for people
}

// columnKinds maps the types of both databases, without their parameters.
var columnKinds = map[string]record.Kind{
	"text": record.KindText, "citext": record.KindText, "varchar": record.KindText, "character varying": record.KindText,
	"char": record.KindText, "character": record.KindText,
	"bool": record.KindBoolean, "boolean": record.KindBoolean,
	"integer": record.KindInteger, "bigint": record.KindInteger, "smallint": record.KindInteger,
	"integer unsigned": record.KindInteger, "bigint unsigned": record.KindInteger, "smallint unsigned": record.KindInteger,
	"real": record.KindNumber, "double precision": record.KindNumber, "decimal": record.KindDecimal, "numeric": record.KindDecimal,
	"date": record.KindDate, "datetime": record.KindDateTime,
	"timestamp with time zone": record.KindDateTime, "timestamp without time zone": record.KindDateTime,
	"uuid": record.KindUUID, "json": record.KindJSON, "jsonb": record.KindJSON,
}

// kind returns the column's kind. SQLite has no types for UUID and JSON:
// Django declares them char(32) and text with a check.
func (c column) kind() record.Kind {
	name, _, _ := strings.Cut(c.typ, "(")
	if c.typ == "char(32)" {
		return record.KindUUID
	}
	return columnKinds[strings.TrimSpace(name)]
}

// free reports whether an empty string is a value of the column like any
// other: it holds text, and the database has no rule for it.
func (c column) free() bool {
	return c.kind() == record.KindText && !c.unique && !c.checked && !c.fixed() && c.refers == ""
}

// fixed reports whether the column has a type of fixed length, in which
// Django keeps UUIDs.
func (c column) fixed() bool {
	return strings.HasPrefix(c.typ, "char(") || strings.HasPrefix(c.typ, "character(")
}

// rule is a row of Driver.Rules: a unique index, a foreign key (not unique, name
// is the other table), a type with rules (name is empty, text has the values of an
// enumeration) or the text of CHECK constraints. column is empty for an
// expression; then text has it.
type rule struct {
	unique             bool
	name, column, text string
}

func scanRule(rows rowScanner) (r rule, err error) {
	err = rows.Scan(&r.unique, &r.name, &r.column, &r.text)
	return r, err
}

// readRules marks the columns of the user table that have rules, and notes the
// columns of each unique index.
func (t *tables) readRules(ctx context.Context, driver Driver) error {
	var list []rule
	err := driver.Read(ctx, func(ctx context.Context, q Queryer) (err error) {
		list, err = all(ctx, q, scanRule, driver.Rules, t.schema.Users)
		return err
	})
	if err != nil {
		return err
	}
	t.indexes = map[string][]string{}
	for _, r := range list {
		names := []string{r.column}
		switch {
		case r.column != "":
		case r.unique: // an expression such as LOWER(email)
			_, expressions, _ := strings.Cut(r.text, "(")
			names = t.mentioned(expressions)
		default:
			names = t.mentioned(checks(r.text))
		}
		for _, name := range names {
			c, ok := t.user[name]
			if !ok {
				continue
			}
			switch {
			case r.unique:
				c.unique = true
			case r.name != "":
				c.refers = r.name
			default:
				c.checked = true
				if r.column != "" && r.text != "" {
					c.values = r.text
				}
			}
			t.user[name] = c
			if r.unique && !slices.Contains(t.indexes[r.name], name) {
				t.indexes[r.name] = append(t.indexes[r.name], name)
			}
		}
	}
	for i, c := range t.columns[t.schema.Users] {
		t.columns[t.schema.Users][i] = t.user[c.name]
	}
	return nil
}

// mentioned lists the columns of the user table whose names are in the text
// of an expression.
func (t *tables) mentioned(text string) (names []string) {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !inWord(r) }) {
		w = strings.TrimLeftFunc(w, func(r rune) bool { return r == '$' || unicode.IsNumber(r) })
		if _, ok := t.user[w]; ok && !slices.Contains(names, w) {
			names = append(names, w)
		}
	}
	return names
}

// inWord reports whether a character is part of a word.
func inWord(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsNumber(r) }

// checks returns the expressions of the CHECK constraints in the text of a
// CREATE TABLE statement or of a constraint.
func checks(text string) string {
	if !strings.Contains(strings.ToUpper(text), "CHECK") {
		return "" // as in most tables: nothing is compiled
	}
	var b strings.Builder
	for {
		at := checkWord().FindStringIndex(text)
		if at == nil {
			return b.String()
		}
		text = text[at[1]:]
		end := closing(text)
		b.WriteString(text[:end] + " ")
		text = text[end:]
	}
}

var checkWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)\bCHECK\s*\(`) })

// closing returns the offset of the parenthesis that closes one opened before
// text.
func closing(text string) int {
	depth := 1
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// violated returns the columns of the unique index that an INSERT or UPDATE of
// the user table violated, or nil if they are not known.
func (t *tables) violated(driver *Driver, err error) []string {
	names := driver.Violated(err)
	if len(names) == 1 && t.indexes[names[0]] != nil {
		return t.indexes[names[0]]
	}
	return t.mentioned(strings.Join(names, " "))
}
