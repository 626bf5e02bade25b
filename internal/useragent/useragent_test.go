package useragent

import "testing"

func TestOrigin(t *testing.T) {
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
	for _, c := range []struct{ address, userAgent, want string }{
		{"192.0.2.1", firefox, "192.0.2.1, Firefox on Linux"},
		{"192.0.2.1", "Windows", "192.0.2.1, Windows"},
		{"192.0.2.1", "curl/8.0", "192.0.2.1, curl"},
		{"", firefox, "an unknown address, Firefox on Linux"}, // a peer on a Unix socket
		{"", "", "an unknown address, an unknown program"},
	} {
		if got := Origin(c.address, c.userAgent); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
