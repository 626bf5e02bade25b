package main

// The flags of jotgate.Settings, in the same order.

import (
	"cmp"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/timezone"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/store"
)

// gateFlags are the flags for making a Gate.
type gateFlags struct {
	databaseFlags
	secretFlags
	tokenFlags
	claimHookFlags
	passwordFlags
	factorFlags
	passkeyFlags
	providerFlags

	resource string // see resourceDefaults
}

type tokenFlags struct {
	AccessTokenLifetime          time.Duration  `group:"tokens" default:"5m" placeholder:"TIME" help:"How long an access token is valid: whole seconds."`
	ForeignTokenLifetime         time.Duration  `group:"tokens" default:"30d" placeholder:"TIME" help:"The longest lifetime of an access token of another issuer, such as a Django site with the same secret. Older ones are rejected."`
	RefreshTokenLifetime         time.Duration  `group:"tokens" default:"1d" placeholder:"TIME" help:"How long a session lasts without a refresh: whole seconds."`
	SessionLifetime              *time.Duration `group:"tokens" placeholder:"TIME" help:"Maximum lifetime of a session, however often it is refreshed: whole seconds; 0s is unlimited. Default: 30d, or --refresh-token-lifetime if that is longer."`
	KeepRefreshTokens            bool           `group:"tokens" help:"Keep the same refresh token for the whole session. Default: it rotates at each use."`
	RefreshGrace                 time.Duration  `group:"tokens" default:"10s" placeholder:"TIME" help:"How long after a rotation the previous token returns the same new one; 0s is never."`
	KeepSessionsOnPasswordChange bool           `group:"tokens" help:"Keep other sessions when a password changes. Default: they end."`
	SigningKey                   string         `group:"tokens" placeholder:"FILE" help:"Sign with the private key in this file (PEM or JWK). Default: HS256 with the secret."`
	SigningAlgorithm             string         `group:"tokens" placeholder:"ALG" help:"The algorithm of that key. Default: the one that the key names or implies."`
	VerifyingKeys                string         `group:"tokens" placeholder:"FILE" help:"Also accept these public keys (PEM, JWK or JWK Set). Default: none."`
	KeyRotation                  time.Duration  `group:"tokens" placeholder:"TIME" help:"Rotate the signing key in the database at this interval, at least 1h. Default: by command only."`
	KeyAlgorithm                 string         `group:"tokens" default:"ES256" placeholder:"ALG" help:"The algorithm of those keys."`
	Issuer                       string         `group:"tokens" placeholder:"ISS" help:"Written into tokens (iss) and required in them. Default: none."`
	Audience                     []string       `group:"tokens" placeholder:"AUD" help:"Written into tokens (aud); one of them is required. Default: none."`
	Leeway                       time.Duration  `group:"tokens" default:"0s" placeholder:"TIME" help:"Maximum difference between clocks: whole seconds up to 10m."`
	HeaderTypes                  []string       `group:"tokens" default:"Bearer,Token" placeholder:"WORD" help:"The words before the token in the header; responses with 401 ask for the first."`
	HeaderName                   string         `group:"tokens" default:"Authorization" placeholder:"NAME" help:"The header that carries the token."`
	UserIDClaim                  string         `group:"tokens" default:"user_id" placeholder:"NAME" help:"The claim that identifies the user."`
	UserIDField                  string         `group:"tokens" default:"id" placeholder:"FIELD" help:"Its content: id or username."`
	Claims                       []string       `group:"tokens" default:"username,email,role" placeholder:"NAME" help:"Facts in access tokens, of ${claims}; or none."`
	CheckRevokeToken             bool           `group:"tokens" help:"Reject tokens issued before a change of password, as SimpleJWT's CHECK_REVOKE_TOKEN does. Default: off."`
	RevokeTokenClaim             string         `group:"tokens" default:"hash_password" placeholder:"NAME" help:"The claim for that."`
	UpdateLastLogin              bool           `group:"tokens" help:"Write last_login at each login. Default: off."`
	ServeRevocations             bool           `group:"tokens" help:"Serve the list of revocations to guards in other services, at /auth/revocations. Default: off."`
	RevocationsRequired          bool           `group:"tokens" help:"Reject all tokens while the revocation list cannot be read. Default: use the list as it was last read."`
	RevocationMaxAge             time.Duration  `group:"tokens" default:"10s" placeholder:"TIME" help:"Maximum age of the revocation list before tokens are rejected."`
	RememberTokens               int            `group:"tokens" default:"1000" placeholder:"N" aliases:"remember" help:"How many verified tokens to cache, so that a repeated one is verified in a tenth of the time; times, keys and revocations are still checked. 0 is none."`
	RememberCredentials          int            `group:"tokens" default:"10000" placeholder:"N" help:"How many verified API keys to cache, about 1 KiB each."`
	EventRetention               time.Duration  `group:"tokens" default:"90d" placeholder:"TIME" help:"How long the audit trail is kept (jotgate event list)."`
}

