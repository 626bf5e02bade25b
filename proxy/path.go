package proxy

import (
	"net/http"
	"path"
	"strings"
	"unicode/utf8"
)

// maxDecodings is how many times over a path may be percent-encoded before it
// is taken for an attack and treated as protected.
const maxDecodings = 4

// Covers reports whether a request is under one of the prefixes on any reading
// of its path that a server may make: as it stands and percent-decoded, also
// twice over; with "\" as "/"; without path parameters (";…"), and up to a "?"
// or "#" that was percent-encoded; "//host/path" without its host; without dots
// and blanks at the end of a segment; with empty segments dropped; with "." and
// ".." kept, resolved by path, or resolved as URL; in any case of letters. A
// path that no two servers read alike (a NUL, bytes that are not UTF-8) is covered. So
// the gate asks for a token once too often rather than once too seldom.
func Covers(prefixes []string, r *http.Request) bool {
	readings, clear := []string{r.URL.Path}, true
	if !plain(r) {
		readings, clear = readingsOf(r)
	}
	if !clear {
		return true
	}
	for _, reading := range readings {
		for _, prefix := range prefixes {
			if under(reading, prefix) {
				return true
			}
		}
	}
	return false
}

// plain reports whether every server reads the path alike, but for the case of
// letters: it is made of nothing but letters, digits, "-", "_", "~", single
// slashes, and dots inside of names. Most paths are, and are judged at once.
func plain(r *http.Request) bool {
	p, _, _ := strings.Cut(r.RequestURI, "?")
	if p != r.URL.Path || p == "" || p[0] != '/' {
		return false
	}
	last := byte(0)
	for i := range len(p) {
		c := p[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '~':
		case c == '/' && last != '/' && last != '.':
		case c == '.' && last != '/' && last != '.':
		default:
			return false
		}
		last = c
	}
	return last != '.'
}

// under compares by whole segments: "/api/" and "/api" both cover "/api",
// "/api/" and "/api/x", not "/apix".
func under(reading, prefix string) bool {
	rest, ok := strings.CutPrefix(fold(reading), fold(strings.TrimRight(prefix, "/")))
	return ok && (rest == "" || rest[0] == '/')
}

// fold makes letters that differ in case alone equal, also those that only
// become one in the other case (the Kelvin sign, the long s).
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// readingsOf lists the readings of the request's path; clear is false where it
// cannot be read for certain.
func readingsOf(r *http.Request) (readings []string, clear bool) {
	raw := r.RequestURI
	if raw == "" {
		raw = r.URL.EscapedPath()
	}
	raw, _, _ = strings.Cut(raw, "?")
	if strings.Contains(raw, "#") || r.URL.Opaque != "" {
		return nil, false
	}
	if i := strings.Index(raw, "://"); i >= 0 && !strings.HasPrefix(raw, "/") {
		_, rest, _ := strings.Cut(raw[i+3:], "/") // absolute form: http://host/path
		raw = "/" + rest
	}
	readings = append(readings, variants(r.URL.Path)...)
	for range maxDecodings {
		readings = append(readings, variants(raw)...)
		decoded, ok := decode(raw)
		if !ok {
			return nil, false
		}
		if decoded == raw {
			return readings, true
		}
		raw = decoded
	}
	return nil, false
}

// variants are the readings of one decoded form.
func variants(p string) []string {
	slashed := strings.ReplaceAll(p, `\`, "/")
	all := append([]string{p}, shapes(slashed)...)
	if i := strings.IndexAny(slashed, "?#"); i >= 0 { // decoded first, and only then cut
		all = append(all, shapes(slashed[:i])...)
	}
	if authority, ok := strings.CutPrefix(slashed, "//"); ok {
		// Relative to an address (RFC 3986 section 4.2) a host stands here:
		// Node's new URL and Python's urlsplit read it so.
		_, rest, _ := strings.Cut(strings.TrimLeft(authority, "/"), "/")
		all = append(all, shapes("/"+rest)...)
	}
	return all
}

// shapes are the readings of a path whose slashes all lean forward.
func shapes(p string) []string {
	bare := segments(p)
	return []string{p, bare, path.Clean("/" + p), path.Clean("/" + bare), squeeze(p), squeeze(bare)}
}

// segments drops each segment's parameters and the dots and blanks at its end,
// but leaves "." and "..", which are for path.Clean.
func segments(p string) string {
	parts := strings.Split(p, "/")
	for i, s := range parts {
		s, _, _ = strings.Cut(s, ";")
		if s != "." && s != ".." {
			s = strings.TrimRight(s, ". \t")
		}
		parts[i] = s
	}
	return strings.Join(parts, "/")
}

// squeeze drops empty segments, and nothing else.
func squeeze(p string) string {
	var b strings.Builder
	for _, s := range strings.Split(p, "/") {
		if s != "" {
			b.WriteString("/" + s)
		}
	}
	return b.String()
}

// decode resolves percent escapes once, and leaves a broken one as it stands,
// as Python's unquote does; ok is false for control characters and bytes that
// are not UTF-8, which some readers stop at or read as something else.
func decode(p string) (out string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		c := p[i]
		if c == '%' && i+2 < len(p) && isHex(p[i+1]) && isHex(p[i+2]) {
			c = unhex(p[i+1])<<4 | unhex(p[i+2])
			i += 2
		}
		if c < ' ' || c == 0x7f {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), utf8.ValidString(b.String())
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
