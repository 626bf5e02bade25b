package proxy_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

// The cookies of jotgate's pages are for the whole host, and as good as a login. They
// reach no upstream, also if the proxy does not read them.
func TestOwnCookiesAreNotForwarded(t *testing.T) {
	gate := start(t, upstream, nil)
	for sent, want := range map[string]string{
		"__Host-jotgate=secret":                         "",
		"jotgate=secret":                                "",
		"a=1; __Host-jotgate=secret; b=2":               "a=1; b=2",
		"a=1;jotgate-login=secret;b=2":                  "a=1; b=2",
		"__Host-jotgate-flow-Zx=secret; jotgates=1":     "jotgates=1",
		"__Host-jotgate-provider=secret":                "",
		"__Secure-jotgate-refresh=secret; __Host-app=1": "__Host-app=1",
		"a=jotgate; b":                                  "a=jotgate; b",
		"a=1;b=2;  =; ;c=3":                             "a=1;b=2;  =; ;c=3", // nothing to drop: as it is
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, gate.URL+"/open", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", sent)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var got seen
		err = json.NewDecoder(response.Body).Decode(&got)
		if response.Body.Close(); err != nil || got.Header.Get("Cookie") != want {
			t.Errorf("%q reaches the upstream as %q, want %q (%v)", sent, got.Header.Get("Cookie"), want, err)
		}
	}
}
