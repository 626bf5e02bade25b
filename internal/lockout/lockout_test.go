package lockout

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/store/sqlite"
	"github.com/jotgate/jotgate/throttle"
)

// silent is a database that stopped answering: each question ends by its
// deadline.
type silent struct{ jotgate.FailureStore }

func (silent) Failures(ctx context.Context, _ []string) (map[string]jotgate.Failure, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	<-ctx.Done()
	return nil, jotgate.ErrUnavailable
}

// Tries of one account wait for each other, but not one after another for a
// database that does not answer.
func TestWaitingHasAnEnd(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	gate, err := jotgate.New(jotgate.Settings{SecretKey: "0123456789abcdef0123456789abcdef"}, db)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		l := New(gate, throttle.Lockout{})
		l.store = silent{}
		began, results := time.Now(), make(chan error)
		for range 30 {
			go func() {
				_, err := l.Try(t.Context(), "alice", "192.0.2.0/24", func() (jotgate.UserID, error) {
					t.Error("a password was looked at")
					return "", nil
				})
				results <- err
			}()
		}
		for range 30 {
			if err := <-results; !errors.Is(err, jotgate.ErrUnavailable) {
				t.Errorf("answered %v", err)
			}
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the last of thirty tries was answered after %v", took)
		}
	})
}
