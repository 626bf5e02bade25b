package api

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/throttle"
	"github.com/jotgate/jotgate/throttle/shared"
)

// Settings holds the options of the HTTP endpoints. The zero value of each is the
// safe choice and, for an option of djoser, also djoser's default. docs/settings.md
// is generated from these comments.
type Settings struct {
	// SendActivationEmail makes new accounts inactive until the link in an
	// e-mail is followed. With jotgate.Settings.ImmediateEmailChange it also
	// does so after a change of the e-mail address. Default: false. Django: djoser SEND_ACTIVATION_EMAIL.
	SendActivationEmail bool
	// SendConfirmationEmail sends an e-mail when an account becomes active.
	// Default: false. Django: djoser SEND_CONFIRMATION_EMAIL.
	SendConfirmationEmail bool
	// PasswordChangedEmail sends an e-mail when a password was changed.
	// Default: false. Django: djoser PASSWORD_CHANGED_EMAIL_CONFIRMATION.
	PasswordChangedEmail bool
	// UsernameChangedEmail sends an e-mail when a username was changed.
	// Default: false. Django: djoser USERNAME_CHANGED_EMAIL_CONFIRMATION.
	UsernameChangedEmail bool
	// EmailChangedEmail sends an e-mail to the previous, verified address of an
	// account when the address was changed. It leaves out the new one. Without
	// jotgate.Settings.ImmediateEmailChange it is always sent. Default: false.
	// Django: none.
	EmailChangedEmail bool
	// NewSignInEmail sends an e-mail when a user logs in from a network for the
	// first time. Default: false. Django: none.
	NewSignInEmail bool

	// UserCreatePasswordRetype requires re_password at sign-up.
	// Default: false. Django: djoser USER_CREATE_PASSWORD_RETYPE.
	UserCreatePasswordRetype bool
	// SetPasswordRetype requires re_new_password when a password is changed.
	// Default: false. Django: djoser SET_PASSWORD_RETYPE.
	SetPasswordRetype bool
	// PasswordResetConfirmRetype requires re_new_password when a password is reset.
	// Default: false. Django: djoser PASSWORD_RESET_CONFIRM_RETYPE.
	PasswordResetConfirmRetype bool
	// SetUsernameRetype requires re_new_username when a username is changed.
	// Default: false. Django: djoser SET_USERNAME_RETYPE.
	SetUsernameRetype bool
	// UsernameResetConfirmRetype requires re_new_username when a username is reset.
	// Default: false. Django: djoser USERNAME_RESET_CONFIRM_RETYPE.
	UsernameResetConfirmRetype bool

	// InsecurePasswordResetShowEmailNotFound responds with 400 if no account has
	// the address. It discloses which addresses have accounts. Default: false.
	// Django: djoser PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND.
	InsecurePasswordResetShowEmailNotFound bool
	// InsecureUsernameResetShowEmailNotFound is the same for reset_username.
	// Default: false. Django: djoser USERNAME_RESET_SHOW_EMAIL_NOT_FOUND.
	InsecureUsernameResetShowEmailNotFound bool
	// InsecureShowUsers lists all users to every user, and responds with 403
	// instead of 404 to requests for another user.
	// Default: false. Django: djoser HIDE_USERS = False.
	InsecureShowUsers bool
	// EmailChangeNeedsPassword requires current_password when the e-mail is
	// changed. Default: false, as djoser's front ends send none. Django: none.
	EmailChangeNeedsPassword bool

	// Rates limit requests by scope, in the form "5/min" (s, min, h, day).
	// The scopes anon (a network without a token) and user (an account; a
	// network without a token) apply to all endpoints together. The scopes
	// login (also changes of sessions, second factors and API keys), refresh,
	// register, email (requests that send an e-mail), links
	// (requests that follow a link) and revocations (the feed, each page of
	// which is signed) apply to one network at those endpoints. "" means no
	// limit. Requests are counted in this process, and with SharedRates over all
	// nodes. The former name of email, letters, is also accepted. Default: login
	// 60/min, register 20/hour, email 20/hour, links 60/hour, revocations 600/min, the
	// others none.
	// Django: REST_FRAMEWORK DEFAULT_THROTTLE_RATES.
	Rates map[string]string
	// SharedRates also counts the requests to the other nodes of the service, through
	// the database. The program must call its method Run in a goroutine. Default: nil,
	// each process counts its own requests. Django: CACHES, if all processes share one.
	SharedRates *shared.Counter
	// Lockout delays password checks after failures, which are counted in the
	// database for an account and a network. Default: 1 second after 5 failures
	// from one network, doubled by each further one up to 15 minutes; see
	// throttle.Lockout.
	// Django: django-axes AXES_FAILURE_LIMIT, AXES_COOLOFF_TIME.
	Lockout throttle.Lockout
	// TrustedProxies are the addresses and networks whose X-Forwarded-For header
	// is used; "unix" is every peer on a Unix socket, which has no address.
	// Default: none, the header is ignored.
	// Django: REST_FRAMEWORK NUM_PROXIES.
	TrustedProxies []string
	// ForwardedHeader reads Forwarded (RFC 7239) instead of X-Forwarded-For.
	// Default: false. Django: none.
	ForwardedHeader bool

	// AllowedHosts are the names that the Host header may have; ".example.com"
	// allows the domain and all subdomains. Default: any, because no link is made
	// from the header. Django: ALLOWED_HOSTS.
	AllowedHosts []string
	// BaseURL is the public URL of this API, such as https://api.example.com or
	// https://example.com/accounts. Links, the schema and the path of the cookie
	// follow it. Default: none, the links are paths. Django: FORCE_SCRIPT_NAME.
	BaseURL string
	// Prefix is the path that precedes those of all endpoints, such as /accounts.
	// /livez and /readyz are also served without it. An http.StripPrefix around
	// the API does the same; a gateway that removes the path needs only BaseURL.
	// Default: none. Django: none.
	Prefix string
	// CORSOrigins are the origins whose pages may call this API, such as
	// https://app.example.com. Default: none, only the API's own.
	// Django: django-cors-headers CORS_ALLOWED_ORIGINS.
	CORSOrigins []string
	// CORSHeaders are further request headers that those pages may send. Always
	// allowed are django-cors-headers' defaults, X-Request-Id and the header of
	// the token. Default: none. Django: django-cors-headers CORS_ALLOW_HEADERS.
	CORSHeaders []string
	// CORSExposeHeaders are further response headers that those pages may read,
	// in addition to Retry-After, WWW-Authenticate and X-Request-Id.
	// Default: none. Django: django-cors-headers CORS_EXPOSE_HEADERS.
	CORSExposeHeaders []string
	// CORSCredentials lets those pages send requests with cookies, as a front end
	// with withCredentials does. RefreshCookie implies it. Default: false.
	// Django: django-cors-headers CORS_ALLOW_CREDENTIALS.
	CORSCredentials bool
	// RefreshCookie returns the refresh token in a cookie (HttpOnly, Secure,
	// SameSite=Strict) for the paths /api/token and /auth/jwt instead of in the
	// body, and refuses such requests from other sites. Front end and API must be
	// on one site: app.example.com and api.example.com, or one host with two
	// ports; see RefreshCookieSameSite. A refresh without the cookie fails with
	// 401. Default: false. Django: dj-rest-auth JWT_AUTH_REFRESH_COOKIE.
	RefreshCookie bool
	// RefreshCookieSameSite is the SameSite attribute of that cookie: strict, lax
	// or none. With none, pages of CORSOrigins on other sites can use the cookie;
	// it is then Partitioned, so browsers keep one for each site that embeds or
	// shows such a page. Requests of other origins are refused in any case.
	// Default: strict. Django: dj-rest-auth JWT_AUTH_SAMESITE.
	RefreshCookieSameSite string

	// MaxBody is the largest request body in bytes. Default: 65536.
	// Django: DATA_UPLOAD_MAX_MEMORY_SIZE.
	MaxBody int64
	// BodyTimeout is how long a client may take to send a body.
	// Default: 10 seconds. Django: none.
	BodyTimeout time.Duration
	// Timeout is how long a request may take in total, including the wait for
	// the hash pool. Default: 30 seconds. Django: gunicorn --timeout.
	Timeout time.Duration
	// TranslateErrors translates the texts of errors to the language that the request's
	// Accept-Language prefers; codes, the names of fields and the fields of a
	// response stay. E-mails that a request causes are in its language, too.
	// Default: false, errors are English, which clients of Django may compare.
	// Django: LocaleMiddleware.
	TranslateErrors bool
	// Locale holds catalogs such as de.txt, whose messages replace those of
	// TranslateErrors or add a language. Default: none. Django: LOCALE_PATHS.
	Locale fs.FS
	// NoSignup closes the sign-up: POST /auth/users/ fails with 403, and the
	// schema does not contain it. Accounts are then created by command,
	// by Gate.Register or in Django. Default: false. Django: allauth
	// ACCOUNT_ADAPTER is_open_for_signup.
	NoSignup bool
	// APIKeys serves /auth/api-keys/, where users create and revoke the API keys of
	// their programs. Default: none; there are no such endpoints. Django: none.
	APIKeys *apikey.Keys
	// OAuth serves /o/token/, where service accounts get access tokens, /o/introspect/
	// and /o/revoke/. Default: none; there are no such endpoints.
	// Django: django-oauth-toolkit.
	OAuth *oauth.Server
	// NoSchema leaves out /api/schema/ and /api/docs/. Default: false.
	// Django: none.
	NoSchema bool
}

