package main

// The attacks. Each is repeated on separate connections. It defines the responses that
// are allowed, and within what time.

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// closed is the status if the server closes the connection without a response.
const closed = "closed"

// An attack is a kind of hostile client.
type attack struct {
	name    string
	clients int           // at a time
	rest    time.Duration // pause of a client between two attempts
	within  time.Duration // the time in which the server must close the connection; see try
	most    int           // bytes that the server may read before that; 0 means no limit
	want    []string      // statuses
	write   writer
	mute    bool // never reads a response
	flags   bool // the server ends it by --body-timeout and --request-timeout
}

// filling is the time in which even a busy machine fills the buffers of a connection
// in both directions, which are some MiB.
const filling = 10 * time.Second

// A writer sends the bytes of an attempt until it is done, fails, or the connection
// has ended.
type writer func(over context.Context, w io.Writer) error

const head = "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

// attacks lists the attacks. slow is the number of connections that send headers
// slowly; requestTimeout is the server's --request-timeout.
func attacks(slow int, requestTimeout time.Duration) []attack {
	one := []string{"/api/token/", "/auth/users/", "/api/token/refresh/"}
	path := func() string { return one[rand.IntN(len(one))] }
	whole := func(of func() string) writer {
		return func(_ context.Context, w io.Writer) error { _, err := io.WriteString(w, of()); return err }
	}
	body := func(path, headers, body string) string {
		return fmt.Sprintf(head, path) + headers + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	}
	bomb := zipped(10 << 20)
	return []attack{
		{"headers, a byte in 5 s", slow, 0, 15 * time.Second, 0, []string{closed}, slowly("GET /auth/check HTTP/1.1\r\nHost: x\r\nX-Slow: ", 5*time.Second), false, false},
		{"a body, a byte a second", slow / 10, 0, 15 * time.Second, 0, []string{"400"}, slowly(fmt.Sprintf(head, path())+"Content-Length: 1000\r\n\r\n", time.Second), false, true},
		{"answers of 40 KiB are not read", 10, 0, 2*requestTimeout + 10*time.Second + filling, 0, []string{closed}, endless("GET /api/schema/ HTTP/1.1\r\nHost: x\r\n\r\n"), true, true},
		{"a body of 1 GiB in chunks", 1, 500 * time.Millisecond, 3 * time.Second, 8 << 20, []string{"413"}, chunked(path, 1<<30), false, false},
		{"a body that is said to be 1 GiB", 1, 500 * time.Millisecond, 3 * time.Second, 8 << 20, []string{"413"}, long(func() string { return fmt.Sprintf(head, path()) + "Content-Length: 1073741824\r\n\r\n" }, 1<<30), false, false},
		{"10,000 headers", 1, 500 * time.Millisecond, 3 * time.Second, 1 << 20, []string{"431"}, whole(func() string {
			return "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: b\r\n", 10_000) + "\r\n"
		}), false, false},
		{"Authorization of 16 MB", 1, 500 * time.Millisecond, 3 * time.Second, 8 << 20, []string{"431"}, long(func() string { return "GET /auth/check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " }, 16<<20), false, false},
		{"60,000 brackets", 1, 500 * time.Millisecond, 3 * time.Second, 0, []string{"400"}, whole(func() string {
			return body(path(), "Connection: close\r\n", strings.Repeat("[", 60_000))
		}), false, false},
		{"gzip, 10 MiB in 10 KiB", 1, 500 * time.Millisecond, 3 * time.Second, 0, []string{"415"}, whole(func() string {
			return body(path(), "Content-Encoding: gzip\r\nConnection: close\r\n", bomb)
		}), false, false},
	}
}

func zipped(n int) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(make([]byte, n))
	_ = w.Close()
	return b.String()
}

// slowly sends the beginning immediately and then single bytes at intervals.
func slowly(beginning string, every time.Duration) writer {
	return func(over context.Context, w io.Writer) error {
		for _, err := io.WriteString(w, beginning); ; _, err = w.Write([]byte("x")) {
			if err != nil {
				return err
			}
			select {
			case <-over.Done():
				return nil
			case <-time.After(every):
			}
		}
	}
}

// long sends the beginning and then n bytes.
func long(beginning func() string, n int) writer {
	return func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, beginning())
		block := bytes.Repeat([]byte("x"), 64<<10)
		for sent := 0; sent < n && err == nil; sent += len(block) {
			_, err = w.Write(block)
		}
		return err
	}
}

// endless sends one request after the other.
func endless(request string) writer {
	many := strings.Repeat(request, 50)
	return func(_ context.Context, w io.Writer) error {
		for {
			if _, err := io.WriteString(w, many); err != nil {
				return err
			}
		}
	}
}

// chunked sends a body of n bytes without announcing its length.
func chunked(path func() string, n int) writer {
	chunk := "10000\r\n" + strings.Repeat("x", 64<<10) + "\r\n"
	return func(_ context.Context, w io.Writer) error {
		_, err := fmt.Fprintf(w, head+"Transfer-Encoding: chunked\r\n\r\n", path())
		for sent := 0; sent < n && err == nil; sent += 64 << 10 {
			_, err = io.WriteString(w, chunk)
		}
		return err
	}
}
