package apikey_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jotgate/jotgate/apikey"
)

// BenchmarkRequire compares a request with a key that is cached with one that has an
// access token, and with a handler without a gate. It also reports how much longer each
// takes than that.
func BenchmarkRequire(b *testing.B) {
	w := newSite(b, apikey.Settings{}, nil)
	plain := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	gated, none := w.gate.Require(plain), 0.0
	for _, each := range []struct {
		name, credential string
		handler          http.Handler
	}{
		{"no gate", "", plain},
		{"token", w.Token(w.alice), gated},
		{"key", w.create(apikey.Request{}).Secret, gated},
		{"key with networks", w.create(apikey.Request{Networks: []string{"192.0.2.0/24", "2001:db8::/32"}}).Secret, gated},
		{"wrong checksum", w.create(apikey.Request{}).Secret[:63] + "!", gated},
	} {
		b.Run(each.name, func(b *testing.B) {
			r, response := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
			r.Header.Set("Authorization", "Bearer "+each.credential)
			b.ReportAllocs()
			for b.Loop() {
				each.handler.ServeHTTP(response, r)
			}
			took := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			if each.credential == "" {
				none = took
			}
			b.ReportMetric(took-none, "more-ns/op")
		})
	}
}

// BenchmarkFirstUse measures the first use of a key, with its owner, on SQLite.
func BenchmarkFirstUse(b *testing.B) {
	w := newSite(b, apikey.Settings{}, nil)
	var keys []*http.Request
	for range apikey.MaxKeys {
		keys = append(keys, request(w.create(apikey.Request{}).Secret))
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%len(keys) == 0 {
			b.StopTimer()
			w.Clock.Advance(5 * time.Minute)
			b.StartTimer()
		}
		if _, err := w.gate.Authenticate(keys[n%len(keys)]); err != nil {
			b.Fatal(err)
		}
	}
}
