package api

import (
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/metrics"
)

// However many clients send whatever they like, the number of series stays under
// the limit, and the routes that matter most have series of their own.
func TestSeriesAreBounded(t *testing.T) {
	figures := metrics.New()
	s := newSite(t, change{
		gate: func(g *jotgate.Settings) { g.Metrics, g.ServeRevocations, g.RPID = figures, true, "example.com" },
		api:  func(a *Settings) { a.TrustedProxies, a.Rates = []string{"192.0.2.0/24"}, map[string]string{} },
	})
	h := figures.Wrap(s.API)
	methods := []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "BREW"}
	routes := s.routes()
	address := netip.MustParseAddr("2001:db8::")
	send := func(i int, method, path, body string) {
		address = address.Next()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("X-Forwarded-For", address.String())
		r.Header.Set("User-Agent", fmt.Sprint("agent ", i))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Host = fmt.Sprintf("%d.example.com", i)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	for i := range 100_000 {
		method := methods[i%len(methods)]
		switch {
		case i < 10*len(routes):
			send(i, method, strings.NewReplacer("{id}", "1", "{sid}", "1").Replace(routes[i/10].path), "{")
		case i%2 == 0:
			send(i, method, fmt.Sprintf("/%d/", i), "")
		default:
			send(i, method, "/livez", "")
		}
	}
	send(0, "POST", "/api/token/", "username=alice&password=wrong")
	w := httptest.NewRecorder()
	figures.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	got := w.Body.String()
	if series := strings.Count(got, "\n") - strings.Count(got, "# "); series > metrics.MaxSeries {
		t.Errorf("%d series", series)
	} else {
		t.Log(series, "series")
	}
	for _, want := range []string{`route="/api/token",method="POST",code="401"} 1`, `count{route="/auth/check",method="GET"}`, `count{route="/auth/logout",method="POST"}`} {
		if !strings.Contains(got, want) {
			t.Errorf("missing: %s", want)
		}
	}
	for _, chosen := range []string{"2001:db8", "agent", "BREW", ".example.com"} {
		if strings.Contains(got, chosen) {
			t.Errorf("a label has a value that a client chose: %s", chosen)
		}
	}
}
