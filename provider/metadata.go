package provider

// The addresses and keys of a provider (OpenID Connect Discovery 1.0).

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/jwt/jwks"
)

const (
	fresh    = time.Hour      // age of metadata at which it is fetched again in the background
	maxStale = 24 * time.Hour // age at which it is no longer used
	retry    = time.Second    // least time between two fetches
)

// metadata is what a provider publishes, or what the settings say of it.
type metadata struct {
	authURL, tokenURL, userInfoURL string
	style                          oauth2.AuthStyle
	sendsIssuer                    bool // the callback has iss (RFC 9207)

	// For OpenID Connect.
	keysURL  string
	keys     *jwks.Remote
	idTokens *jwt.Verifier[jwt.Raw]

	nativeTokens  *jwt.Verifier[jwt.Raw] // nil without Settings.NativeClientIDs
	logoutTokens  *jwt.Verifier[jwt.Raw]
	endSessionURL string // "" if the provider announces none
}

// tenantPart stands in Microsoft's issuer for the tenant of the user.
const tenantPart = "{tenantid}"

// hasTenants reports whether the provider is Microsoft at its own addresses, where
// each tenant is an issuer.
func (p *Provider) hasTenants() bool { return p.kind.name == "Microsoft" && p.own }

// metadata returns the provider's metadata. It waits only if there is none yet, or if
// it is too old.
func (p *Provider) metadata(ctx context.Context) (*metadata, error) {
	if p.settings.Issuer == "" {
		s := &p.settings
		return &metadata{authURL: s.AuthURL, tokenURL: s.TokenURL, userInfoURL: s.UserInfoURL, style: oauth2.AuthStyleInParams}, nil
	}
	m, flight, err := p.cached()
	if m != nil || flight == nil {
		return m, err
	}
	select {
	case <-flight:
	case <-ctx.Done():
		return nil, failed(Unavailable, ctx.Err())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure != nil {
		return nil, failed(Unavailable, p.failure)
	}
	return p.current, nil
}

// cached returns the metadata if it can be used, and otherwise a running fetch or,
// if the last one has just failed, its error.
func (p *Provider) cached() (*metadata, <-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.settings.Now()
	usable := p.current != nil && now.Sub(p.fetched) < maxStale
	if usable && now.Sub(p.fetched) < fresh {
		return p.current, nil, nil
	}
	if p.inFlight == nil && (p.tried.IsZero() || now.Sub(p.tried) >= retry) {
		p.inFlight = make(chan struct{})
		go p.refresh(p.inFlight)
	}
	switch {
	case usable:
		return p.current, nil, nil
	case p.inFlight != nil:
		return nil, p.inFlight, nil
	}
	return nil, nil, failed(Unavailable, p.failure)
}

// refresh fetches the metadata and closes done.
func (p *Provider) refresh(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	m, err := p.discover(ctx)
	if err != nil {
		p.settings.Logger.Warn("the metadata of a provider could not be fetched", "provider", p.settings.ID, "cause", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tried, p.failure = p.settings.Now(), err
	if err == nil {
		p.current, p.fetched = m, p.tried
	}
	p.inFlight = nil
	close(done)
}

// discover fetches and checks the document.
func (p *Provider) discover(ctx context.Context) (*metadata, error) {
	issuer := p.settings.Issuer
	doc, err := p.get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", "")
	if err != nil {
		return nil, err
	}
	named := textOf(doc, "issuer")
	// Section 4.3: the issuer must be the one that was asked. Microsoft's common
	// endpoint names the tenant of the user instead.
	if common := strings.Replace(issuer, "/common/", "/"+tenantPart+"/", 1); named != issuer && !(p.hasTenants() && named == common) {
		return nil, invalid(fmt.Sprintf("the metadata is of the issuer %q", named))
	}
	m := &metadata{authURL: textOf(doc, "authorization_endpoint"), tokenURL: textOf(doc, "token_endpoint"), userInfoURL: textOf(doc, "userinfo_endpoint"), keysURL: textOf(doc, "jwks_uri"), endSessionURL: textOf(doc, "end_session_endpoint")}
	if err := m.check(issuer); err != nil {
		return nil, err
	}
	m.sendsIssuer = textOf(doc, "authorization_response_iss_parameter_supported") == "true"
	m.style = styleOf(doc)
	return m, p.setKeys(m, named, algorithmsOf(doc))
}

// check checks the announced addresses. Those of an issuer with TLS must have TLS.
func (m *metadata) check(issuer string) error {
	addresses := map[string]string{"authorization_endpoint": m.authURL, "token_endpoint": m.tokenURL, "jwks_uri": m.keysURL}
	if m.userInfoURL != "" {
		addresses["userinfo_endpoint"] = m.userInfoURL
	}
	if m.endSessionURL != "" {
		addresses["end_session_endpoint"] = m.endSessionURL
	}
	for name, address := range addresses {
		if err := checkURL(name, address); err != nil {
			return failed(Invalid, err)
		}
		if strings.HasPrefix(issuer, "https:") && !strings.HasPrefix(address, "https:") {
			return invalid(name + " must be an https URL")
		}
	}
	return nil
}

// setKeys sets what verifies ID tokens. Keys that are cached for the same address
// and algorithms stay.
func (p *Provider) setKeys(m *metadata, issuer string, algorithms []jwt.Algorithm) (err error) {
	p.mu.Lock()
	old := p.current
	p.mu.Unlock()
	if old != nil && old.keysURL == m.keysURL {
		m.keys = old.keys
	} else if m.keys, err = jwks.New(m.keysURL, jwks.Options{
		Algorithms: algorithms, Transport: p.client.Transport, Timeout: timeout, InsecureHTTP: strings.HasPrefix(m.keysURL, "http:"), Interval: 5 * time.Second,
		OnError: func(err error) {
			p.settings.Logger.Warn("the keys of a provider", "provider", p.settings.ID, "cause", err)
		},
	}); err != nil {
		return failed(Invalid, err)
	}
	rules := jwt.Rules{
		Issuer: issuer, Audience: []string{p.settings.ClientID}, Require: []string{"sub", "iat"}, Leeway: leeway, Now: p.settings.Now,
		Types: []string{"", "JWT"}, // not a logout token or an access token
	}
	if strings.Contains(issuer, tenantPart) {
		rules.Issuer, rules.Require = "", append(rules.Require, "iss", "tid") // checkTenant compares them
	}
	if m.idTokens, err = jwt.NewVerifier[jwt.Raw](m.keys, rules); err != nil {
		return failed(Invalid, err)
	}
	if p.Native() {
		native := rules
		native.Audience = p.settings.NativeClientIDs
		if m.nativeTokens, err = jwt.NewVerifier[jwt.Raw](m.keys, native); err != nil {
			return failed(Invalid, err)
		}
	}
	rules.Types = append(rules.Types, "logout+jwt") // recommended, not required
	rules.Require = append(slices.DeleteFunc(slices.Clone(rules.Require), func(name string) bool { return name == "sub" }), "jti", "events")
	if m.logoutTokens, err = jwt.NewVerifier[jwt.Raw](m.keys, rules); err != nil {
		return failed(Invalid, err)
	}
	return nil
}

// signing lists the algorithms of ID tokens: those with a public key. A token that
// the client secret signs (HS256) could come from anyone who knows that secret.
var signing = []jwt.Algorithm{jwt.RS256, jwt.RS384, jwt.RS512, jwt.PS256, jwt.PS384, jwt.PS512, jwt.ES256, jwt.ES384, jwt.ES512, jwt.EdDSA}

func algorithmsOf(doc jwt.Raw) []jwt.Algorithm {
	names := listOf(doc, "id_token_signing_alg_values_supported")
	if len(names) == 0 {
		return []jwt.Algorithm{jwt.RS256} // OpenID Connect Discovery 1.0 section 3 requires it
	}
	algorithms := []jwt.Algorithm{} // not nil, which would allow any
	for _, alg := range signing {
		if slices.Contains(names, string(alg)) {
			algorithms = append(algorithms, alg)
		}
	}
	return algorithms
}

// styleOf returns how the client authenticates. It is never tried out: an attempt that
// fails would use up the code.
func styleOf(doc jwt.Raw) oauth2.AuthStyle {
	methods := listOf(doc, "token_endpoint_auth_methods_supported")
	if len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// textOf returns a member that is a string, or the text of another value.
func textOf(doc jwt.Raw, name string) string {
	value, ok := doc.Member(name)
	if !ok || value == "null" {
		return ""
	}
	if text, ok := value.Text(); ok {
		return text
	}
	return string(value)
}

// listOf returns the texts of a member that is an array.
func listOf(doc jwt.Raw, name string) (list []string) {
	value, _ := doc.Member(name)
	elements, _ := value.Elements()
	for _, e := range elements {
		if text, ok := e.Text(); ok {
			list = append(list, text)
		}
	}
	return list
}

var errNoIDToken = errors.New("the response has no id_token")