type passwordFlags struct {
	passwordRuleFlags
	BreachedAtLogin bool   `group:"passwords" help:"Compare passwords with that file at logins, too: a user who has one of them chooses another one before the login completes. Default: off, because clients of SimpleJWT do not know this step."`
	Hasher          string `group:"passwords" default:"argon2" placeholder:"HASHER" help:"How new passwords are stored and old ones are upgraded at login: argon2, pbkdf2_sha256:600000, bcrypt_sha256:12, scrypt, or as a Django: django-4.2 … django-6.2; with ,keep sound hashes stay as they are."`
	hashLimitFlags
	HashConcurrency      int           `group:"passwords" placeholder:"N" aliases:"hash-lanes" help:"Maximum number of passwords hashed concurrently. Default: one less than the processors."`
	HashQueue            int           `group:"passwords" placeholder:"N" help:"Maximum number of logins queued for hashing; further ones get 503. Default: 64 times --hash-concurrency."`
	HashMemory           int64         `group:"passwords" default:"256" placeholder:"MIB" help:"Memory for hashing, in MiB."`
	PasswordResetTimeout time.Duration `group:"passwords" default:"3d" placeholder:"TIME" help:"How long reset and activation links are valid."`
	ImmediateEmailChange bool          `group:"passwords" help:"Make a new e-mail address the account's immediately, as djoser does. Default: when its owner follows a link sent to it; the previous address can undo that for seven days."`
	ListedEmailsOnly     bool          `group:"passwords" help:"Send e-mail only to addresses that account_emailaddress lists as verified. Default: also to the addresses of accounts that it does not list."`
	EmailLimit           int           `group:"passwords" default:"5" placeholder:"N" help:"Maximum number of e-mails of one kind per hour to one address, and about one account; 0 is unlimited."`
	DjoserLinks          bool          `group:"passwords" help:"Create activation and username links as djoser does: each is also valid as a reset link. Default: a link has one purpose."`
	TimeZone             string        `group:"passwords" default:"UTC" placeholder:"ZONE" help:"Django's TIME_ZONE, in which it counts the seconds of reset links."`
}

// factorFlags are the flags of second factors.
type factorFlags struct {
	RequireMFA       string        `group:"login" name:"require-mfa" default:"none" enum:"none,staff,all" placeholder:"WHO" help:"Who must have a second factor: none, staff or all. A login without one then sets one up."`
	RequireMFAGroups []string      `group:"login" name:"require-mfa-groups" placeholder:"GROUP" help:"Groups whose members must have one, too. Default: none."`
	MFAGrace         time.Duration `group:"login" name:"mfa-grace" default:"0s" placeholder:"TIME" help:"How long after the first login that finds none it can be put off."`
	TrustedBrowser   time.Duration `group:"login" default:"0s" placeholder:"TIME" help:"How long a browser is not asked for the second factor again; 0s: each login asks."`
	TOTPGrace        time.Duration `group:"login" name:"totp-grace" default:"15s" placeholder:"TIME" help:"How long after its end the previous code of an authenticator app is accepted, up to 30s; 0s: never, as ASVS 6.5.5 has it."`
	MFAIssuer        string        `group:"login" name:"mfa-issuer" placeholder:"NAME" help:"The name of this site in authenticator apps. Default: --issuer, or jotgate."`
	LoginCodes       bool          `group:"login" help:"Let users log in with a code that is sent to their verified e-mail address, in place of the password. Default: off."`
	StepUpLifetime   time.Duration `group:"login" default:"10m" placeholder:"TIME" help:"How long after authentication second factors can be changed and, with one, also e-mail address and password."`
}

