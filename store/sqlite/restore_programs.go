package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strings"

	"github.com/jotgate/jotgate/store"
)

// The credentials of programs that a restore must not revive, and invitations. A key, a
// secret or an invitation that the replaced database has changed since the backup is
// changed in the copy.

// programs are the changes: the arguments of each change's statement, by kind.
type programs [len(programKinds)][][]any

// programKinds lists, for each kind, its table, the SELECT of the changes between the
// backup (b) and the replaced database (o), and the statement that makes one of them.
var programKinds = [...]struct{ table, find, change string }{
	{
		// A rotation shortens the life of the former key. A key that is gone was purged
		// after it was revoked, unless its owner is gone, too: then the restore undoes
		// the deletion of the account.
		"jotgate_api_key",
		"SELECT CASE WHEN o.id IS NULL THEN " + clock + ` ELSE o.revoked END, CASE WHEN o.id IS NULL THEN b.expires ELSE o.expires END, o.replacement, b.id
FROM backup.jotgate_api_key AS b LEFT JOIN main.jotgate_api_key AS o ON o.id = b.id
WHERE b.revoked IS NULL AND (o.revoked IS NOT NULL OR o.id IS NOT NULL AND o.expires IS NOT b.expires
OR o.id IS NULL AND EXISTS (SELECT 1 FROM main.{users} AS u WHERE replace(CAST(u.{key} AS text), '-', '') = replace(b.user_id, '-', '')))`,
		"UPDATE jotgate_api_key SET revoked = $1, expires = $2, replacement = COALESCE($3, replacement) WHERE id = $4",
	},
	{
		"jotgate_client",
		`SELECT o.scopes, o.session, o.secret, o.former_secret, o.former_until, o.keys, o.disabled, o.id
FROM backup.jotgate_client AS b JOIN main.jotgate_client AS o ON o.id = b.id WHERE o.session <> b.session OR o.secret <> b.secret`,
		"UPDATE jotgate_client SET scopes = $1, session = $2, secret = $3, former_secret = $4, former_until = $5, keys = $6, disabled = $7 WHERE id = $8",
	},
	{
		"jotgate_invitation",
		"SELECT b.id FROM backup.jotgate_invitation AS b WHERE NOT EXISTS (SELECT 1 FROM main.jotgate_invitation AS o WHERE o.id = b.id AND o.nonce = b.nonce)",
		"DELETE FROM jotgate_invitation WHERE id = $1",
	},
}

// read finds the changes. db is the replaced database.
func (p *programs) read(ctx context.Context, db *sql.DB, backup string, schema store.Schema) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	file := &url.URL{Scheme: "file", Opaque: (&url.URL{Path: backup}).EscapedPath(), RawQuery: "mode=ro&immutable=1"}
	if _, err := conn.ExecContext(ctx, "ATTACH DATABASE $1 AS backup", file.String()); err != nil {
		return err
	}
	names := strings.NewReplacer("{users}", quote(schema.Users), "{key}", quote(schema.ID))
	for i, kind := range programKinds {
		there := 0 // an older version does not have the table
		if err := conn.QueryRowContext(ctx, "SELECT (SELECT COUNT(*) FROM main.sqlite_schema WHERE name = $1) + (SELECT COUNT(*) FROM backup.sqlite_schema WHERE name = $1)",
			kind.table).Scan(&there); err != nil {
			return err
		}
		if there < 2 {
			continue
		}
		if p[i], err = rowsOf(ctx, conn, names.Replace(kind.find)); err != nil {
			return err
		}
	}
	return nil
}

// rowsOf returns the rows of a query as arguments of a statement.
func rowsOf(ctx context.Context, q querier, text string) (list [][]any, err error) {
	err = each(ctx, q, text, func(rows *sql.Rows) error {
		columns, err := rows.Columns()
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		list = append(list, row)
		return errors.Join(err, rows.Scan(into...))
	})
	return list, err
}

// repeat makes the changes in the copy.
func (p *programs) repeat(ctx context.Context, tx *sql.Tx) error {
	for i, kind := range programKinds {
		for _, args := range p[i] {
			if _, err := tx.ExecContext(ctx, kind.change, args...); err != nil {
				return err
			}
		}
	}
	return nil
}
