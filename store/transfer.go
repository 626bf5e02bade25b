package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Export, import and count of accounts, with their hashes.

// Record is an account in an export, such as that of `jotgate user export`, which writes
// one JSON object per line. Unlike the JSON form of record.Account it contains the
// password's hash.
type Record struct {
	ID          record.UserID `json:"id,omitempty"`
	Username    string        `json:"username"`
	Email       string        `json:"email"`
	FirstName   string        `json:"first_name"`
	LastName    string        `json:"last_name"`
	Password    string        `json:"password"` // the hash, in any of Django's formats
	IsActive    bool          `json:"is_active"`
	IsStaff     bool          `json:"is_staff"`
	IsSuperuser bool          `json:"is_superuser"`
	DateJoined  time.Time     `json:"date_joined"`
	LastLogin   time.Time     `json:"last_login,omitzero"`
	Groups      []string      `json:"groups,omitempty"`      // names, in order of id
	Permissions []string      `json:"permissions,omitempty"` // "app_label.codename", without those of the groups

	// EmailVerified reports whether the address is verified; nil if that is not known.
	EmailVerified *bool `json:"email_verified,omitempty"`
	// Providers are the connected accounts at providers: their ids there, by the
	// provider's id.
	Providers map[string][]string `json:"providers,omitempty"`
}

// pageSize is the number of accounts in a page of an export.
const pageSize = 500

// Stream calls each with every account, in order of key. It keeps at most 500 accounts
// in memory. If each returns an error, Stream stops and returns that error. Accounts
// that are created or deleted concurrently may be missing.
func (tr Transfer) Stream(ctx context.Context, each func(Record) error) error {
	for after := record.UserID(""); ; {
		page, err := tr.db.Accounts().List(ctx, after, pageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].ID
		groups, permissions, err := tr.db.names(ctx, page[0].ID, after)
		if err != nil {
			return err
		}
		addresses, social, err := tr.db.proofs(ctx, page[0].ID, after)
		if err != nil {
			return err
		}
		for _, a := range page {
			r := newRecord(a, groups[a.ID], permissions[a.ID])
			r.prove(addresses[a.ID], social[a.ID])
			if err := each(r); err != nil {
				return err
			}
		}
	}
}

func newRecord(a *record.Account, groups, permissions []string) Record {
	return Record{
		ID: a.ID, Username: a.Username, Email: a.Email, FirstName: a.FirstName, LastName: a.LastName, Password: a.Password,
		IsActive: a.IsActive, IsStaff: a.IsStaff, IsSuperuser: a.IsSuperuser, DateJoined: a.DateJoined, LastLogin: a.LastLogin,
		Groups: groups, Permissions: permissions,
	}
}

// names returns the groups and own permissions of the accounts from one key
// to another.
func (s *Store) names(ctx context.Context, first, last record.UserID) (groups, permissions map[record.UserID][]string, err error) {
	if l := s.tables.groups; l.table != "" {
		groups, err = s.namesBy(ctx, "g.name FROM auth_group AS g JOIN "+quote(l.table)+" AS l ON l.group_id = g.id", "g.id", l, first, last)
	}
	if l := s.tables.direct; l.table != "" && s.tables.permission && err == nil {
		permissions, err = s.namesBy(ctx, "ct.app_label || '.' || p.codename FROM auth_permission AS p JOIN django_content_type AS ct"+
			" ON ct.id = p.content_type_id JOIN "+quote(l.table)+" AS l ON l.permission_id = p.id", "2", l, first, last)
	}
	return groups, permissions, err
}

// proofs returns the listed addresses of the accounts from one key to another, and their
// accounts at providers: two words each.
func (s *Store) proofs(ctx context.Context, first, last record.UserID) (addresses, social map[record.UserID][]string, err error) {
	l := link{user: "user_id"}
	if s.tables.addresses {
		addresses, err = s.namesBy(ctx, "CASE WHEN l.verified THEN 'verified ' ELSE 'unverified ' END || l.email FROM account_emailaddress AS l", "l.id", l, first, last)
	}
	if s.tables.social && err == nil {
		social, err = s.namesBy(ctx, "l.provider || ' ' || l.uid FROM socialaccount_socialaccount AS l", "l.id", l, first, last)
	}
	return addresses, social, err
}

// prove fills in EmailVerified and Providers from what proofs returns.
func (r *Record) prove(addresses, social []string) {
	for _, text := range addresses {
		if word, email, _ := strings.Cut(text, " "); email == strings.ToLower(r.Email) {
			r.EmailVerified = new(word == "verified")
		}
	}
	for _, text := range social {
		provider, uid, _ := strings.Cut(text, " ")
		if r.Providers == nil {
			r.Providers = map[string][]string{}
		}
		r.Providers[provider] = append(r.Providers[provider], uid)
	}
}

// namesBy selects user and name for a range of users, in the given order.
func (s *Store) namesBy(ctx context.Context, from, order string, l link, first, last record.UserID) (map[record.UserID][]string, error) {
	user := "l." + quote(l.user)
	low, _ := s.tables.key.encode(first)
	high, _ := s.tables.key.encode(last)
	return ask(ctx, s, func(ctx context.Context, q Queryer) (map[record.UserID][]string, error) {
		list := map[record.UserID][]string{}
		_, err := all(ctx, q, func(rows rowScanner) (id record.UserID, err error) {
			var name string
			err = rows.Scan(keyScan{&id}, &name)
			list[id] = append(list[id], name)
			return id, err
		}, "SELECT "+user+", "+from+" WHERE "+user+" BETWEEN $1 AND $2 ORDER BY 1, "+order, low, high)
		return list, err
	})
}

