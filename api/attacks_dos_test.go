package api

// Rows H043 to H053: input that is made to cost much.

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/allocs"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
)

func TestH043SlowBody(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.BodyTimeout = 200 * time.Millisecond }})
	server := httptest.NewServer(s)
	defer server.Close()
	reply := untilTheEnd(t, server, "POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	if !strings.HasPrefix(reply, "HTTP/1.1 400") {
		t.Errorf("%.100s", reply)
	}
}

// A body that no endpoint reads need not come for the request to be answered,
// and who sends it may go on with the next one.
func TestH043UnreadBody(t *testing.T) {
	serve := func(limit time.Duration) *httptest.Server {
		server := httptest.NewServer(newSite(t, change{api: func(a *Settings) { a.BodyTimeout = limit }}))
		t.Cleanup(server.Close)
		return server
	}
	server, patient := serve(500*time.Millisecond), serve(wait.Limit)
	body := strings.Repeat("x", 100)
	sized, chunked := "Content-Length: 100\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"
	for request, status := range map[string]string{
		"GET " + me: "401", "GET /auth/check": "401", "GET /api/schema/": "200", "GET /.well-known/jwks.json": "200", "GET /livez": "200",
		"GET /nowhere": "404", "GET //nowhere": "404", "PUT /api/token/": "405", "DELETE " + me: "401",
	} {
		t.Run(request, func(t *testing.T) {
			t.Parallel()
			for what, rest := range map[string]string{"nothing": sized, "a part": sized + body[:50], "no chunk": chunked, "half a chunk": chunked + "64\r\nx"} {
				if reply := untilTheEnd(t, server, request+" HTTP/1.1\r\nHost: x\r\n"+rest); !strings.HasPrefix(reply, "HTTP/1.1 "+status) {
					t.Errorf("%s: %.100q", what, reply)
				}
			}
			twice := request + " HTTP/1.1\r\nHost: x\r\n" + sized + body + request + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
			if reply := untilTheEnd(t, patient, twice); strings.Count(reply, "HTTP/1.1 "+status) != 2 {
				t.Errorf("all of it, and another: %.200q", reply)
			}
		})
	}
}

// untilTheEnd sends a text and returns all that comes until the server ends the
// connection.
func untilTheEnd(t *testing.T, server *httptest.Server, text string) string {
	t.Helper()
	conn := sent(t, server, text)
	defer conn.Close()
	reply, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("after %q: %v", text, err)
	}
	return string(reply)
}

// Who never reads an answer is let go, at every kind of endpoint.
func TestH043UnreadResponses(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.BodyTimeout, a.Timeout = 500*time.Millisecond, 500*time.Millisecond }})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	for _, path := range []string{me, "/auth/check", "/api/schema/", "/.well-known/jwks.json", "/livez", "/nowhere"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetWriteDeadline(wait.Deadline())
			for err == nil {
				_, err = io.WriteString(conn, strings.Repeat("GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n", 100))
			}
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				t.Errorf("the connection is held: %v", err)
			}
		})
	}
}

