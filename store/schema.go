package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Schema names the tables and columns of the users. The zero value is that of Django's
// auth_user, and the safe choice; set it for a custom user model (Django:
// AUTH_USER_MODEL). The type of the key (integer or UUID) and the optional columns are
// read from the database.
type Schema struct {
	// Users is the table of users. Default: auth_user.
	Users string
	// ID is its primary key column. Default: id.
	ID string
	// Username is the column of the login name. It may be the same as Email.
	// Default: username. Django: USERNAME_FIELD.
	Username string
	// Email is the column of the e-mail address. Default: email. Django:
	// EMAIL_FIELD.
	Email string
	// UserGroups is the table that links users to groups. Default: Users +
	// "_groups".
	UserGroups string
	// UserPermissions is the table that links users to permissions. Default:
	// Users + "_user_permissions".
	UserPermissions string
	// Fields are further columns that users set when they sign up, and see and
	// change at /auth/users/me/, in this order (djoser: REQUIRED_FIELDS of the
	// user model, and the serializers).
	Fields []Field
	// NewUser has the values of new accounts in columns that jotgate does not know,
	// by column: uuid4, now, today, email (the address), username (the login name),
	// null, or a constant. A constant in single quotes is used literally, such as
	// 'now'. If a column must not be NULL and has neither a default nor a value here,
	// no account can be created: only the application knows the value.
	NewUser map[string]string
	// SimilarNames allows new usernames that differ from an existing one only in
	// case, in compatibility forms (NFKC) or in characters that look alike
	// (Unicode Technical Standard 39; see passwd/names.Fold). Existing usernames
	// are valid in any case. Default: false, such names are taken. Django: always
	// allows them.
	SimilarNames bool
}

// Field is a further column of the user table that users set or see.
type Field struct {
	Name     string // of the column
	Required bool   // users must set it when they sign up
	ReadOnly bool   // users see it but do not set it
}

// Resolve returns a copy of the schema with all defaults filled in.
func (s Schema) Resolve() Schema {
	s.Users = cmp.Or(s.Users, "auth_user")
	s.ID = cmp.Or(s.ID, "id")
	s.Username = cmp.Or(s.Username, "username")
	s.Email = cmp.Or(s.Email, "email")
	s.UserGroups = cmp.Or(s.UserGroups, s.Users+"_groups")
	s.UserPermissions = cmp.Or(s.UserPermissions, s.Users+"_user_permissions")
	return s
}

// tables describes what New found in the database.
type tables struct {
	schema     Schema
	key        keyKind
	columns    map[string][]column // by table, for every table jotgate knows
	user       map[string]column   // of the user table, by name
	groups     link
	direct     link // the permissions of users
	permission bool // auth_permission, auth_group_permissions and django_content_type exist
	blacklist  bool // SimpleJWT's token_blacklist exists
	addresses  bool // allauth's account_emailaddress exists
	factors    bool // allauth's mfa_authenticator exists
	social     bool // allauth's socialaccount_socialaccount exists
	log        bool // django.contrib.admin's django_admin_log exists
	trigrams   bool // there is an index for searches by substrings
	referrers  []reference
	indexes    map[string][]string // the columns of the user table's unique indexes, by index
	fields     []record.UserField  // Schema.Fields, and what is implied
	shown      []record.UserField  // those of fields that accounts are read with
	fills      map[string]filling  // what is written into columns of new accounts, by column
	chosen     map[string]bool     // see learn
	wrong      error               // in Schema.Fields or Schema.NewUser
}

// link is a many-to-many table; table is empty if it does not exist.
type link struct{ table, user string }

// reference is a foreign key that refers to the user table.
type reference struct {
	table, column string
	required      bool
}

