package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/jotgate/jotgate/internal/wait"
)

// counted is a server that counts connections.
func counted(t *testing.T, handler http.HandlerFunc) (port string, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	server := httptest.NewUnstartedServer(handler)
	listener, err := net.Listen("tcp", ":0") // every address of this machine
	if err != nil {
		t.Fatal(err)
	}
	_ = server.Listener.Close()
	server.Listener = listener
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port, connections
}

// notPublic are addresses to which no connection is made.
var notPublic = []string{
	"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255",
	"192.168.0.1", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1",
	"198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::127.0.0.1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:0", "::ffff:0:127.0.0.1",
	"64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "64:ff9b:1::127.0.0.1", "100::1", "2001::1", "2001:2::1", "2001:db8::1",
	"2002:7f00:1::1", "2002:0808:0808::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "ff0e::1",
	"2606:4700::5efe:127.0.0.1", "2606:4700::200:5efe:192.168.0.1",
}

// services are metadata services, in several forms. The operator cannot allow them.
var services = []string{
	"169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254", "fd00:42::42",
	"::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "::169.254.169.254", "::ffff:0:169.254.169.254",
	"64:ff9b::168.63.129.16", "fe80::a9fe:a9fe", "fe80::1", "169.254.1.1", "::ffff:169.254.1.1",
}

var public = []string{
	"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255",
	"172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255",
	"::ffff:1.1.1.1", "64:ff9b::8.8.8.8", "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::1", "2606:4700::5efe:8.8.8.8",
}

