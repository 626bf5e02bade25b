package throttle_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/jotgate/jotgate/throttle"
)

// A handler that accepts three requests a minute from each network, behind a
// proxy in 10.0.0.0/8.
func Example() {
	rate, err := throttle.ParseRate("3/min")
	if err != nil {
		panic(err)
	}
	limiter, err := throttle.NewLimiter(rate, throttle.Options{})
	if err != nil {
		panic(err)
	}
	proxies, err := throttle.ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		panic(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		network := throttle.Network(proxies.ClientAddr(r))
		if wait, ok := limiter.Allow(network); !ok {
			w.Header().Set("Retry-After", throttle.RetryAfter(wait))
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		fmt.Fprint(w, "hello ", network)
	})

	for range 4 {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "10.0.0.1:4711"
		r.Header.Set("X-Forwarded-For", "6.6.6.6, 192.0.2.1") // the client may have invented the left one
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	// Output:
	// 200  hello 192.0.2.1
	// 200  hello 192.0.2.1
	// 200  hello 192.0.2.1
	// 429 60
}

// How long a login must wait after six failures from its own network, the last
// of them half a second ago.
func ExampleLockout_Wait() {
	now := time.Now()
	here := throttle.Tally{Failures: 6, Last: now.Add(-500 * time.Millisecond)}
	var lockout throttle.Lockout
	everywhere := throttle.Tally{Failures: lockout.Share(here.Failures), Last: here.Last}
	fmt.Println(lockout.Wait(here, everywhere, false, now))
	// Output: 1.5s
}

func ExampleAccountKey() {
	fmt.Println(throttle.AccountKey("alice") == throttle.AccountKey(" ALICE "))
	fmt.Println(throttle.AccountKey("alice") == throttle.AccountKey("bob"))
	// Output:
	// true
	// false
}
