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
