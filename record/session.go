package record

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// EndReason is the reason why a session ended.
type EndReason string

// The reasons why sessions end.
const (
	EndedByLogout   EndReason = "logout"
	EndedByUser     EndReason = "ended"    // ended from a list of sessions
	EndedByReuse    EndReason = "reuse"    // a refresh token was used twice
	EndedByPassword EndReason = "password" // the password was changed or reset, here or by Django
	EndedByAccount  EndReason = "account"  // the account was deactivated or deleted, here or by Django
	EndedByDjango   EndReason = "django"   // the token was blacklisted by SimpleJWT
	EndedByUsername EndReason = "username" // the username was changed
	EndedByStepUp   EndReason = "stepup"   // the user authenticated again; another session replaced it
	EndedByFactors  EndReason = "factors"  // the second factors were reset
	EndedByRestore  EndReason = "restore"  // the database was restored from a backup
	EndedByProvider EndReason = "provider" // the provider ended the session that it began with
	EndedByActor    EndReason = "actor"    // a member of staff acted for the user, and the session of that member ended
)

// Session is one login, from its first refresh token to its last: a row of
// jotgate_session. Tokens themselves are never stored, only their jti.
type Session struct {
	ID          string    `json:"id"` // the sid claim: 32 hex digits
	User        UserID    `json:"user_id"`
	Created     time.Time `json:"created"`
	LastSeen    time.Time `json:"last_seen"`
	Address     string    `json:"address"`
	UserAgent   string    `json:"user_agent"`
	JTI         string    `json:"-"` // of the current refresh token
	PreviousJTI string    `json:"-"` // of the one before it
	Rotated     time.Time `json:"-"` // when JTI replaced it
	Expires     time.Time `json:"expires"`
	Ended       time.Time `json:"ended,omitzero"` // zero: live
	EndReason   EndReason `json:"end_reason,omitempty"`
	// PasswordDigest is DigestPassword of the password that was stored when the
	// session was created or last confirmed; empty if it is not known. A store
	// sets it.
	PasswordDigest string `json:"-"`
	// Adopted describes the token of another issuer, such as Django, for which
	// the session was made. It is the zero value if jotgate issued the first
	// token.
	Adopted AdoptedToken `json:"-"`
	// Username is the login name that the session's tokens contain. If it is
	// not empty, CreateSession requires that the account still has it.
	Username string `json:"-"`
	// ByUsername reports that the tokens identify the user by Username: a store
	// ends the session in the transaction that changes the account's username,
	// because the next owner of the name may be another person.
	ByUsername bool `json:"-"`
	// AuthTime is when the user last authenticated, AMR by which methods (the
	// claim amr of RFC 8176, separated by spaces), and ACR at which level ("aal1"
	// or "aal2"; "" if it is not part of the tokens). They are the zero values for
	// a session that was adopted or is older than these columns.
	AuthTime time.Time `json:"-"`
	AMR      string    `json:"-"`
	ACR      string    `json:"-"`
	// Actor is the member of staff who acts for the user in this session, and
	// ActorSession the session of that member, with which this one ends. Both are empty
	// for a session of the user's own; ActorSession also if a command made it.
	Actor        UserID `json:"actor_id,omitempty"`
	ActorSession string `json:"-"`
	// Provider is the id of the provider with which the session began, or "".
	// Session.Entry sets it.
	Provider string `json:"-"`
	// Entry is what CreateSession checks and writes in the same transaction. It is
	// not stored with the session.
	Entry Entry `json:"-"`
	// OwnUsers reports that the user is not in the store's accounts but in
	// jotgate.Settings.Users. It is not stored.
	OwnUsers bool `json:"-"`
}

// AdoptedToken is what a store must know about a token without a session to
// make one for it. Only Expires is stored.
type AdoptedToken struct {
	Issued   time.Time // iat; zero: the token has none
	Expires  time.Time // exp; the row of the session is kept at least until then
	Username string    // if the user claim holds the username: that name
}

