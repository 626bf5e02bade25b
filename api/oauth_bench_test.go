//go:build !race

package api

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/allocs"
)

// BenchmarkOAuth measures the endpoints that clients call most, with a client that was
// seen before.
func BenchmarkOAuth(b *testing.B) {
	s := newSite(b, change{gate: func(g *jotgate.Settings) { g.RememberTokens = 1000 }})
	c := s.newClient("billing", "orders:read")
	for _, call := range [][2]string{
		{"/o/token/", "grant_type=client_credentials&scope=orders%3Aread"},
		{"/o/introspect/", "token=" + s.clientToken(c)},
	} {
		b.Run(call[0], func(b *testing.B) {
			send := s.repeated(call[0], call[1], c.headers()...)
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
		})
	}
}

// An introspection reads the token once, whatever it has.
func TestAllocationsOfAnIntrospection(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) { g.RememberTokens = 1000 }})
	c := s.newClient("billing", "orders:read")
	const limit = 60 // 50 are made
	allocs.AtMost(t, limit, 100, s.repeated("/o/introspect/", "token="+s.clientToken(c), c.headers()...))
}

// repeated returns a function that sends a POST request, which must succeed.
func (s *site) repeated(path, form string, headers ...string) func() {
	text := []byte(form)
	r, body := httptest.NewRequest("POST", path, nil), bytes.NewReader(text)
	r.ContentLength, r.Body = body.Size(), io.NopCloser(body)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := &lastResponse{header: http.Header{}}
	return func() {
		body.Reset(text)
		clear(w.header)
		w.body = w.body[:0]
		s.ServeHTTP(w, r)
		if w.status != http.StatusOK || bytes.Contains(w.body, []byte(`"active":false`)) {
			s.t.Fatalf("%d %s", w.status, w.body)
		}
	}
}

// lastResponse is a ResponseWriter that allocates nothing. Its deadlines do nothing.
type lastResponse struct {
	header http.Header
	status int
	body   []byte
}

func (w *lastResponse) Header() http.Header              { return w.header }
func (w *lastResponse) WriteHeader(status int)           { w.status = status }
func (w *lastResponse) SetReadDeadline(time.Time) error  { return nil }
func (w *lastResponse) SetWriteDeadline(time.Time) error { return nil }
func (w *lastResponse) Flush()                           {}
func (w *lastResponse) Write(p []byte) (int, error) {
	w.body = append(w.body, p...)
	return len(p), nil
}
