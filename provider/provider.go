// Package provider signs people in with the accounts that they have at another
// site: an OpenID Connect issuer, or an OAuth 2 provider with an endpoint that
// describes the user.
//
// A program with a jotgate.Gate needs only [New] and jotgate.Settings.Providers, which
// is the safe choice: the gate and package pages do the rest.
//
//	google, err := provider.New(provider.Settings{ID: "google", ClientID: id, ClientSecret: secret})
//	gate, err := jotgate.New(jotgate.Settings{SecretKey: key, Providers: []*provider.Provider{google}}, db)
//
// The protocol alone, without accounts, cookies and sessions, is Provider.Begin and
// Provider.Finish:
//
//	address, flow, err := google.Begin(ctx, "https://example.com/callback", false)
//	// Keep flow where only this browser can return it, and redirect the browser to address.
//	verified, err := google.Finish(ctx, flow, r.Form) // in the handler of /callback
//
// Only the authorization code flow is used, always with PKCE (S256), state and,
// with OpenID Connect, a nonce (RFC 9700 section 2.1). A code that arrives from
// another issuer is refused (RFC 9207). ID tokens are verified with package jwt
// against the issuer's published keys: never with the client secret, and never
// without a signature. Metadata and keys are cached, and fetched again in the
// background. A response of a provider is at most 1 MiB, takes at most 5 seconds
// and may not redirect.
package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/jotgate/jotgate/jwt"
)

// Settings describe one provider. A preset (see Presets) needs ID, ClientID and
// ClientSecret. Another OpenID Connect issuer also needs Issuer, and an OAuth 2
// provider AuthURL, TokenURL, UserInfoURL and Claims. URLs must be https, except those
// of a loopback host. The zero value of each other option is the safe choice.
type Settings struct {
	// ID is the name of the provider in paths and in the column provider of
	// socialaccount_socialaccount: 1 to 30 lower-case letters, digits, - and _.
	ID string
	// Preset is one of Presets, or "". Default: the preset named as ID, if there is
	// one and neither Issuer nor AuthURL is set.
	Preset string
	// Name is shown to users. Default: the preset's name, or ID.
	Name string

	ClientID     string   // given by the provider when this site is registered there
	ClientSecret string   // empty: a public client, which has PKCE alone
	Issuer       string   // the URL of the OpenID Connect issuer, exactly as it writes it
	Scopes       []string // default: the preset's, or openid email profile

	// AuthURL, TokenURL and UserInfoURL are the endpoints of an OAuth 2 provider
	// without OpenID Connect; the last one describes the user in JSON.
	AuthURL, TokenURL, UserInfoURL string

	// Claims names the members of the ID token and of the response of UserInfoURL,
	// with . between an object and its member: of uid, username, email,
	// email_verified, name, given_name, family_name and groups. Default: those of OpenID
	// Connect, with sub for uid.
	Claims map[string]string

	// TrustEmail says that an address whose email_verified is true belongs to the
	// user. It is for providers that check addresses; some of the presets do.
	TrustEmail bool
	// Tenant is the id of the only Microsoft tenant whose users may sign in. Its
	// addresses are trusted. Default: common, whose addresses are trusted only with
	// the claim xms_edov.
	Tenant string
	// MultiACR and MultiAMR are values of the claims acr and amr of the ID token with
	// which the provider says that it asked for two factors. Default: none, so that
	// signing in with the provider is one factor.
	MultiACR, MultiAMR []string
	// Groups names the groups here that a login with the provider gives, by the value
	// that the claim groups contains (see Claims). Groups that are not named here stay as
	// they are; those that are end if the claim lacks their values. Default: none.
	Groups map[string]string
	// Staff and Superuser are values of the claim groups with which a login makes the
	// user staff or a superuser; a login without them ends that, even if it was granted
	// in another way. Default: none, a provider grants and ends neither.
	Staff, Superuser []string
	// Logout leads a user who signs out here to the provider's end_session_endpoint,
	// which also ends the session there. Default: the user stays signed in there.
	Logout bool

	// NativeClientIDs are further client ids at this provider: those of apps that sign
	// users in with the provider's SDK and send the ID token (see VerifyNative).
	// Default: none, such tokens are refused.
	NativeClientIDs []string

	// TeamID, KeyID and PrivateKey (PEM) make the client secret of Apple.
	TeamID, KeyID, PrivateKey string

	Transport http.RoundTripper // sends requests; default: one for this provider, which respects HTTPS_PROXY
	Now       func() time.Time  // the clock; default: time.Now
	Logger    *slog.Logger      // receives fetches that failed; default: none
}

// Provider is a provider to sign in with. It is safe for concurrent use.
type Provider struct {
	settings Settings
	kind     preset
	own      bool // the addresses are those of the preset
	client   *http.Client
	apple    *jwt.Key // signs client secrets

	mu       sync.Mutex
	current  *metadata     // nil before the first success
	fetched  time.Time     // of current
	tried    time.Time     // when the last fetch ended
	failure  error         // of the last fetch
	inFlight chan struct{} // closed when the running fetch ends; nil if none is running
}

