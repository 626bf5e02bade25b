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
	EndedByFactors  EndReason = "factors"  // the second factors were reset, or one must be set up
	EndedByRestore  EndReason = "restore"  // the database was restored from a backup
	EndedByProvider EndReason = "provider" // the provider ended the session with which this one began, or the account there was disconnected
	EndedByActor    EndReason = "actor"    // a member of staff acted for the user, and that member's own session ended
)

// Session is a login of a user, from its first refresh token to its last: a row of
// jotgate_session. It contains the ids of refresh tokens (jti), never a token.
type Session struct {
	ID          string    `json:"id"` // the sid claim: 32 hex digits
	User        UserID    `json:"user_id"`
	Created     time.Time `json:"created"`
	LastSeen    time.Time `json:"last_seen"`
	Address     string    `json:"address"`
	UserAgent   string    `json:"user_agent"`
	JTI         string    `json:"-"` // of the current refresh token
	PreviousJTI string    `json:"-"` // of the previous refresh token
	Rotated     time.Time `json:"-"` // when JTI replaced PreviousJTI
	Expires     time.Time `json:"expires"`
	Ended       time.Time `json:"ended,omitzero"` // zero: not ended
	EndReason   EndReason `json:"end_reason,omitempty"`
	// PasswordDigest is DigestPassword of the password that was stored when the
	// session was created or last confirmed; empty if it is not known. A store
	// sets it.
	PasswordDigest string `json:"-"`
	// Adopted describes the token of another issuer, such as Django, for which
	// the session was made. It is the zero value if jotgate issued the first
	// token.
	Adopted AdoptedToken `json:"-"`
	// Username is the login name that the session's tokens contain. If it is not
	// empty, Sessions.Create requires that the account still has it.
	Username string `json:"-"`
	// ByUsername reports that the tokens identify the user by Username: a store
	// ends the session in the transaction that changes the account's username,
	// because the next owner of the name may be another person.
	ByUsername bool `json:"-"`
	// AuthTime is when the user last authenticated. AMR are the methods (the claim amr
	// of RFC 8176, separated by spaces), and ACR is the level: "aal1" or "aal2", or ""
	// if it is not part of the tokens. All are zero values for a session that was
	// adopted or is older than these columns.
	AuthTime time.Time `json:"-"`
	AMR      string    `json:"-"`
	ACR      string    `json:"-"`
	// Actor is the member of staff who acts for the user in this session. ActorSession
	// is the session of that member; this session ends together with it. Both are empty
	// if the user logged in. ActorSession is also empty if a command made the session.
	Actor        UserID `json:"actor_id,omitempty"`
	ActorSession string `json:"-"`
	// Provider is the id of the provider with which the session began, or "". The
	// store sets it, from Entry.Social.
	Provider string `json:"-"`
	// Entry is what Sessions.Create checks and writes in the same transaction. It is
	// not stored with the session.
	Entry Entry `json:"-"`
	// OwnUsers reports that the user is not in the store's accounts but in
	// jotgate.Settings.Users. It is not stored.
	OwnUsers bool `json:"-"`
}

// AdoptedToken describes a token without a session, for which a store makes one. Only
// Expires is stored.
type AdoptedToken struct {
	Issued   time.Time // iat; zero if the token has none
	Expires  time.Time // exp; the row of the session is kept at least until then
	Username string    // the value of the user claim, if it is the username
}

