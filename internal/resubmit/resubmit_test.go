package resubmit

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// action is what a form does: it waits until it may end.
type action struct {
	runs, gaveUp int
	end          chan struct{}
	err          error
}

func (a *action) run(ctx context.Context, w http.ResponseWriter) error {
	a.runs++
	if a.end != nil {
		select {
		case <-a.end:
		case <-ctx.Done():
			a.gaveUp++
			return ctx.Err()
		}
	}
	if a.err != nil {
		return a.err
	}
	http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
	w.Header().Set("Location", "/done")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

var form = Form{Browser: "b", Content: "c", Received: func(int, http.Header) []string { return []string{"receipt"} }}

func do(ctx context.Context, f *Forms, form Form, a *action) (*httptest.ResponseRecorder, error) {
	w := httptest.NewRecorder()
	w.Header().Set("X-Request-Id", "own")
	err := f.Do(ctx, w, form, a.run)
	return w, err
}

// Requests that overlap share one run and its response, also if the first one's browser
// has left.
func TestOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, a := New(time.Now), &action{end: make(chan struct{})}
		ctx, leave := context.WithCancel(t.Context())
		go func() { _, _ = do(ctx, f, form, a) }()
		synctest.Wait()
		responses := make(chan *httptest.ResponseRecorder, 3)
		for range 3 {
			go func() {
				w, _ := do(t.Context(), f, form, a)
				responses <- w
			}()
		}
		synctest.Wait()
		leave()
		time.Sleep(time.Minute)
		close(a.end)
		for range 3 {
			w := <-responses
			if w.Code != 303 || w.Header().Get("Location") != "/done" || w.Header().Get("Set-Cookie") != "session=1" || w.Header().Get("X-Request-Id") != "own" {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		}
		if a.runs != 1 {
			t.Errorf("%d runs", a.runs)
		}
	})
}

// A form whose browser has left, and which nobody else sends, is given up.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, a := New(time.Now), &action{end: make(chan struct{})}
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if _, err := do(ctx, f, form, a); !errors.Is(err, context.Canceled) || a.gaveUp != 1 {
			t.Errorf("%v, given up %d times", err, a.gaveUp)
		}
		ctx, leave = context.WithTimeout(t.Context(), time.Second)
		defer leave()
		if _, err := do(ctx, f, form, a); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after its deadline: %v", err)
		}
		time.Sleep(time.Minute)
		isForgotten(t, f)
	})
}

// A response is repeated until its browser has received it or sends something else, and
// for three seconds at most; a failure never is.
func TestRepeat(t *testing.T) {
	other := form
	other.Content = "d"
	elsewhere := form
	elsewhere.Browser = "e"
	for name, c := range map[string]struct {
		between func(*Forms, *action)
		runs    int
	}{
		"nothing":      {func(*Forms, *action) {}, 1},
		"soon":         {func(*Forms, *action) { time.Sleep(kept - 1) }, 1},
		"late":         {func(*Forms, *action) { time.Sleep(kept) }, 2},
		"received":     {func(f *Forms, _ *action) { f.Received("x", "receipt") }, 2},
		"another form": {func(f *Forms, _ *action) { _, _ = do(context.Background(), f, other, &action{}) }, 2},
		"elsewhere":    {func(f *Forms, _ *action) { _, _ = do(context.Background(), f, elsewhere, &action{}) }, 1},
		"failure": {func(f *Forms, a *action) {
			f.Received("receipt")
			a.err = errors.New("wrong")
			_, _ = do(context.Background(), f, form, a)
			a.err = nil
		}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, a := New(time.Now), &action{}
				for i := range 2 {
					if w, err := do(t.Context(), f, form, a); err != nil || w.Code != 303 {
						t.Errorf("%d, %v", w.Code, err)
					}
					if i == 0 {
						c.between(f, a)
					}
				}
				if a.runs != c.runs {
					t.Errorf("%d runs, want %d", a.runs, c.runs)
				}
				time.Sleep(time.Minute)
				isForgotten(t, f)
			})
		})
	}
}

// A panic is that of the first request; the others carry the form out.
func TestPanic(t *testing.T) {
	f := New(func() time.Time { return time.Unix(1, 0) })
	func() {
		defer func() { _ = recover() }()
		_ = f.Do(t.Context(), httptest.NewRecorder(), form, func(context.Context, http.ResponseWriter) error { panic("x") })
	}()
	if w, err := do(t.Context(), f, form, &action{}); err != nil || w.Code != 303 {
		t.Errorf("%d, %v", w.Code, err)
	}
}

// isForgotten checks that nothing is kept.
func isForgotten(t *testing.T, f *Forms) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.entries)+len(f.receipts) != 0 {
		t.Errorf("%d forms, %d receipts are kept", len(f.entries), len(f.receipts))
	}
}