// Server's limits hold for headers; they do not reach the handlers.
func TestH044HugeHeaders(t *testing.T) {
	s := newSite(t, change{})
	server := httptest.NewUnstartedServer(s)
	server.Config = Server("", s)
	server.Config.ReadHeaderTimeout = wait.Limit
	server.Start()
	defer server.Close()
	head := "GET " + me + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	if status := send(t, server, head+"\r\n"); status != 401 {
		t.Fatalf("a small request: %d", status)
	}
	for name, headers := range map[string]string{
		"64 kB Authorization": "Authorization: Bearer " + strings.Repeat("x", 64<<10) + "\r\n",
		"1 MB Authorization":  "Authorization: Bearer " + strings.Repeat("x", 1<<20) + "\r\n",
		"10,000 headers":      strings.Repeat("X-A: b\r\n", 10_000),
		"10,000 cookies":      "Cookie: " + strings.Repeat("a=b; ", 10_000) + "\r\n",
	} {
		if status := send(t, server, head+headers+"\r\n"); status != http.StatusRequestHeaderFieldsTooLarge && status != 0 {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// zeros is a body without end.
type zeros struct{ read int64 }

func (z *zeros) Read(p []byte) (int, error) {
	z.read += int64(len(p))
	return len(p), nil
}

func TestH045HugeBody(t *testing.T) {
	s := newSite(t, change{})
	for _, path := range []string{"/api/token/", "/auth/users/", "/api/token/refresh/", "/auth/users/reset_password/"} {
		body := &zeros{}
		r := httptest.NewRequest("POST", path, io.LimitReader(body, 1<<30))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusRequestEntityTooLarge || body.read > 1<<20 {
			t.Errorf("%s: %d after %d bytes", path, w.Code, body.read)
		}
	}
}

func TestH046DeepJSON(t *testing.T) {
	s := newSite(t, change{})
	deep := strings.Repeat("[", 60_000)
	for _, path := range []string{"/api/token/", "/auth/users/", "/api/token/refresh/", "/api/token/verify/", "/auth/users/activation/"} {
		t.Run(path, func(t *testing.T) {
			allocs.BytesAtMost(t, 1<<20, func() {
				want(t, path, s.ask("POST", path, deep), 400, "Nested too deep")
				want(t, path, s.ask("POST", path, `{"username":`+deep), 400, "Nested too deep")
			})
		})
	}
}

func TestH047TokenFloods(t *testing.T) {
	s := newSite(t, change{})
	for _, token := range []string{
		strings.Repeat(".", 30_000), strings.Repeat("a", 30_000), "eyJhbGciOiJIUzI1NiJ9." + strings.Repeat("W1t", 9_000) + ".x", strings.Repeat("a.", 15_000),
	} {
		t.Run(token[:10], func(t *testing.T) {
			allocs.BytesAtMost(t, 1<<20, func() {
				want(t, "header", s.ask("GET", me, "", "Authorization", "Bearer "+token), 401, "token_not_valid")
				want(t, "body", s.refresh(token), 401, "token_not_valid")
			})
		})
	}
}

func TestH048CompressedBody(t *testing.T) {
	s := newSite(t, change{})
	var bomb strings.Builder
	w := gzip.NewWriter(&bomb)
	_, _ = w.Write(make([]byte, 10<<20))
	_ = w.Close()
	for _, encoding := range []string{"gzip", "deflate", "br", "x"} {
		want(t, encoding, s.ask("POST", "/api/token/", bomb.String(), "Content-Encoding", encoding), 415, "Unsupported content encoding")
	}
}

func TestH049LongPassword(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	for _, n := range []int{1 << 10, 5 << 10, 60 << 10} {
		long := strings.Repeat("pä", n/3)
		want(t, "login", s.try("alice", long, "from", fmt.Sprintf("198.51.100.%d:1", n>>10)), 401, "No active account")
		want(t, "change", s.ask("POST", "/auth/users/set_password/", object("current_password", long, "new_password", "a brand new pass 77"), append(alice.header(), "from", fmt.Sprintf("198.51.100.%d:1", n>>10))...), 400, "Invalid password.")
		if n > 4<<10 {
			want(t, "signup", s.ask("POST", "/auth/users/", object("username", "long", "password", long)), 400, "no more than 4096 characters")
		}
	}
	for _, n := range []int{64, 1000} {
		want(t, "a good long one", s.ask("POST", "/auth/users/", object("username", fmt.Sprint("long", n), "password", strings.Repeat("k", n-2)+"42")), 201, "")
	}
}

func TestH050CostlyNames(t *testing.T) {
	s := newSite(t, change{})
	marks := "a" + strings.Repeat("\u0315\u0300", 15_000)
	allocs.BytesAtMost(t, 2<<20, func() {
		want(t, "signup", s.ask("POST", "/auth/users/", object("username", marks, "password", "a fine passphrase 42")), 400, "no more than 150 characters")
		want(t, "login", s.try(marks, "x"), 401, "No active account")
	})
}

// What strangers leave behind in the database goes again.
func TestH053TablesShrink(t *testing.T) {
	s := newSite(t, change{})
	for i := range 50 {
		s.try(fmt.Sprint("nobody", i), "x", "from", fmt.Sprintf("203.0.113.%d:1", i))
		s.ask("POST", "/auth/users/reset_password/", object("email", fmt.Sprintf("nobody%d@example.com", i)))
	}
	count := func(table string) (n int) {
		if err := backdoor(t, s.file).QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if count("jotgate_failure") == 0 || count("jotgate_outbox") != 50 {
		t.Fatalf("%d failures, %d messages", count("jotgate_failure"), count("jotgate_outbox"))
	}
	s.messages() // the sender takes them, decoys too
	var purged record.Failures = s.db.Failures()
	if _, err := purged.Purge(t.Context(), s.now.Now().Add(25*time.Hour), 1000); err != nil {
		t.Fatal(err)
	}
	if count("jotgate_failure") != 0 || count("jotgate_outbox") != 0 {
		t.Errorf("%d failures, %d messages", count("jotgate_failure"), count("jotgate_outbox"))
	}
	limited := newSite(t, change{api: func(a *Settings) { a.Rates = nil }}) // the defaults
	accepted := 0
	for i := range 50 {
		if limited.ask("POST", "/auth/users/reset_password/", object("email", fmt.Sprintf("nobody%d@example.com", i))).Status == 204 {
			accepted++
		}
	}
	if accepted != 20 {
		t.Errorf("%d messages an hour may be asked for from one network", accepted)
	}
}
