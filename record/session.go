package record

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// EndReason says why a session ended.
type EndReason string

// Why sessions end.
const (
	EndedByLogout   EndReason = "logout"
	EndedByUser     EndReason = "ended"    // ended from a list of sessions
	EndedByReuse    EndReason = "reuse"    // a refresh token was used twice
	EndedByPassword EndReason = "password" // the password was changed or reset, here or by Django
	EndedByAccount  EndReason = "account"  // the account was deactivated or deleted, here or by Django
	EndedByDjango   EndReason = "django"   // the token was blacklisted by SimpleJWT
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
	JTI         string    `json:"-"` // of the refresh token in force
	PreviousJTI string    `json:"-"` // of the one before it
	Rotated     time.Time `json:"-"` // when JTI took its place
	Expires     time.Time `json:"expires"`
	Ended       time.Time `json:"ended,omitzero"` // zero: live
	EndReason   EndReason `json:"end_reason,omitempty"`
	// PasswordDigest is DigestPassword of the stored password that the session
	// goes with; empty if it is not known. A store sets it.
	PasswordDigest string `json:"-"`
	// Adopted describes the token of another issuer, such as Django, that the
	// session was made for. The zero value: jotgate issued its first token.
	Adopted AdoptedToken `json:"-"`
	// OwnUsers says that the user is not in the store's accounts but in
	// jotgate.Settings.Users; it is not stored.
	OwnUsers bool `json:"-"`
}

// AdoptedToken is what a store needs to know of a token without a session, to
// make one for it. Only Expires is stored.
type AdoptedToken struct {
	Issued   time.Time // iat; zero: the token has none
	Expires  time.Time // exp; the row of the session is kept at least until then
	Username string    // if the user claim holds the username: that name
}