func TestPublic(t *testing.T) {
	for _, text := range append(notPublic, services...) {
		if Public(netip.MustParseAddr(text)) {
			t.Errorf("%s is public", text)
		}
	}
	for _, text := range public {
		if !Public(netip.MustParseAddr(text)) {
			t.Errorf("%s is not public", text)
		}
		if Public(netip.MustParseAddr(text).WithZone("eth0")) && strings.Contains(text, ":") {
			t.Errorf("%s with a zone is public", text)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// No connection is made to an address that is not public, with either scheme. The
// server would count it if the address is of this machine.
func TestNoConnection(t *testing.T) {
	port, connections := counted(t, func(http.ResponseWriter, *http.Request) {})
	client := Client{Timeout: wait.Limit}.New()
	for want, list := range map[error][]string{ErrNotPublic: notPublic, ErrMetadata: services} {
		for _, text := range list {
			for _, scheme := range []string{"http", "https"} {
				_, err := client.Get(scheme + "://" + net.JoinHostPort(text, port) + "/")
				if !errors.Is(err, want) {
					t.Errorf("%s %s: %v", scheme, text, err)
				}
			}
		}
	}
	if _, err := client.Get("http://localhost:" + port); !errors.Is(err, ErrNotPublic) {
		t.Error(err)
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
	// The server would have counted them.
	open := Client{Networks: prefixes("127.0.0.0/8", "::/0"), Timeout: wait.Limit}.New()
	for _, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]"} {
		resp, err := open.Get("http://" + host + ":" + port)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections to an allowed network, not 2", n)
	}
}

// The operator allows networks, but not the metadata services in them, and http only
// in them.
func TestAllow(t *testing.T) {
	c := Client{Networks: prefixes("10.0.0.0/8", "fd00::/8", "169.254.0.0/16", "0.0.0.0/0")}
	for _, text := range services {
		if err := c.Allow(netip.MustParseAddr(text), false); !errors.Is(err, ErrMetadata) {
			t.Errorf("%s: %v", text, err)
		}
	}
	c.Networks = c.Networks[:2]
	for text, want := range map[string][2]error{ // https, http
		"10.1.2.3": {}, "::ffff:10.1.2.3": {}, "fd12::1": {}, "11.0.0.1": {nil, ErrNotSecure}, "2a00::1": {nil, ErrNotSecure},
		"127.0.0.1": {ErrNotPublic, ErrNotPublic}, "192.168.0.1": {ErrNotPublic, ErrNotPublic}, "64:ff9b::10.1.2.3": {ErrNotPublic, ErrNotPublic},
	} {
		for i, unencrypted := range []bool{false, true} {
			if err := c.Allow(netip.MustParseAddr(text), unencrypted); !errors.Is(err, want[i]) || (err == nil) != (want[i] == nil) {
				t.Errorf("%s, unencrypted %v: %v", text, unencrypted, err)
			}
		}
	}
}

// A redirect is the response, wherever it leads.
func TestNoRedirect(t *testing.T) {
	port, connections := counted(t, func(http.ResponseWriter, *http.Request) {})
	for _, status := range []int{301, 302, 303, 307, 308} {
		from, _ := counted(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:"+port+"/secret", status)
		})
		resp, err := Client{Networks: prefixes("127.0.0.0/8"), Timeout: wait.Limit}.New().Post("http://127.0.0.1:"+from, "text/plain", strings.NewReader("x"))
		if err != nil || resp.StatusCode != status {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// A proxy of the environment would connect in place of this process.
func TestNoProxy(t *testing.T) {
	if p := (Client{}).New().Transport.(plainly); p.Proxy != nil {
		t.Error("there is a proxy")
	}
	if _, err := (Client{}).New().Get("file:///etc/passwd"); err == nil {
		t.Error("file: is requested")
	}
}

// nameServer answers every question for an IPv4 address with the current answer.
func nameServer(t *testing.T, answer *atomic.Pointer[[]string]) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil {
				continue
			}
			m.Response, m.Additionals = true, nil
			q := m.Questions[0]
			if q.Type == dnsmessage.TypeA {
				for _, text := range *answer.Load() {
					m.Answers = append(m.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.AResource{A: netip.MustParseAddr(text).As4()},
					})
				}
			}
			out, _ := m.Pack()
			_, _ = conn.WriteTo(out, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// What counts is the address of the connection, not one that the name had before.
func TestRebinding(t *testing.T) {
	port, connections := counted(t, func(http.ResponseWriter, *http.Request) {})
	c := Client{Timeout: wait.Limit}
	dialer := c.dialer()
	var answer atomic.Pointer[[]string]
	dialer.Resolver = nameServer(t, &answer)
	const name = "rebinding.example.com."
	answer.Store(&[]string{"1.1.1.1"})
	var before []netip.Addr
	wait.Until(t, "the name is resolved in the resolver's time", func() bool {
		var err error
		before, err = dialer.Resolver.LookupNetIP(t.Context(), "ip4", name)
		return err == nil
	})
	if len(before) != 1 || !Public(before[0]) {
		t.Fatal(before)
	}
	for _, step := range []struct {
		answer []string
		want   error
	}{{[]string{"127.0.0.1"}, ErrNotPublic}, {[]string{"10.0.0.1", "127.0.0.1"}, ErrNotPublic}, {[]string{"169.254.169.254"}, ErrMetadata}} {
		answer.Store(&step.answer)
		if err := c.Check("https://" + name + ":" + port); err != nil {
			t.Fatal(err)
		}
		var err error
		wait.Until(t, "the name is resolved", func() bool {
			_, err = c.with(dialer).Get("https://" + name + ":" + port)
			var unresolved *net.DNSError
			return !errors.As(err, &unresolved)
		})
		if !errors.Is(err, step.want) {
			t.Errorf("%v, not %v", err, step.want)
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestCheck(t *testing.T) {
	c := Client{}
	for text, ok := range map[string]bool{
		"https://example.com/hooks": true, "https://example.com:8443/a?b=c": true, "https://1.1.1.1/": true, "https://[2606:4700::1111]/": true,
		"http://example.com/": false, "ftp://example.com/": false, "https:///a": false, "/hooks": false, "https:example.com": false, "": false,
		"https://user:password@example.com/": false, "https://user@example.com/": false, "https://example.com/#a": false, "https://example.com/ä": false,
		"https://example.com/a b": false, "https://example.com/\n": false, "https://127.0.0.1/": false, "https://[::1]/": false, "https://169.254.169.254/": false,
		"https://[::ffff:10.0.0.1]/": false, "https://[fe80::1%25eth0]/": false, "https://:443/": false,
	} {
		if err := c.Check(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	c.Networks = prefixes("127.0.0.0/8")
	for text, ok := range map[string]bool{"http://127.0.0.1/": true, "http://localhost/": true, "https://127.0.0.1/": true, "http://10.0.0.1/": false, "http://1.1.1.1/": false} {
		if err := c.Check(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
