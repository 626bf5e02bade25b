package store

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
)

// The list of users for package admin. A page begins after a key and is read from
// an index; no statement counts or skips rows. The indexes are made with the
// tables: adminIndexes in package migration.

// searchTable is the trigram index of SQLite. It exists if jotgate made the user
// table: on a table of a Django site, its triggers could make the site's writes
// fail.
const searchTable = "jotgate_user_search"

// listing is the selection of the keys of a page.
type listing struct {
	s     *Store
	from  string
	key   string // the column of the user's key, from which from is read in order
	where []string
	args  []any
	joins bool // the user table is part of from, as u
	// repeats reports that from may have a key several times, one after the other.
	repeats bool
}

func (l *listing) arg(v any) string {
	l.args = append(l.args, v)
	return "$" + strconv.Itoa(len(l.args))
}

func (l *listing) and(condition string) { l.where = append(l.where, condition) }

// join makes the user table part of the selection.
func (l *listing) join() {
	if !l.joins {
		sch := l.s.tables.schema
		l.from += " JOIN " + quote(sch.Users) + " AS u ON u." + quote(sch.ID) + " = " + l.key
		l.joins = true
	}
}

// conditions returns the WHERE clause.
func (l *listing) conditions() string {
	if len(l.where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(l.where, " AND ")
}

// keys returns the columns of a SELECT of each key once.
func (l *listing) keys() string {
	if l.repeats {
		return "DISTINCT " + l.key
	}
	return l.key
}

// listing returns the selection of a query, without its order and page.
func (s *Store) listing(q adminstore.Query) (*listing, error) {
	sch, t := s.tables.schema, s.tables
	l := &listing{s: s, from: quote(sch.Users) + " AS u", key: "u." + quote(sch.ID), joins: true}
	kind := s.searchKind(q.Search)
	switch {
	case kind == adminstore.SearchSubstring && s.driver.Name == "sqlite":
		l.from, l.key, l.joins = searchTable+" AS f", "f.rowid", false
		l.and(searchTable + " MATCH " + l.arg(s.match(q.Search)))
		s.addSubstrings(l, q.Search)
	case kind == adminstore.SearchSubstring:
		s.addSubstrings(l, q.Search)
	case kind == adminstore.SearchPrefix:
		s.addPrefix(l, q.Search)
	case q.Group != 0:
		if t.groups.table == "" {
			return nil, jotgate.ErrNotFound
		}
		l.from, l.key, l.joins = quote(t.groups.table)+" AS m", "m."+quote(t.groups.user), false
		l.and("m.group_id = " + anyInteger(l.arg(q.Group)))
	case q.Provider != "" && t.social:
		l.from, l.key, l.joins, l.repeats = "socialaccount_socialaccount AS s", "s.user_id", false, true
		l.and("s.provider = " + l.arg(q.Provider))
	}
	if err := s.addKeys(l, q); err != nil {
		return nil, err
	}
	return l, s.addFilters(l, q)
}

// match returns the FTS5 query for rows that may contain each word: those with its
// rarest trigrams. A word with other letters than those of ASCII is looked up
// whole, since LIKE does not fold these.
func (s *Store) match(search string) string {
	var terms []string
	for _, w := range strings.Fields(search) {
		parts := []string{w}
		if ascii(w) {
			parts, _ = s.rarest(w)
		}
		for _, p := range parts {
			terms = append(terms, `"`+strings.ReplaceAll(p, `"`, `""`)+`"`)
		}
	}
	return strings.Join(terms, " AND ")
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// searchKind says how a search is made. An index of trigrams cannot find fewer
// than three characters.
func (s *Store) searchKind(search string) adminstore.SearchKind {
	words := strings.Fields(search)
	short := func(w string) bool { return len([]rune(w)) < 3 }
	switch {
	case len(words) == 0:
		return adminstore.SearchNone
	case s.tables.trigrams && len(words) <= 5 && !slices.ContainsFunc(words, short):
		return adminstore.SearchSubstring
	}
	return adminstore.SearchPrefix
}

// addSubstrings adds the conditions that one of the columns contains each word.
func (s *Store) addSubstrings(l *listing, search string) {
	for _, w := range strings.Fields(search) {
		if s.driver.Name == "sqlite" && !ascii(w) {
			continue // the index has compared all of it
		}
		l.join()
		var parts []string
		if found, common := s.rarest(w); s.driver.Name == "postgres" && !common { // of common ones its planner knows that many rows have them
			for _, p := range found {
				parts = append(parts, l.arg(anywhere(p)))
			}
		}
		whole := l.arg(anywhere(w))
		var either []string
		for _, column := range s.tables.searched() {
			either = append(either, s.like("u."+quote(column), parts, whole))
		}
		l.and("(" + strings.Join(either, " OR ") + ")")
	}
}

// like returns the condition that a column contains a word, by the patterns of its
// parts, which are looked up in the index, and of the whole.
func (s *Store) like(column string, parts []string, whole string) string {
	if s.driver.Name == "sqlite" {
		return column + " LIKE " + whole + ` ESCAPE '\'`
	}
	if len(parts) == 0 {
		return column + " ILIKE " + whole
	}
	var all []string
	for _, p := range parts {
		all = append(all, column+" ILIKE "+p)
	}
	return "(" + strings.Join(all, " AND ") + " AND " + column + " || '' ILIKE " + whole + ")" // no index has the expression
}

// addPrefix adds the condition that a column begins with a text.
func (s *Store) addPrefix(l *listing, search string) {
	column, search := s.prefixColumn(search)
	from, to := ">=", "<"
	if s.driver.Name == "postgres" { // bytes, as in the index for LIKE
		from, to = "~>=~", "~<~"
	}
	l.and(column + " " + from + " " + l.arg(search))
	l.and(column + " " + to + " " + l.arg(search+"\U0010FFFF"))
}

// prefixColumn returns the column whose beginning a search compares, and the text
// that it compares it with.
func (s *Store) prefixColumn(search string) (column, text string) {
	sch := s.tables.schema
	search = strings.TrimSpace(search)
	if strings.Contains(search, "@") && s.tables.hasEmail() && !s.tables.loginIsEmail() {
		upper := strings.ToUpper
		if s.driver.Name == "sqlite" { // folds ASCII
			upper = upperASCII
		}
		return "UPPER(u." + quote(sch.Email) + ")", upper(search)
	}
	return "u." + quote(sch.Username), search
}

func upperASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// searched lists the columns that a search by substrings looks into.
func (t *tables) searched() (columns []string) {
	for _, name := range []string{t.schema.Username, t.schema.Email, "first_name", "last_name"} {
		if _, ok := t.user[name]; ok && !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	return columns
}

// addKeys restricts a listing to the keys of q.
func (s *Store) addKeys(l *listing, q adminstore.Query) error {
	if q.IDs == nil {
		return nil
	}
	marks := []string{}
	for _, id := range q.IDs {
		key, ok := s.tables.key.encode(id)
		if !ok {
			return jotgate.ErrNotFound
		}
		marks = append(marks, l.arg(key))
	}
	if len(marks) == 0 {
		l.and("FALSE")
		return nil
	}
	l.and(l.key + " IN (" + strings.Join(marks, ", ") + ")")
	return nil
}

// addFilters adds the other conditions. They have the form of the partial indexes.
func (s *Store) addFilters(l *listing, q adminstore.Query) error {
	for _, f := range []struct {
		column string
		want   *bool
		absent bool
	}{{"is_staff", q.Staff, false}, {"is_superuser", q.Superuser, false}, {"is_active", q.Active, true}} {
		if f.want != nil {
			s.addFlag(l, f.column, *f.want, f.absent)
		}
	}
	if q.Never != nil {
		l.join()
		if _, ok := s.tables.user["last_login"]; !ok {
			return jotgate.ErrNotFound
		}
		l.and("u.last_login IS" + map[bool]string{true: "", false: " NOT"}[*q.Never] + " NULL")
	}
	if q.MFA != nil {
		s.addMFA(l, *q.MFA)
	}
	if q.Provider != "" && !l.repeats {
		if !s.tables.social {
			return jotgate.ErrNotFound
		}
		l.and("EXISTS (SELECT 1 FROM socialaccount_socialaccount AS s WHERE s.provider = " + l.arg(q.Provider) + " AND s.user_id = " + l.key + ")")
	}
	if q.Group != 0 && q.Search != "" {
		g := s.tables.groups
		l.join()
		l.and("EXISTS (SELECT 1 FROM " + quote(g.table) + " AS m WHERE m." + quote(g.user) + " = u." + quote(s.tables.schema.ID) + " AND m.group_id = " + anyInteger(l.arg(q.Group)) + ")")
	}
	return nil
}

func (s *Store) addFlag(l *listing, column string, want, absent bool) {
	if _, ok := s.tables.user[column]; !ok {
		if want != absent {
			l.and("FALSE")
		}
		return
	}
	l.join()
	l.and("u." + column + " = " + strings.ToUpper(strconv.FormatBool(want)))
}

func (s *Store) addMFA(l *listing, want bool) {
	if !s.tables.factors {
		if want {
			l.and("FALSE")
		}
		return
	}
	factor := "SELECT a.user_id FROM mfa_authenticator AS a WHERE a.type <> 'recovery_codes'"
	if want {
		l.and(l.key + " IN (" + factor + ")")
		return
	}
	l.and("NOT EXISTS (" + factor + " AND a.user_id = " + l.key + ")")
}

// anywhere returns the pattern for texts that contain this one.
func anywhere(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text) + "%"
}
