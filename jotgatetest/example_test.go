package jotgatetest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

// hello is the API that the examples test.
func hello(w http.ResponseWriter, r *http.Request) {
	user, _ := jotgate.UserFrom(r.Context())
	fmt.Fprintf(w, "Hello, %s!", user.Username)
}

// In a test file this would be func TestHello(t *testing.T).
func helloIsGuarded(t *testing.T) {
	gate := jotgatetest.New(t)
	handler := gate.Require(http.HandlerFunc(hello))

	w := httptest.NewRecorder()
	handler.ServeHTTP(w, gate.Request(gate.User("alice"), "GET", "/hello", nil))
	if w.Code != http.StatusOK || w.Body.String() != "Hello, alice!" {
		t.Errorf("alice gets %d %s", w.Code, w.Body)
	}

	w = httptest.NewRecorder()
	handler.ServeHTTP(w, gate.Request(nil, "GET", "/hello", nil))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d %s", w.Code, w.Body)
	}
}

func onlyStaffMayEnter(t *testing.T) {
	gate := jotgatetest.New(t)
	handler := gate.RequireStaff(http.HandlerFunc(hello))
	for user, want := range map[*record.Account]int{
		gate.User("alice"):                  http.StatusForbidden,
		gate.User("bob", jotgatetest.Staff): http.StatusOK,
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, gate.Request(user, "GET", "/hello", nil))
		if w.Code != want {
			t.Errorf("%s gets %d, want %d", user.Username, w.Code, want)
		}
	}
}

func aTokenRunsOut(t *testing.T) {
	gate := jotgatetest.New(t, func(s *jotgate.Settings) { s.AccessTokenLifetime = time.Hour })
	request := gate.Request(gate.User("alice"), "GET", "/hello", nil)
	gate.Clock.Advance(59 * time.Minute)
	if _, err := gate.Authenticate(request); err != nil {
		t.Error(err)
	}
	gate.Clock.Advance(time.Minute)
	if _, err := gate.Authenticate(request); err == nil {
		t.Error("the token still works after an hour")
	}
}

func Example() {
	var t *testing.T // the test's
	helloIsGuarded(t)
}

func ExampleNew() {
	var t *testing.T // the test's
	aTokenRunsOut(t)
}

func ExampleStaff() {
	var t *testing.T // the test's
	onlyStaffMayEnter(t)
}
