package throttle

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func trusting(t testing.TB, networks ...string) Proxies {
	t.Helper()
	p, err := ParseProxies(networks)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func request(peer string, header http.Header) *http.Request {
	return &http.Request{RemoteAddr: peer, Header: header}
}

func xff(lines ...string) http.Header { return http.Header{"X-Forwarded-For": lines} }

const ours = "10.0.0.1:999" // a proxy in 10.0.0.0/8, which the tests trust

func TestClientAddr(t *testing.T) {
	p := trusting(t, "10.0.0.0/8", "2001:db8:ffff::/48", "fe80::1")
	for _, row := range []struct {
		name, peer string
		header     http.Header
		want       string
	}{
		{"no proxy", "192.0.2.1:1234", nil, "192.0.2.1"},
		{"IPv6 peer", "[2001:db8::1]:1234", nil, "2001:db8::1"},
		{"peer with zone", "[fe80::2%eth0]:1234", nil, "fe80::2"},
		{"IPv4 in IPv6 peer", "[::ffff:192.0.2.1]:1234", nil, "192.0.2.1"},
		{"peer without port", "192.0.2.1", nil, "192.0.2.1"},
		{"Unix socket", "@", xff("192.0.2.1"), "invalid IP"},

		{"one hop", ours, xff("192.0.2.1"), "192.0.2.1"},
		{"right-most untrusted", ours, xff("6.6.6.6, 192.0.2.1"), "192.0.2.1"},
		{"over a trusted hop", ours, xff("6.6.6.6, 192.0.2.1, 10.2.3.4"), "192.0.2.1"},
		{"several lines", ours, xff("6.6.6.6", "192.0.2.1, 10.2.3.4", "10.2.3.5"), "192.0.2.1"},
		{"trusted IPv6 peer", "[2001:db8:ffff::1]:5", xff("2001:db8::7"), "2001:db8::7"},
		{"trusted peer with zone", "[fe80::1%eth0]:5", xff("192.0.2.1"), "192.0.2.1"},
		{"trusted peer as IPv4 in IPv6", "[::ffff:10.0.0.1]:5", xff("192.0.2.1"), "192.0.2.1"},
		{"trusted hop as IPv4 in IPv6", ours, xff("192.0.2.1, ::ffff:10.0.0.2"), "192.0.2.1"},
		{"all trusted", ours, xff("10.9.9.9, 10.0.0.2"), "10.9.9.9"},
		{"no header", ours, nil, "10.0.0.1"},
		{"other header", ours, http.Header{"Forwarded": {"for=192.0.2.1"}}, "10.0.0.1"},

		{"port", ours, xff("192.0.2.1:4711"), "192.0.2.1"},
		{"bracket", ours, xff("[2001:db8::7]"), "2001:db8::7"},
		{"bracket and port", ours, xff("[2001:db8::7]:4711"), "2001:db8::7"},
		{"zone", ours, xff("fe80::7%eth0"), "fe80::7"},
		{"bracket and zone", ours, xff("[fe80::7%eth0]:80"), "fe80::7"},
		{"mapped", ours, xff("::ffff:192.0.2.1"), "192.0.2.1"},
		{"mapped, zone", ours, xff("::ffff:192.0.2.1%eth0"), "192.0.2.1"},
		{"blanks", ours, xff(" \t192.0.2.1\t "), "192.0.2.1"},

		// H018: what cannot be read counts for the proxy.
		{"word", ours, xff("a"), "10.0.0.1"},
		{"empty", ours, xff(""), "10.0.0.1"},
		{"comma", ours, xff(","), "10.0.0.1"},
		{"10 kB", ours, xff(strings.Repeat("1", 10_000)), "10.0.0.1"},
		{"10 kB of commas", ours, xff(strings.Repeat(",", 10_000)), "10.0.0.1"},
		{"empty line at the end", ours, xff("192.0.2.1", ""), "10.0.0.1"},
		{"trailing comma", ours, xff("192.0.2.1,"), "10.0.0.1"},
		{"unknown", ours, xff("unknown"), "10.0.0.1"},
		{"bad port", ours, xff("192.0.2.1:x"), "10.0.0.1"},
		{"large port", ours, xff("192.0.2.1:65536"), "10.0.0.1"},
		{"IPv4 in brackets", ours, xff("[192.0.2.1]"), "10.0.0.1"},
		{"open bracket", ours, xff("[2001:db8::7"), "10.0.0.1"},
		{"leading zero", ours, xff("192.0.2.01"), "10.0.0.1"},
		{"word left of a trusted hop", ours, xff("a, 10.2.3.4"), "10.0.0.1"},
		{"word left of the client", ours, xff("a, 192.0.2.1"), "192.0.2.1"},
		{"10 kB left of the client", ours, xff(strings.Repeat("x", 10_000) + ",192.0.2.1"), "192.0.2.1"},
		{"32 hops", ours, xff("192.0.2.1" + strings.Repeat(",10.0.0.1", 31)), "192.0.2.1"},
		{"33 hops", ours, xff("192.0.2.1" + strings.Repeat(",10.0.0.1", 32)), "10.0.0.1"},
	} {
		if got := p.ClientAddr(request(row.peer, row.header)); got.String() != row.want {
			t.Errorf("%s: %v, want %s", row.name, got, row.want)
		}
	}
}

// forgeries are the headers of H017.
func forgeries(addr string) http.Header {
	return http.Header{
		"X-Forwarded-For": {addr}, "Forwarded": {"for=" + addr}, "X-Real-Ip": {addr},
		"True-Client-Ip": {addr}, "Cf-Connecting-Ip": {addr},
	}
}

// H017: whoever is no trusted proxy says what he likes and stays who he is.
func TestClientAddrForged(t *testing.T) {
	for _, p := range []Proxies{{}, {Forwarded: true}, trusting(t, "10.0.0.0/8")} {
		rapid.Check(t, func(t *rapid.T) {
			claimed := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "claimed")))
			got := p.ClientAddr(request("192.0.2.1:1234", forgeries(claimed.String())))
			if got.String() != "192.0.2.1" {
				t.Fatalf("claimed %v, counted as %v", claimed, got)
			}
		})
	}
}