// DigestPassword returns a marker that changes with a stored password: 128
// bits of the SHA-256 of the encoded hash, which itself has a random salt.
func DigestPassword(encoded string) string {
	sum := sha256.Sum256([]byte("jotgate password " + encoded))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Sessions keeps the sessions.
type Sessions interface {
	// Create inserts s while the account is active, its stored password is
	// still ifPassword and its username is still s.Username, in one transaction,
	// so that a login cannot overtake a deactivation or a change of password or
	// username: whichever commits first, no session is left behind (on PostgreSQL
	// the account's row is read FOR SHARE).
	// Otherwise the error is jotgate.ErrNotFound. With OwnUsers in s the account
	// is not checked, nor are its factors. It also checks and applies s.Entry: a
	// user whose second factors are not those that the caller has read gets no
	// session. If SimpleJWT's token_blacklist tables exist, it also
	// inserts the outstanding token's row (jti, user, times; never the token). A
	// store with Events inserts the event "login" (s's user, id, address and user
	// agent, at s.Created) in the same transaction, so that a login is one commit
	// and always has its event.
	Create(ctx context.Context, s *Session, ifPassword string) error

	// Rotate replaces r.Presented with r.Next by one conditional UPDATE,
	// so that of any number of callers with one token exactly one rotates. See
	// Rotation for the outcomes.
	Rotate(ctx context.Context, r Rotation) (Rotated, error)

	// Find returns the session, even if it has ended. The error is
	// jotgate.ErrNotFound if there is none.
	Find(ctx context.Context, id string) (*Session, error)

	// List lists the user's live sessions (not ended, not expired at
	// now), newest first, at most 1000.
	List(ctx context.Context, user UserID, now time.Time) ([]Session, error)

	// End ends the sessions that which selects, adds a revocation for
	// each and, if the token_blacklist tables exist, blacklists its refresh token
	// there, all in one transaction. It returns how many it ended; sessions that
	// have already ended are not an error and do not count.
	//
	// Without an ID, whether or not Except is set, it also voids every token of
	// the user that has no session and was issued at or before Now, in whole
	// seconds: from then on NotBefore returns at least Now, a revocation with
	// Sessionless is added, and the user's outstanding tokens in the
	// token_blacklist tables are blacklisted, except the current one of Except.
	// A pending change of the e-mail address is forgotten.
	End(ctx context.Context, which Ending) (int, error)

	// NotBefore returns the time up to which tokens without a session are void
	// for the user and, if username is not empty, for that name: the later of
	// both. It is the zero time if none are void. It never decreases and is never
	// purged.
	NotBefore(ctx context.Context, user UserID, username string) (time.Time, error)

	// ConfirmPassword compares the password that a live session of the user is
	// recorded with and this one, as it is stored now; an empty session stands for
	// a token without one and means the password recorded for the user, which is
	// recorded then if none is. If they differ, the
	// password was changed outside jotgate: the user's sessions that are recorded
	// with another password end with EndedByPassword, tokens without a session
	// are voided as by End, an event is added, and the error is
	// jotgate.ErrPasswordChanged. A session that is unknown, has ended or has no
	// known digest is not an error. Create and Rotate record the user's password
	// with each session that they insert, and Create notices a change, too.
	ConfirmPassword(ctx context.Context, session string, user UserID, password string, now time.Time) error

	// ConfirmActive ends the sessions of a user and voids its tokens without a
	// session, with EndedByAccount, if its account does not exist or is not active
	// and anything of it was live: something other than jotgate deactivated or
	// deleted it. It reports whether it did.
	ConfirmActive(ctx context.Context, user UserID, now time.Time) (ended bool, err error)

	// Blacklisted reports whether the jti is in SimpleJWT's table of blacklisted
	// tokens. Without such a table it returns false.
	Blacklisted(ctx context.Context, jti string) (bool, error)

	// Purge deletes at most limit each of: sessions that expired before keep,
	// ended or not, whose adopted token also expired before keep; revocations
	// made before keep; pending rows and rows of SimpleJWT's outstanding tokens
	// that have expired at now. Thus an ended session is kept as long as any of
	// its tokens could be presented. Purge returns the number of rows deleted; 0
	// means that there is nothing left to delete.
	Purge(ctx context.Context, now, keep time.Time, limit int) (int, error)
}

// PageSessions are the queries of the login pages. For Sessions without them, a Gate
// makes a query for each thing that a page shows.
type PageSessions interface {
	// AccountWithRelated is Accounts.ByID of an account with its Related, by one query.
	AccountWithRelated(ctx context.Context, id UserID) (*Account, error)
	// SessionWithAccount returns the session of the user, even if it has ended,
	// and the user's account with its Related, by one query. The error is jotgate.ErrNotFound if
	// one of both does not exist or, if the token_blacklist tables exist, the
	// session's current jti is blacklisted there.
	SessionWithAccount(ctx context.Context, id string, user UserID) (*Session, *Account, error)
}

// Rotation is one use of a refresh token.
//
//   - Presented is the session's JTI, the session is live and its account is
//     active: the row changes; Rotated holds it and the account.
//   - Presented is its PreviousJTI and Now is before its rotation + Grace: a
//     retry. Nothing changes; Rotated.Retry is set and Rotated.Session.JTI is
//     the token that won.
//   - Presented is any other jti of this session: reuse. The session is ended
//     with EndedByReuse and the error is jotgate.ErrTokenReused.
//   - The session has ended, has expired, has lived for Lifetime or is unknown,
//     or Presented is blacklisted by Django (which also ends the session): the
//     error is jotgate.ErrTokenBlacklisted.
//   - The account does not exist or is not active: the error is
//     jotgate.ErrNoAccountForToken. This takes precedence over all others, except
//     a session that ended for another reason than EndedByAccount, so that the
//     response is Django's. If the session is live, a program other than jotgate
//     deactivated the account: all its sessions are ended with EndedByAccount and
//     tokens without a session are voided, so that activating the account again
//     does not make them valid again.
//   - The account's stored password is not the one that the session is recorded
//     with (PasswordDigest): a program other than jotgate changed it. The effects
//     are those of ConfirmPassword; the error is jotgate.ErrTokenBlacklisted.
//
// A token without a session (Adopt not nil) was issued by Django: the session
// is inserted, unless it exists, the token is void (NotBefore) or the user has
// a second factor, which such a token does not prove, and the rules above are
// applied to it. Its id is derived from the token's jti, so
// that concurrent first uses share one row. For a token that has a session,
// only that session counts.
type Rotation struct {
	Session   string // sid
	User      UserID // of the token; must equal the session's
	Presented string // jti of the token that the client sent
	Next      string // jti that replaces it
	Now       time.Time
	Expires   time.Time // of the new token, unless Lifetime ends sooner
	// Lifetime limits the session, counted from its Created: no Expires is later,
	// and afterwards every token of it is rejected like an expired one. 0: no
	// limit.
	Lifetime  time.Duration
	Grace     time.Duration
	Address   string
	UserAgent string
	Adopt     *Session // what to insert first for a token that Django issued
	// Keep leaves the jti unchanged (refresh tokens that do not rotate): only the
	// checks are made, and LastSeen is written at most once a minute.
	Keep bool
	// OwnUsers skips the account: jotgate.Settings.Users checks it.
	OwnUsers bool
}

// Rotated is the outcome of a rotation.
type Rotated struct {
	Session Session
	Account *Account // nil with Rotation.OwnUsers
	Retry   bool     // a retry within the grace time; nothing was changed
}

// Ending selects the sessions to end: all of User's, or one by ID (of User,
// if that is also set), but never Except.
type Ending struct {
	User   UserID
	ID     string
	Except string
	// Username, without an ID, is the user's name for the revocation. A store
	// that keeps the accounts reads it itself.
	Username string
	// IfJTI, with ID, ends the session only if this is its current or previous
	// jti, so that an old refresh token cannot log a session out.
	IfJTI  string
	Reason EndReason
	Now    time.Time
	// Adopt is inserted as an ended session if there is none with this ID: the
	// logout of a token that Django issued.
	Adopt *Session
}
