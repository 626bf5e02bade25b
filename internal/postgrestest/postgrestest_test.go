package postgrestest

import (
	"testing"

	"github.com/jotgate/jotgate/record"
)

// Each database is empty, whatever is in the others.
func TestOpen(t *testing.T) {
	for range 3 {
		s := Open(t)
		if _, err := s.Accounts().ByLogin(t.Context(), "ada"); err == nil {
			t.Fatal("an account of another database")
		}
		if err := s.Accounts().Create(t.Context(), &record.Account{Username: "ada", IsActive: true}); err != nil {
			t.Fatal(err)
		}
	}
}
