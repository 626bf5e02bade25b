// Package arch holds the tests about the source itself: which package may
// import which, how large things may grow, what must not be called, and which
// words must not be written. It has no code of its own.
//
// table_test.go is the law, on one page; the other files are the checks, each
// beside a test that shows it catching what it is for. Run them with
//
//	go test ./internal/arch/
//
// A finding says where, what, and what to do about it. If the law is what is
// wrong, change the table and say why in docs/decisions.
package arch
