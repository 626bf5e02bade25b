package store

import (
	"fmt"
	"strings"
)

// The texts that depend on the user table, written once when the store opens.
// Everything else is a constant beside the method that runs it.

// texts holds SQL that names the user table's columns.
type texts struct {
	account string // SELECT of an account from u, without a condition
	byLogin string
	byID    string
	byEmail string
	first   string // a page of accounts from the start
	after   string // a page of accounts after a key
	active  string // the password of the account $1, if it is there and active
	// guard is a condition that holds while the account is active and its
	// stored password is this one; %d are the placeholders of its key and of
	// the password.
	guard string
	count string

	revoke  string // adds an entry to the feed
	unseen  string // entries between two horizons
	inForce string // entries of a first page
}

func newTexts(t *tables, driver *Driver) *texts {
	s := t.schema
	key, users := "u."+quote(s.ID), quote(s.Users)+" AS u"
	x := &texts{account: "SELECT " + strings.Join(t.accountColumns(), ", ") + " FROM " + users + t.groupJoin()}
	x.byID = x.account + " WHERE " + key + " = $1"
	x.byLogin = x.account + " WHERE u." + quote(s.Username) + " = $1 ORDER BY " + key + " LIMIT 10"
	if _, ok := t.user[s.Email]; ok {
		email := "u." + quote(s.Email)
		x.byEmail = x.account + " WHERE UPPER(" + email + ") = UPPER(CAST($1 AS text)) ORDER BY " + t.addressOrder() + key + " LIMIT 100"
	}
	x.first = x.account + " ORDER BY " + key + " LIMIT $1"
	x.after = x.account + " WHERE " + key + " > $2 ORDER BY " + key + " LIMIT $1"
	x.active = "SELECT u.password FROM " + users + " WHERE " + key + " = $1" + t.activeOnly() + driver.lock("SHARE")
	x.guard = "EXISTS (SELECT 1 FROM " + users + " WHERE " + key + " = $%d AND u.password = $%d" + t.activeOnly() + ")"
	x.count = "SELECT COUNT(*) FROM " + quote(s.Users)
	x.feedTexts(driver)
	return x
}

// accountColumns are the columns that scanAccount reads, in its order; a
// column the table lacks has the value that Django's base class implies.
func (t *tables) accountColumns() []string {
	s := t.schema
	group, name := "NULL", "NULL"
	if t.groups.table != "" {
		group, name = "g.id", "g.name"
	}
	return []string{
		"u." + quote(s.ID), "u." + quote(s.Username), t.or(s.Email, "''"),
		t.or("first_name", "''"), t.or("last_name", "''"), "u.password",
		t.or("is_active", "TRUE"), t.or("is_staff", "FALSE"), t.or("is_superuser", "FALSE"),
		t.plain("date_joined"), t.plain("last_login"), group, name,
	}
}

// or names a column, or what stands for it when it is absent or NULL.
func (t *tables) or(name, otherwise string) string {
	if _, ok := t.user[name]; !ok {
		return otherwise
	}
	return "COALESCE(u." + quote(name) + ", " + otherwise + ")"
}

// LoginIsEmail reports whether the column that people log in with is that of
// their address.
func (s *Store) LoginIsEmail() bool { return s.tables.schema.Username == s.tables.schema.Email }

// emailColumn is the user table's address, without a name for the table.
func (t *tables) emailColumn() string {
	if !t.hasEmail() {
		return "''"
	}
	return "COALESCE(" + quote(t.schema.Email) + ", '')"
}

// plain names a column, or NULL.
func (t *tables) plain(name string) string {
	if _, ok := t.user[name]; !ok {
		return "NULL"
	}
	return "u." + quote(name)
}

// groupJoin adds the group with the lowest id.
func (t *tables) groupJoin() string {
	if t.groups.table == "" {
		return ""
	}
	return fmt.Sprintf(" LEFT JOIN auth_group AS g ON g.id = (SELECT MIN(ug.group_id) FROM %s AS ug WHERE ug.%s = u.%s)",
		quote(t.groups.table), quote(t.groups.user), quote(t.schema.ID))
}

// activeOnly is the condition that an account may log in.
func (t *tables) activeOnly() string {
	if _, ok := t.user["is_active"]; !ok {
		return ""
	}
	return " AND u.is_active"
}

// quote makes an identifier of a name.
func quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
