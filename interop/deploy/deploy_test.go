package deploy

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/testcert"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

const secret = "deploy-secret-key-deploy-secret-key-deploy-secret-key-0123456789"

// example returns a file of examples/deploy after replacements (old, new, …), each of
// which must be in it.
func example(t *testing.T, name string, replacements ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../examples/deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(text, replacements[i]) {
			t.Fatalf("%s does not have %q", name, replacements[i])
		}
		text = strings.ReplaceAll(text, replacements[i], replacements[i+1])
	}
	return text
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// browser is a client that keeps cookies, trusts every certificate, and reaches every
// host at the address, as with an entry in /etc/hosts.
func browser(t *testing.T, address string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: wait.Limit, Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the certificate of this test
		DisableKeepAlives: true,
		Dial:              func(_, _ string) (net.Conn, error) { return net.DialTimeout("tcp", address, wait.Limit) },
	}}
}

// ask sends JSON and returns the status and the body.
func ask(t *testing.T, client *http.Client, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

const alice = `{"username":"alice","email":"alice@example.com","password":"correct-horse-1"}`

// login signs alice up, logs in and returns the access token.
func login(t *testing.T, client *http.Client, base string, headers ...string) string {
	t.Helper()
	if status, text := ask(t, client, "POST", base+"/auth/users/", alice, headers...); status != 201 && !strings.Contains(text, "already exists") {
		t.Fatalf("sign-up: %d %s", status, text)
	}
	var tokens struct{ Access string }
	status, text := ask(t, client, "POST", base+"/api/token/", alice, headers...)
	if err := json.Unmarshal([]byte(text), &tokens); err != nil || tokens.Access == "" {
		t.Fatalf("login: %d %s", status, text)
	}
	return tokens.Access
}

// certificate writes a certificate of example.com to the folder.
func certificate(t *testing.T, folder string) {
	t.Helper()
	cert, key := testcert.SelfSigned(t, &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"example.com"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)})
	write(t, filepath.Join(folder, "cert.pem"), string(cert))
	write(t, filepath.Join(folder, "key.pem"), string(key))
}
