package sqlite

import (
	"context"
	"testing"
	"time"
	"path/filepath"
	"sync"
	"fmt"
	"github.com/jotgate/jotgate"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	t0 := time.Now()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "a.db"), Options{})
	if err != nil { t.Fatal(err) }
	t.Log("open", time.Since(t0))
	defer s.Close()
	a := &jotgate.Account{Username: "alice", Email: "Alice@example.com", Password: "x", IsActive: true}
	if err := s.CreateAccount(ctx, a); err != nil { t.Fatal(err) }
	b, err := s.AccountByLogin(ctx, "alice")
	t.Logf("%+v %v", b, err)
	now := time.Now()
	ses := &jotgate.Session{ID: "s", User: a.ID, JTI: "0", Created: now, LastSeen: now, Expires: now.Add(time.Hour)}
	if err := s.CreateSession(ctx, ses, "x"); err != nil { t.Fatal(err) }
	r, err := s.RotateSession(ctx, jotgate.Rotation{Session: "s", User: a.ID, Presented: "0", Next: "1", Now: now, Expires: now.Add(time.Hour)})
	t.Logf("%+v %v", r, err)
	fmt.Println(s.AccountsByEmail(ctx, "aLICE@EXAMPLE.com"))
	var wg sync.WaitGroup
	const n, each = 16, 500
	for g := range n {
		id := fmt.Sprint("g", g)
		ses.ID = id
		s.CreateSession(ctx, ses, "x")
	}
	t0 = time.Now()
	for g := range n {
		id := fmt.Sprint("g", g)
		wg.Go(func() {
			for i := range each {
				_, err := s.RotateSession(ctx, jotgate.Rotation{Session: id, User: a.ID, Presented: fmt.Sprint(i), Next: fmt.Sprint(i + 1), Now: now, Expires: now.Add(time.Hour)})
				if err != nil { t.Error(err); return }
			}
		})
	}
	wg.Wait()
	t.Log(float64(n*each)/time.Since(t0).Seconds(), "rotations/s")
}
