package jotgate

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/breached"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// Settings holds all options of a Gate. The zero value of each is the safe
// choice; only SecretKey is required. docs/settings.md is generated from
// these comments: each states the meaning, the unit, the default, and the
// name of the equivalent setting in Django, SimpleJWT or djoser.
type Settings struct {
	// SecretKey signs tokens (HS256) and reset links, and encrypts private
	// keys at rest. At least 32 bytes. Default: none, required.
	// Django: SECRET_KEY.
	SecretKey Secret
	// SecretKeyFallbacks are earlier secrets that still verify but never sign.
	// Default: none. Django: SECRET_KEY_FALLBACKS.
	SecretKeyFallbacks []Secret
	// InsecureShortSecret allows a SecretKey under 32 bytes, for old Django
	// sites. Default: false.
	InsecureShortSecret bool

	// SigningKey signs instead of SecretKey, with the algorithm it carries. Keys
	// kept in the database (key rotate) take precedence. Default: HS256 with
	// SecretKey. Django: SIMPLE_JWT SIGNING_KEY and ALGORITHM.
	SigningKey *jwt.Key
	// VerifyingKeys are accepted in addition to the signing key. Default: none.
	// Django: SIMPLE_JWT VERIFYING_KEY.
	VerifyingKeys []*jwt.Key

	// KeyRotation creates a new signing key, kept in the database, this often;
	// the previous one still verifies until its tokens have expired. At least an
	// hour. Default: 0, keys rotate by command only. Django: none.
	KeyRotation time.Duration
	// KeyAlgorithm is the algorithm of keys that KeyRotation creates: RS…, PS…,
	// ES… or EdDSA. Default: ES256. Django: none.
	KeyAlgorithm jwt.Algorithm

	// AccessTokenLifetime is how long an access token is valid. Whole seconds.
	// Default: 5 minutes. Django: SIMPLE_JWT ACCESS_TOKEN_LIFETIME.
	AccessTokenLifetime time.Duration
	// ForeignTokenLifetime is the longest lifetime of an access token from
	// another issuer, such as a Django with the same keys: revocations of users
	// are kept that long, and a token without a session that is older is
	// rejected. Whole seconds, at least AccessTokenLifetime. Default: 30 days.
	// Django: the largest SIMPLE_JWT ACCESS_TOKEN_LIFETIME.
	ForeignTokenLifetime time.Duration
	// RefreshTokenLifetime is how long a session lives without a refresh.
	// Whole seconds. Default: 24 hours. Django: SIMPLE_JWT REFRESH_TOKEN_LIFETIME.
	RefreshTokenLifetime time.Duration
	// SessionLifetime is how long a session lives in total, however often it is
	// refreshed: none of its tokens is valid for longer, and then the user must
	// log in again. Whole seconds; negative: no limit. Default: 30 days, as NIST
	// SP 800-63B section 4.1.3 requires at its lowest level, or
	// RefreshTokenLifetime if that is longer, so that no token expires sooner
	// than SimpleJWT's would. Django: none; without ROTATE_REFRESH_TOKENS a
	// session of SimpleJWT ends with its first refresh token.
	SessionLifetime time.Duration
	// KeepRefreshTokens keeps the same refresh token for the whole session.
	// Default: false, it rotates at each use. Django: SIMPLE_JWT
	// ROTATE_REFRESH_TOKENS = False.
	KeepRefreshTokens bool
	// RefreshGrace is how long after a rotation the previous token still gets the
	// same new token, for clients whose response was lost. Negative: not at all.
	// Default: 10 seconds. Django: none.
	RefreshGrace time.Duration
	// KeepSessionsOnPasswordChange keeps the other sessions when a password
	// changes. Default: false, they end. Django: djoser LOGOUT_ON_PASSWORD_CHANGE
	// (DRF tokens only).
	KeepSessionsOnPasswordChange bool

	// Issuer is written into tokens and required in them. Default: none.
	// Django: SIMPLE_JWT ISSUER.
	Issuer string
	// Audience is written into tokens; a token must name one of them.
	// Default: none. Django: SIMPLE_JWT AUDIENCE.
	Audience []string
	// Leeway is the clock skew allowed in exp, nbf and iat. 0 to 10 minutes.
	// Default: 0. Django: SIMPLE_JWT LEEWAY.
	Leeway time.Duration
	// HeaderTypes are the schemes accepted before the token in the Authorization
	// header, in any letter case; the first is named in WWW-Authenticate.
	// Default: Bearer, Token. Django: SIMPLE_JWT AUTH_HEADER_TYPES.
	HeaderTypes []string
	// Resource is the URL of the API. WWW-Authenticate names the URL of its metadata
	// (RFC 9728; see oauth.Resource), so that clients find where to get a token.
	// Default: none. Django: none.
	Resource string
	// HeaderName is the request header that carries the token.
	// Default: Authorization. Django: SIMPLE_JWT AUTH_HEADER_NAME.
	HeaderName string

	// UserIDClaim is the claim that identifies the user. Default: user_id.
	// Django: SIMPLE_JWT USER_ID_CLAIM.
	UserIDClaim string
	// UserIDField is the value of that claim: id or username. With username, a
	// change of the name ends the sessions of the account, because the next owner
	// of the name may be another person. Default: id. Django: SIMPLE_JWT
	// USER_ID_FIELD.
	UserIDField string
	// Claims are the facts about the user in access tokens, of: username,
	// email, role, groups, permissions, auth_time, amr, acr. An empty, non-nil
	// list is none. The last three also appear without being listed if the user
	// has a second factor or has authenticated again.
	// Default: username, email, role. Django: a custom TokenObtainPairSerializer.
	Claims []string
	// CustomClaims adds the program's claims to access tokens; it is called at
	// login and at each refresh. It is an error if it sets a claim that jotgate
	// writes. Default: none. Django: TokenObtainPairSerializer.get_token.
	CustomClaims func(ctx context.Context, account *record.Account) (jwt.Object, error)
	// CheckRevokeToken puts a digest of the stored password into tokens and
	// rejects tokens after the password changed, wherever the account is read.
	// Default: false. Django: SIMPLE_JWT CHECK_REVOKE_TOKEN.
	CheckRevokeToken bool
	// RevokeTokenClaim is the claim for that digest. Default: hash_password.
	// Django: SIMPLE_JWT REVOKE_TOKEN_CLAIM.
	RevokeTokenClaim string
	// UpdateLastLogin writes last_login at each login. Default: false.
	// Django: SIMPLE_JWT UPDATE_LAST_LOGIN.
	UpdateLastLogin bool

	// LoginField renames the login name in requests, responses, paths and
	// messages. Logins also accept "username". With "email" users have no other
	// name, and it is validated as an e-mail address. `serve` uses the name of
	// --username-column. Default: username. Django: USERNAME_FIELD.
	LoginField string

	// RequireMFA says who must have a second factor: none, staff (staff and
	// superusers) or all. A login of a user without one then needs a further step
	// that sets one up. Default: none. Django: none.
	RequireMFA MFAPolicy
	// RequireMFAGroups are the names of groups whose members must have a second
	// factor, too. Default: none. Django: none.
	RequireMFAGroups []string
	// MFAGrace is how long a user who must have a second factor can still log in
	// without one, from the first such login on. Default: 0, not at all.
	// Django: none.
	MFAGrace time.Duration
	// TrustedBrowser is how long a browser in which a second factor was presented
	// is not asked for it again. It is asked if the password or a factor has
	// changed since. Default: 0, each login asks. Django: allauth
	// MFA_TRUST_ENABLED and MFA_TRUST_COOKIE_AGE.
	TrustedBrowser time.Duration
	// TOTPGrace is how long after its end the code of the previous 30 seconds is
	// still accepted, at most 30 seconds; negative: not at all. ASVS 6.5.5 allows
	// a code 30 seconds in total. Default: 15 seconds. Django: allauth
	// MFA_TOTP_TOLERANCE.
	TOTPGrace time.Duration
	// MFAIssuer is the name that an authenticator app shows for this site.
	// Default: Issuer, or "jotgate". Django: allauth MFA_TOTP_ISSUER.
	MFAIssuer string
	// Providers are the sites whose accounts can be used to log in, such as Google.
	// Default: none. Django: allauth SOCIALACCOUNT_PROVIDERS.
	Providers []*provider.Provider
	// LinkVerifiedEmails connects an account at a provider to the account that has
	// the same e-mail address, without asking, if both have proved the address. The
	// owner is notified. Default: false, the user logs in once in an existing way.
	// Django: allauth SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT.
	LinkVerifiedEmails bool

	// AppRedirects are the applications that may log users in with Providers and get a
	// code for that: origins such as https://app.example.com, whatever the path, and
	// schemes such as com.example.app:. http is for loopback hosts alone;
	// http://127.0.0.1 stands for each of its ports. Default: none. Django: allauth
	// HEADLESS_FRONTEND_URLS.
	AppRedirects []string

	// LoginCodes lets users log in with a code that is sent to their verified e-mail
	// address, in place of the password; a second factor is still required. The Store
	// must keep codes (its Addresses are record.LoginCodes) and e-mails. Default: false. Django: allauth
	// ACCOUNT_LOGIN_BY_CODE_ENABLED.
	LoginCodes bool

	// RPID is the id of the site to which passkeys belong: a host name such as
	// example.com. They work there and at its subdomains, and never again under
	// another id: the first passkey stores it in the database, and a different one
	// is then refused. Default: none, no passkeys; the command takes the host of
	// --url. Django: allauth takes the host of the request.
	RPID string
	// RPOrigins lists the addresses of the pages and apps in which passkeys can be
	// used, such as https://www.example.com or android:apk-key-hash:…. Those outside
	// RPID are allowed by /.well-known/webauthn. Default: https:// and RPID; the
	// command takes --url. Django: none.
	RPOrigins []string
	// StepUpLifetime is how long after authentication a user can change second
	// factors and, if the account has one, the e-mail address or the password, and
	// delete the account. Default: 10 minutes. Django: allauth
	// ACCOUNT_REAUTHENTICATION_TIMEOUT.
	StepUpLifetime time.Duration

	// Users replaces auth_user: a program's own users table. Default: the Store's
	// accounts. Django: AUTHENTICATION_BACKENDS.
	Users Users

	// NewAccount is called before an account of a sign-up is inserted, and may set
	// any of its members, also a.Fields, which is then written into columns of that
	// name. An *Error is the response; another error is logged and answered 503.
	// Default: none. Django: a model's defaults and its manager's create_user.
	NewAccount func(ctx context.Context, a *record.Account) error

	// Hasher makes new password hashes; older ones are upgraded to its setting at
	// login. Default: argon2id, 19 MiB, t=2, p=1. Django: PASSWORD_HASHERS.
	Hasher *passwd.Hasher
	// HashLimits are the most costly stored password hashes that are computed, in
	// the form of Hasher's setting, such as "pbkdf2_sha256:8000000". A login with
	// a costlier hash fails like one with a wrong password, and Logger gets a
	// warning. See passwd.Hasher.WithLimits; an implementation of Users has its
	// own Hasher. Default: about a second of one processor:
	// pbkdf2_sha256:5000000, argon2:m=262144,t=4,p=16, bcrypt:14 and
	// scrypt:n=131072,r=8,p=2. Django: none.
	HashLimits []string
	// HashConcurrency is how many passwords may be hashed at the same time.
	// Default: one less than the number of processors, at least 1. Django: none.
	HashConcurrency int
	// HashQueue is how many logins may wait to be hashed; further ones get
	// 503 with Retry-After. Default: 64 times HashConcurrency. Django: none.
	HashQueue int
	// HashMemory is how many bytes hashing may use at the same time. Default: 256
	// MiB. Django: none.
	HashMemory int64

	// PasswordResetTimeout is how long reset and activation links are valid.
	// Default: 3 days. Django: PASSWORD_RESET_TIMEOUT.
	PasswordResetTimeout time.Duration
	// TimeZone is the zone in which Django counts the seconds of reset
	// links. Default: UTC. Django: TIME_ZONE.
	TimeZone *time.Location
	// DjoserLinks makes activation and username links valid as reset links, too,
	// as djoser's are, so that jotgate and djoser each accept the other's.
	// Default: false, a link serves one purpose; only password links are shared.
	// Django: none.
	DjoserLinks bool
	// ImmediateEmailChange makes a new e-mail address take effect immediately, as
	// in djoser. Default: false, it takes effect when its owner follows the link
	// that is sent there, and the previous address can undo the change for seven
	// days. Django: djoser always does so.
	ImmediateEmailChange bool
	// ListedEmailsOnly sends messages only to addresses that account_emailaddress
	// lists as verified. Default: false, the addresses of accounts without any
	// row in that table also count as verified: those of accounts that are older
	// than it, or that were created by a Django without allauth. Django: none.
	ListedEmailsOnly bool
	// EmailLimit is how many messages of one kind are sent to one address, and
	// about one account, before a pause: further ones are rejected until an hour
	// has passed since the last. Negative: no limit. Default: 5. Django: allauth
	// ACCOUNT_RATE_LIMITS.
	EmailLimit int

	// PasswordRules check new passwords. Default: Django's four (similarity,
	// minimum length 8, common, numeric); an empty, non-nil list is none. Django:
	// AUTH_PASSWORD_VALIDATORS.
	PasswordRules strength.Rules
	// PasswordMinLengthWithoutMFA is the minimum length, in characters, of a new
	// password of an account without a second factor; PasswordRules also apply.
	// NIST SP 800-63B-4 requires 15. Default: 0, no other than theirs. Django:
	// none.
	PasswordMinLengthWithoutMFA int
	// BreachedPasswords is a list of passwords that are rejected when one is set
	// (package passwd/breached). If it cannot be read, the password is accepted and
	// the event password_unchecked recorded. Default: none. Django: none.
	BreachedPasswords breached.List
	// BreachedAtLogin is the list with which a right password is compared at a
	// login: the login of a user with such a password continues with StepPassword.
	// A list on this machine does not delay logins. Default: none. Django: none.
	BreachedAtLogin breached.List
	// ServeRevocations keeps a log of revocations in memory, so that Guards in
	// other processes can follow it (Sessions.RevocationFeed). Default: false.
	// Django: none.
	ServeRevocations bool
	// RevocationsRequired makes the gate reject every token with 503 if the
	// revocations could not be read for RevocationMaxAge. Default: false, it
	// continues with those that it has. Django: none.
	RevocationsRequired bool
	// RevocationMaxAge is the maximum age of the revocation list with
	// RevocationsRequired. Default: 10 seconds. Django: none.
	RevocationMaxAge time.Duration

	// RememberTokens is how many verified tokens to cache, so that a token
	// that is presented again costs neither a signature check nor decoding;
	// see GuardSettings.RememberTokens. Default: 0, none. Django: none.
	RememberTokens int
	// RememberCredentials is how many verified credentials other than access
	// tokens, such as API keys, to cache; about 1 KiB each. One that is not cached
	// is looked up. Default: 10,000. Django: none.
	RememberCredentials int

	// OnError responds instead of the default, which sends the error as JSON with
	// e.Respond. It is called by Require. Default: e.Respond. Django:
	// EXCEPTION_HANDLER.
	OnError func(w http.ResponseWriter, r *http.Request, e *Error)
	// OnEvent is called with each event that is logged (record.EventKinds), for
	// webhooks and metrics. It is called synchronously, before the response and
	// by many goroutines concurrently, so it should hand the event on and return;
	// a panic is logged. ctx ends with the request. Default: none. Django:
	// signals such as user_logged_in.
	OnEvent func(ctx context.Context, e record.Event)
	// Metrics counts what the gate does, and what the api and pages on it do. A
	// Store and a mail.Sender have an option of the same name. Default: none.
	// Django: none.
	Metrics *metrics.Registry
	// EventRetention is how long the audit trail is kept. Default: 90 days.
	// Django: none.
	EventRetention time.Duration

	// Logger receives the messages for the operator. Default: slog.Default().
	// Django: LOGGING.
	Logger *slog.Logger
	// Now is the clock. Default: time.Now. Django: none.
	Now func() time.Time
}

// MFAPolicy says who must have a second factor.
type MFAPolicy string

// The values of Settings.RequireMFA.
const (
	MFANone  MFAPolicy = "none"
	MFAStaff MFAPolicy = "staff"
	MFAAll   MFAPolicy = "all"
)

// Secret is a string that is not printed: when formatted, logged or encoded,
// it is "redacted".
type Secret string

// String hides the secret.
func (Secret) String() string { return "redacted" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return `jotgate.Secret("redacted")` }

// LogValue hides the secret from log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("redacted") }

// MarshalText hides the secret from encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte("redacted"), nil }

// Users is where a Gate finds users: the Store's accounts or, with
// Settings.Users, a program's own table.
type Users interface {
	// UserByLogin finds the user with this login name. The error is ErrNotFound
	// if there is none.
	UserByLogin(ctx context.Context, login string) (*record.Account, error)
	// UserByID finds a user by the value of an earlier Account.ID. The error is
	// ErrNotFound if there is none.
	UserByID(ctx context.Context, id record.UserID) (*record.Account, error)
	// CheckPassword reports whether the password is the account's. account is nil
	// if there is no such user: then it should take the same time and return
	// false.
	CheckPassword(ctx context.Context, account *record.Account, password string) (bool, error)
}
