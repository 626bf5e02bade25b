package throttle

// The scheme and host of a request behind proxies that terminate TLS.

import (
	"iter"
	"net/http"
	"net/netip"
	"strings"
)

// Original is a request as the client sent it to the outermost trusted proxy.
type Original struct {
	Addr   netip.Addr // as Proxies.ClientAddr returns it
	Scheme string     // "http" or "https"
	Host   string     // with the port, if there is one
}

// Original returns the address, scheme and host of the request as the client sent
// it. From a peer that is not trusted they are those of the connection and of the
// Host header. From a trusted proxy, scheme and host are read from
// X-Forwarded-Proto and X-Forwarded-Host, or with Proxies.Forwarded from the
// element of Forwarded that names the client.
//
// A list in X-Forwarded-Proto or -Host is read at the client's position in
// X-Forwarded-For if both have as many elements; otherwise its last element
// counts, which the trusted proxy itself has written. A value that is not a scheme
// or a host is ignored.
func (p Proxies) Original(r *http.Request) Original {
	addr, position := p.client(r)
	o := Original{Addr: addr, Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		o.Scheme = "https"
	}
	if !p.trustsPeer(peerAddr(r)) {
		return o
	}
	proto, host := p.stated(r.Header, max(position, 0))
	if scheme := schemeOf(proto); scheme != "" {
		o.Scheme = scheme
	}
	if isHost(host) {
		o.Host = host
	}
	return o
}

// stated returns the scheme and host that the proxies state for the hop at this
// position, counted from the right.
func (p Proxies) stated(h http.Header, position int) (proto, host string) {
	if p.Forwarded {
		i := 0
		for e := range elementsFromRight(h["Forwarded"]) {
			if i++; i > position {
				return e.proto, e.host
			}
		}
		return "", ""
	}
	hops := count(h["X-Forwarded-For"])
	return elementAt(h["X-Forwarded-Proto"], position, hops), elementAt(h["X-Forwarded-Host"], position, hops)
}

// elementAt returns the element at the position from the right if the list has as
// many elements as there are hops, and the last one otherwise.
func elementAt(lines []string, position, hops int) string {
	if count(lines) != hops {
		position = 0
	}
	return nth(fromRight(lines), position)
}

func nth(values iter.Seq[string], n int) string {
	for value := range values {
		if n--; n < 0 {
			return strings.Trim(value, " \t")
		}
	}
	return ""
}

// count returns the number of elements of a comma-separated list.
func count(lines []string) int {
	n := len(lines)
	for _, line := range lines {
		n += strings.Count(line, ",")
	}
	return n
}

// schemeOf returns "http" or "https", or "" for anything else. Some proxies write
// the scheme of a WebSocket.
func schemeOf(proto string) string {
	switch strings.ToLower(proto) {
	case "http", "ws":
		return "http"
	case "https", "wss":
		return "https"
	}
	return ""
}

// longestHost is the longest name in DNS, with brackets and a port.
const longestHost = 253 + len("[]:65535")

// isHost reports whether the text can be the value of a Host header: a name or an
// address, and a port.
func isHost(s string) bool {
	if s == "" || len(s) > longestHost {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._:[]", c) >= 0:
		default:
			return false
		}
	}
	return true
}
