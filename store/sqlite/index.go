package sqlite

import (
	"context"

	"github.com/jotgate/jotgate/store/internal/migration"
)

// The indexes of the user table that Django does not make. They are checked at
// each start, because a Django migration that rebuilds the table drops them.

// indexes are those that the columns of the user table allow.
func (m *migrator) indexes(ctx context.Context) (list []migration.Index, err error) {
	names := migration.Names{Users: m.schema.Users, ID: m.schema.ID, Email: m.schema.Email, Groups: m.schema.UserGroups}
	for _, index := range migration.Indexes(names, quote, false) {
		found, err := row(ctx, m.q, new(string), "SELECT name FROM pragma_table_info($1) WHERE name = $2", index.Table, index.Column)
		if err != nil {
			return nil, err
		}
		if found {
			list = append(list, index)
		}
	}
	return list, nil
}

// lacksIndex reports whether one of the indexes, or a trigger of the search, is
// missing.
func (m *migrator) lacksIndex(ctx context.Context) (bool, error) {
	list, err := m.indexes(ctx)
	if err != nil {
		return false, err
	}
	for _, index := range list {
		if found, err := exists(ctx, m.q, "index", index.Name); err != nil || !found {
			return err == nil, err
		}
	}
	return m.lacksSearch(ctx)
}

func (m *migrator) makeIndexes(ctx context.Context) error {
	list, err := m.indexes(ctx)
	if err != nil {
		return err
	}
	for _, index := range list {
		if err := m.makeIndex(ctx, index); err != nil {
			return err
		}
	}
	lacks, err := m.lacksSearch(ctx)
	if err == nil && (lacks || m.made) {
		err = m.makeSearch(ctx)
	}
	return err
}

func (m *migrator) makeIndex(ctx context.Context, index migration.Index) error {
	found, err := exists(ctx, m.q, "index", index.Name)
	if err == nil && !found {
		err = execute(ctx, m.q, index.Create(quote, ""))
	}
	return err
}

// lacksSearch reports whether there is an index of trigrams without its triggers.
func (m *migrator) lacksSearch(ctx context.Context) (bool, error) {
	if found, err := exists(ctx, m.q, "table", "jotgate_user_search"); err != nil || !found {
		return false, err
	}
	found, err := exists(ctx, m.q, "trigger", "jotgate_user_search_update")
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