// DigestPassword returns a text that changes when a stored password changes: 128 bits
// of the SHA-256 of the stored hash, in base64url. The hash has a random salt, so that
// the text reveals nothing about the password.
func DigestPassword(encoded string) string {
	sum := sha256.Sum256([]byte("jotgate password " + encoded))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Sessions keeps the sessions of users.
type Sessions interface {
	// Create inserts s if the account is active, its stored password is ifPassword and
	// its username is s.Username (if that is set). Otherwise the error is
	// jotgate.ErrNotFound. It also checks and applies s.Entry: if the user's second
	// factors are not those that the caller has read, no session is created. With
	// s.OwnUsers, neither the account nor its factors are checked.
	//
	// All of this is one transaction, so that no session remains if the account is
	// deactivated, or its password or username is changed, at the same time (on
	// PostgreSQL the account's row is read FOR SHARE). In the same transaction, a store
	// with SimpleJWT's token_blacklist tables inserts the row of the outstanding token
	// (jti, user and times, but not the token), and a store with Events inserts the
	// event "login" with the user, id, address and user agent of s, at s.Created, and
	// those in the context (AttachedTo).
	Create(ctx context.Context, s *Session, ifPassword string) error

	// Rotate replaces r.Presented by r.Next with one conditional UPDATE, so that of
	// any number of concurrent callers with one token exactly one rotates the session.
	// See Rotation for the results and errors.
	Rotate(ctx context.Context, r Rotation) (Rotated, error)

	// Find returns the session, even if it has ended. The error is
	// jotgate.ErrNotFound if there is none.
	Find(ctx context.Context, id string) (*Session, error)

	// List lists the user's live sessions (not ended, not expired at
	// now), newest first, at most 1000.
	List(ctx context.Context, user UserID, now time.Time) ([]Session, error)

	// End ends the sessions that which selects, adds a revocation for each and, if the
	// token_blacklist tables exist, blacklists its refresh token there, all in one
	// transaction. It returns the number of sessions that it ended. Sessions that have
	// already ended do not count and are not an error.
	//
	// If which.ID is empty, it also voids every token of the user that has no session
	// and was issued at or before which.Now, in whole seconds: from then on NotBefore
	// returns at least Now, a revocation with Sessionless is added, and the user's
	// outstanding tokens in the token_blacklist tables are blacklisted, except the
	// current one of which.Except. A pending change of the e-mail address is deleted.
	End(ctx context.Context, which Ending) (int, error)

	// NotBefore returns the time up to which tokens without a session are void for the
	// user or, if username is not empty, for that name: the later of both. It is the
	// zero time if none are void. It never becomes earlier and is never deleted.
	NotBefore(ctx context.Context, user UserID, username string) (time.Time, error)

	// ConfirmPassword compares password, the hash that is stored now, with the one that
	// is recorded with a live session of the user. If session is empty, as for a token
	// without a session, it compares with the one that is recorded with the user; if
	// none is, it records password.
	//
	// If they differ, a program other than jotgate has changed the password: the user's
	// sessions that are recorded with another password end with EndedByPassword, tokens
	// without a session become void as by End, an event is added, and the error is
	// jotgate.ErrPasswordChanged. A session that is unknown, has ended or has no
	// recorded password is not an error. Create and Rotate record the password with
	// each session that they insert; Create also makes this comparison.
	ConfirmPassword(ctx context.Context, session string, user UserID, password string, now time.Time) error

	// ConfirmActive checks whether the user's account exists and is active. If it is
	// not, a program other than jotgate has deactivated or deleted it: the sessions of
	// the user end with EndedByAccount, and tokens without a session become void. It
	// returns true if it has ended any.
	ConfirmActive(ctx context.Context, user UserID, now time.Time) (ended bool, err error)

	// Blacklisted reports whether the jti is in SimpleJWT's table of blacklisted
	// tokens. Without such a table it returns false.
	Blacklisted(ctx context.Context, jti string) (bool, error)

	// Purge deletes at most limit rows of each of these kinds: sessions that expired
	// before keep, ended or not, whose adopted token also expired before keep;
	// revocations made before keep; pending rows, Spent rows, login codes and rows of
	// SimpleJWT's outstanding tokens that have expired at now; and invitations that
	// expired 30 days before keep. Thus an ended session is kept as long as a client
	// could present one of its tokens. Purge returns the number of rows that it
	// deleted; 0 means that there are no more.
	Purge(ctx context.Context, now, keep time.Time, limit int) (int, error)
}

// PageSessions is an optional interface of Sessions, with the queries of the login
// pages. Without it, a Gate makes a separate query for each part of a page.
type PageSessions interface {
	// AccountWithRelated returns the account, as Accounts.ByID does, with its Related,
	// in one query.
	AccountWithRelated(ctx context.Context, id UserID) (*Account, error)
	// SessionWithAccount returns the session of the user, even if it has ended, and
	// the user's account with its Related, in one query. The error is
	// jotgate.ErrNotFound if one of both does not exist, or if the token_blacklist
	// tables exist and the session's current jti is blacklisted there.
	SessionWithAccount(ctx context.Context, id string, user UserID) (*Session, *Account, error)
}

// Rotation is one use of a refresh token, for Sessions.Rotate. These are the cases:
//
//   - Presented is the session's JTI, the session is live and its account is
//     active: the row is changed, and Rotated has the row and the account.
//   - Presented is the session's PreviousJTI, and Now is less than Grace after the
//     rotation: the client repeats its request. Nothing is changed; Rotated.Retry is
//     true, and Rotated.Session.JTI is the jti of the token that is valid now.
//   - Presented is any other jti of this session: the token is used twice. The
//     session ends with EndedByReuse, and the error is jotgate.ErrTokenReused.
//   - The session has ended, has expired, has existed for Lifetime or is unknown, or
//     SimpleJWT's tables blacklist Presented (which also ends the session): the error
//     is jotgate.ErrTokenBlacklisted.
//   - The account does not exist or is not active: the error is
//     jotgate.ErrNoAccountForToken, as in Django. This case takes precedence over the
//     others, unless the session ended for another reason than EndedByAccount. If the
//     session is live, a program other than jotgate has deactivated the account: all
//     its sessions end with EndedByAccount and tokens without a session become void,
//     so that they do not become valid again when the account is activated.
//   - The account's stored password is not the one that is recorded with the session
//     (PasswordDigest): a program other than jotgate has changed it. The effects are
//     those of ConfirmPassword, and the error is jotgate.ErrTokenBlacklisted.
//
// If Adopt is not nil, Django issued the token, which has no session. Then Adopt is
// inserted, unless the session exists, the token is void (NotBefore) or the user has a
// second factor, which such a token does not prove; and the cases above apply to it.
// The id of that session is derived from the token's jti, so that concurrent first uses
// share one row. For a token that has a session, only that session counts.
type Rotation struct {
	Session   string // sid
	User      UserID // of the token; must equal the session's
	Presented string // jti of the token that the client sent
	Next      string // jti of the token that replaces it
	Now       time.Time
	Expires   time.Time // of the new token, unless Lifetime ends sooner
	// Lifetime is the maximum duration of the session from its Created: no Expires is
	// later, and after it all tokens of the session are rejected like expired ones.
	// 0: no limit.
	Lifetime  time.Duration
	Grace     time.Duration // how long the previous token is accepted after a rotation
	Address   string        // of the client
	UserAgent string        // of the client
	Adopt     *Session      // the session to insert for a token that Django issued
	// Keep leaves the jti unchanged (refresh tokens that do not rotate): only the
	// checks are made, and LastSeen is written at most once a minute.
	Keep bool
	// OwnUsers means that the store does not check the account, because
	// jotgate.Settings.Users does.
	OwnUsers bool
}

// Rotated is the result of a rotation.
type Rotated struct {
	Session Session
	Account *Account // nil with Rotation.OwnUsers
	Retry   bool     // a retry within the grace time; nothing was changed
}

// Ending selects the sessions to end. If ID is empty, these are all sessions of User
// except the one with the id Except. Otherwise it is the session with this ID, if it is
// not Except and belongs to User, or User is empty.
type Ending struct {
	User   UserID
	ID     string
	Except string
	// Username, without an ID, is the user's name for the revocation. A store
	// that keeps the accounts reads it itself.
	Username string
	// IfJTI, with ID, is a condition: it must be the current or previous jti of the
	// session. Thus an old refresh token cannot end a session.
	IfJTI  string
	Reason EndReason
	Now    time.Time
	// Adopt is inserted as an ended session if there is none with this ID. It is for
	// the logout of a token that Django issued.
	Adopt *Session
}
