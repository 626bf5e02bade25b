package throttle

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestElements(t *testing.T) {
	for in, want := range map[string][]string{
		`for=192.0.2.43`: {"192.0.2.43"},
		// RFC 7239 section 4
		`for="_gazonk"`:                                           {"_gazonk"},
		`For="[2001:db8:cafe::17]:4711"`:                          {"[2001:db8:cafe::17]:4711"},
		`for=192.0.2.60;proto=http;by=203.0.113.43`:               {"192.0.2.60"},
		`for=192.0.2.43, for=198.51.100.17`:                       {"192.0.2.43", "198.51.100.17"},
		`for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown`:    {"192.0.2.43", "[2001:db8:cafe::17]", "unknown"},
		`by=203.0.113.43;proto=https`:                             {""},
		`proto="a,b;for=6.6.6.6";for=192.0.2.43`:                  {"192.0.2.43"},
		`proto="a\"b,for=6.6.6.6";for=192.0.2.43`:                 {"192.0.2.43"},
		`for="192.0.2.\43"`:                                       {"192.0.2.43"},
		`for=192.0.2.43:4711`:                                     {"192.0.2.43:4711"}, // quotes forgotten
		`for=[2001:db8::1]:4711`:                                  {"[2001:db8::1]:4711"},
		` for=192.0.2.43 ; proto=http ,` + "\t" + `for=192.0.2.9`: {"192.0.2.43", "192.0.2.9"},
		`for=192.0.2.43;`:                                         {"192.0.2.43"},
		``:                                                        {""},
		`,`:                                                       {"", ""},
	} {
		all, ok := elements(in)
		var got []string
		for _, e := range all {
			got = append(got, e.client)
		}
		if !ok || !slices.Equal(got, want) {
			t.Errorf("elements(%s) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

// Each row spoils an accepted line in one point.
func TestElementsRefuses(t *testing.T) {
	for _, in := range []string{
		`for="192.0.2.43`,
		`for="192.0.2.43\"`,
		`for="192.0.2.43\`,
		`for="192.0.2.43"x`,
		`for=192.0.2.43"`,
		`for=192.0.2.43 x`,
		`for=192.0.2.43;for=192.0.2.44`,
		`for=;for=192.0.2.44`,
		`for=192.0.2.43;proto=http;proto=https`,
		`for=192.0.2.43;host=a;HOST=a`,
		`192.0.2.43`,
		`for`,
		`for,for=192.0.2.43`,
		`for=192.0.2.43;` + strings.Repeat("x", longestHeader) + `=y`,
	} {
		if got, ok := elements(in); ok {
			t.Errorf("elements(%.40s) = %v, want a refusal", in, got)
		}
	}
}

func TestClientAddrForwarded(t *testing.T) {
	p := trusting(t, "10.0.0.0/8")
	p.Forwarded = true
	for _, row := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"one hop", []string{`for=192.0.2.1`}, "192.0.2.1"},
		{"IPv6 with port", []string{`for="[2001:db8::7]:80";proto=https`}, "2001:db8::7"},
		{"over a trusted hop", []string{`for=6.6.6.6, for=192.0.2.1, for=10.0.0.2`}, "192.0.2.1"},
		{"several lines", []string{`for=6.6.6.6`, `for=192.0.2.1`, `for=10.0.0.2`}, "192.0.2.1"},
		{"broken line left of the client", []string{`for="`, `for=192.0.2.1`}, "192.0.2.1"},
		{"no header", nil, "10.0.0.1"},
		{"hidden", []string{`for=_hidden`}, "10.0.0.1"},
		{"unknown", []string{`for=unknown`}, "10.0.0.1"},
		{"no for", []string{`proto=https`}, "10.0.0.1"},
		{"open quote swallows what the proxy appended", []string{`for=", for=192.0.2.1`}, "10.0.0.1"},
		{"broken line between", []string{`for=192.0.2.1`, `for="`, `for=10.0.0.2`}, "10.0.0.1"},
	} {
		header := http.Header{"Forwarded": row.lines, "X-Forwarded-For": {"6.6.6.7"}}
		if got := p.ClientAddr(request(ours, header)); got.String() != row.want {
			t.Errorf("%s: %v, want %s", row.name, got, row.want)
		}
	}
}

// Nothing that a client writes panics, costs more than the header is long, or
// makes it a trusted address when the proxy has added a line of its own.
func FuzzForwarded(f *testing.F) {
	for _, s := range []string{
		`for="[2001:db8::7]:80";proto=https, for=192.0.2.1`, `for="\`, `,`, `[::1%`, "a", "",
		"6.6.6.6, 192.0.2.1:80", "10.0.0.1, 10.0.0.1",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	p := trusting(f, "10.0.0.0/8")
	f.Fuzz(func(t *testing.T, s string, forwarded bool) {
		p.Forwarded = forwarded
		header := http.Header{"Forwarded": {s}, "X-Forwarded-For": {s}}
		if got := p.ClientAddr(request(ours, header)); !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Fatalf("%q gives %v", s, got)
		}
		if got := (Proxies{Forwarded: forwarded}).ClientAddr(request(ours, header)); got.String() != "10.0.0.1" {
			t.Fatalf("%q gives %v although nobody is trusted", s, got)
		}
		header = http.Header{"Forwarded": {s, "for=192.0.2.1"}, "X-Forwarded-For": {s, "192.0.2.1"}}
		if got := p.ClientAddr(request(ours, header)); got.String() != "192.0.2.1" {
			t.Fatalf("%q gives %v although the proxy says 192.0.2.1", s, got)
		}
	})
}
