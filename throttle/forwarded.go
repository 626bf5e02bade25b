// Reading X-Forwarded-For and Forwarded from right to left, within bounds.

package throttle

import (
	"iter"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const (
	maxHops       = 32   // hops looked at before giving up
	longestHop    = 80   // bytes of one address with brackets, zone and port
	longestHeader = 4096 // bytes of one Forwarded line
)

// hops yields the forwarded addresses from right to left. The first element that
// is not an address is yielded as the invalid address and is the last one; so is
// the 33rd hop. Several lines of a header are one list, in their order (RFC 9110
// section 5.3).
func (p Proxies) hops(header http.Header) iter.Seq[netip.Addr] {
	values := fromRight(header["X-Forwarded-For"])
	if p.Forwarded {
		values = clients(header["Forwarded"])
	}
	return func(yield func(netip.Addr) bool) {
		n := 0
		for value := range values {
			addr := parseHop(value)
			if n++; n > maxHops {
				addr = netip.Addr{}
			}
			if !yield(addr) || !addr.IsValid() {
				return
			}
		}
	}
}

// fromRight yields the elements of a comma-separated list, last first. It reads
// a line only as far as it is consumed, so a long line costs no more than its right end.
func fromRight(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(lines) {
			for more := true; more; {
				comma := strings.LastIndexByte(line, ',')
				if !yield(line[comma+1:]) {
					return
				}
				more = comma >= 0
				line = line[:max(comma, 0)]
			}
		}
	}
}

// elementsFromRight yields the elements of Forwarded lines, last first. A quoted
// value may hold a comma, so a line is read whole before it is used; one that
// breaks RFC 7239 section 4 yields one empty element.
func elementsFromRight(lines []string) iter.Seq[element] {
	return func(yield func(element) bool) {
		for _, line := range slices.Backward(lines) {
			all, ok := elements(line)
			if !ok {
				all = []element{{}}
			}
			for _, e := range slices.Backward(all) {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// clients yields the "for" values of Forwarded lines, last first; one that is
// missing or malformed is "", which is not an address.
func clients(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for e := range elementsFromRight(lines) {
			if !yield(e.client) {
				return
			}
		}
	}
}

// element is what one proxy states in a Forwarded line.
type element struct {
	client, proto, host string
	seen                [3]bool
}

// set stores one parameter. It returns false for one that is there already: "MUST
// NOT occur more than once" (RFC 7239 section 4).
func (e *element) set(p pair) bool {
	for i, name := range [...]string{"for", "proto", "host"} {
		if !strings.EqualFold(p.name, name) {
			continue
		}
		if e.seen[i] {
			return false
		}
		e.seen[i] = true
		*[...]*string{&e.client, &e.proto, &e.host}[i] = p.value
	}
	return true
}

// elements reads one Forwarded line: elements between commas, each with pairs
// between semicolons. What an element does not have is "". Blanks around a pair
// are skipped.
func elements(line string) (all []element, ok bool) {
	if len(line) > longestHeader {
		return nil, false
	}
	for more := true; more; {
		var e element
		for end := byte(';'); end == ';'; more = end == ',' {
			var p pair
			if p, line, end, ok = cutPair(line); !ok || !e.set(p) {
				return nil, false
			}
		}
		all = append(all, e)
	}
	return all, true
}

type pair struct{ name, value string }

// cutPair cuts name=value from the front of s. end is the separator after it,
// or 0 at the end of s. An empty pair, as after a last semicolon, is allowed.
func cutPair(s string) (p pair, rest string, end byte, ok bool) {
	s = strings.Trim(s, " \t")
	stop := strings.IndexAny(s, "=,;")
	if stop < 0 {
		return p, "", 0, s == ""
	}
	if s[stop] != '=' {
		return p, s[stop+1:], s[stop], stop == 0
	}
	p.name = s[:stop]
	p.value, rest, ok = cutValue(s[stop+1:])
	rest = strings.TrimLeft(rest, " \t")
	if !ok || rest == "" {
		return p, "", 0, ok
	}
	return p, rest[1:], rest[0], rest[0] == ',' || rest[0] == ';'
}

// cutValue cuts a token or a quoted string from the front of s. A token can
// hold more characters than in RFC 7239, because some proxies omit the quotes
// around addresses with a port.
func cutValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		stop := strings.IndexAny(s, ",; \t\"\\")
		if stop < 0 {
			stop = len(s)
		}
		return s[:stop], s[stop:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s): // quoted-pair, RFC 9110 section 5.6.4
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", false // no closing quote
}

// parseHop reads one address: bare, in brackets, with a port or a zone, which
// are dropped. Anything else gives the invalid address.
func parseHop(s string) netip.Addr {
	s = strings.Trim(s, " \t")
	if len(s) > longestHop {
		return netip.Addr{}
	}
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		s += ":0" // as if it had a port
	}
	if strings.HasPrefix(s, "[") || strings.Count(s, ":") == 1 { // IPv6 has two colons at least
		both, _ := netip.ParseAddrPort(s)
		return plain(both.Addr())
	}
	addr, _ := netip.ParseAddr(s)
	return plain(addr)
}