// defaultRates limits what callers without an account may do.
var defaultRates = map[string]string{"login": "60/min", "register": "20/hour", "email": "20/hour", "links": "60/hour", "revocations": "600/min"}

// scopes are the keys of Settings.Rates.
var scopes = []string{"anon", "user", "login", "refresh", "register", "email", "links", "revocations"}

// formerScopes maps former keys of Settings.Rates to today's.
var formerScopes = map[string]string{"letters": "email"}

// fill sets the defaults and rejects settings that contradict each other.
func (s *Settings) fill() error {
	if err := s.fillRates(); err != nil {
		return err
	}
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
	s.Prefix = strings.TrimRight(s.Prefix, "/")
	return s.checkCookie()
}

// fillRates renames former scopes and rejects unknown ones. The caller's map
// stays as it is.
func (s *Settings) fillRates() error {
	rates := make(map[string]string, len(s.Rates))
	for scope, rate := range s.Rates {
		name := cmp.Or(formerScopes[scope], scope)
		if !slices.Contains(scopes, name) {
			//lint:ignore ST1005 Rates is the name of the setting
			return fmt.Errorf("Rates: unknown scope %q; the scopes are %s", scope, strings.Join(scopes, ", "))
		}
		if _, twice := rates[name]; twice {
			//lint:ignore ST1005 Rates is the name of the setting
			return fmt.Errorf("Rates: the scope %s is given twice, also under its former name", name)
		}
		rates[name] = rate
	}
	s.Rates = rates
	return nil
}

