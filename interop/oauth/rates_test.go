package oauth

// How many tokens per second, beside npm's oidc-provider.

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// measured is what a contender did: requests per second, and by how much CPU time of the server each.
type measured struct{ rate, cpu float64 }

func log(t *testing.T, what string, us, them measured) {
	t.Helper()
	t.Logf("%s: jotgate %.0f/s, %.0f µs of CPU each; oidc-provider %.0f/s, %.0f µs: %.1f times the rate, 1/%.1f of the CPU", what,
		us.rate, us.cpu, them.rate, them.cpu, us.rate/them.rate, them.cpu/us.cpu)
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

var connections = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8, MaxConnsPerHost: 8, DisableCompression: true}}

// post sends a form as the client.
func (c *contender) post(address, body string) (string, int, error) {
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	request.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := connections.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), response.StatusCode, err
}

func (c *contender) token(t *testing.T, form url.Values) string {
	t.Helper()
	text, status, err := c.post(c.url, form.Encode())
	var out struct {
		Token string `json:"access_token"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &out)
	}
	if err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", c.name, status, text, err)
	}
	return out.Token
}

// rate measures the requests of eight connections, all of which must succeed.
func (c *contender) rate(t *testing.T, address string, form url.Values, span time.Duration) measured {
	t.Helper()
	before := cpu(t, c.pid)
	body, n, failed, began := form.Encode(), atomic.Int64{}, atomic.Int64{}, time.Now()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for (span > 0 && time.Since(began) < span) || (span == 0 && n.Load() < 100) {
				text, status, err := c.post(address, body)
				if err != nil || status != http.StatusOK || strings.Contains(text, `"active":false`) {
					failed.Add(1)
					return
				}
				n.Add(1)
			}
		})
	}
	group.Wait()
	if failed.Load() > 0 {
		t.Fatalf("%s: requests of %d connections failed at %s", c.name, failed.Load(), address)
	}
	done := float64(n.Load())
	return measured{done / time.Since(began).Seconds(), (cpu(t, c.pid) - before) / done}
}
