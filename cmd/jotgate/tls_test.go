package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/testcert"
	"github.com/jotgate/jotgate/internal/wait"
)

// certificate returns a file with a certificate of this serial number for
// 127.0.0.1, and its key.
func certificate(t *testing.T, serial int64) []byte {
	t.Helper()
	cert, key := testcert.SelfSigned(t, &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	})
	return append(cert, key...)
}

// overTLS sends a GET over a new connection that trusts every certificate, and
// returns the response and the serial number of the server's certificate.
func overTLS(t *testing.T, address string, config *tls.Config) (*http.Response, int64) {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: config, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response, response.TLS.PeerCertificates[0].SerialNumber.Int64()
}

func TestTLSFromFiles(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "both.pem")
	first := certificate(t, 1)
	if err := os.WriteFile(file, first, 0o600); err != nil {
		t.Fatal(err)
	}
	redirect := freeport.Address(t)
	s := startServer(t, folder, nil, "--tls-cert", file, "--hsts", "365d", "--tls-redirect", redirect)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(first)
	response, serial := overTLS(t, s.base+"/livez", &tls.Config{RootCAs: pool})
	if response.StatusCode != 200 || serial != 1 || response.Header.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Errorf("%s, certificate %d, %v", response.Status, serial, response.Header)
	}

	// The certificate is renewed while the server runs.
	if err := os.WriteFile(file, certificate(t, 2), 0o600); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "the new certificate is in use", func() bool {
		_, serial := overTLS(t, s.base+"/livez", &tls.Config{InsecureSkipVerify: true})
		return serial == 2
	})

	// A client without TLS gets no answer from the API, and one of TLS 1.1 none at all.
	port := strings.TrimPrefix(s.base, "https://")
	plain, err := http.Get("http://" + port + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	_ = plain.Body.Close()
	if plain.StatusCode != http.StatusBadRequest {
		t.Errorf("without TLS: %s", plain.Status)
	}
	if conn, err := tls.Dial("tcp", port, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is accepted")
	}

	redirected(t, redirect)
	if status := s.end(t); status != 0 {
		t.Errorf("serve ended with %d: %s", status, s.stderr.String())
	}
}

// redirected checks what --tls-redirect responds: GET goes to https, and a form
// that was sent without TLS is not sent on.
func redirected(t *testing.T, address string) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, c := range []struct {
		method, path string
		status       int
		location     string
	}{
		{"GET", "/account/?next=%2Fa", 308, "https://127.0.0.1/account/?next=%2Fa"},
		{"GET", "//evil.example/", 308, "https://127.0.0.1//evil.example/"},
		{"HEAD", "/", 308, "https://127.0.0.1/"},
		{"POST", "/api/token/", 403, ""},
	} {
		request, err := http.NewRequest(c.method, "http://"+address+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != c.status || response.Header.Get("Location") != c.location {
			t.Errorf("%s %s: %s to %q", c.method, c.path, response.Status, response.Header.Get("Location"))
		}
		if response.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s %s: a header that browsers ignore without TLS", c.method, c.path)
		}
	}
}

// What cannot work is refused before anything is created, by serve and by config check.
func TestTLSSettings(t *testing.T) {
	files := map[string]string{"GOOD": write(t, "good.pem", string(certificate(t, 1))), "EMPTY": write(t, "empty.pem", ""), "OTHER": write(t, "no.pem", "x")}
	for _, c := range []struct{ line, says string }{
		{"--tls-cert nowhere.pem", "nowhere.pem"},
		{"--tls-cert EMPTY", "--tls-cert"},
		{"--tls-key GOOD", "--tls-key needs --tls-cert"},
		{"--tls-cert GOOD --tls-acme a.example.com", "leave out --tls-cert"},
		{"--tls-acme *.example.com", "not a host name"},
		{"--tls-acme https://a.example.com", "not a host name"},
		{"--tls-acme localhost", "not a host name"},
		{"--tls-acme a.example.com --tls-acme-url http://ca.example.com", "https://"},
		{"--tls-acme a.example.com --tls-acme-ca OTHER", "--tls-acme-ca"},
		{"--tls-acme a.example.com --database postgres://127.0.0.1/x", "--tls-acme-folder"},
		{"--tls-acme-email a@example.com", "--tls-acme"},
		{"--tls-redirect :80", "--tls-redirect"},
		{"--hsts 1d", "--hsts"},
		{"--demo --tls-cert GOOD", "--demo"},
	} {
		folder := t.TempDir()
		flags := strings.Fields(c.line)
		for i, flag := range flags {
			flags[i] = cmp.Or(files[flag], flag) // a path may have spaces
		}
		for _, command := range [][]string{{"serve", "--addr", "127.0.0.1:0", "--database", "sqlite:" + filepath.Join(folder, "a.db")}, {"config", "check"}} {
			status, stdout, stderr := try(t, nil, "", append(command, flags...)...)
			if status == 0 || !strings.Contains(stdout+stderr, c.says) {
				t.Errorf("%s %s: status %d, %s%s", command, c.line, status, stdout, stderr)
			}
		}
		if found, _ := os.ReadDir(folder); len(found) > 0 {
			t.Errorf("%s: created %v", c.line, found)
		}
	}
}
