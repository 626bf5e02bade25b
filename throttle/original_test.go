package throttle

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
)

func TestOriginal(t *testing.T) {
	p := trusting(t, "10.0.0.0/8", "unix")
	for _, row := range []struct {
		name, peer              string
		client, protocols, host []string
		want                    string
	}{
		{"terminator", ours, []string{"192.0.2.1"}, []string{"https"}, []string{"example.com"}, "192.0.2.1 https example.com"},
		{"host with a port", ours, []string{"192.0.2.1"}, []string{"HTTPS"}, []string{"example.com:8443"}, "192.0.2.1 https example.com:8443"},
		{"IPv6 host", ours, []string{"192.0.2.1"}, []string{"https"}, []string{"[2001:db8::1]:443"}, "192.0.2.1 https [2001:db8::1]:443"},
		{"Unix socket", "@", []string{"192.0.2.1"}, []string{"https"}, []string{"example.com"}, "192.0.2.1 https example.com"},
		{"WebSocket", ours, []string{"192.0.2.1"}, []string{"wss"}, nil, "192.0.2.1 https inside"},
		{"only the scheme", ours, nil, []string{"https"}, nil, "10.0.0.1 https inside"},
		{"two proxies that append", ours, []string{"192.0.2.1, 10.0.0.2"}, []string{"https, http"}, []string{"example.com, edge"}, "192.0.2.1 https example.com"},
		{"and a client that forges all three", ours, []string{"6.6.6.6, 192.0.2.1, 10.0.0.2"}, []string{"http, https, http"}, []string{"evil", "example.com, edge"}, "192.0.2.1 https example.com"},
		{"two proxies, the inner one overwrites", ours, []string{"192.0.2.1, 10.0.0.2"}, []string{"https"}, []string{"example.com"}, "192.0.2.1 https example.com"},
		{"a client that forges the scheme alone", ours, []string{"192.0.2.1"}, []string{"https, http"}, []string{"evil, example.com"}, "192.0.2.1 http example.com"},

		{"a stranger", "192.0.2.9:1", []string{"192.0.2.1"}, []string{"https"}, []string{"evil"}, "192.0.2.9 http inside"},
		{"another scheme", ours, []string{"192.0.2.1"}, []string{"javascript"}, nil, "192.0.2.1 http inside"},
		{"no scheme", ours, []string{"192.0.2.1"}, []string{""}, []string{""}, "192.0.2.1 http inside"},
		{"a host with a path", ours, []string{"192.0.2.1"}, nil, []string{"evil/x"}, "192.0.2.1 http inside"},
		{"a host with a user", ours, []string{"192.0.2.1"}, nil, []string{"a@evil"}, "192.0.2.1 http inside"},
		{"a host that is too long", ours, []string{"192.0.2.1"}, nil, []string{strings.Repeat("a", 300)}, "192.0.2.1 http inside"},
	} {
		r := request(row.peer, http.Header{"X-Forwarded-For": row.client, "X-Forwarded-Proto": row.protocols, "X-Forwarded-Host": row.host})
		r.Host = "inside"
		r.Header["Forwarded"] = []string{"for=6.6.6.7;proto=https;host=other"} // not the header in use
		if got := text(p.Original(r)); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
	direct := request("192.0.2.9:1", nil)
	direct.Host, direct.TLS = "example.com", new(tls.ConnectionState)
	if got := text(p.Original(direct)); got != "192.0.2.9 https example.com" {
		t.Errorf("TLS without a proxy: %s", got)
	}
}

// With Forwarded, the element that names the client has its scheme and host.
func TestOriginalForwarded(t *testing.T) {
	p := trusting(t, "10.0.0.0/8")
	p.Forwarded = true
	for _, row := range []struct{ name, line, want string }{
		{"one proxy", `for=192.0.2.1;proto=https;host=example.com`, "192.0.2.1 https example.com"},
		{"quoted", `for="192.0.2.1:5";host="example.com:8443";proto="https"`, "192.0.2.1 https example.com:8443"},
		{"two proxies", `for=6.6.6.6;proto=http;host=evil, for=192.0.2.1;proto=https;host=example.com, for=10.0.0.2;proto=http;host=edge`, "192.0.2.1 https example.com"},
		{"address alone", `for=192.0.2.1`, "192.0.2.1 http inside"},
		{"malformed", `for=192.0.2.1;proto=https;proto=http`, "10.0.0.1 http inside"},
	} {
		r := request(ours, http.Header{"Forwarded": {row.line}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil"}})
		r.Host = "inside"
		if got := text(p.Original(r)); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

func text(o Original) string { return o.Addr.String() + " " + o.Scheme + " " + o.Host }
