// Command middleware compares jotgate's middleware with others. Each handles an
// authenticated GET without network, with an HS256 token as a Gate issues it, checks
// issuer and audience, and passes the user to the handler. All run in one process,
// interleaved in rounds.
//
//	go run ./middleware   # in bench/
package main

import (
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/jotgate/jotgate/bench/rounds"
	"github.com/jotgate/jotgate/jwt"
)

func main() {
	count := flag.Int("rounds", 20, "number of rounds")
	slice := flag.Duration("slice", 50*time.Millisecond, "duration of one contender in a round")
	processor := flag.Bool("processor", false, "measure processor time instead of wall time, for a busy machine")
	flag.Parse()
	fmt.Printf("%s %s/%s, GOEXPERIMENT=%q, %d rounds of %v\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, os.Getenv("GOEXPERIMENT"), *count, *slice)
	if err := run(*count, *slice, rounds.Of(*processor)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(count int, slice time.Duration, clock rounds.Clock) error {
	token := sign(claims(), secret)
	var timed []rounds.Contender
	for _, c := range contenders() {
		if err := c.check(); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		w, r := &noWriter{header: http.Header{}}, request(token)
		timed = append(timed, rounds.Contender{Name: c.name, Run: func() { c.handler.ServeHTTP(w, r) }})
	}
	results := rounds.Run(timed, count, slice, clock)
	fmt.Println("| middleware | best ns | median ns | B/op | allocs/op | times typed | times context |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|")
	for _, r := range results {
		fmt.Printf("| %s | %.0f | %.0f | %d | %.0f | %.1f | %.1f |\n",
			r.Name, r.Best, r.Median, r.Bytes, r.Allocs, r.Times(results[0]), r.Times(results[1]))
	}
	return nil
}

// claims are the claims of an access token as a Gate issues it, in its order.
func claims() jwt.Object {
	now := time.Now().Unix()
	return jwt.Object{
		{Name: "token_type", Value: "access"},
		{Name: "exp", Value: now + 3600},
		{Name: "iat", Value: now},
		{Name: "jti", Value: "5f3e1c9a7b2d4e6f8091a2b3c4d5e6f7"},
		{Name: "user_id", Value: "42"},
		{Name: "sid", Value: "00112233445566778899aabbccddeeff"},
		{Name: "username", Value: "alice"},
		{Name: "email", Value: "alice@example.com"},
		{Name: "role", Value: Role{ID: "staff", DisplayName: "Staff", Type: "staff"}},
		{Name: "aud", Value: audience},
		{Name: "iss", Value: issuer},
	}
}

func sign(claims jwt.Object, secret string) string {
	return must(jwt.Sign(must(jwt.NewHMAC(jwt.HS256, []byte(secret))), claims))
}

// request returns the GET as net/http would pass it.
func request(token string) *http.Request {
	return &http.Request{
		Method: "GET", URL: &url.URL{Path: "/api/hello"}, RequestURI: "/api/hello", Host: "shop.example",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "127.0.0.1:1",
		Header: http.Header{"Authorization": {"Bearer " + token}}, Body: http.NoBody,
	}
}

// get returns the status of a contender's response.
func (c contender) get(token string) int {
	w := &noWriter{header: http.Header{}}
	c.handler.ServeHTTP(w, request(token))
	w.WriteHeader(http.StatusOK) // as net/http does if a handler writes nothing
	return w.status
}

// A noWriter drops the response except for its status.
type noWriter struct {
	header http.Header
	status int
}

func (w *noWriter) Header() http.Header         { return w.header }
func (w *noWriter) Write(b []byte) (int, error) { w.WriteHeader(http.StatusOK); return len(b), nil }
func (w *noWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
