package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/store/internal/migration"
)

// Facts for `jotgate doctor`: which tables exist, which of them jotgate can
// use, and how to fix the others.

// Fact is a fact about the database that `jotgate doctor` shows.
type Fact struct {
	// OK means that there is nothing to do. If it is false, Fix says what to do, and
	// Fatal reports whether jotgate cannot serve until that is done.
	OK    bool   `json:"ok"`
	Fatal bool   `json:"fatal,omitempty"`
	About string `json:"about"` // a table, table.column, or another subject
	Found string `json:"found"` // the fact
	Fix   string `json:"fix,omitempty"`
}

// own lists jotgate's tables.
var own = []string{
	"jotgate_session", "jotgate_not_before", "jotgate_password", "jotgate_revocation", "jotgate_key", "jotgate_event", "jotgate_failure", "jotgate_network",
	"jotgate_outbox", "jotgate_epoch", "jotgate_pending", "jotgate_deletion", "jotgate_name", "jotgate_progress", "jotgate_job", "jotgate_api_key", "jotgate_client", "jotgate_webhook", "jotgate_webhook_delivery",
	"jotgate_spent", "jotgate_grace", "jotgate_factor_reset", "jotgate_setting", "jotgate_login_code", "jotgate_rate", "jotgate_invitation", migration.Table,
}

// Facts describes the tables as they are now, and the connection, in the order in which
// `jotgate doctor` shows them.
func (s *Store) Facts(ctx context.Context) (list []Fact, err error) {
	err = s.read(ctx, func(ctx context.Context, q Queryer) error {
		found, err := discover(ctx, s.driver, s.tables.schema)
		if err != nil {
			return err
		}
		list = slices.Concat(found.userFacts(), found.djangoFacts())
		site, err := s.siteFact(ctx, q)
		list = append(list, site...)
		if err != nil {
			return err
		}
		mine, err := s.ownFacts(ctx, q)
		list = append(list, mine...)
		if err != nil {
			return err
		}
		factors, err := s.factorFacts(ctx, q, found)
		list = append(list, factors...)
		if err != nil {
			return err
		}
		clock, err := s.clockFact(ctx, q)
		list = append(list, clock)
		return err
	})
	if err == nil && s.driver.Facts != nil {
		var connection []Fact
		connection, err = s.driver.Facts(ctx)
		list = append(connection, list...)
	}
	return list, err
}

// maxSkew is the largest difference allowed between a node's clock and the
// database's.
const maxSkew = 2 * time.Second

// clockFact compares this node's clock with the database's. The time that the
// query takes does not count as a difference.
func (s *Store) clockFact(ctx context.Context, q Queryer) (Fact, error) {
	f := Fact{OK: true, About: "clock", Found: "agrees with the database's"}
	var there time.Time
	before := s.driver.Now()
	_, err := one(ctx, q, []any{instant{&there}}, "SELECT "+s.driver.Clock)
	after := s.driver.Now()
	ahead := max(before.Sub(there), 0) + min(after.Sub(there), 0)
	if ahead.Abs() > maxSkew {
		side := "ahead of"
		if ahead < 0 {
			side = "behind"
		}
		f.OK, f.Found = false, fmt.Sprintf("%v %s the database's", ahead.Abs().Round(time.Second), side)
		f.Fix = "synchronise both by NTP: tokens are dated by the node that issues them, so others refuse them until their own clocks get there, or take them for expired"
	}
	return f, err
}

// userFacts checks the user table.
func (t *tables) userFacts() []Fact {
	s := t.schema
	if len(t.user) == 0 {
		f := Fact{Fatal: true, About: s.Users, Found: "not there", Fix: FixAtStart}
		if s.Users != "auth_user" {
			f.Fix = "run manage.py migrate, or name the table of the user model in the schema settings"
		}
		return []Fact{f}
	}
	list := []Fact{{OK: true, About: s.Users, Found: fmt.Sprintf("%d columns", len(t.user))}}
	id := Fact{OK: t.key.uuid || t.key.max > 0, About: s.Users + "." + s.ID, Found: t.user[s.ID].typ}
	if !id.OK {
		id.Fatal, id.Fix = true, "the key must be an integer or a UUID: name its column in the schema settings"
		id.Found = strings.TrimSpace("not there " + id.Found)
	}
	list = append(list, id)
	for _, c := range []struct {
		name, use string
		needed    bool
	}{
		{s.Username, "name the column that people log in with in the schema settings", true},
		{"password", "jotgate needs a model that inherits AbstractBaseUser", true},
		{s.Email, "without it there are no messages and no reset by e-mail; name the column in the schema settings", false},
		{"is_active", "without it every account is active", false},
		{"is_staff", "without it nobody is staff", false},
		{"is_superuser", "without it nobody is a superuser", false},
		{"first_name", "left empty", false},
		{"last_name", "left empty", false},
		{"date_joined", "not kept", false},
		{"last_login", "not kept", false},
	} {
		f := Fact{OK: true, About: s.Users + "." + c.name, Found: t.user[c.name].typ}
		if _, ok := t.user[c.name]; !ok {
			f = Fact{Fatal: c.needed, OK: !c.needed, About: f.About, Found: "not there", Fix: c.use}
		}
		list = append(list, f)
	}
	return append(list, t.foreignFacts()...)
}

