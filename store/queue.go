package store

// Queues: tables whose rows are handled when they are due.

// leaseText returns the statement that takes at most $3 rows of a queue that are due at
// $2, oldest first, and hides them until $1. where is a further condition.
//
// The outer condition repeats the inner one: with concurrent transactions, the one that
// waited for the row then sees that it is taken.
func leaseText(table, where, columns string) string {
	due := "due <= $2" + where
	return "UPDATE " + table + " SET due = $1 WHERE " + due + " AND id IN (SELECT id FROM " + table + " WHERE " + due +
		" ORDER BY due, id LIMIT $3) RETURNING " + columns
}
