// Package matrix lets each event that should end tokens happen to each kind of token, and asks every place that accepts
// tokens what it does then: two jotgate nodes, a guard that follows their revocation list, and a Django beside them.
// docs/sessions.md has the resulting tables.
package matrix