// foreignFacts lists the columns and references that limit what jotgate can do.
func (t *tables) foreignFacts() (list []Fact) {
	list = append(list, t.fillFacts()...)
	for _, r := range t.referrers {
		ours := r.table == t.schema.UserGroups || r.table == t.schema.UserPermissions || cascades[r.table]
		if r.required && !ours {
			list = append(list, Fact{
				OK: true, About: r.table + "." + r.column, Found: "refers to " + t.schema.Users,
				Fix: "accounts with rows in it cannot be deleted by jotgate; delete them in Django",
			})
		}
	}
	return list
}

// fillFacts lists what new accounts get in columns that jotgate does not know.
func (t *tables) fillFacts() (list []Fact) {
	missing := t.missing()
	for _, c := range t.columns[t.schema.Users] {
		f := Fact{OK: true, About: t.schema.Users + "." + c.name}
		filling, filled := t.fills[c.name]
		switch {
		case filled:
			f.Found = c.typ + ", new accounts get " + filling.shown
		case slices.Contains(missing, c):
			f.OK, f.Found = false, c.typ+", must not be NULL, no default"
			f.Fix = "sign-up is closed: " + c.fix()
		case !c.required || slices.Contains(t.modelColumns(), c.name) || t.hasField(c.name):
			continue
		default:
			f.Found = c.typ + ", new accounts get an empty text"
			f.Fix = "right if the model has blank=True; otherwise say what they get, as --new-user " + c.name + "=VALUE"
		}
		list = append(list, f)
	}
	return list
}

// fix says how a column can be filled.
func (c column) fix() string {
	value, meaning := c.advice()
	if value == "" {
		return meaning
	}
	if meaning != "" {
		meaning = " (" + meaning + ")"
	}
	return "say what new accounts get, as --new-user " + c.name + "=" + value + meaning + ", give the column a default in the database, or create accounts in Django"
}

// djangoFacts checks Django's other tables.
func (t *tables) djangoFacts() (list []Fact) {
	for _, c := range []struct {
		about string
		there bool
		fix   string
	}{
		{t.schema.UserGroups, t.groups.table != "", "without it nobody has groups"},
		{t.schema.UserPermissions, t.direct.table != "", "without it nobody has permissions of their own"},
		{"auth_permission", t.permission, "without it, auth_group_permissions and django_content_type there are no permissions"},
		{"account_emailaddress", t.addresses, "without it no address is verified; run jotgate migrate once there is a table of users"},
		{"token_blacklist", t.blacklist, "Django's logouts are not seen, which is right unless SimpleJWT's token_blacklist app is installed beside jotgate"},
	} {
		f := Fact{OK: true, About: c.about, Found: "there"}
		if !c.there {
			f.Found, f.Fix = "not there", c.fix
		}
		list = append(list, f)
	}
	return list
}

// AboutSite is the Fact.About of the fact that a Django site has created tables in this
// database. Then jotgate must use the SECRET_KEY of that site.
const AboutSite = "Django site"

// FixAtStart is the Fact.Fix of what serve does when it starts.
const FixAtStart = "serve creates what is missing when it starts; so does jotgate migrate"

// siteFact looks for tables that only Django creates.
func (s *Store) siteFact(ctx context.Context, q Queryer) ([]Fact, error) {
	tables := []string{"django_session", "django_admin_log", "token_blacklist_outstandingtoken"}
	columns, err := s.driver.columnsOf(ctx, q, tables...)
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		if len(columns[table]) > 0 {
			return []Fact{{OK: true, About: AboutSite, Found: "has created " + table}}, nil
		}
	}
	return nil, nil
}

// ownFacts checks jotgate's tables and its index.
func (s *Store) ownFacts(ctx context.Context, q Queryer) (list []Fact, err error) {
	fix := "a migration that has run made it: restore a backup"
	if s.driver.Pending != nil {
		pending, err := s.driver.Pending(ctx, q)
		if err != nil {
			return nil, err
		}
		if pending {
			fix = FixAtStart
		}
	}
	columns, err := s.driver.columnsOf(ctx, q, own...)
	if err != nil {
		return nil, err
	}
	for _, name := range own {
		f := Fact{OK: len(columns[name]) > 0, About: name, Found: fmt.Sprintf("%d columns", len(columns[name]))}
		if !f.OK {
			f.Fatal, f.Found, f.Fix = true, "not there", fix
		}
		list = append(list, f)
	}
	found, err := one(ctx, q, []any{new(int)}, s.driver.Index, "jotgate_user_email")
	f := Fact{OK: found, About: "jotgate_user_email", Found: "there"}
	if !found {
		f.Found, f.Fix = "not there", "finding accounts by e-mail reads the whole table: run jotgate migrate as the owner of "+s.tables.schema.Users
	}
	return append(list, f), err
}
