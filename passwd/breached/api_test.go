package breached

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
)

// unlimited sends requests without their deadline.
type unlimited struct{ *http.Transport }

func (u unlimited) RoundTrip(r *http.Request) (*http.Response, error) {
	return u.Transport.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
}

// standIn responds as the range API does. Its responses may take any time.
func standIn(t *testing.T, respond http.HandlerFunc) *API {
	t.Helper()
	server := httptest.NewServer(respond)
	t.Cleanup(server.Close)
	api, err := NewAPI(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := api.client.Transport.(*http.Transport)
	transport.DialContext = new(net.Dialer).DialContext
	api.client.Timeout, api.client.Transport = 0, unlimited{transport}
	return api
}

// The range of "P@ssw0rd", in the form of the service's documentation.
func TestAPI(t *testing.T) {
	recorded, err := os.ReadFile("testdata/range-21BD1.txt")
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	api := standIn(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.String())
		if r.Header.Get("Add-Padding") != "true" || r.Header.Get("User-Agent") == "" {
			t.Errorf("headers %v", r.Header)
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(recorded)
	})
	contains(t, api, "P@ssw0rd", true)
	contains(t, api, "p@ssw0rd", false)
	if len(asked) != 2 || asked[0] != "GET /range/21BD1" {
		t.Errorf("asked for %q: more than the range was sent", asked)
	}
	lower := standIn(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.ToLower(string(recorded)))
	})
	contains(t, lower, "P@ssw0rd", true)
	padded := standIn(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Replace(string(recorded), ":52579", ":0", 1))
	})
	contains(t, padded, "P@ssw0rd", false)
}

// Whatever is not a range is an error, never "not in the list".
func TestAPIFailures(t *testing.T) {
	line := strings.Repeat("0", 35) + ":1\r\n"
	for name, respond := range map[string]http.HandlerFunc{
		"500":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"429":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) },
		"204":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"a redirect":    func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"empty":         func(http.ResponseWriter, *http.Request) {},
		"a page":        func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>log in here</html>") },
		"no count":      func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("0", 35)+"\r\n") },
		"short digests": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "00:1\r\n") },
		"too long": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(line, apiResponse/len(line)+2))
		},
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, line)
		},
		"no response": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		api := standIn(t, respond)
		found, err := api.Contains(context.Background(), "P@ssw0rd")
		if found || err == nil {
			t.Errorf("%s: %v, %v", name, found, err)
		} else if strings.Contains(err.Error(), "21BD1") || strings.Contains(err.Error(), "21bd1") {
			t.Errorf("%s: the error discloses the range: %v", name, err)
		}
	}
}

// slow is a transport whose response never comes.
type slow struct{}

func (slow) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A service that does not respond is given up after two seconds.
func TestAPITimeout(t *testing.T) {
	api, err := NewAPI(PwnedPasswords)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		api.client.Transport = slow{}
		ctx, cancel := context.WithTimeout(context.Background(), apiTimeout+1) // reached: the test hangs otherwise
		defer cancel()
		if found, err := api.Contains(ctx, "P@ssw0rd"); found || err == nil || ctx.Err() != nil {
			t.Errorf("%v, %v, %v", found, err, ctx.Err())
		}
	})
}

func TestAPIAddresses(t *testing.T) {
	for address, good := range map[string]bool{
		PwnedPasswords: true, "https://mirror.example/pwned/": true, "http://127.0.0.1:8080": true, "http://[::1]:80/x": true, "http://localhost:1": true,
		"http://api.pwnedpasswords.com": false, "http://127.0.0.1.example": false, "api.pwnedpasswords.com": false, "": false,
		"https://user:secret@mirror.example": false, "https://mirror.example/?a=b": false, "ftp://mirror.example": false, "https://": false,
	} {
		if _, err := NewAPI(address); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
}
