package gauge

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/store/sqlite"
)

// plan returns a short plan with a new database. It appends the steps to started.
func plan(t *testing.T, started *[]string) Plan {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	hasher, err := passwd.New("pbkdf2_sha256:20000")
	if err != nil {
		t.Fatal(err)
	}
	return Plan{Time: time.Second, Store: db, Hasher: hasher, Progress: func(_ float64, what string) { *started = append(*started, what) }}
}

func TestMeasure(t *testing.T) {
	var started []string
	r, err := Measure(t.Context(), plan(t, &started))
	if err != nil {
		t.Fatal(err)
	}
	if r.Hashes[0].Hasher != "pbkdf2_sha256:20000" || r.Hashes[1].Hasher != standard {
		t.Errorf("hashes: %+v", r.Hashes)
	}
	for _, h := range r.Hashes {
		if h.Quickest <= 0 || h.Median < h.Quickest {
			t.Errorf("%+v", h)
		}
	}
	loads := []Load{r.Verify, r.Checks, r.Refreshes, r.Reads}
	for _, f := range r.Floods {
		if f.Logins <= 0 {
			t.Errorf("%+v", f)
		}
		loads = append(loads, f.Reader)
	}
	for _, l := range loads {
		if l.PerSecond <= 0 || l.P50 <= 0 || l.P99 < l.P50 {
			t.Errorf("%+v", l)
		}
	}
	if r.Verify.Clients != 1 || r.Checks.Clients <= 1 {
		t.Errorf("one client verifies, and several send requests: %+v", r)
	}
}

// Measure ends if it is interrupted in any step.
func TestMeasureIsInterrupted(t *testing.T) {
	for _, step := range steps {
		ctx, cancel := context.WithCancel(t.Context())
		var started []string
		p := plan(t, &started)
		p.Progress = func(_ float64, what string) {
			if started = append(started, what); what == step.what {
				cancel()
			}
		}
		_, err := Measure(ctx, p)
		cancel()
		// With one processor, there is no step with more concurrency.
		if slices.Contains(started, step.what) && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", step.what, err)
		}
		if n := len(started); started[n-1] != step.what && started[n-1] != "" {
			t.Errorf("interrupted while %s, it continued with %s", step.what, started[n-1])
		}
	}
}

// An unexpected response is an error, not a figure.
func TestUnexpectedResponsesAreErrors(t *testing.T) {
	var started []string
	p := plan(t, &started)
	s, err := open(t.Context(), p.Store, p.Hasher, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := errors.Join(s.populate(t.Context()), s.enter(t.Context())); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"check", func() error { return s.get(t.Context(), 0, "/auth/check") }},
		{"refresh", func() error { return s.refresh(t.Context(), 0) }},
	} {
		if err := c.do(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		good := s.tokens[0]
		s.tokens[0].Access += "x"
		s.tokens[0].Refresh += "x"
		if err := c.do(); err == nil {
			t.Errorf("%s with a damaged token is no error", c.name)
		}
		s.tokens[0] = good
	}
	s.server.Handler = http.NotFoundHandler()
	if ok, err := s.login(t.Context(), 0); ok || err == nil {
		t.Errorf("a login that is not found: %v %v", ok, err)
	}
}