// The tables of Django, Django REST framework and SimpleJWT that jotgate uses
// if they exist, with the columns it needs.
var known = map[string][]string{
	"auth_group":                       {"id", "name"},
	"auth_permission":                  {"id", "content_type_id", "codename", "name"},
	"auth_group_permissions":           {"id", "group_id", "permission_id"},
	"django_content_type":              {"id", "app_label", "model"},
	"account_emailaddress":             {"id", "email", "verified", "primary", "user_id"},
	"account_emailconfirmation":        {"id", "email_address_id"},
	"django_admin_log":                 {"id", "action_time", "object_id", "object_repr", "action_flag", "change_message", "content_type_id", "user_id"},
	"mfa_authenticator":                {"id", "type", "data", "user_id", "created_at", "last_used_at"},
	"socialaccount_socialaccount":      {"id", "provider", "uid", "last_login", "date_joined", "user_id", "extra_data"},
	"socialaccount_socialtoken":        {"id", "account_id"},
	"token_blacklist_outstandingtoken": {"id", "token", "created_at", "expires_at", "user_id", "jti"},
	"token_blacklist_blacklistedtoken": {"id", "blacklisted_at", "token_id"},
}

// discover reads the catalogue.
func discover(ctx context.Context, driver Driver, schema Schema) (*tables, error) {
	schema = schema.Resolve()
	t := &tables{schema: schema, user: map[string]column{}}
	names := []string{schema.Users, schema.UserGroups, schema.UserPermissions}
	for name := range known {
		names = append(names, name)
	}
	var err error
	if t.columns, err = driver.columns(ctx, names...); err != nil {
		return nil, err
	}
	for _, c := range t.columns[schema.Users] {
		t.user[c.name] = c
	}
	if err := t.readRules(ctx, driver); err != nil {
		return nil, err
	}
	t.key, _ = keyOf(driver, t.user[schema.ID].typ)
	t.groups = t.link(schema.UserGroups, "group_id")
	t.direct = t.link(schema.UserPermissions, "permission_id")
	t.permission = t.whole("auth_permission") && t.whole("auth_group_permissions") && t.whole("django_content_type") && t.whole("auth_group")
	t.blacklist = t.whole("token_blacklist_outstandingtoken") && t.whole("token_blacklist_blacklistedtoken")
	t.wrong = errors.Join(t.readFields(), t.readFills(driver))
	if t.wrong == nil {
		t.wrong = driver.Read(ctx, func(ctx context.Context, q Queryer) error { return t.checkConstants(ctx, driver, q) })
	}
	err = driver.Read(ctx, func(ctx context.Context, q Queryer) (err error) {
		if err := t.learn(ctx, q); err != nil {
			return err
		}
		if t.referrers, err = all(ctx, q, scanReference, driver.References, schema.Users); err != nil {
			return err
		}
		t.trigrams, err = one(ctx, q, []any{new(int)}, driver.Trigrams, schema.Users)
		return err
	})
	// In a database with a custom user model, allauth's table may refer to
	// other users.
	t.addresses = t.whole("account_emailaddress") && t.whole("account_emailconfirmation") && t.ofUser("account_emailaddress")
	t.factors = t.whole("mfa_authenticator") && t.ofUser("mfa_authenticator")
	t.social = t.whole("socialaccount_socialaccount") && t.ofUser("socialaccount_socialaccount")
	t.log = t.whole("django_admin_log") && t.ofUser("django_admin_log") && t.whole("django_content_type")
	return t, err
}

// ofUser reports whether the column user_id of a table refers to the user
// table.
func (t *tables) ofUser(table string) bool {
	return slices.ContainsFunc(t.referrers, func(r reference) bool { return r.table == table && r.column == "user_id" })
}

// columns reads the columns of tables, by the names of the tables. One that does not
// exist has none.
func (d *Driver) columns(ctx context.Context, names ...string) (columns map[string][]column, err error) {
	err = d.Read(ctx, func(ctx context.Context, q Queryer) (err error) {
		columns, err = d.columnsOf(ctx, q, names...)
		return err
	})
	return columns, err
}

