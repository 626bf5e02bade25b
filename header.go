package jotgate

// The token, or another credential, in the headers of a request.

import (
	"net/http"
	"strings"
)

// tokenOf returns the token in the header, as SimpleJWT's JWTAuthentication
// does: words are separated by white space, the scheme is matched without
// regard to case (RFC 9110 section 11.1, SimpleJWT since May 2026), and a header
// with another scheme counts as absent. It is stricter than Django
// in one point: a header sent twice is rejected, since two parties could read
// two users from it. Without the header, the token may be in the subprotocols of a
// WebSocket (BearerProtocol). The text that it returns may still consist of several
// words.
func (g *Guard) tokenOf(r *http.Request) (string, error) {
	values := r.Header[g.header]
	if len(values) == 0 {
		if token, _, ok := BearerProtocol(r.Header); ok {
			return token, nil
		}
		return "", ErrNotAuthenticated
	}
	if len(values) > 1 {
		return "", ErrBadHeader
	}
	scheme, rest, _ := strings.Cut(trimSpace(values[0]), " ")
	if !g.accepts(scheme) {
		// The scheme may be followed by another kind of white space.
		if i := strings.IndexFunc(scheme, isSpace); i > 0 && g.accepts(scheme[:i]) {
			rest = scheme[i:] + " " + rest
		} else {
			return "", ErrNotAuthenticated
		}
	}
	if rest = trimSpace(rest); rest == "" {
		return "", ErrBadHeader
	}
	return rest, nil
}

// accepts reports whether the scheme is one of GuardSettings.HeaderTypes.
func (g *Guard) accepts(scheme string) bool {
	for _, t := range g.types {
		if len(t) == len(scheme) && strings.EqualFold(t, scheme) { // of one length: only ASCII letters fold
			return true
		}
	}
	return false
}

// isSpace is Python's bytes.isspace: Django splits the header at these bytes.
func isSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }

// trimSpace removes white space from both ends. All of it is ASCII, so that bytes are
// enough.
func trimSpace(s string) string {
	for s != "" && isSpace(rune(s[0])) {
		s = s[1:]
	}
	for s != "" && isSpace(rune(s[len(s)-1])) {
		s = s[:len(s)-1]
	}
	return s
}

// apiKeyHeader is the header that may carry a credential in place of the header of
// the token.
const apiKeyHeader = "X-Api-Key"

// sourceOf returns the source of a credential, or nil.
func (g *Guard) sourceOf(scheme, value string) CredentialSource {
	for _, s := range g.sources {
		if s.Accepts(scheme, value) {
			return s
		}
	}
	return nil
}

// presented is a credential, or an access token if source is nil.
type presented struct {
	value  string
	source CredentialSource
}

// presentedIn returns the access token or the credential in the request's headers.
// Both together are refused, because two servers could read two users from them.
func (g *Guard) presentedIn(r *http.Request) (p presented, err error) {
	p.value, err = g.tokenOf(r)
	if len(g.sources) == 0 {
		return p, err
	}
	keys, values := g.keysIn(r.Header), r.Header[apiKeyHeader]
	if err == nil && !strings.HasPrefix(p.value, "ey") { // {" begins every JWT
		p.source = g.sourceOf(g.schemeIn(r.Header), p.value)
	}
	if err == ErrNotAuthenticated {
		if values := r.Header[g.header]; len(values) > 0 { // a scheme that only credentials have
			scheme, rest := splitHeader(values[0])
			if source := g.sourceOf(scheme, rest); source != nil {
				p, err = presented{rest, source}, nil
			}
		}
	}
	switch {
	case len(keys) == 0:
	case err == ErrNotAuthenticated && len(values) == 1:
		return keys[0], nil
	case err == ErrNotAuthenticated || err == nil: // also if the header is sent twice
		return presented{}, ErrBadHeader
	}
	return p, err
}

// keysIn returns the credentials in apiKeyHeader. A value that is not one, such as a
// key of the program behind the gate, counts as absent.
func (g *Guard) keysIn(h http.Header) (keys []presented) {
	if g.header == apiKeyHeader {
		return nil
	}
	for _, value := range h[apiKeyHeader] {
		if source := g.sourceOf(apiKeyHeader, value); source != nil {
			keys = append(keys, presented{value, source})
		}
	}
	return keys
}

// schemeIn returns the scheme in the header of the token. A token among the
// subprotocols of a WebSocket has none and is a Bearer token.
func (g *Guard) schemeIn(h http.Header) string {
	values := h[g.header]
	if len(values) == 0 {
		return "Bearer"
	}
	scheme, _ := splitHeader(values[0])
	return scheme
}

// splitHeader splits the value of the token's header at its first white space.
func splitHeader(value string) (scheme, rest string) {
	value = trimSpace(value)
	i := strings.IndexFunc(value, isSpace)
	if i < 0 {
		return value, ""
	}
	return value[:i], trimSpace(value[i:])
}

// TokenHeader describes how requests carry their token. Guard.Header returns it.
type TokenHeader struct {
	Name      string // of the request header, such as Authorization
	Challenge string // the value of WWW-Authenticate in responses with status 401

	guard *Guard
}

// In reports whether a request with these headers has a token or, for a Guard that
// accepts other credentials, one of those. It does not check whether it is valid.
func (h TokenHeader) In(header http.Header) bool {
	return header.Get(h.Name) != "" || len(h.guard.keysIn(header)) > 0
}

// Remove deletes the token and other credentials of the Guard from the headers of a
// request, such as before the request is forwarded.
func (h TokenHeader) Remove(header http.Header) {
	header.Del(h.Name)
	if len(h.guard.keysIn(header)) > 0 {
		header.Del(apiKeyHeader)
	}
}

// Header describes the request header that carries the token.
func (g *Guard) Header() TokenHeader { return TokenHeader{g.header, g.challenge, g} }