var validID = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// New returns a provider. It makes no request.
func New(s Settings) (*Provider, error) {
	p, err := newProvider(s)
	if err != nil {
		return nil, fmt.Errorf("provider %q: %w", s.ID, err)
	}
	return p, nil
}

func newProvider(s Settings) (*Provider, error) {
	if len(s.ID) > 30 || !validID.MatchString(s.ID) {
		return nil, errors.New("the id must be 1 to 30 lower-case letters, digits, - and _")
	}
	if s.Preset == "" && s.Issuer == "" && s.AuthURL == "" {
		s.Preset = s.ID
	}
	p := &Provider{settings: s}
	if s.Preset != "" {
		var known bool
		if p.kind, known = presets[s.Preset]; !known && s.Preset == s.ID {
			return nil, fmt.Errorf("set issuer (OpenID Connect), or auth_url, token_url and userinfo_url (OAuth 2); only %s need neither", strings.Join(Presets(), ", "))
		} else if !known {
			return nil, fmt.Errorf("there is no preset %q, only %s", s.Preset, strings.Join(Presets(), ", "))
		}
		p.own = s.Issuer == "" && s.AuthURL == "" && s.TokenURL == "" && s.UserInfoURL == ""
	}
	p.fillIn()
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := p.readAppleKey(); err != nil {
		return nil, err
	}
	p.client = newClient(p.settings.Transport)
	return p, nil
}

// fillIn sets the defaults.
func (p *Provider) fillIn() {
	s, k := &p.settings, &p.kind
	if s.Issuer == "" && s.AuthURL == "" {
		s.Issuer = k.issuer
		if s.Tenant != "" {
			s.Issuer = strings.Replace(s.Issuer, "/common/", "/"+s.Tenant+"/", 1)
		}
	}
	if s.Issuer == "" {
		s.AuthURL, s.TokenURL, s.UserInfoURL = cmp.Or(s.AuthURL, k.authURL), cmp.Or(s.TokenURL, k.tokenURL), cmp.Or(s.UserInfoURL, k.userInfoURL)
	}
	if len(s.Scopes) == 0 {
		s.Scopes = k.scopes
	}
	if len(s.Scopes) == 0 && s.Issuer != "" {
		s.Scopes = []string{"openid", "email", "profile"}
	}
	s.Name = cmp.Or(s.Name, k.name, s.ID)
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
}

var validTenant = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// check reports what is wrong with the settings, by the names of the configuration
// file.
func (p *Provider) check() error {
	s := &p.settings
	if s.ClientID == "" {
		return errors.New("set client_id, which the provider gives when you register this site")
	}
	if s.Tenant != "" && (s.Preset != "microsoft" || !validTenant.MatchString(s.Tenant)) {
		return errors.New("tenant is the id of a Microsoft tenant, such as 72f988bf-86f1-41af-91ab-2d7cd011db47")
	}
	if slices.Contains(s.NativeClientIDs, "") || len(s.NativeClientIDs) > 0 && s.Issuer == "" {
		return errors.New("native_client_ids are the client ids of apps at an OpenID Connect issuer")
	}
	for name := range s.Claims {
		if !slices.Contains(claimNames, name) {
			return fmt.Errorf("claims: there is no %q, only %s", name, strings.Join(claimNames, ", "))
		}
	}
	if s.Issuer != "" {
		if s.AuthURL != "" || s.TokenURL != "" || s.UserInfoURL != "" {
			return errors.New("an issuer announces its addresses: leave out auth_url, token_url and userinfo_url")
		}
		if !slices.Contains(s.Scopes, "openid") {
			return errors.New("scopes must contain openid")
		}
		return checkURL("issuer", s.Issuer)
	}
	return errors.Join(checkURL("auth_url", s.AuthURL), checkURL("token_url", s.TokenURL), checkURL("userinfo_url", s.UserInfoURL))
}

// checkURL reports that an address is not one that a provider can have.
func checkURL(name, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		return fmt.Errorf("%s must be an https URL", name)
	}
	return nil
}

// isLoopback reports whether requests to the host stay on this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ID returns Settings.ID.
func (p *Provider) ID() string { return p.settings.ID }

// Name returns the name for users.
func (p *Provider) Name() string { return p.settings.Name }

// Check fetches the metadata and the keys, so that an operator sees what is wrong
// with the configuration. It cannot find a wrong client secret.
func (p *Provider) Check(ctx context.Context) error {
	m, err := p.metadata(ctx)
	if err != nil {
		return err
	}
	if m.keys == nil {
		return nil
	}
	if err := m.keys.Fetch(ctx); err != nil {
		return failed(Unavailable, err)
	}
	return nil
}

// config returns the client of the authorization code flow.
func (p *Provider) config(m *metadata, redirectURL string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.settings.ClientID, ClientSecret: p.settings.ClientSecret, RedirectURL: redirectURL, Scopes: p.settings.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: m.authURL, TokenURL: m.tokenURL, AuthStyle: m.style},
	}
}
