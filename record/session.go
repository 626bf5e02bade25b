package record

import (
	"context"
	"time"
)

// EndReason says why a session ended.
type EndReason string

// Why sessions end.
const (
	EndedByLogout   EndReason = "logout"
	EndedByUser     EndReason = "ended"    // ended from a list of sessions
	EndedByReuse    EndReason = "reuse"    // a refresh token was used twice
	EndedByPassword EndReason = "password" // the password was changed or reset
	EndedByAccount  EndReason = "account"  // the account was deactivated or deleted
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
	// OwnUsers says that the user is not in the store's accounts but in
	// jotgate.Settings.Users; it is not stored.
	OwnUsers bool `json:"-"`
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
	EndSessions(ctx context.Context, which Ending) (int, error)

	// Blacklisted reports whether the jti stands in SimpleJWT's table of
	// blacklisted tokens; false where there is no such table.
	Blacklisted(ctx context.Context, jti string) (bool, error)

	// Purge deletes at most limit each of: sessions that expired or ended
	// before keep, revocations made before keep, pending rows and rows of
	// SimpleJWT's outstanding tokens that have expired at now. It returns how many rows
	// went; 0 means there is nothing left to do.
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
//   - The account is gone or not active: jotgate.ErrNoAccountForToken; nothing changes.
//     This goes before all others but a session that ended for another reason
//     than EndedByAccount, so that a deactivated user is told so, as by Django.
//
// A token without a session (Adopt not nil) was issued by Django: the session
// is inserted, unless it is there, and the rules above are applied to it; its
// id is derived from the token's jti, so concurrent first uses meet in one row.
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
	// IfJTI, with ID, ends the session only while this is its current or
	// previous jti, so that an old refresh token cannot log a session out.
	IfJTI  string
	Reason EndReason
	Now    time.Time
	// Adopt is inserted as an ended session when there is none with this ID:
	// the logout of a token that Django issued.
	Adopt *Session
}