// languages returns the catalogs of TranslateErrors; nil without.
func (s *Settings) languages() (*catalog.Catalogs, error) {
	if !s.TranslateErrors {
		return nil, nil
	}
	c, err := catalog.Load(s.Locale)
	if err != nil {
		//lint:ignore ST1005 Locale is the name of the setting
		return nil, fmt.Errorf("Locale: %w", err)
	}
	return c, nil
}

// shell is the part of the settings that the HTTP layer needs.
func (s *Settings) shell(languages *catalog.Catalogs) web.Settings {
	rates := maps.Clone(defaultRates)
	maps.Copy(rates, s.Rates)
	return web.Settings{
		Rates: rates, SharedRates: s.SharedRates, Lockout: s.Lockout, TrustedProxies: s.TrustedProxies, ForwardedHeader: s.ForwardedHeader,
		AllowedHosts: s.AllowedHosts, BaseURL: s.BaseURL, Prefix: s.Prefix, Endpoints: s.reserved(),
		CORS: web.CORSSettings{
			Origins: s.CORSOrigins, Credentials: s.CORSCredentials || s.RefreshCookie,
			Headers: s.CORSHeaders, ExposeHeaders: s.CORSExposeHeaders,
		},
		MaxBody: s.MaxBody, BodyTimeout: s.BodyTimeout, Timeout: s.Timeout, Languages: languages,
	}
}

// trees contain all endpoints; the first three also exist without Settings.Prefix.
var trees = []string{"/.well-known/", "/livez/", "/readyz/", "/api/token/", "/api-token-auth/", "/api/schema/", "/api/docs/", "/auth/", "/o/"}

// reserved returns the paths below which all endpoints are.
func (s *Settings) reserved() []string {
	list := trees[:3:3]
	for _, path := range trees {
		list = append(list, s.Prefix+path)
	}
	return list
}

// Server returns an http.Server for the handler with limits against slow and
// greedy clients: 10 seconds to send the headers, about 32 KiB of headers, and 2
// minutes for an idle connection. It sets no limit for bodies and responses: the
// endpoints have one (Settings.BodyTimeout and Timeout), and a program's own
// handlers must set theirs. The caller starts and stops the server.
func Server(addr string, handler http.Handler) *http.Server { return web.Server(addr, handler) }
