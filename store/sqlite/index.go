package sqlite

import (
	"context"

	"github.com/jotgate/jotgate/store/internal/migration"
)

// The indexes of the user table that Django does not make. They are checked at
// each start, because a Django migration that rebuilds the table drops them.

// indexes are all of them.
func (m *migrator) indexes() []migration.Index {
	names := migration.Names{Users: m.schema.Users, ID: m.schema.ID, Email: m.schema.Email, Groups: m.schema.UserGroups}
	return migration.Indexes(names, quote, false)
}

// lacks reports whether an index is missing whose column the table has.
func (m *migrator) lacks(ctx context.Context, index migration.Index) (bool, error) {
	if found, err := m.exists(ctx, "index", index.Name); err != nil || found {
		return false, err
	}
	return row(ctx, m.q, new(string), "SELECT name FROM pragma_table_info($1) WHERE name = $2", index.Table, index.Column)
}

// lacksIndex reports whether one of the indexes, or a trigger of the search, is
// missing.
func (m *migrator) lacksIndex(ctx context.Context) (bool, error) {
	for _, index := range m.indexes() {
		if lacks, err := m.lacks(ctx, index); err != nil || lacks {
			return lacks, err
		}
	}
	return m.lacksSearch(ctx)
}

func (m *migrator) makeIndexes(ctx context.Context) error {
	for _, index := range m.indexes() {
		lacks, err := m.lacks(ctx, index)
		if err == nil && lacks {
			err = execute(ctx, m.q, index.Create(quote, ""))
		}
		if err != nil {
			return err
		}
	}
	lacks, err := m.lacksSearch(ctx)
	if err == nil && (lacks || m.made) {
		err = m.makeSearch(ctx)
	}
	return err
}

// lacksSearch reports whether there is an index of trigrams without its triggers.
func (m *migrator) lacksSearch(ctx context.Context) (bool, error) {
	if found, err := m.exists(ctx, "table", "jotgate_user_search"); err != nil || !found {
		return false, err
	}
	found, err := m.exists(ctx, "trigger", "jotgate_user_search_update")
	return !found, err
}

// makeSearch makes the index of trigrams, for searches by a part of a name. Only a
// table that jotgate made has one: the SQLite library of a Django site might not
// know FTS5, and the triggers would then make its writes fail.
func (m *migrator) makeSearch(ctx context.Context) error {
	text, err := files.ReadFile("schema/search.sql")
	if err != nil {
		return err
	}
	return execute(ctx, m.q, string(text))
}