// account converts a Record to an Account.
func (r *Record) account() *record.Account {
	return &record.Account{
		Username: r.Username, Email: r.Email, FirstName: r.FirstName, LastName: r.LastName, Password: r.Password,
		IsActive: r.IsActive, IsStaff: r.IsStaff, IsSuperuser: r.IsSuperuser, DateJoined: r.DateJoined, LastLogin: r.LastLogin,
	}
}

// Import inserts accounts in one transaction, at most a few hundred in one call. If it
// returns an error, which names the record, it has inserted nothing. A record whose
// username exists is skipped, so that an import can be repeated; created is the number of
// the others. Usernames may be similar to existing ones. Groups are created if they do
// not exist; permissions must exist. The accounts get new ids.
func (tr Transfer) Import(ctx context.Context, batch []Record) (created int, err error) {
	err = tr.db.write(ctx, func(ctx context.Context, q Queryer) error {
		var made []named
		for i := range batch {
			id, err := tr.db.importAccount(ctx, q, &batch[i])
			if err != nil {
				return fmt.Errorf("account %q: %w", batch[i].Username, err)
			}
			if id != "" {
				made = append(made, named{id, batch[i].Username})
			}
		}
		created = len(made)
		return tr.db.insertNames(ctx, q, made)
	})
	if err != nil {
		created = 0
	}
	return created, err
}

// importAccount returns "" if the name exists.
func (s *Store) importAccount(ctx context.Context, q Queryer, r *Record) (id record.UserID, err error) {
	if !storable(r.Username) {
		return "", refuse("username", "Not a valid string.")
	}
	exists, err := one(ctx, q, []any{new(int)}, "SELECT 1 FROM "+quote(s.tables.schema.Users)+" WHERE "+quote(s.tables.schema.Username)+" = $1", r.Username)
	if err != nil || exists {
		return "", err
	}
	joined := r.DateJoined
	if joined.IsZero() {
		joined = s.driver.Now()
	}
	if id, err = s.insertAccount(ctx, q, r.account(), joined.UTC().Truncate(time.Microsecond)); err != nil {
		return "", err
	}
	if err := s.importProofs(ctx, q, id, r, joined); err != nil {
		return "", err
	}
	return id, s.importGrants(ctx, q, id, r)
}

// importProofs lists the address, and connects accounts at providers.
func (s *Store) importProofs(ctx context.Context, q Queryer, id record.UserID, r *Record, joined time.Time) error {
	key, _ := s.tables.key.encode(id)
	if r.EmailVerified != nil {
		if err := s.setAddress(ctx, q, id, key, r.Email, *r.EmailVerified); err != nil {
			return err
		}
	}
	for _, provider := range slices.Sorted(maps.Keys(r.Providers)) {
		for _, uid := range r.Providers[provider] {
			if !s.tables.social || provider == "" || strings.Contains(provider, " ") || uid == "" || len(uid) > 191 || !storable(uid) || !storable(provider) {
				return refuse("providers", "Not a valid string.")
			}
			row := &record.SocialAccount{Provider: provider, UID: uid, Data: "{}", LastLogin: joined, Joined: joined}
			if err := s.connect(ctx, q, key, id, row); err != nil {
				return fmt.Errorf("account %q at %s: %w", uid, provider, err)
			}
		}
	}
	return nil
}

func (s *Store) importGrants(ctx context.Context, q Queryer, id record.UserID, r *Record) error {
	for _, name := range r.Groups {
		if s.tables.groups.table == "" {
			return errNoGroups
		}
		if err := s.groupName(name); err != nil {
			return err
		}
		if _, err := run(ctx, q, "INSERT INTO auth_group (name) VALUES ($1) ON CONFLICT (name) DO NOTHING", name); err != nil {
			return err
		}
		group, err := s.groupID(ctx, q, name)
		if err != nil {
			return err
		}
		if err := s.addLink(ctx, q, s.tables.groups, "group_id", id, group); err != nil {
			return err
		}
	}
	for _, name := range r.Permissions {
		p, err := s.permissionID(ctx, q, name)
		if err != nil {
			return fmt.Errorf("permission %q: %w", name, err)
		}
		if err := s.addLink(ctx, q, s.tables.direct, "permission_id", id, p); err != nil {
			return err
		}
	}
	return nil
}

// Count returns the number of accounts. If the database's statistics have an estimate of
// more than 100,000, it returns that, and estimated is true.
func (tr Transfer) Count(ctx context.Context) (n int64, estimated bool, err error) {
	err = tr.db.read(ctx, func(ctx context.Context, q Queryer) error {
		if tr.db.driver.Estimate != "" {
			if _, err := one(ctx, q, []any{&n}, tr.db.driver.Estimate, tr.db.tables.schema.Users); err != nil {
				return err
			}
			if estimated = n > 100_000; estimated {
				return nil
			}
		}
		_, err := one(ctx, q, []any{&n}, tr.db.texts.count)
		return err
	})
	return n, estimated, err
}
