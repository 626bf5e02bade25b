// Package faults tests jotgate while something that it depends on fails. It runs the binary under the load of clients
// that record every response, causes a fault, removes it, and checks:
//
//	no wrong password ever got a token
//	no session that was logged out was ever accepted again
//	everything that was confirmed is still there
//	every request got a response in time, and no error other than 503 with Retry-After
//	everything worked again within five seconds, without a restart
//
// The faults: the connection to PostgreSQL in every way that toxiproxy supports (wire_test.go), PostgreSQL itself
// (postgres_test.go), each write to SQLite's disk (disk_test.go), and restarts of the server (shutdown_test.go).
// soak_test.go runs it for a long time and checks what grows.
//
// go test runs a short form; make faults and make soak the long ones (FAULTS=long, SOAK=30m).
package faults
