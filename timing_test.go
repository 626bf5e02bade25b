package jotgate_test

import (
	"slices"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// Why a login was refused cannot be read from a clock: 200 tries of each kind,
// interleaved, differ by less than 5 % in their medians. Other work on the
// machine can spoil a run, so it is tried up to five times; a real difference
// (a hash not made is 100 %) fails them all.
func TestRefusedLoginsTakeTheSameTime(t *testing.T) {
	hasher, err := passwd.New("pbkdf2_sha256:6000")
	if err != nil {
		t.Fatal(err)
	}
	b := newGate(t, func(s *jotgate.Settings) { s.Hasher = hasher })
	b.user(t, "alice", nil)
	b.user(t, "bob", func(a *record.Account) { a.IsActive = false })
	b.user(t, "dave", func(a *record.Account) { a.Password = passwd.Unusable() })
	kinds := []struct{ name, username, password string }{
		{"wrong password", "alice", "wrong horse battery"},
		{"unknown user", "nobody", "wrong horse battery"},
		{"inactive user", "bob", password},
		{"unusable password", "dave", "wrong horse battery"},
	}
	const tries, attempts, limit = 200, 5, 0.05
	for attempt := 1; ; attempt++ {
		took := make([][]time.Duration, len(kinds))
		for range tries {
			for i, kind := range kinds {
				began := time.Now()
				if _, err := b.Login(t.Context(), kind.username, kind.password, jotgate.Client{}); err == nil {
					t.Fatalf("%s: logged in", kind.name)
				}
				took[i] = append(took[i], time.Since(began))
			}
		}
		medians := make([]time.Duration, len(kinds))
		for i := range took {
			slices.Sort(took[i])
			medians[i] = took[i][tries/2]
		}
		spread := float64(slices.Max(medians))/float64(slices.Min(medians)) - 1
		t.Logf("attempt %d: medians %v of %d tries each, %.1f %% apart", attempt, medians, tries, 100*spread)
		if spread < limit {
			return
		}
		if attempt == attempts {
			t.Fatalf("the medians are %.1f %% apart", 100*spread)
		}
	}
}