// DigestPassword is a marker that changes with a stored password: 128 bits of
// the SHA-256 of the encoded hash, which itself has a random salt.
func DigestPassword(encoded string) string {
	sum := sha256.Sum256([]byte("jotgate password " + encoded))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Sessions is the table of logins and the feed of what was revoked.
type Sessions interface {
	Revocations

	// CreateSession inserts s while the account is active and its stored
	// password is still ifPassword, in one statement, so that a login cannot
	// overtake a deactivation or a change of password: whichever commits
	// first, no session is left behind (on PostgreSQL the account's row is
	// read FOR SHARE). jotgate.ErrNotFound otherwise. With OwnUsers in s the account
	// is not looked at. Where SimpleJWT's token_blacklist tables exist it
	// also inserts the outstanding token's row (jti, user, times; never the
	// token). A store with Events inserts the event "login" (s's user, id,
	// address and user agent, at s.Created) in the same transaction: a login
	// is one commit, and none is without its event.
	CreateSession(ctx context.Context, s *Session, ifPassword string) error

	// RotateSession puts r.Next in the place of r.Presented by one
	// conditional UPDATE, so that among any number of callers with one token
	// exactly one rotates. See Rotation for the outcomes.
	RotateSession(ctx context.Context, r Rotation) (Rotated, error)

	// FindSession returns the session, ended or not. jotgate.ErrNotFound without one.
	FindSession(ctx context.Context, id string) (*Session, error)

	// ListSessions lists the user's live sessions (not ended, not expired at
	// now), newest first, at most 1000.
	ListSessions(ctx context.Context, user UserID, now time.Time) ([]Session, error)

	// EndSessions ends what it names, adds a revocation for each session
	// ended and, where the token_blacklist tables exist, blacklists its
	// refresh token there; one transaction. It returns how many it ended:
	// ending what has ended already is 0 and no error.
	//
	// Without an ID, whether or not Except is set, it also voids every token of
	// the user that has no session and was issued at or before Now, in whole
	// seconds: NotBefore returns at least Now from then on, a revocation with
	// Sessionless is added, and the user's outstanding tokens in the
	// token_blacklist tables are blacklisted, except the current one of Except.
	EndSessions(ctx context.Context, which Ending) (int, error)

	// NotBefore returns the time up to which tokens without a session are void
	// for the user and, if username is not empty, for that name: the later of
	// both. The zero time: none are. It never goes back and is kept for good.
	NotBefore(ctx context.Context, user UserID, username string) (time.Time, error)

	// ConfirmPassword compares the stored password that a live session of the
	// user goes with and this one, as it is stored now. If they differ, the
	// password was changed outside jotgate: the user's sessions that do not go
	// with the stored password are ended with EndedByPassword, tokens without a
	// session are voided as by EndSessions, an event is added, and the error is
	// jotgate.ErrPasswordChanged. A session that is unknown, has ended or whose
	// digest is not known is not an error.
	ConfirmPassword(ctx context.Context, session string, user UserID, password string, now time.Time) error

	// Blacklisted reports whether the jti stands in SimpleJWT's table of
	// blacklisted tokens; false where there is no such table.
	Blacklisted(ctx context.Context, jti string) (bool, error)

	// Purge deletes at most limit each of: sessions that expired before keep,
	// ended or not, whose adopted token also expired before keep; revocations
	// made before keep; pending rows and rows of SimpleJWT's outstanding tokens
	// that have expired at now. So an ended session stays as long as any of its
	// tokens could be presented. It returns how many rows went; 0 means there is
	// nothing left to do.
	Purge(ctx context.Context, now, keep time.Time, limit int) (int, error)
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
//   - The session ended, expired, has lived for Lifetime, is unknown, or Presented is blacklisted by
//     Django (which ends the session, too): jotgate.ErrTokenBlacklisted.
//   - The account is gone or not active: jotgate.ErrNoAccountForToken. This goes
//     before all others but a session that ended for another reason than
//     EndedByAccount, so that the response is Django's. If the session is live,
//     something else than jotgate deactivated the account: all its sessions are
//     ended with EndedByAccount and tokens without a session are voided, so that
//     activating the account again does not bring them back.
//   - The account's stored password is not the one that the session goes with
//     (PasswordDigest): something else than jotgate changed it. As
//     ConfirmPassword; the error is jotgate.ErrTokenBlacklisted.
//
// A token without a session (Adopt not nil) was issued by Django: the session
// is inserted, unless it is there or the token is void (NotBefore), and the
// rules above are applied to it; its id is derived from the token's jti, so
// concurrent first uses meet in one row. A token that has a session is judged
// by it alone.
type Rotation struct {
	Session   string // sid
	User      UserID // of the token; must equal the session's
	Presented string // jti of the token in hand
	Next      string // jti that takes its place
	Now       time.Time
	Expires   time.Time // of the new token, unless Lifetime ends sooner
	// Lifetime bounds the session from its Created on: no Expires is later, and
	// afterwards every token of it is refused as expired ones are. 0: no bound.
	Lifetime  time.Duration
	Grace     time.Duration
	Address   string
	UserAgent string
	Adopt     *Session // what to insert first for a token that Django issued
	// Keep leaves the jti as it is (refresh tokens that do not rotate): only
	// the checks are made and LastSeen is written at most once a minute.
	Keep bool
	// OwnUsers leaves the account out: it is checked by jotgate.Settings.Users.
	OwnUsers bool
}

// Rotated is the outcome of a rotation.
type Rotated struct {
	Session Session
	Account *Account // nil with Rotation.OwnUsers
	Retry   bool     // answered within the grace time; nothing was changed
}

// Ending names sessions to end: all of User's, or one by ID (of User, when
// that is set too), but never Except.
type Ending struct {
	User   UserID
	ID     string
	Except string
	// Username, without an ID, is the user's name for the revocation. A store
	// that keeps the accounts reads it itself.
	Username string
	// IfJTI, with ID, ends the session only while this is its current or
	// previous jti, so that an old refresh token cannot log a session out.
	IfJTI  string
	Reason EndReason
	Now    time.Time
	// Adopt is inserted as an ended session when there is none with this ID:
	// the logout of a token that Django issued.
	Adopt *Session
}
