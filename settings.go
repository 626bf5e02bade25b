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

// Settings holds all options of a Gate. Only SecretKey is required; the zero value of
// each other option is the safe choice. docs/settings.md is generated from these
// comments: each has the meaning, the unit, the default, and the name of the equivalent
// setting in Django, SimpleJWT or djoser.
type Settings struct {
	// SecretKey signs tokens (HS256) and links in e-mails, and encrypts the private
	// keys in the database. At least 32 bytes, which should be random. Default: none,
	// required. Django: SECRET_KEY.
	SecretKey Secret
	// SecretKeyFallbacks are earlier secrets that still verify but never sign.
	// Default: none. Django: SECRET_KEY_FALLBACKS.
	SecretKeyFallbacks []Secret
	// InsecureShortSecret allows a SecretKey under 32 bytes, for old Django
	// sites. Default: false.
	InsecureShortSecret bool

	// SigningKey signs instead of SecretKey, with its own algorithm. If the database
	// has keys (key rotate), those are used instead. Default: HS256 with SecretKey.
	// Django: SIMPLE_JWT SIGNING_KEY and ALGORITHM.
	SigningKey *jwt.Key
	// VerifyingKeys are accepted in addition to the signing key. Default: none.
	// Django: SIMPLE_JWT VERIFYING_KEY.
	VerifyingKeys []*jwt.Key

	// KeyRotation is the time after which a new signing key is created and stored in
	// the database; the previous one still verifies until its tokens have expired. At
	// least an hour. Default: 0, keys rotate by command only. Django: none.
	KeyRotation time.Duration
	// KeyAlgorithm is the algorithm of keys that KeyRotation creates: RS…, PS…,
	// ES… or EdDSA. Default: ES256. Django: none.
	KeyAlgorithm jwt.Algorithm

	// AccessTokenLifetime is how long an access token is valid. Whole seconds.
	// Default: 5 minutes. Django: SIMPLE_JWT ACCESS_TOKEN_LIFETIME.
	AccessTokenLifetime time.Duration
	// ForeignTokenLifetime is the maximum lifetime of an access token from another
	// issuer, such as a Django with the same keys. Revocations of users are kept that
	// long, and older tokens without a session are rejected. Whole seconds, at least
	// AccessTokenLifetime. Default: 30 days. Django: the largest SIMPLE_JWT
	// ACCESS_TOKEN_LIFETIME.
	ForeignTokenLifetime time.Duration
	// RefreshTokenLifetime is how long a session lasts without a refresh. Whole
	// seconds. Default: 24 hours. Django: SIMPLE_JWT REFRESH_TOKEN_LIFETIME.
	RefreshTokenLifetime time.Duration
	// SessionLifetime is how long a session lasts in total, however often it is
	// refreshed. No token of the session is valid after that time; the user must log in
	// again. Whole seconds; negative: no limit. Default: 30 days, as NIST SP 800-63B
	// section 4.1.3 requires at its lowest level, or RefreshTokenLifetime if that is
	// longer, so that no token expires sooner than SimpleJWT's would. Django: none;
	// without ROTATE_REFRESH_TOKENS a session of SimpleJWT ends with its first refresh
	// token.
	SessionLifetime time.Duration
	// KeepRefreshTokens keeps the same refresh token for the whole session.
	// Default: false, it rotates at each use. Django: SIMPLE_JWT
	// ROTATE_REFRESH_TOKENS = False.
	KeepRefreshTokens bool
	// RefreshGrace is how long after a rotation the previous refresh token still gets
	// the same new token, for clients that did not receive the response. Negative: not
	// at all. Default: 10 seconds. Django: none.
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
	// Resource is the URL of the API. With it, WWW-Authenticate names the URL of the
	// API's metadata (RFC 9728; see oauth.Resource), so that clients find where to get
	// a token. Default: none. Django: none.
	Resource string
	// HeaderName is the request header that carries the token.
	// Default: Authorization. Django: SIMPLE_JWT AUTH_HEADER_NAME.
	HeaderName string

	// UserIDClaim is the claim that identifies the user. Default: user_id.
	// Django: SIMPLE_JWT USER_ID_CLAIM.
	UserIDClaim string
	// UserIDField is the value of UserIDClaim: id or username. With username, a change
	// of the username ends the sessions of the account, because another person may get
	// the name later. Default: id. Django: SIMPLE_JWT USER_ID_FIELD.
	UserIDField string
	// Claims are the claims about the user in access tokens, from this list: username,
	// email, role, groups, permissions, auth_time, amr, acr. An empty list that is
	// not nil means none. The last three are also in a token without being listed if
	// the user has a second factor or has authenticated again. Default: username,
	// email, role. Django: a custom TokenObtainPairSerializer.
	Claims []string
	// CustomClaims returns further claims of an access token. It is called at each
	// login and each refresh, and may be called concurrently. A claim that jotgate
	// writes itself is an error. Default: none. Django:
	// TokenObtainPairSerializer.get_token.
	CustomClaims func(ctx context.Context, account *record.Account) (jwt.Object, error)
	// CheckRevokeToken puts a digest of the stored password into tokens. A token is
	// rejected after the password was changed, if the account is read to check it.
	// Default: false. Django: SIMPLE_JWT CHECK_REVOKE_TOKEN.
	CheckRevokeToken bool
	// RevokeTokenClaim is the claim for that digest. Default: hash_password.
	// Django: SIMPLE_JWT REVOKE_TOKEN_CLAIM.
	RevokeTokenClaim string
	// UpdateLastLogin writes last_login at each login. Default: false.
	// Django: SIMPLE_JWT UPDATE_LAST_LOGIN.
	UpdateLastLogin bool

	// LoginField is the name of the login name in requests, responses, paths and
	// messages. Logins also accept "username". With "email", the e-mail address is the
	// login name, and is validated as such. `serve` uses the name of --username-column.
	// Default: username. Django: USERNAME_FIELD.
	LoginField string

	// RequireMFA says which users must have a second factor: none, staff (staff and
	// superusers) or all. If such a user has none, a login needs a further step that
	// sets one up. Default: none. Django: none.
	RequireMFA MFAPolicy
	// RequireMFAGroups are the names of groups whose members must have a second
	// factor, too. Default: none. Django: none.
	RequireMFAGroups []string
	// MFAGrace is how long a user who must have a second factor can still log in
	// without one, from the first such login. Default: 0, not at all. Django: none.
	MFAGrace time.Duration
	// TrustedBrowser is how long no second factor is required in a browser in which one
	// was presented, unless the password or a factor has changed since. Default: 0,
	// each login requires it. Django: allauth MFA_TRUST_ENABLED and
	// MFA_TRUST_COOKIE_AGE.
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
	// LinkVerifiedEmails connects an account at a provider to the account with the same
	// e-mail address, without a question, if both the provider and jotgate have
	// verified the address. The owner is notified. Default: false, the user logs in
	// once in an existing way. Django: allauth
	// SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT.
	LinkVerifiedEmails bool

	// AppRedirects are the applications that may log users in with Providers and get a
	// code for that: origins such as https://app.example.com, with any path, and
	// schemes such as com.example.app:. http is allowed for loopback hosts only;
	// http://127.0.0.1 means all ports of it. Default: none. Django: allauth
	// HEADLESS_FRONTEND_URLS.
	AppRedirects []string

	// LoginCodes lets users log in with a code that is sent to their verified e-mail
	// address, instead of the password; a second factor is still required. The Store
	// must keep codes (its Addresses are record.LoginCodes) and e-mails. Default:
	// false. Django: allauth ACCOUNT_LOGIN_BY_CODE_ENABLED.
	LoginCodes bool

	// RPID is the id of the site to which passkeys belong: a host name such as
	// example.com. Passkeys work on this host and its subdomains, and never with
	// another id. The first passkey stores the id in the database; a different one is
	// then rejected. Default: none, no passkeys; the command takes the host of --url.
	// Django: allauth takes the host of the request.
	RPID string
	// RPOrigins lists the addresses of the pages and apps in which passkeys can be
	// used, such as https://www.example.com or android:apk-key-hash:…. Those outside
	// RPID are allowed by /.well-known/webauthn. Default: https:// and RPID; the
	// command takes --url. Django: none.
	RPOrigins []string
	// StepUpLifetime is how long after authentication a user can change second factors;
	// and, if the account has one, change the e-mail address or the password, and
	// delete the account. Default: 10 minutes. Django: allauth
	// ACCOUNT_REAUTHENTICATION_TIMEOUT.
	StepUpLifetime time.Duration

	// Users is a program's own table of users, which is used instead of auth_user.
	// Default: the Store's accounts. Django: AUTHENTICATION_BACKENDS.
	Users Users

	// NewAccount is called before an account of a sign-up is inserted. It may set all
	// fields of the account, including a.Fields, whose values are written into the
	// columns of these names. If it returns an *Error, that is the response; another
	// error is logged, and the response is 503. Default: none. Django: a model's
	// defaults and its manager's create_user.
	NewAccount func(ctx context.Context, a *record.Account) error

	// Hasher makes the hashes of new passwords. At a login, other hashes are replaced
	// by one of its algorithm and parameters. Default: argon2id, 19 MiB, t=2, p=1.
	// Django: PASSWORD_HASHERS.
	Hasher *passwd.Hasher
	// HashLimits are the most costly stored password hashes that are computed, in the
	// form of Hasher's setting, such as "pbkdf2_sha256:8000000". A login with a
	// costlier hash fails like one with a wrong password, and Logger gets a warning.
	// See passwd.Hasher.WithLimits. An implementation of Users has its own Hasher.
	// Default: about a second of one processor: pbkdf2_sha256:5000000,
	// argon2:m=262144,t=4,p=16, bcrypt:14 and scrypt:n=131072,r=8,p=2. Django: none.
	HashLimits []string
	// HashConcurrency is the maximum number of passwords that are hashed at the same
	// time. Default: one less than the number of processors, at least 1. Django: none.
	HashConcurrency int
	// HashQueue is the maximum number of logins that wait for hashing; further ones get
	// 503 with Retry-After. Default: 64 times HashConcurrency. Django: none.
	HashQueue int
	// HashMemory is the maximum memory for hashing at the same time, in bytes. Default:
	// 256 MiB. Django: none.
	HashMemory int64

	// PasswordResetTimeout is how long reset and activation links are valid.
	// Default: 3 days. Django: PASSWORD_RESET_TIMEOUT.
	PasswordResetTimeout time.Duration
	// TimeZone is Django's TIME_ZONE, since Django counts the seconds of reset links by
	// its local time. Default: UTC. Django: TIME_ZONE.
	TimeZone *time.Location
	// DjoserLinks makes activation and username links valid as reset links, too, as
	// djoser's are, so that jotgate and djoser accept the links of each other. Default:
	// false, a link serves one purpose, and only password links are shared. Django:
	// none.
	DjoserLinks bool
	// ImmediateEmailChange makes a new e-mail address take effect immediately, as
	// in djoser. Default: false, it takes effect when its owner follows the link
	// that is sent there, and the previous address can undo the change for seven
	// days. Django: djoser always does so.
	ImmediateEmailChange bool
	// ListedEmailsOnly sends messages only to addresses that account_emailaddress lists
	// as verified. Default: false, the address of an account without a row in that
	// table also counts as verified, because the account is older than the table, or
	// was created by a Django without allauth. Django: none.
	ListedEmailsOnly bool
	// EmailLimit is the maximum number of messages of one kind to one address, and
	// about one account. After that, further ones are rejected until an hour has passed
	// since the last. Negative: no limit. Default: 5. Django: allauth
	// ACCOUNT_RATE_LIMITS.
	EmailLimit int

	// PasswordRules check new passwords. An empty list that is not nil means none.
	// Default: Django's four (similarity, minimum length 8, common, numeric). Django:
	// AUTH_PASSWORD_VALIDATORS.
	PasswordRules strength.Rules
	// PasswordMinLengthWithoutMFA is the minimum length, in characters, of a new
	// password of an account without a second factor; PasswordRules also apply. NIST SP
	// 800-63B-4 requires 15. Default: 0, only the minimum of PasswordRules. Django:
	// none.
	PasswordMinLengthWithoutMFA int
	// BreachedPasswords is a list of passwords that are rejected when one is set
	// (package passwd/breached). If it cannot be read, the password is accepted and
	// the event password_unchecked recorded. Default: none. Django: none.
	BreachedPasswords breached.List
	// BreachedAtLogin is the list with which the password of a login is compared if it
	// is right. If the list has it, the login continues with StepPassword. A list on
	// this machine does not delay logins. Default: none. Django: none.
	BreachedAtLogin breached.List
	// ServeRevocations keeps a log of revocations in memory, so that Guards in
	// other processes can follow it (Sessions.RevocationFeed). Default: false.
	// Django: none.
	ServeRevocations bool
	// RevocationsRequired makes the gate reject every token with 503 if the revocations
	// could not be read for RevocationMaxAge. Default: false, the gate continues with
	// the revocations that it has. Django: none.
	RevocationsRequired bool
	// RevocationMaxAge is the maximum age of the revocation list with
	// RevocationsRequired. Default: 10 seconds. Django: none.
	RevocationMaxAge time.Duration

	// RememberTokens is the number of verified tokens to cache, so that verifying a
	// token again needs neither a signature check nor decoding; see
	// GuardSettings.RememberTokens. Default: 0, none. Django: none.
	RememberTokens int
	// RememberCredentials is the number of verified credentials other than access
	// tokens, such as API keys, to cache; about 1 KiB each. One that is not cached is
	// looked up. Default: 10,000. Django: none.
	RememberCredentials int

	// OnError sends the response to a request that Require rejects. Default: e.Respond,
	// which sends the error as JSON. Django: EXCEPTION_HANDLER.
	OnError func(w http.ResponseWriter, r *http.Request, e *Error)
	// OnEvent is called with each event that is logged (record.EventKinds), for
	// webhooks and metrics. It is called before the response, and by many goroutines
	// concurrently, so it should pass the event on and return; a panic is logged. ctx
	// ends with the request. Default: none. Django: signals such as user_logged_in.
	OnEvent func(ctx context.Context, e record.Event)
	// Metrics counts what the gate does, and what packages api and pages do with it. A
	// Store and a mail.Sender have an option of the same name. Default: none. Django:
	// none.
	Metrics *metrics.Registry
	// EventRetention is how long the audit trail is kept. Default: 90 days.
	// Django: none.
	EventRetention time.Duration

	// Logger receives the messages for the operator. Default: slog.Default().
	// Django: LOGGING.
	Logger *slog.Logger
	// Now is the clock, for tests. Default: time.Now. Django: none.
	Now func() time.Time
}

