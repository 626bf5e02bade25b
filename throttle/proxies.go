// The client's address, behind trusted proxies and without any.

package throttle

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the proxies that are trusted to report the client's address. The zero
// value is the safe choice and trusts none: the client is the peer of the
// connection. Proxies can be used concurrently while it is not modified.
type Proxies struct {
	// Networks are the addresses of the proxies. Name the proxies rather than
	// the whole network they are in: any machine in Networks can claim to forward
	// for any client. ParseProxies rejects likely mistakes.
	Networks []netip.Prefix
	// Forwarded reads the Forwarded header (RFC 7239) in place of
	// X-Forwarded-For. Only one of them is read, because a proxy that writes one
	// of them usually forwards what a client wrote in the other.
	Forwarded bool
	// Unix trusts every peer without an IP address: a proxy on the same machine
	// that connects through a Unix socket. The permissions of the socket decide
	// who that can be.
	Unix bool
}

// unixPeers is the word for Proxies.Unix in a list of networks.
const unixPeers = "unix"

// ParseProxies parses addresses ("192.0.2.1"), networks in CIDR form
// ("10.0.0.0/8", "2001:db8::/32") and the word "unix" (Proxies.Unix). It rejects a
// network with bits set beyond its length ("10.0.0.1/8"), because usually the one
// address is meant, and a network of length 0, because it would let every client
// choose its address.
func ParseProxies(networks []string) (Proxies, error) {
	var p Proxies
	for _, s := range networks {
		if strings.TrimSpace(s) == unixPeers {
			p.Unix = true
			continue
		}
		prefix, err := parseNetwork(strings.TrimSpace(s))
		if err != nil {
			return Proxies{}, fmt.Errorf("throttle: trusted proxy %.60q: %w", s, err)
		}
		p.Networks = append(p.Networks, prefix)
	}
	return p, nil
}

func parseNetwork(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("want an address like 192.0.2.1, a network like 10.0.0.0/8, or unix")
		}
		addr = plain(addr)
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("want an address like 192.0.2.1, a network like 10.0.0.0/8, or unix")
	}
	if prefix.Addr().Is4In6() && prefix.Bits() >= 96 { // ::ffff:10.0.0.0/104 is 10.0.0.0/8
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	if prefix.Bits() == 0 {
		return netip.Prefix{}, fmt.Errorf("this trusts every client, which could then choose its address")
	}
	if masked := prefix.Masked(); masked != prefix {
		return netip.Prefix{}, fmt.Errorf("write %v for the network, or %v for the one address", masked, prefix.Addr())
	}
	return prefix, nil
}

// ClientAddr returns the address of the client that sent r, without a zone, and
// without the mapping of IPv4 into IPv6. It is the address of the peer, unless the
// peer is a trusted proxy. Then it is the right-most address in the forwarding
// header that is not that of a trusted proxy: a trusted proxy has added it, while
// the client may have invented all addresses to the left of it.
//
// The address of the peer is also returned if the header is absent, and if that
// address, or a value to the right of it, is not an address. If all addresses in
// the header are trusted, the left-most one is returned. At most 32 are read. The
// result is invalid only if the peer has no IP address, as on a Unix socket, and
// the header names no client; Network returns one key for all of those.
func (p Proxies) ClientAddr(r *http.Request) netip.Addr {
	addr, _ := p.client(r)
	return addr
}

// client returns the address of the client and the position of its hop in the
// header, counted from the right; -1 is the peer itself.
func (p Proxies) client(r *http.Request) (addr netip.Addr, position int) {
	peer := peerAddr(r)
	if !p.trustsPeer(peer) {
		return peer, -1
	}
	client, position := peer, -1
	for hop := range p.hops(r.Header) {
		if !hop.IsValid() {
			return peer, -1
		}
		client = hop
		position++
		if !p.trusts(hop) {
			break
		}
	}
	return client, position
}

// Ignored returns the name of the first forwarding header of r that has no effect
// because its sender is not trusted, or "" if there is none. A server should log
// this once: either its proxy is missing from Networks, or a client forges the
// header.
func (p Proxies) Ignored(r *http.Request) string {
	if p.trustsPeer(peerAddr(r)) {
		return ""
	}
	for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip"} {
		if len(r.Header[name]) > 0 {
			return name
		}
	}
	return ""
}

// trustsPeer is trusts for the other end of the connection, which on a Unix
// socket has no address.
func (p Proxies) trustsPeer(peer netip.Addr) bool {
	return p.Unix && !peer.IsValid() || p.trusts(peer)
}

func (p Proxies) trusts(addr netip.Addr) bool {
	for _, network := range p.Networks {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// Network returns the key under which a client's address is counted: an IPv4
// address itself ("192.0.2.1"), an IPv6 address by its /64 ("2001:db8::/64"),
// in which one subscriber can choose any address. All invalid addresses
// have the key "unknown".
func Network(addr netip.Addr) string {
	addr = plain(addr)
	if !addr.IsValid() {
		return "unknown"
	}
	if addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}

// peerAddr is the address at the other end of the connection.
func peerAddr(r *http.Request) netip.Addr { return parseHop(r.RemoteAddr) }

// plain removes the zone and the IPv6 mapping of an IPv4 address.
func plain(addr netip.Addr) netip.Addr { return addr.WithZone("").Unmap() }