// set sets the settings of the flags.
func (f *factorFlags) set(s *jotgate.Settings) {
	s.RequireMFA, s.RequireMFAGroups, s.MFAGrace = jotgate.MFAPolicy(f.RequireMFA), f.RequireMFAGroups, f.MFAGrace
	s.TrustedBrowser, s.MFAIssuer, s.StepUpLifetime = f.TrustedBrowser, f.MFAIssuer, f.StepUpLifetime
	s.LoginCodes = f.LoginCodes
	if s.TOTPGrace = f.TOTPGrace; f.TOTPGrace == 0 {
		s.TOTPGrace = -1 // in Settings, 0 means the default
	}
}

type hashLimitFlags struct {
	HashLimits []string `group:"passwords" sep:";" placeholder:"LIMIT" help:"The most costly stored hashes that logins compute, such as pbkdf2_sha256:8000000;bcrypt:15. Costlier ones fail like a wrong password. Default: pbkdf2_sha256:5000000;pbkdf2_sha1:5000000;argon2:m=262144,t=4,p=16;bcrypt:14;bcrypt_sha256:14;scrypt:n=131072,r=8,p=2, and the hasher's own."`
}

// hasher returns the Hasher of a setting with these limits.
func (f *hashLimitFlags) hasher(setting string) (*passwd.Hasher, error) {
	hasher, err := newHasher(setting)
	if err != nil {
		return nil, err
	}
	if hasher, err = hasher.WithLimits(f.HashLimits...); err != nil {
		return nil, usage("--hash-limits: %w", err)
	}
	return hasher, nil
}

// gate opens the database and makes a gate that uses it. With create, it
// creates a missing database and a missing secret.
func (f *gateFlags) gate(a *app, log *slog.Logger, create bool) (*jotgate.Gate, *store.Store, error) {
	if !f.isSupported() {
		return nil, nil, errDatabase
	}
	settings, err := f.settings(a, log, create)
	if err != nil {
		return nil, nil, err
	}
	how := using
	if create {
		how = making
	}
	db, err := f.openPersistently(a, func() (*store.Store, error) { return f.open(a, how) })
	if err != nil {
		return nil, nil, err
	}
	if settings.SecretKey == "" && create { // only after the database could be opened
		if settings.SecretKey, err = f.newSecret(a, db); err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
	}
	gate, err := jotgate.New(settings, db)
	if err != nil {
		_ = db.Close()
		return nil, nil, inFlags("jotgate", err)
	}
	return gate, db, nil
}

// newSecret makes the secret of a new database. A Django site has one already:
// with another one neither side would accept the tokens and links of the other.
func (f *gateFlags) newSecret(a *app, db *store.Store) (jotgate.Secret, error) {
	facts, err := db.Facts(a.ctx)
	if err != nil {
		return "", err
	}
	if besideDjango(facts) {
		return "", errSiteSecret(f.shown())
	}
	return makeSecret(a, secretFile(f.folder()))
}

