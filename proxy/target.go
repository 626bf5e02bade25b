package proxy

// The upstream, and what it receives about the connection of the client.

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/jotgate/jotgate/throttle"
)

// target is the upstream: a URL, and the socket to connect to if that is not in it.
type target struct {
	url    *url.URL
	socket string // the path of a Unix socket; "": connect to the URL's host
}

// longestSocket is the longest path of a Unix socket on Linux, in bytes. Some systems have 103.
const longestSocket = 107

func parseTarget(upstream string) (target, error) {
	if socket, ok := strings.CutPrefix(upstream, "unix:"); ok {
		if socket == "" || strings.HasPrefix(socket, "//") {
			return target{}, fmt.Errorf("%q must be a socket such as unix:/run/api.sock", upstream)
		}
		if len(socket) > longestSocket {
			return target{}, fmt.Errorf("the path of a socket has at most %d bytes, this one has %d", longestSocket, len(socket))
		}
		return target{url: &url.URL{Scheme: "http", Host: "localhost"}, socket: socket}, nil
	}
	u, err := url.Parse(upstream)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return target{}, fmt.Errorf("%q must be an absolute URL such as http://127.0.0.1:3000, or a socket such as unix:/run/api.sock", upstream)
	}
	if strings.ContainsAny(upstream, "?#") || u.Path != "" && checkPrefixes([]string{u.Path}) != nil {
		return target{}, fmt.Errorf("%q cannot have a query or a fragment, nor //, . or .. in its path", upstream)
	}
	return target{url: u}, nil
}

// dial makes the transport connect to the socket, if the target is one.
func (t target) dial(transport *http.Transport) {
	if t.socket == "" {
		return
	}
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", t.socket)
	}
}

// setForwarded states the client's address, scheme and host. A client on a Unix
// socket has no address, and no header of one.
func setForwarded(h http.Header, o throttle.Original) {
	h.Del("X-Forwarded-For")
	if o.Addr.IsValid() {
		h.Set("X-Forwarded-For", o.Addr.String())
	}
	h.Set("X-Forwarded-Proto", o.Scheme)
	h.Set("X-Forwarded-Host", o.Host)
}
