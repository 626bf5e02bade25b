package migration

import "strings"

// Index is an index that Django does not make: to find an account by its e-mail
// address, and for the lists of package admin.
type Index struct {
	Name       string
	Table      string
	Column     string // which the table must have for the index
	Definition string // what follows the table in CREATE INDEX
}

// Names are the tables and columns of the indexes.
type Names struct{ Users, ID, Email, Groups string }

// Indexes lists the indexes, that of the e-mail address first. The partial ones
// have the conditions of the filters in package store. quote quotes a name.
// withKey is false in SQLite, which adds the key to each index by itself.
func Indexes(n Names, quote func(string) string, withKey bool) []Index {
	id := quote(n.ID)
	flag := func(column, condition string) string {
		if withKey {
			return "(" + id + ") WHERE " + condition
		}
		return "(" + column + ") WHERE " + condition
	}
	moment := func(column string) string {
		if withKey {
			return "(" + column + ", " + id + ")"
		}
		return "(" + column + ")"
	}
	list := []Index{
		{"jotgate_user_email", n.Users, n.Email, "(UPPER(" + quote(n.Email) + "))"},
		{"jotgate_user_staff", n.Users, "is_staff", flag("is_staff", "is_staff = TRUE")},
		{"jotgate_user_superuser", n.Users, "is_superuser", flag("is_superuser", "is_superuser = TRUE")},
		{"jotgate_user_inactive", n.Users, "is_active", flag("is_active", "is_active = FALSE")},
		{"jotgate_user_never", n.Users, "last_login", flag("last_login", "last_login IS NULL")},
		{"jotgate_user_joined", n.Users, "date_joined", moment("date_joined")},
		{"jotgate_user_login", n.Users, "last_login", moment("last_login") + " WHERE last_login IS NOT NULL"},
		{"jotgate_group_member", n.Groups, "user_id", "(group_id, user_id)"},
		{"jotgate_provider_user", "socialaccount_socialaccount", "provider", "(provider, user_id)"},
	}
	if withKey { // PostgreSQL, whose other indexes have an order of words
		list = append(list, Index{"jotgate_user_email_prefix", n.Users, n.Email, "(UPPER(" + quote(n.Email) + ") text_pattern_ops)"})
	}
	return list
}

// Create returns the statement that creates an index; with is empty or
// CONCURRENTLY.
func (i Index) Create(quote func(string) string, with string) string {
	return strings.Join(strings.Fields("CREATE INDEX "+with+" "+i.Name+" ON"), " ") + " " + quote(i.Table) + " " + i.Definition
}
