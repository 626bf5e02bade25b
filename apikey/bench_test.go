package apikey_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jotgate/jotgate/apikey"
)

// BenchmarkRequire compares a request with a key that is cached with one that has an
// access token.
func BenchmarkRequire(b *testing.B) {
	w := newSite(b, apikey.Settings{}, nil)
	handler := w.gate.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, credential := range map[string]string{
		"token": w.Token(w.alice), "key": w.create(apikey.Request{}).Secret,
		"key with networks": w.create(apikey.Request{Networks: []string{"192.0.2.0/24", "2001:db8::/32"}}).Secret,
		"wrong checksum":    w.create(apikey.Request{}).Secret[:63] + "!",
	} {
		b.Run(name, func(b *testing.B) {
			r, response := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
			r.Header.Set("Authorization", "Bearer "+credential)
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(response, r)
			}
		})
	}
}
