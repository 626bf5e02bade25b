package frontend

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
)

// Behind a gateway that responds with a page of its own to a token that has expired, as nginx with auth_request does,
// examples/browser refreshes as it does without one; an error that is about the user is still returned.
func TestGatewayWithAPage(t *testing.T) {
	refreshes := 0
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api/token/":
			fmt.Fprint(w, `{"access":"expired"}`)
		case r.URL.Path == "/api/token/refresh/":
			refreshes++
			fmt.Fprint(w, `{"access":"new"}`)
		case r.URL.Path == "/again":
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"code":"insufficient_user_authentication"}`)
		case r.Header.Get("Authorization") != "Bearer new":
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, "<html><h1>401 Authorization Required</h1></html>")
		default:
			fmt.Fprint(w, `{"notes":[]}`)
		}
	}))
	defer gateway.Close()
	out, err := exec.Command("node", "gateway.mjs", gateway.URL).CombinedOutput()
	if want := "[200,{\"notes\":[]},401,\"insufficient_user_authentication\"]\n"; err != nil || string(out) != want || refreshes != 1 {
		t.Errorf("%v, %d refreshes: %s, want %s", err, refreshes, out, want)
	}
}
