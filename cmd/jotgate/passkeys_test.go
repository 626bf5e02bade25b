package main

import (
	"net"
	"slices"
	"testing"
)

// Browsers refuse passkeys at an IP address: what they open, and what passkeys
// belong to, is localhost, if that name leads to the listener.
func TestLocalhostForBrowsers(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:8000":     "http://localhost:8000",
		"http://127.0.0.1:8000/api": "http://localhost:8000/api",
		"http://127.0.0.1":          "http://localhost",
		"http://[::1]:8000":         "http://localhost:8000",
		"https://127.0.0.1:8443":    "https://localhost:8443",
		"http://localhost:8000":     "http://localhost:8000",
		"http://127.0.0.2:8000":     "", // only 127.0.0.1 is localhost
		"http://10.0.0.1:8000":      "",
		"https://example.com":       "",
		"http://:8000":              "",
	} {
		if got := atLocalhost(address); got != want {
			t.Errorf("%s: %q, not %q", address, got, want)
		}
	}
	for cert, want := range map[string]string{"": "http://localhost:", "cert.pem": "https://127.0.0.1:"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		f := &serveFlags{}
		f.TLSCert = cert
		if got := f.browserBase(listener); got != want+port {
			t.Errorf("--tls-cert %q: %s, not %s%s", cert, got, want, port)
		}
	}
}

// The site of passkeys that serve takes without --rp-id.
func TestPasskeyDefaults(t *testing.T) {
	for _, c := range []struct{ base, address, id, origin string }{
		{"", "http://127.0.0.1:8000", "localhost", "http://localhost:8000"},
		{"", "http://[::1]:8000", "localhost", "http://localhost:8000"},
		{"", "https://127.0.0.1:8443", "localhost", "https://localhost:8443"},
		{"", "http://127.0.0.1", "localhost", "http://localhost"},
		{"", "http://10.0.0.1:8000", "", ""},
		{"", "https://www.example.com", "", ""}, // --tls-acme without --base-url
		{"https://www.example.com", "http://127.0.0.1:8000", "www.example.com", "https://www.example.com"},
	} {
		f := &serveFlags{}
		f.BaseURL = c.base
		f.passkeyDefaults(c.address)
		var origins []string
		if c.origin != "" {
			origins = []string{c.origin}
		}
		if f.RPID != c.id || !slices.Equal(f.RPOrigins, origins) {
			t.Errorf("--base-url %q at %s: %q %q", c.base, c.address, f.RPID, f.RPOrigins)
		}
	}
}
