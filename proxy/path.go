package proxy

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"
)

// maxDecodings is how many times a path may be percent-encoded. One that is encoded
// more often is considered an attack and treated as protected.
const maxDecodings = 4

// Covers reports whether a request is under one of the prefixes in any
// interpretation of its path that a server may make: unchanged and
// percent-decoded, also repeatedly; with "\" as "/"; without path parameters
// (";…"), and up to a "?" or "#" that was percent-encoded; "//host/path" without
// its host; without dots and blanks at the end of a segment; with empty segments
// dropped; with "." and ".." kept, resolved by path, or resolved as URL; in upper
// and lower case. A path that servers interpret inconsistently (a NUL, bytes that
// are not UTF-8) is covered. In case of doubt, the proxy requires a token.
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

// checkPrefixes rejects a prefix that some server interprets as another path: the
// requests that it is meant for may come with a path that it does not cover.
func checkPrefixes(prefixes []string) error {
	for _, prefix := range prefixes {
		if !strings.HasPrefix(prefix, "/") {
			return fmt.Errorf("the prefix %q does not begin with /", prefix)
		}
		decoded, clear := decode(prefix)
		for _, reading := range append(variants(prefix), decoded) {
			if !clear || strings.TrimSuffix(reading, "/") != strings.TrimSuffix(prefix, "/") {
				return fmt.Errorf("servers read the prefix %q also as %q: it must be a decoded path without //, . and .., such as /api/", prefix, reading)
			}
		}
	}
	return nil
}

// plain reports whether every server interprets the path alike, except for its
// case: it consists of alphanumeric characters, "-", "_", "~", single slashes, and
// dots inside of names. Most paths are plain and have only one interpretation.
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

// under reports whether the prefix covers the path. It compares whole segments:
// "/api/" and "/api" both cover "/api", "/api/" and "/api/x", but not "/apix".
func under(reading, prefix string) bool {
	rest, ok := strings.CutPrefix(fold(reading), fold(strings.TrimRight(prefix, "/")))
	return ok && (rest == "" || rest[0] == '/')
}

// fold returns the same string for all strings that differ only in case, including
// characters that are equal only in the other case (the Kelvin sign, the long s).
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// readingsOf lists the interpretations of the request's path; clear is false if
// the path is ambiguous.
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

// variants returns the interpretations of one decoded form.
func variants(p string) []string {
	slashed := strings.ReplaceAll(p, `\`, "/")
	all := append([]string{p}, shapes(slashed)...)
	if i := strings.IndexAny(slashed, "?#"); i >= 0 { // decoded first, and only then cut
		all = append(all, shapes(slashed[:i])...)
	}
	if authority, ok := strings.CutPrefix(slashed, "//"); ok {
		// In a relative reference (RFC 3986 section 4.2) this is a host, as
		// Node's new URL and Python's urlsplit parse it.
		_, rest, _ := strings.Cut(strings.TrimLeft(authority, "/"), "/")
		all = append(all, shapes("/"+rest)...)
	}
	return all
}

// shapes returns the interpretations of a path without backslashes.
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

// decode decodes percent escapes once. It leaves a malformed one unchanged, as
// Python's unquote does; ok is false for control characters and bytes that are not
// UTF-8, at which some servers truncate the path, or which they convert.
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
