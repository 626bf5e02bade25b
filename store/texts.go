package store

import (
	"fmt"
	"strings"
)

// The statements that depend on the user table, written once when the store
// is opened. Every other statement is a constant next to the method that runs
// it.

// texts holds the SQL that names columns of the user table.
type texts struct {
	account string // SELECT of an account from u, without a condition
	byLogin string
	byID    string
	// ownedKey reads an API key and its owner.
	ownedKey string
	byEmail  string
	first    string // the first page of accounts
	after    string // the page of accounts after a key
	active   string // an activeAccount: of the account $1, whose user_id in jotgate's tables is $2
	count    string
	// take and keep are takeText and keepText with their further conditions, for
	// accounts of the user table, and those for others (Rotation.OwnUsers).
	take, keep, takeOwn, keepOwn string
	// related is an account with what is related to it, see relatedText; session is
	// also one of its sessions, see sessionText.
	related, session string

	// The keys and usernames of accounts: pages by key, and of the newest.
	firstNames, namesAfter, newest string

	revoke  string // adds an entry to the feed
	unseen  string // entries between two horizons
	inForce string // entries of the first page
}

func newTexts(t *tables, driver *Driver) *texts {
	s := t.schema
	key, users := "u."+quote(s.ID), quote(s.Users)+" AS u"
	x := &texts{account: "SELECT " + strings.Join(t.accountColumns(), ", ") + " FROM " + users + t.groupJoin()}
	x.byID = x.account + " WHERE " + key + " = $1"
	x.ownedKey = t.ownedKey()
	x.byLogin = x.account + " WHERE u." + quote(s.Username) + " = $1 ORDER BY " + key + " LIMIT 10"
	if _, ok := t.user[s.Email]; ok {
		email := "u." + quote(s.Email)
		x.byEmail = x.account + " WHERE UPPER(" + email + ") = UPPER(CAST($1 AS text)) ORDER BY " + t.addressOrder() + key + " LIMIT 100"
	}
	x.first = x.account + " ORDER BY " + key + " LIMIT $1"
	x.after = x.account + " WHERE " + key + " > $2 ORDER BY " + key + " LIMIT $1"
	x.active = "SELECT " + t.password("u") + ", " + t.username("u") + ", COALESCE((SELECT digest FROM jotgate_password WHERE user_id = $2), '') FROM " + users + " WHERE " + key + " = $1" + t.activeOnly() + driver.lock("SHARE")
	// The account is active, and its stored password is the given one.
	guard := "EXISTS (SELECT 1 FROM " + users + " WHERE " + key + " = $%d AND " + t.password("u") + " = $%d" + t.activeOnly() + ")"
	if !driver.Locks {
		guard = "" // a transaction that writes has the database to itself, and has read the account
	}
	x.take, x.takeOwn = rotationTexts(t, guard, takeText, 10, lifeColumns+", expires_day")
	x.keep, x.keepOwn = rotationTexts(t, guard, keepText, 6, sessionColumns)
	x.nameTexts(t, key, users)
	x.count = "SELECT COUNT(*) FROM " + quote(s.Users)
	x.related = "SELECT " + strings.Join(t.accountColumns(), ", ") + relatedColumns + " FROM " + users + t.groupJoin() + t.relatedJoin("$2") + " WHERE " + key + " = $1" + relatedOrder
	x.session = t.sessionText()
	x.feedTexts(driver)
	return x
}

// rotationTexts returns a statement of a rotation for accounts of the user table, which
// guard checks, and for others. The last of its n arguments is the jti; if there is a
// guard, the key of the account and its password follow.
func rotationTexts(t *tables, guard, text string, n int, columns string) (users, own string) {
	if t.blacklist {
		text += fmt.Sprintf(" AND NOT "+blacklistedCondition, n)
	}
	columns = " RETURNING " + columns
	if users = text; guard != "" {
		users += fmt.Sprintf(" AND "+guard, n+1, n+2)
	}
	return users + columns, text + columns
}

// nameTexts writes the statements that select keys and usernames. The newest
// accounts have the highest keys, unless these are random.
func (x *texts) nameTexts(t *tables, key, users string) {
	text := "SELECT " + key + ", " + t.username("u") + " FROM " + users
	x.firstNames = text + " ORDER BY " + key + " LIMIT $1"
	x.namesAfter = text + " WHERE " + key + " > $2 ORDER BY " + key + " LIMIT $1"
	age := key
	if _, ok := t.user["date_joined"]; ok && t.key.uuid {
		age = "u.date_joined"
	}
	x.newest = text + " ORDER BY " + age + " DESC LIMIT $1 OFFSET $2"
}

