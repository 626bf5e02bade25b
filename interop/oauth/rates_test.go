package oauth

// How many tokens per second, beside npm's oidc-provider.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/jwt"
)

// TestRates requests tokens and introspects one at jotgate and at oidc-provider, one after the other, over eight
// connections. RATES=10s measures for that time and logs the rates; without it each gets 100 requests, all of which must
// succeed.
func TestRates(t *testing.T) {
	var span time.Duration
	if text := os.Getenv("RATES"); text != "" {
		var err error
		if span, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	key, err := jwt.ES256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.MarshalPrivateJWK()
	file := filepath.Join(t.TempDir(), "key.json")
	if err == nil {
		err = os.WriteFile(file, private, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	ours := start(t, "--signing-key", file, "--remember-tokens", "1000")
	c := create(t, ours, "judge", "orders:read")
	node := exec.Command("node", "oidc.mjs")
	theirs := "http://127.0.0.1:" + peer.Start(t, node).Ask(t, "port")
	grant := url.Values{"grant_type": {"client_credentials"}, "scope": {"orders:read"}}
	audience := url.Values{"grant_type": grant["grant_type"], "scope": grant["scope"], "resource": {"https://api.example"}}
	us, them := &contender{"jotgate", ours.Pid(), ours.URL + "/o/token/", c.ID, c.Secret}, &contender{"oidc-provider", node.Process.Pid, theirs + "/token", "judge", "a-secret-of-the-client"}
	for _, token := range []string{us.token(t, grant), them.token(t, audience)} {
		if header, _, err := jwt.DecodeUnverified(token); err != nil || !strings.Contains(string(header), `"ES256"`) {
			t.Fatalf("%s, %v", header, err)
		}
	}
	rounds := 1
	if span > 0 {
		rounds = 3
	}
	for range rounds {
		log(t, "client_credentials, ES256", us.rate(t, us.url, grant, span), them.rate(t, them.url, audience, span))
		a := us.rate(t, ours.URL+"/o/introspect/", url.Values{"token": {us.token(t, grant)}}, span)
		log(t, "introspection, of a JWT and of an opaque token", a, them.rate(t, theirs+"/token/introspection", url.Values{"token": {them.token(t, grant)}}, span))
	}
}

// measured is what a contender did: requests per second, and by how much CPU time of the server and of this process each,
// in microseconds.
type measured struct{ rate, cpu, ours float64 }

func log(t *testing.T, what string, us, them measured) {
	t.Helper()
	t.Logf("%s: jotgate %.0f/s, %.0f µs of CPU each; oidc-provider %.0f/s, %.0f µs: %.1f times the rate, 1/%.1f of the CPU; each request took %.0f and %.0f µs to send",
		what, us.rate, us.cpu, them.rate, them.cpu, us.rate/them.rate, them.cpu/us.cpu, us.ours, them.ours)
}

// cpu returns the CPU time of a process so far, in microseconds (proc(5)).
func cpu(t *testing.T, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		t.Fatal(err)
	}
	system, err := strconv.Atoi(fields[12])
	if err != nil {
		t.Fatal(err)
	}
	return float64(user+system) * 10_000 // of a hundredth of a second
}

// contender is a server and the client that is registered there.
type contender struct {
	name            string
	pid             int
	url, id, secret string
}

// request is a request of the client with a form as the body, in the bytes that are sent. One is made for all repetitions,
// so that the processor is the servers'.
func (c *contender) request(t *testing.T, address, body string) (host string, wire []byte) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var b bytes.Buffer
	if err := request.Write(&b); err != nil {
		t.Fatal(err)
	}
	return request.URL.Host, b.Bytes()
}

// connection is one that is kept alive.
type connection struct {
	net.Conn
	in   *bufio.Reader
	body []byte
}

func dial(host string) (*connection, error) {
	c, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: c, in: bufio.NewReader(c)}, nil
}

// send sends a request and returns the body of its response, until the next call. Anything but the status 200 and a
// length is an error.
func (c *connection) send(wire []byte) ([]byte, error) {
	if _, err := c.Write(wire); err != nil {
		return nil, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return nil, fmt.Errorf("%s, %w", line, err)
	}
	length := -1
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return nil, err
			}
		}
	}
	if length < 0 {
		return nil, errors.New("a response without Content-Length")
	}
	c.body = append(c.body[:0], make([]byte, length)...)
	_, err = io.ReadFull(c.in, c.body)
	return c.body, err
}

func (c *contender) token(t *testing.T, form url.Values) string {
	t.Helper()
	host, wire := c.request(t, c.url, form.Encode())
	connection, err := dial(host)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	text, err := connection.send(wire)
	var out struct {
		Token string `json:"access_token"`
	}
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatalf("%s: %s, %v", c.name, text, err)
	}
	return out.Token
}

// rate measures the requests of eight connections, all of which must succeed.
func (c *contender) rate(t *testing.T, address string, form url.Values, span time.Duration) measured {
	t.Helper()
	host, wire := c.request(t, address, form.Encode())
	before, ours := cpu(t, c.pid), cpu(t, os.Getpid())
	n, began := atomic.Int64{}, time.Now()
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			connection, err := dial(host)
			if err != nil {
				return err
			}
			defer connection.Close()
			for (span > 0 && time.Since(began) < span) || (span == 0 && n.Load() < 100) {
				text, err := connection.send(wire)
				if err != nil || bytes.Contains(text, []byte(`"active":false`)) {
					return fmt.Errorf("%s, %w", text, err)
				}
				n.Add(1)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatalf("%s: %s: %v", c.name, address, err)
	}
	done := float64(n.Load())
	return measured{done / time.Since(began).Seconds(), (cpu(t, c.pid) - before) / done, (cpu(t, os.Getpid()) - ours) / done}
}
