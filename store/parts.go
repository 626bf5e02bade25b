package store

import "github.com/jotgate/jotgate/record"

// The parts of a Store, by noun. Each is in the file of its name.

type (
	accounts    struct{ db *Store }
	addresses   struct{ db *Store }
	sessions    struct{ db *Store }
	revocations struct{ db *Store }
	keys        struct{ db *Store }
	events      struct{ db *Store }
	outbox      struct{ db *Store }
	failures    struct{ db *Store }
	usernames   struct{ db *Store }

	// Groups are the operations on Django's groups and their members. Store.Groups
	// returns it. A group is identified by its name. It is safe for concurrent use.
	Groups struct{ db *Store }
	// Permissions are the operations on Django's permissions and on the accounts and
	// groups that have them. Store.Permissions returns it. A permission is identified
	// by its name "app_label.codename", as in Django's has_perm. It is safe for
	// concurrent use.
	Permissions struct{ db *Store }
	// Transfer reads and writes many accounts, with their hashes. Store.Transfer
	// returns it. It is safe for concurrent use.
	Transfer struct{ db *Store }
)

// Accounts implements record.Store.
func (s *Store) Accounts() record.Accounts { return accounts{s} }

// Addresses implements record.Store.
func (s *Store) Addresses() record.Addresses { return addresses{s} }

// Sessions implements record.Store.
func (s *Store) Sessions() record.Sessions { return sessions{s} }

// Revocations implements record.Store.
func (s *Store) Revocations() record.Revocations { return revocations{s} }

// Keys implements record.Store.
func (s *Store) Keys() record.Keys { return keys{s} }

// Events implements record.Store.
func (s *Store) Events() record.Events { return events{s} }

// Outbox implements record.Store.
func (s *Store) Outbox() record.Outbox { return outbox{s} }

// Failures implements record.Store.
func (s *Store) Failures() record.Failures { return failures{s} }

// Names implements record.Store.
func (s *Store) Names() record.Names { return usernames{s} }

// Groups returns the operations on groups.
func (s *Store) Groups() Groups { return Groups{s} }

// Permissions returns the operations on permissions.
func (s *Store) Permissions() Permissions { return Permissions{s} }

// Transfer returns the export and the import of accounts.
func (s *Store) Transfer() Transfer { return Transfer{s} }