// accountColumns returns the columns that scanAccount reads, in that order. A
// column that the table lacks has the value that Django's base class implies.
func (t *tables) accountColumns() []string {
	s := t.schema
	group, name := "NULL", "NULL"
	if t.groups.table != "" {
		group, name = "g.id", "g.name"
	}
	columns := []string{
		"u." + quote(s.ID), t.username("u"), t.or(s.Email, "''"),
		t.or("first_name", "''"), t.or("last_name", "''"), t.password("u"),
		t.flags(),
		t.moment("date_joined"), t.moment("last_login"), group, name,
	}
	for _, f := range t.shown {
		columns = append(columns, "u."+quote(f.Name))
	}
	return columns
}

// keyOfText is the value of a key for the text of a UserID: what keyText is the inverse
// of.
func (t *tables) keyOfText(text string) string {
	switch {
	case !t.key.uuid:
		return anyInteger(text)
	case t.key.of(zeroUUID) != any(zeroUUID): // Django's char(32) in SQLite
		return "REPLACE(" + text + ", '-', '')"
	default:
		return "CAST(" + text + " AS uuid)"
	}
}

// service is the condition that a client acts for the account.
func (t *tables) service() string {
	return "EXISTS (SELECT 1 FROM jotgate_client AS c WHERE c.user_id = " + t.keyText("u") + ")"
}

// keyText returns the key of a row of the alias as jotgate's tables have it: the text of
// a UserID.
func (t *tables) keyText(of string) string {
	key := of + "." + quote(t.schema.ID)
	if t.key.uuid && t.key.of(zeroUUID) != any(zeroUUID) { // Django's char(32) in SQLite
		return fmt.Sprintf("substr(%[1]s, 1, 8) || '-' || substr(%[1]s, 9, 4) || '-' || substr(%[1]s, 13, 4) || '-' || substr(%[1]s, 17, 4) || '-' || substr(%[1]s, 21)", key)
	}
	return "CAST(" + key + " AS text)"
}

const zeroUUID = "00000000-0000-0000-0000-000000000000"

// or returns a column, with a fallback if it is NULL, or the fallback alone
// if it does not exist.
func (t *tables) or(name, otherwise string) string {
	if _, ok := t.user[name]; !ok {
		return otherwise
	}
	return "COALESCE(u." + quote(name) + ", " + otherwise + ")"
}

// flags returns the sum of what is true of an account, since each column costs time:
// 1 active, 2 staff, 4 superuser, 8 service account. NULL is false, as in Django; a
// column that does not exist has the value that Django's base class implies.
func (t *tables) flags() string {
	text := "CASE WHEN service.id IS NULL THEN 0 ELSE 8 END"
	for i, name := range []string{"is_active", "is_staff", "is_superuser"} {
		if _, ok := t.user[name]; ok {
			text += fmt.Sprintf(" + CASE WHEN u.%s THEN %d ELSE 0 END", quote(name), 1<<i)
		} else if i == 0 {
			text += " + 1"
		}
	}
	return text
}

// username returns the column of the login name of a row of the table or
// alias; NULL is "".
func (t *tables) username(of string) string {
	return "COALESCE(" + of + "." + quote(t.schema.Username) + ", '')"
}

// password returns the column of the password of a row of the table or alias;
// NULL is "", which no password matches.
func (t *tables) password(of string) string { return "COALESCE(" + of + `."password", '')` }

// loginIsEmail reports whether the column of the login name is that of the
// e-mail address.
func (t *tables) loginIsEmail() bool { return t.schema.Username == t.schema.Email }

// emailColumn returns the user table's address column, without a table name.
func (t *tables) emailColumn() string {
	if !t.hasEmail() {
		return "''"
	}
	return "COALESCE(" + quote(t.schema.Email) + ", '')"
}

// moment returns a column with a time, or NULL if it does not exist. It is an
// expression: in a column that is declared as a time, SQLite's driver tries several
// formats before the one that Django writes, which takes longer than the query.
func (t *tables) moment(name string) string {
	if _, ok := t.user[name]; !ok {
		return "NULL"
	}
	return "COALESCE(u." + quote(name) + ", NULL)"
}

// groupJoin joins the client that acts for the account, and the group with the lowest
// id.
func (t *tables) groupJoin() string {
	client := " LEFT JOIN jotgate_client AS service ON service.user_id = " + t.keyText("u")
	if t.groups.table == "" {
		return client
	}
	return client + fmt.Sprintf(" LEFT JOIN auth_group AS g ON g.id = (SELECT MIN(ug.group_id) FROM %s AS ug WHERE ug.%s = u.%s)",
		quote(t.groups.table), quote(t.groups.user), quote(t.schema.ID))
}

// activeOnly is the condition that an account may have a session: it is active and no
// service account.
func (t *tables) activeOnly() string {
	return " AND NOT " + t.service() + t.isActive()
}

// isActive is the condition that an account is active, if the user table says so.
func (t *tables) isActive() string {
	if _, ok := t.user["is_active"]; !ok {
		return ""
	}
	return " AND u.is_active"
}

// quote returns the name as a quoted identifier.
func quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
