// Package arch tests the source itself: which package may import which, how
// large files, functions and types may be, which files may use each other,
// which functions must not be called, whether doc links resolve, and how the
// prose reads. It contains only tests.
//
// table_test.go holds the rules and ceilings_test.go what is above them today;
// the other files hold the checks, each with a test that shows what it catches.
// Run them with
//
//	go test ./internal/arch/
//
// and add -v for the figures. A finding says where, what, and what to do about
// it. If a rule is wrong, change the table and give the reason in
// docs/decisions.
package arch
