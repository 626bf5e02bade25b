package proxy

import (
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// The request headers that reach the upstream.
//
// A header's name may contain 15 punctuation characters (RFC 9110 section 5.6.2),
// and CGI, FastCGI, WSGI and PHP convert several of them, or all, to "_". So
// "X.Auth.User" and "X-Auth-User" are one variable there, and a comparison with
// known names misses the first. Hence two rules, in this order:
//
//  1. A name with a character that is not alphanumeric or "-" is dropped.
//  2. A name that the table below reserves is dropped: only the proxy may state
//     the identity and the address of the client, and the path, host and method
//     that it requested.

// identity are the headers that state the user's identity to the upstream, in
// canonical form and in the order of the values that identityValues returns.
var identity = [...]string{"X-Auth-User", "X-Auth-Id", "X-Auth-Role", "X-Auth-Email", "X-Auth-Groups", "X-Auth-Session", "X-Auth-Actor"}

// connection are the headers that describe the client's connection to the
// upstream. httputil.ProxyRequest.SetXForwarded writes them.
var connection = [...]string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}

// reservedNames, reservedPrefixes and reservedEndings are the table of names
// that no client may send, in canonical form. docs/proxy.md repeats it; a test
// compares the two.
var reservedNames = []string{
	// The identity of the client.
	"X-User", "X-User-Id", "X-User-Name", "X-User-Email", "X-User-Role", "X-User-Roles", "X-User-Groups", "X-Username",
	"X-Userinfo", "X-Userid", "X-Email", "X-Role", "X-Roles", "X-Groups", "X-Scope-Orgid", "Eppn", "X-Anonymous-Consumer",
	"X-Endpoint-Api-Userinfo", "X-Amzn-Request-Context", "X-Amzn-Lambda-Context", "X-Jwt-Assertion", "X-Proxy-User", "Sm-User", "Sm-Userdn", "X-Client-Dn", "X-Client-Verify",
	// The address of the client, and its connection.
	"Client-Address", "X-Client-Address", "X-Client-Addr", "X-Client-Host", "X-Client-Port", "X-Coming-From",
	"Front-End-Https", "Https", "Https-From-Lb", "Scheme", "X-Scheme", "X-Url-Scheme", "X-Proto", "X-Protocol", "X-Https",
	// The requested host, path or method.
	"X-Host", "X-Server-Name", "X-Http-Host-Override", "X-Http-Destinationurl", "X-Override-Url", "X-Request-Uri",
	"X-Request-Url", "X-Request-Method", "X-Path-Info", "X-Script-Name", "Path-Info", "Script-Name", "Request-Uri",
	// Headers that enable a feature of a server: a proxy for outgoing requests
	// (httpoxy), sending files (Rack).
	"Proxy", "X-Sendfile-Type",
}

var reservedPrefixes = []string{
	// The identity of the client: jotgate's headers, and those of other gateways.
	"X-Auth-", "X-Authenticated-", "X-Authentik-", "Remote-", "X-Remote-", "X-Webauth-", "X-Consumer-", "X-Credential-",
	"X-Vouch-", "X-Pomerium-", "X-Sso-", "Tailscale-", "Oidc-", "Iv-", "Oam-", "Osso-",
	"X-Amzn-Oidc-", "X-Amzn-Mtls-", "X-Goog-Authenticated-User-", "X-Goog-Iap-", "X-Ms-Client-Principal", "X-Ms-Token-",
	"Client-Cert", "X-Client-Cert", "Ssl-", "X-Ssl-", "X-Tls-", "Shib-", "X-Shib-", "Mellon-", "Impersonate-", "X-Apigateway-",
	// The address of the client, and its connection.
	"Forwarded", "X-Forward", "X-Real-", "True-Client-", "X-True-Client-", "X-Cluster-Client-", "X-Originating-",
	"X-Proxyuser-", "Wl-Proxy-", "Proxy-", "Cf-", "Cloudfront-", "Fastly-", "Fly-", "Akamai-", "X-Akamai-", "X-Appengine-",
	"X-Arr-", "X-Azure-", "X-Envoy-", "X-Nf-", "X-Vercel-", "X-Sucuri-",
	// The requested host, path or method.
	"X-Original-", "X-Rewrite-", "X-Waws-", "X-Http-Method", "X-Method-", "X-Accel-", "X-Middleware-", "X-Invoke-",
}

