package jotgate

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/record"
)

// Settings is every option of a Gate. The zero value of each is the safe
// choice; only SecretKey must be given. docs/settings.md is made from these
// comments: each says what it means, its unit and default, and the name of
// the setting in Django, SimpleJWT or djoser that it stands for.
type Settings struct {
	// SecretKey signs tokens (HS256) and reset links, and encrypts private
	// keys at rest. At least 32 bytes. Default: none, required.
	// Django: SECRET_KEY.
	SecretKey Secret
	// SecretKeyFallbacks are earlier secrets that still verify, never sign.
	// Default: none. Django: SECRET_KEY_FALLBACKS.
	SecretKeyFallbacks []Secret
	// InsecureShortSecret allows a SecretKey under 32 bytes, for old Django
	// sites. Default: false.
	InsecureShortSecret bool

	// SigningKey signs instead of SecretKey, with the algorithm it carries.
	// Keys kept in the database (key rotate) come before it. Default: HS256
	// with SecretKey. Django: SIMPLE_JWT SIGNING_KEY and ALGORITHM.
	SigningKey *jwt.Key
	// VerifyingKeys are accepted besides the signing key. Default: none.
	// Django: SIMPLE_JWT VERIFYING_KEY.
	VerifyingKeys []*jwt.Key

	// KeyRotation makes a new signing key, kept in the database, this often;
	// the one before it goes on verifying until its tokens have expired.
	// At least an hour. Default: 0, keys rotate by command only. Django: none.
	KeyRotation time.Duration
	// KeyAlgorithm is the algorithm of keys that KeyRotation makes: RS…, PS…,
	// ES… or EdDSA. Default: ES256. Django: none.
	KeyAlgorithm jwt.Algorithm

	// AccessTokenLifetime is how long an access token opens the gate.
	// Whole seconds. Default: 5 minutes. Django: SIMPLE_JWT ACCESS_TOKEN_LIFETIME.
	AccessTokenLifetime time.Duration
	// ForeignTokenLifetime is the longest life of an access token that another
	// issuer, such as a Django with the same keys, makes: revocations of users
	// are held that long, and a token without a session that is older is refused.
	// Whole seconds, at least AccessTokenLifetime. Default: 30 days.
	// Django: the largest SIMPLE_JWT ACCESS_TOKEN_LIFETIME.
	ForeignTokenLifetime time.Duration
	// RefreshTokenLifetime is how long a session lives without a refresh.
	// Whole seconds. Default: 24 hours. Django: SIMPLE_JWT REFRESH_TOKEN_LIFETIME.
	RefreshTokenLifetime time.Duration
	// SessionLifetime is how long a session lives in all, however often it is
	// refreshed: no token of it is good for longer, and then the user logs in
	// again. Whole seconds; negative: without end. Default: 30 days, as NIST
	// SP 800-63B section 4.1.3 asks for at its lowest level, or
	// RefreshTokenLifetime where that is longer, so that no token ends sooner
	// than SimpleJWT's would. Django: none; without ROTATE_REFRESH_TOKENS a
	// session of SimpleJWT ends with its first refresh token.
	SessionLifetime time.Duration
	// KeepRefreshTokens leaves the refresh token the same for the whole
	// session. Default: false, it rotates at each use.
	// Django: SIMPLE_JWT ROTATE_REFRESH_TOKENS = False.
	KeepRefreshTokens bool
	// RefreshGrace is how long after a rotation the token before it is
	// answered with the same new token, for clients whose answer got lost.
	// Negative: not at all. Default: 10 seconds. Django: none.
	RefreshGrace time.Duration
	// KeepSessionsOnPasswordChange leaves the other sessions alone when a
	// password changes. Default: false, they end.
	// Django: djoser LOGOUT_ON_PASSWORD_CHANGE (DRF tokens only).
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
	// HeaderTypes are the words accepted before the token in the
	// Authorization header; the first is named in WWW-Authenticate. Letter
	// case counts, as in Django. Default: Bearer, Token.
	// Django: SIMPLE_JWT AUTH_HEADER_TYPES.
	HeaderTypes []string
	// HeaderName is the request header that carries the token.
	// Default: Authorization. Django: SIMPLE_JWT AUTH_HEADER_NAME.
	HeaderName string

	// UserIDClaim is the claim that says who the user is. Default: user_id.
	// Django: SIMPLE_JWT USER_ID_CLAIM.
	UserIDClaim string
	// UserIDField is what that claim holds: id or username. Default: id.
	// Django: SIMPLE_JWT USER_ID_FIELD.
	UserIDField string
	// Claims are the facts about the user in access tokens, of: username,
	// email, role, groups, permissions. An empty, non-nil list is none.
	// Default: username, email, role. Django: a custom TokenObtainPairSerializer.
	Claims []string
	// CustomClaims adds claims of your own to access tokens; it is called at
	// login and at each refresh. Names that jotgate writes are refused.
	// Default: none. Django: TokenObtainPairSerializer.get_token.
	CustomClaims func(ctx context.Context, account *record.Account) (jwt.Object, error)
	// CheckRevokeToken puts a digest of the stored password into tokens and
	// refuses tokens after the password changed, wherever the account is
	// read. Default: false. Django: SIMPLE_JWT CHECK_REVOKE_TOKEN.
	CheckRevokeToken bool
	// RevokeTokenClaim is the claim for that digest. Default: hash_password.
	// Django: SIMPLE_JWT REVOKE_TOKEN_CLAIM.
	RevokeTokenClaim string
	// UpdateLastLogin writes last_login at each login. Default: false.
	// Django: SIMPLE_JWT UPDATE_LAST_LOGIN.
	UpdateLastLogin bool

	// LoginField is what the login name is called: in a login, where "username"
	// is understood besides, in a sign-up, in answers, in what is said of a
	// password too like it, and in the paths and bodies that change it. With
	// "email" users have no other name, and it is judged as an address. `serve`
	// takes the name of --username-column. Default: username.
	// Django: USERNAME_FIELD.
	LoginField string

	// Users takes the place of auth_user: a program's own users table.
	// Default: the Store's accounts. Django: AUTHENTICATION_BACKENDS.
	Users Users

	// Hasher makes new password hashes and is what older ones are upgraded
	// to at login. Default: argon2id, 19 MiB, t=2, p=1.
	// Django: PASSWORD_HASHERS.
	Hasher *passwd.Hasher
	// HashLimits are the most costly stored password hashes that are computed,
	// in the form of Hasher's setting, such as "pbkdf2_sha256:8000000". A login
	// with a costlier hash fails like one with a wrong password, and Logger
	// gets a warning. See passwd.Hasher.WithLimits; Users of a program's own
	// have a Hasher of their own. Default: about a second of one processor:
	// pbkdf2_sha256:5000000, argon2:m=262144,t=4,p=16, bcrypt:14 and
	// scrypt:n=131072,r=8,p=2. Django: none.
	HashLimits []string
	// HashConcurrency is how many passwords may be hashed at the same time.
	// Default: one less than the processors, at least 1. Django: none.
	HashConcurrency int
	// HashQueue is how many logins may wait to be hashed; further ones get
	// 503 with Retry-After. Default: 64 times HashConcurrency. Django: none.
	HashQueue int
	// HashMemory is how many bytes hashing may use at once. Default: 256 MiB.
	// Django: none.
	HashMemory int64

	// PasswordResetTimeout is how long reset and activation links work.
	// Default: 3 days. Django: PASSWORD_RESET_TIMEOUT.
	PasswordResetTimeout time.Duration
	// TimeZone is the zone in which Django counts the seconds of reset
	// links. Default: UTC. Django: TIME_ZONE.
	TimeZone *time.Location
	// DjoserLinks makes activation and username links good as reset links,
	// too, as djoser's are, so that each side accepts the other's. Default:
	// false, a link serves one purpose; only password links are shared.
	// Django: none.
	DjoserLinks bool
	// ImmediateEmailChange makes a new e-mail address the account's immediately,
	// as djoser does. Default: false, it takes effect when its owner follows
	// the link that is sent there, and the address before can undo that for
	// seven days. Django: djoser does so always.
	ImmediateEmailChange bool
	// ListedEmailsOnly sends messages only to addresses that
	// account_emailaddress lists as verified. Default: false, the addresses of
	// accounts that the table does not mention at all count as verified: those
	// from before it was made, and those made by a Django without allauth.
	// Django: none.
	ListedEmailsOnly bool
	// EmailLimit is how many messages of one kind are sent to one address, and
	// about one account, before there is a pause: further ones are refused until
	// an hour has passed since the last. Negative: no limit. Default: 5.
	// Django: allauth ACCOUNT_RATE_LIMITS.
	EmailLimit int

	// PasswordRules judge new passwords. Default: Django's four (similarity,
	// minimum length 8, common, numeric); an empty, non-nil list is none.
	// Django: AUTH_PASSWORD_VALIDATORS.
	PasswordRules strength.Rules
	// ServeRevocations keeps a log of revocations in memory, so that Guards
	// elsewhere can follow it (Gate.RevocationFeed). Default: false.
	// Django: none.
	ServeRevocations bool
	// RevocationsRequired makes the gate refuse every token with 503 while it
	// has not heard of revocations for RevocationMaxAge. Default: false, it
	// goes on with what it knows. Django: none.
	RevocationsRequired bool
	// RevocationMaxAge is how old the news of revocations may be before
	// RevocationsRequired acts. Default: 10 seconds. Django: none.
	RevocationMaxAge time.Duration

	// RememberTokens is how many verified tokens to cache, so that a token
	// that is presented again costs neither a signature check nor decoding;
	// see GuardSettings.RememberTokens. Default: 0, none. Django: none.
	RememberTokens int

	// OnError answers in place of the JSON that Require sends; e.Respond is
	// what it would have done. Default: that. Django: EXCEPTION_HANDLER.
	OnError func(w http.ResponseWriter, r *http.Request, e *Error)
	// OnEvent is called with each event that is logged (record.EventKinds), for
	// webhooks and metrics. It is called synchronously, before the response and
	// by many goroutines concurrently, so it should hand the event on and return;
	// a panic is logged. ctx ends with the request. Default: none. Django: signals such as
	// user_logged_in.
	OnEvent func(ctx context.Context, e record.Event)
	// EventRetention is how long the audit trail is kept. Default: 90 days.
	// Django: none.
	EventRetention time.Duration

	// Logger takes what the operator should read. Default: slog.Default().
	// Django: LOGGING.
	Logger *slog.Logger
	// Now is the clock. Default: time.Now. Django: none.
	Now func() time.Time
}

// Secret is a string that does not print: formatted, logged or encoded, it
// says "redacted".
type Secret string

// String hides the secret.
func (Secret) String() string { return "redacted" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return `jotgate.Secret("redacted")` }

// LogValue hides the secret from log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("redacted") }

// MarshalText hides the secret from encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte("redacted"), nil }
