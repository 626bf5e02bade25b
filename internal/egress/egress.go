// Package egress makes requests to URLs that others supply, such as those of webhooks,
// without letting them reach the networks that this machine is in.
//
//	client := egress.Client{Networks: networks, Timeout: 15 * time.Second}.New()
//
// The address is checked when a connection is made, after its name was resolved, so a
// name that resolves differently the second time (DNS rebinding), another spelling of an
// address, and an address within another (IPv4 in IPv6, NAT64) gain nothing. A redirect
// is not followed, a proxy of the environment is not used.
//
// A connection is made to a public address (Public), or to one of the networks that the
// operator allows, and in no case to link-local addresses and the metadata services of
// cloud providers, which give credentials to every program on the machine.
package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Client holds the options of an http.Client for URLs that others supply.
type Client struct {
	// Networks may be reached although they are not public, also with http.
	Networks []netip.Prefix
	// Setting is the name of the flag that sets Networks, for errors.
	Setting string
	// Timeout limits a request, from resolving the name to the last byte of the
	// response.
	Timeout time.Duration
	// TLS has the authorities to trust. nil: those of the system.
	TLS *tls.Config
}

// The reasons for which no connection is made. They are wrapped by the errors of
// net/http.
var (
	ErrNotPublic = errors.New("the address is not public")
	ErrMetadata  = errors.New("the address is link-local or that of a metadata service")
	ErrNotSecure = errors.New("use https: http is allowed only to the networks")
)

// New returns the client. It does not share connections with others, and
// CloseIdleConnections closes them.
func (c Client) New() *http.Client { return c.with(c.dialer()) }

// dialer returns a dialer that makes only connections that are allowed.
func (c Client) dialer() *net.Dialer {
	return &net.Dialer{
		Timeout: c.Timeout,
		ControlContext: func(ctx context.Context, network, address string, _ syscall.RawConn) error {
			return c.control(ctx, network, address)
		},
	}
}

func (c Client) with(dialer *net.Dialer) *http.Client {
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        c.TLS.Clone(), // of nil: nil
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    c.Timeout,
		ResponseHeaderTimeout:  c.Timeout,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: 16 << 10,
	}
	return &http.Client{
		Transport: plainly{transport}, Timeout: c.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// plain is the key of a context whose connections are not encrypted.
type plain struct{}

// plainly marks the connections of requests with http, and refuses every scheme but
// https and that.
type plainly struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (p plainly) RoundTrip(r *http.Request) (*http.Response, error) {
	switch r.URL.Scheme {
	case "https":
		return p.Transport.RoundTrip(r)
	case "http":
		return p.Transport.RoundTrip(r.WithContext(context.WithValue(r.Context(), plain{}, true)))
	}
	return nil, fmt.Errorf("%.16q is not http or https", r.URL.Scheme)
}

// control decides on a connection to an address, which is an IP address and a port.
func (c Client) control(ctx context.Context, network, address string) error {
	if network != "tcp4" && network != "tcp6" {
		return errors.New("there are no connections of the kind " + network)
	}
	to, err := netip.ParseAddrPort(address)
	if err == nil {
		err = c.Allow(to.Addr(), ctx.Value(plain{}) != nil)
	}
	return err
}

// Allow returns nil if a connection to the address may be made, or ErrNotPublic,
// ErrMetadata or, if the connection is not encrypted, ErrNotSecure.
func (c Client) Allow(addr netip.Addr, unencrypted bool) error {
	if isMetadata(addr) {
		return ErrMetadata
	}
	switch {
	case isIn(c.Networks, addr.Unmap().WithZone("")):
		return nil
	case !Public(addr):
		return fmt.Errorf("%w, and not in the networks of %s", ErrNotPublic, c.Setting)
	case unencrypted:
		return c.notSecure()
	}
	return nil
}

func (c Client) notSecure() error { return fmt.Errorf("%w of %s", ErrNotSecure, c.Setting) }

// Check returns the error of a URL to which no request would be made, as far as that is
// known without resolving its name: it is for the one who enters the URL.
func (c Client) Check(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return errors.New("it must be an absolute URL such as https://app.example.com/hooks")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("its scheme must be https")
	case u.User != nil:
		return errors.New("it must not have a user or password: each request has a signature instead")
	case u.Fragment != "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7F }):
		return errors.New("it must not have a fragment, spaces or characters other than ASCII")
	case u.Scheme == "http" && len(c.Networks) == 0:
		return c.notSecure()
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		return c.Allow(addr, u.Scheme == "http")
	}
	return nil
}