// reservedEndings are compared with what follows the last "-", or with the whole
// name: X-Real-Ip, Client-Ip and the headers of many networks contain an address.
var reservedEndings = []string{
	"Ip", "Ips", "Ipv4", "Ipv6", "Clientip", "Realip", "Remoteip", "Socketip", "Sourceip", "Userip", "For",
}

// headerRules decide which request headers reach the upstream.
type headerRules struct {
	keep []string // canonical names that pass although the table reserves them
	drop []string // further canonical names that do not pass
}

// newHeaderRules checks the settings. The header with the token passes even if the
// table reserves its name, unless the proxy itself writes that header.
func newHeaderRules(token string, s Settings) (headerRules, error) {
	rules := headerRules{}
	for _, name := range s.DropHeaders {
		canonical, err := canonicalName("DropHeaders", name)
		if err != nil {
			return rules, err
		}
		rules.drop = append(rules.drop, canonical)
	}
	for _, name := range s.PassHeaders {
		canonical, err := canonicalName("PassHeaders", name)
		if err != nil {
			return rules, err
		}
		if written(canonical) || slices.Contains(rules.drop, canonical) {
			return rules, fmt.Errorf("proxy: PassHeaders: %q is not for clients to send: the proxy writes it, or DropHeaders names it", name)
		}
		rules.keep = append(rules.keep, canonical)
	}
	if token = textproto.CanonicalMIMEHeaderKey(token); written(token) {
		return rules, fmt.Errorf("proxy: the token cannot be in the header %q, in which the upstream reads something else", token)
	}
	rules.keep = append(rules.keep, token)
	return rules, nil
}

// canonicalName returns the name as net/http writes it, or an error if no header
// of that name can pass.
func canonicalName(setting, name string) (string, error) {
	if simple, emptyWord := simpleName(name); !simple || emptyWord {
		return "", fmt.Errorf("proxy: %s: %q is not a header name of words of letters and digits, joined by \"-\"", setting, name)
	}
	return textproto.CanonicalMIMEHeaderKey(name), nil
}

// written reports whether the proxy itself writes this header for the upstream.
func written(name string) bool {
	return slices.Contains(identity[:], name) || slices.Contains(connection[:], name)
}

// apply deletes the headers that may not pass.
func (rules *headerRules) apply(h http.Header) {
	for name := range h {
		if !rules.passes(name) {
			delete(h, name)
		}
	}
}

// passes reports whether a client's header of this name reaches the upstream.
func (rules *headerRules) passes(name string) bool {
	simple, emptyWord := simpleName(name)
	if !simple {
		return false
	}
	canonical := textproto.CanonicalMIMEHeaderKey(name) // no copy if it is already
	if slices.Contains(rules.drop, canonical) {
		return false
	}
	if slices.Contains(rules.keep, canonical) {
		return true
	}
	if emptyWord { // "X--Auth-User": no known server reads it as X-Auth-User, and no honest client sends it
		canonical = strings.Join(strings.FieldsFunc(canonical, func(c rune) bool { return c == '-' }), "-")
		return canonical != "" && !reserved(canonical) && !slices.Contains(rules.drop, canonical)
	}
	return !reserved(canonical)
}

// simpleName reports whether a name consists of alphanumeric characters and "-",
// and whether one of the words between the "-" is empty.
func simpleName(name string) (simple, emptyWord bool) {
	last := byte('-')
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-':
			emptyWord = emptyWord || last == '-'
		default:
			return false, false
		}
		last = c
	}
	return name != "", emptyWord || last == '-'
}

// reserved reports whether the table reserves a canonical name.
func reserved(name string) bool {
	if _, found := reservedSet[name]; found {
		return true
	}
	for _, prefix := range prefixesBy[name[0]] {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains(reservedEndings, name[strings.LastIndexByte(name, '-')+1:])
}

// reservedSet has the reservedNames, and the prefixes without the "-" at their
// end: X-Auth is reserved just as X-Auth-User is.
var reservedSet = func() map[string]struct{} {
	set := map[string]struct{}{}
	for _, name := range slices.Concat(reservedNames, reservedPrefixes) {
		set[strings.TrimSuffix(name, "-")] = struct{}{}
	}
	return set
}()

// prefixesBy has the prefixes by their first character.
var prefixesBy = func() (by [256][]string) {
	for _, prefix := range reservedPrefixes {
		by[prefix[0]] = append(by[prefix[0]], prefix)
	}
	return by
}()