// settings returns the jotgate.Settings of the flags.
func (f *gateFlags) settings(a *app, log *slog.Logger, create bool) (s jotgate.Settings, err error) {
	t, p := &f.tokenFlags, &f.passwordFlags
	s = jotgate.Settings{
		SecretKeyFallbacks: f.fallbacks(), InsecureShortSecret: f.InsecureShortSecret,
		AccessTokenLifetime: t.AccessTokenLifetime, ForeignTokenLifetime: max(t.ForeignTokenLifetime, t.AccessTokenLifetime),
		RefreshTokenLifetime: t.RefreshTokenLifetime,
		KeepRefreshTokens:    t.KeepRefreshTokens, RefreshGrace: t.RefreshGrace,
		KeepSessionsOnPasswordChange: t.KeepSessionsOnPasswordChange,
		KeyRotation:                  t.KeyRotation, KeyAlgorithm: jwt.Algorithm(t.KeyAlgorithm),
		Issuer: t.Issuer, Audience: t.Audience, Leeway: t.Leeway,
		HeaderTypes: t.HeaderTypes, Resource: f.resource, HeaderName: t.HeaderName,
		UserIDClaim: t.UserIDClaim, UserIDField: t.UserIDField, Claims: t.Claims, LoginField: f.UsernameColumn,
		CheckRevokeToken: t.CheckRevokeToken, RevokeTokenClaim: t.RevokeTokenClaim, UpdateLastLogin: t.UpdateLastLogin,
		ServeRevocations: t.ServeRevocations, RevocationsRequired: t.RevocationsRequired, RevocationMaxAge: t.RevocationMaxAge, RememberTokens: t.RememberTokens, RememberCredentials: t.RememberCredentials, EventRetention: t.EventRetention,
		HashConcurrency: p.HashConcurrency, HashQueue: p.HashQueue, HashMemory: p.HashMemory << 20,
		PasswordResetTimeout: p.PasswordResetTimeout, DjoserLinks: p.DjoserLinks, Logger: log, Metrics: a.metrics,
		PasswordRules: p.rules(), PasswordMinLengthWithoutMFA: p.PasswordMinLengthWithoutMFA,
		RPID: f.RPID, RPOrigins: f.RPOrigins,
		ImmediateEmailChange: p.ImmediateEmailChange, ListedEmailsOnly: p.ListedEmailsOnly, EmailLimit: cmp.Or(p.EmailLimit, -1),
	}
	f.factorFlags.set(&s)
	if t.RefreshGrace == 0 {
		s.RefreshGrace = -1 // in Settings, 0 means the default
	}
	if t.SessionLifetime != nil {
		s.SessionLifetime = cmp.Or(*t.SessionLifetime, -1) // as above
	}
	if slices.Equal(t.Claims, []string{"none"}) {
		s.Claims = []string{}
	}
	if s.TimeZone, err = timezone.Load(p.TimeZone); err != nil {
		return s, usage("--time-zone: %w", err)
	}
	if s.Hasher, err = p.hasher(p.Hasher); err != nil {
		return s, err
	}
	if err := p.setBreached(&s); err != nil {
		return s, err
	}
	if err := t.keys(a, &s); err != nil {
		return s, err
	}
	if err := f.setClaimHook(&s); err != nil {
		return s, err
	}
	if err := f.setProviders(a, &s, log); err != nil {
		return s, err
	}
	s.SecretKey, err = f.read(a, f.folder(), create)
	return s, err
}

// setBreached opens the lists of breached passwords.
func (p *passwordFlags) setBreached(s *jotgate.Settings) error {
	all, file, err := p.breached()
	if err == nil && p.BreachedAtLogin && file == nil {
		err = usage("--breached-at-login needs --breached-passwords")
	}
	if s.BreachedPasswords = all; p.BreachedAtLogin {
		s.BreachedAtLogin = file
	}
	return err
}

// keys reads the key files.
func (t *tokenFlags) keys(a *app, s *jotgate.Settings) error {
	if t.SigningKey != "" {
		document, err := a.read(t.SigningKey)
		if err != nil {
			return err
		}
		if s.SigningKey, err = jwt.ParseKey(document, jwt.Algorithm(t.SigningAlgorithm)); err != nil {
			return usage("--signing-key: %w", err)
		}
		if s.SigningKey.ID() == "" && !s.SigningKey.IsSecret() {
			s.SigningKey = s.SigningKey.WithID(s.SigningKey.Thumbprint())
		}
	}
	if t.VerifyingKeys != "" {
		document, err := a.read(t.VerifyingKeys)
		if err != nil {
			return err
		}
		set, err := jwt.ParseKeySet(document)
		if err != nil {
			return usage("--verifying-keys: %w", err)
		}
		s.VerifyingKeys = set.Keys()
	}
	return nil
}