// Whatever a client writes, the hop that the trusted proxy appends decides.
func TestClientAddrAppended(t *testing.T) {
	p := trusting(t, "10.0.0.0/8")
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "written by the client")
		last := len(lines) - 1
		if last >= 0 && rapid.Bool().Draw(t, "joined") {
			lines[last] += ", 192.0.2.1"
		} else {
			lines = append(lines, "192.0.2.1")
		}
		if got := p.ClientAddr(request(ours, xff(lines...))); got.String() != "192.0.2.1" {
			t.Fatalf("%q gives %v", lines, got)
		}
	})
}

// On a Unix socket the peer has no address: the word "unix" trusts it, and only it.
func TestUnixPeers(t *testing.T) {
	p := trusting(t, "unix", "10.0.0.0/8")
	for _, peer := range []string{"@", "", "/run/nginx.sock"} {
		header := xff("6.6.6.6, 192.0.2.1, 10.2.3.4")
		if got := p.ClientAddr(request(peer, header)); got.String() != "192.0.2.1" {
			t.Errorf("%q: %v", peer, got)
		}
		if got := p.Ignored(request(peer, header)); got != "" {
			t.Errorf("%q: %s is reported as ignored", peer, got)
		}
	}
	if got := p.ClientAddr(request("192.0.2.9:1", xff("192.0.2.1"))); got.String() != "192.0.2.9" {
		t.Errorf("a peer with an address: %v", got)
	}
	if got := p.ClientAddr(request("@", xff("unix:"))); got.IsValid() {
		t.Errorf("a hop that is not an address: %v", got)
	}
}

func TestIgnored(t *testing.T) {
	p := trusting(t, "10.0.0.0/8")
	for name := range forgeries("") {
		header := http.Header{name: {"192.0.2.9"}}
		if got := p.Ignored(request("192.0.2.1:1", header)); got != name {
			t.Errorf("%s from a stranger: %q", name, got)
		}
		if got := p.Ignored(request(ours, header)); got != "" {
			t.Errorf("%s from a trusted proxy: %q", name, got)
		}
	}
	if got := p.Ignored(request("192.0.2.1:1", http.Header{"Accept": {"*/*"}})); got != "" {
		t.Errorf("no forwarding header: %q", got)
	}
}

func TestParseProxies(t *testing.T) {
	p := trusting(t, "192.0.2.1", " 10.0.0.0/8 ", "2001:db8::/32", "::1", "::ffff:172.16.0.0/108", "::ffff:192.0.2.2")
	var got []string
	for _, network := range p.Networks {
		got = append(got, network.String())
	}
	want := "192.0.2.1/32 10.0.0.0/8 2001:db8::/32 ::1/128 172.16.0.0/12 192.0.2.2/32"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	for _, bad := range []string{
		"", "proxy", "@", "UNIX", "unix:", "10.0.0.0/33", "10.0.0/8", "10.0.0.1/8", "2001:db8::1/32", "0.0.0.0/0", "::/0",
		"::ffff:0:0/96", "10.0.0.0/", "10.0.0.0-10.0.0.9", "192.0.2.1:80", "fe80::%eth0/64",
	} {
		if p, err := ParseProxies([]string{"10.0.0.0/8", bad}); err == nil {
			t.Errorf("%q accepted as %v", bad, p.Networks[1])
		}
	}
}

// H019: an IPv6 subscriber is one network, an IPv4 address is one as well.
func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":             "192.0.2.1",
		"::ffff:192.0.2.1":      "192.0.2.1",
		"2001:db8:1:2::1":       "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::99": "2001:db8:1:2::/64",
		"2001:db8:1:3::1":       "2001:db8:1:3::/64",
		"fe80::1%eth0":          "fe80::/64",
	} {
		if got := Network(netip.MustParseAddr(in)); got != want {
			t.Errorf("Network(%s) = %s, want %s", in, got, want)
		}
	}
	if got := Network(netip.Addr{}); got != "unknown" {
		t.Errorf("Network of no address = %s", got)
	}
}

// H019 as it happens: 200 addresses of one /64 through a trusted proxy.
func TestIPv6Rotation(t *testing.T) {
	p := trusting(t, "10.0.0.0/8")
	l := newLimiter(t, Rate{5, 60e9}, Options{Clock: newClock().Now})
	passed := 0
	for i := range 200 {
		addr := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})
		if _, ok := l.Allow(Network(p.ClientAddr(request(ours, xff(addr.String()))))); ok {
			passed++
		}
	}
	if passed != 5 {
		t.Errorf("%d passed, want 5", passed)
	}
}

func BenchmarkClientAddr(b *testing.B) {
	p := trusting(b, "10.0.0.0/8")
	r := request(ours, xff("6.6.6.6, 192.0.2.1, 10.2.3.4"))
	b.ReportAllocs()
	for b.Loop() {
		p.ClientAddr(r)
	}
}