// MFAPolicy says which users must have a second factor. The zero value is MFANone.
type MFAPolicy string

// The values of Settings.RequireMFA.
const (
	MFANone  MFAPolicy = "none"
	MFAStaff MFAPolicy = "staff"
	MFAAll   MFAPolicy = "all"
)

// Secret is a string that is never shown: when it is formatted, logged or encoded, the
// result is "redacted". Convert it to a string to use it.
type Secret string

// String hides the secret.
func (Secret) String() string { return "redacted" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return `jotgate.Secret("redacted")` }

// LogValue hides the secret from log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("redacted") }

// MarshalText hides the secret from encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte("redacted"), nil }

// Users is the interface between a Gate and a program's own table of users; see
// Settings.Users. The methods may be called concurrently.
type Users interface {
	// UserByLogin returns the user with this login name. The error is ErrNotFound if
	// there is none.
	UserByLogin(ctx context.Context, login string) (*record.Account, error)
	// UserByID returns the user whose Account.ID is id. The error is ErrNotFound if
	// there is none.
	UserByID(ctx context.Context, id record.UserID) (*record.Account, error)
	// CheckPassword reports whether the password is the account's. account is nil if
	// there is no such user: then it must return false and should take the same time.
	CheckPassword(ctx context.Context, account *record.Account, password string) (bool, error)
}