// columnsOf is columns in a transaction of the caller's.
func (d *Driver) columnsOf(ctx context.Context, q Queryer, names ...string) (map[string][]column, error) {
	array, err := json.Marshal(slices.Compact(slices.Sorted(slices.Values(names))))
	if err != nil {
		return nil, err
	}
	columns := map[string][]column{}
	err = each(ctx, q, d.Columns, []any{string(array)}, func(rows rowScanner) error {
		table, c, err := scanColumn(rows)
		columns[table] = append(columns[table], c)
		return err
	})
	return columns, err
}

// whole reports whether a known table exists with the columns needed.
func (t *tables) whole(name string) bool {
	for _, c := range known[name] {
		if !slices.ContainsFunc(t.columns[name], func(have column) bool { return have.name == c }) {
			return false
		}
	}
	return true
}

// link finds the column of a many-to-many table that refers to the user.
// Django names it after the model, so it is the one that is neither id nor
// other.
func (t *tables) link(name, other string) (l link) {
	seen := false
	for _, c := range t.columns[name] {
		switch c.name {
		case "id":
		case other:
			seen = true
		default:
			l = link{table: name, user: c.name}
		}
	}
	if !seen || len(t.columns[name]) != 3 || !t.whole("auth_group") {
		return link{}
	}
	return l
}

// check explains in one sentence why these tables cannot be used, or returns
// nil.
func (t *tables) check() error {
	s := t.schema
	if len(t.user) == 0 && strings.Contains(s.Users, ".") {
		return fmt.Errorf("there is no table %s: its name is without the schema, which belongs in the database URL, such as ?search_path=shop,public", s.Users)
	}
	if len(t.user) == 0 {
		return fmt.Errorf("there is no table %s: run jotgate migrate, or manage.py migrate for a custom user model", s.Users)
	}
	for _, name := range []string{s.ID, s.Username, "password"} {
		if _, ok := t.user[name]; !ok {
			return fmt.Errorf("the table %s has no column %s, which jotgate needs: name the right one in the schema settings", s.Users, name)
		}
	}
	if t.wrong != nil {
		return t.wrong
	}
	if !t.key.uuid && t.key.max == 0 {
		return fmt.Errorf("the column %s of the table %s is of the type %s: jotgate knows integer and UUID keys", s.ID, s.Users, t.user[s.ID].typ)
	}
	return nil
}

// scanColumn reads a row of Driver.Columns.
func scanColumn(rows rowScanner) (table string, c column, err error) {
	err = rows.Scan(&table, &c.name, &c.typ, &c.required, &c.nullable)
	c.typ = strings.ToLower(c.typ)
	if _, after, ok := strings.Cut(c.typ, "("); ok && strings.Contains(c.typ, "char") {
		c.limit, _ = strconv.Atoi(strings.TrimSuffix(after, ")"))
	}
	return table, c, err
}

// scanReference reads a row of Driver.References.
func scanReference(rows rowScanner) (r reference, err error) {
	err = rows.Scan(&r.table, &r.column, &r.required)
	return r, err
}

// fits rejects a value that the column cannot hold, with the texts of Django
// REST framework. field is the name that the client uses.
func (c column) fits(field, value string) error {
	switch {
	case strings.IndexByte(value, 0) >= 0:
		return refuse(field, "Null characters are not allowed.")
	case !storable(value):
		return refuse(field, "Not a valid string.")
	case c.limit > 0 && c.kind() != record.KindUUID && utf8.RuneCountInString(value) > c.limit:
		return refuse(field, fmt.Sprintf("Ensure this field has no more than %d characters.", c.limit))
	}
	return nil
}

// refuse returns the error for a value that cannot be stored.
func refuse(field, message string) *jotgate.Error {
	return &jotgate.Error{Status: 400, Fields: []jotgate.FieldError{{Field: field, Messages: []string{message}}}}
}
