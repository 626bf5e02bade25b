// Package faults holds jotgate to its promises while something around it breaks. It runs the binary, puts a load of
// clients on it who remember every answer they got, breaks something, mends it, and asks:
//
//	did a wrong password ever get a token?
//	did a session that was logged out ever open the gate again?
//	is everything there that was answered?
//	was every request answered, in time, and none with an error that is not 503 with Retry-After?
//	did all work again within five seconds, without a restart?
//
// What is broken: the wire to PostgreSQL in every way that toxiproxy knows (wire_test.go), PostgreSQL itself
// (postgres_test.go), each write to SQLite's disk in turn (disk_test.go), the server by restarts (shutdown_test.go).
// soak_test.go lets it run and looks at what grows.
//
// `go test` runs a short form; `make faults` and `make soak` the long ones (FAULTS=long, SOAK=30m).
package faults
