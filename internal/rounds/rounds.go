// Package rounds decides how often a test repeats what chance decides: a race, a
// crash, a random history. The short form is part of go test and shows the
// property; the long form runs with LONG=1, as in make long:
//
//	for range rounds.Of(20, 200) { … }
package rounds

import "os"

// Variable is the environment variable that selects the long form, unless it is
// empty.
const Variable = "LONG"

// Long reports whether the long form runs.
func Long() bool { return os.Getenv(Variable) != "" }

// Of returns the number of rounds: long in the long form, else short.
func Of(short, long int) int {
	if Long() {
		return long
	}
	return short
}

// Some returns the values that a turn is for: in the long form all, in the short form one of n, from another first one in
// each turn, so that n turns have all.
func Some[T any](values []T, turn, n int) (some []T) {
	if Long() {
		return values
	}
	for i := turn % n; i < len(values); i += n {
		some = append(some, values[i])
	}
	return some
}
