package provider

// Requests to providers. Every one goes through the client of newClient.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

const (
	// maxBody is the limit of a response, in bytes. It is below 1 MiB, after which
	// x/oauth2 stops reading without an error.
	maxBody = 1<<20 - 1
	timeout = 5 * time.Second // of a request
)

// newClient returns the client for requests to a provider.
func newClient(t http.RoundTripper) *http.Client {
	if t == nil {
		t = &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: timeout}).DialContext,
			TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout, IdleConnTimeout: 90 * time.Second,
			MaxIdleConnsPerHost: 4, MaxResponseHeaderBytes: 64 << 10,
		}
	}
	return &http.Client{Transport: bounded{t}, Timeout: timeout}
}

// bounded refuses redirects, which would carry the client secret or the code to
// an address that is not configured, and ends a body after maxBody bytes.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%s: the response is a redirect (%d)", r.URL.Host, resp.StatusCode)
	}
	resp.Body = &limited{resp.Body, maxBody}
	return resp, nil
}

// limited is a body of which left bytes may still be read.
type limited struct {
	io.ReadCloser
	left int
}

var errTooLong = errors.New("the response is longer than 1 MiB")

// Read implements io.Reader. Unlike that of an io.LimitReader, a body that is too
// long does not look as if it had ended.
func (l *limited) Read(b []byte) (int, error) {
	n, err := l.ReadCloser.Read(b)
	if l.left -= n; l.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

// get requests a JSON object or array. token, if not empty, is an access token.
func (p *Provider) get(ctx context.Context, address, token string) (jwt.Raw, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", failed(Unavailable, err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "jotgate") // GitHub requires one
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return "", failed(Unavailable, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", failed(Unavailable, fmt.Errorf("%s: %w", r.URL.Host, err))
	}
	if resp.StatusCode != http.StatusOK {
		return "", failed(Unavailable, fmt.Errorf("%s: the status is %d", r.URL.Host, resp.StatusCode))
	}
	return jwt.Raw(body), nil
}
