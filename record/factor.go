package record

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FactorType is the kind of a second factor, in allauth's words.
type FactorType string

// The kinds of second factors. Recovery codes replace another factor and do not
// count as one by themselves.
const (
	FactorTOTP     FactorType = "totp"
	FactorRecovery FactorType = "recovery_codes"
	FactorPasskey  FactorType = "webauthn"
)

// Factor is a second factor of a user: a row of allauth's mfa_authenticator.
// There is at most one of FactorTOTP and one of FactorRecovery for a user.
type Factor struct {
	ID   int64
	User UserID
	Type FactorType
	// Data is the row's JSON object. It may hold a secret, so it is never logged
	// and never sent to a client.
	Data     string
	Created  time.Time
	LastUsed time.Time // zero: never
}

// FactorSet returns a text that changes if a factor is added or removed. It is
// "" if the user has no second factor. Recovery codes do not change it.
func FactorSet(factors []Factor) string {
	var names []string
	for _, f := range factors {
		if f.Type != FactorRecovery {
			names = append(names, string(f.Type)+":"+strconv.FormatInt(f.ID, 10))
		}
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

// FactorUse is a change of a factor's row, such as the last time step of TOTP.
// It takes effect only if Data is still Old, so that of concurrent uses of one
// code exactly one succeeds.
type FactorUse struct {
	ID       int64
	Old, New string
	LastUsed time.Time // zero: the column is left as it is
}

// Spent marks something that can be used once, such as a pending login, as
// used. The row is deleted after Expires, when it can no longer be presented.
type Spent struct {
	ID      string // at most 128 bytes
	Expires time.Time
}

// Entry is what CreateSession checks and writes together with a session, in the
// same transaction.
type Entry struct {
	// Endpoint is that of the event.
	Endpoint string
	// Factors is the FactorSet of the user, as it was read. If it is another one
	// now, the error is jotgate.ErrNotFound. Thus the zero value starts no session
	// for a user with a second factor.
	Factors string
	// Spend are inserted. If one of them exists, the error is
	// jotgate.ErrLoginNotValid.
	Spend []Spent
	// Uses are applied. If the data of one is not Old, the error is
	// jotgate.ErrCodeNotValid.
	Uses []FactorUse
	// Social are applied at the session's Created.
	Social []SocialUse
	// Forgive are the keys of failure counters to remove.
	Forgive []string
	// Add are new factors of the user, as those of a FactorChange.
	Add []*Factor
	// Replaces, if not empty, is a live session of the user that ends with
	// EndedByStepUp. If it is not live, the error is jotgate.ErrTokenBlacklisted.
	Replaces string
}

// FactorChange is a change of a user's factors, applied in one transaction.
type FactorChange struct {
	User UserID
	// IfPassword and IfFactors make the change conditional on the stored password
	// and on the FactorSet. nil: unconditional.
	IfPassword, IfFactors *string
	// IfSocial makes the change conditional on the ids of the user's accounts at
	// providers, in order. nil: unconditional.
	IfSocial *[]int64
	// EndReset deletes the pending reset of the user's factors. A session that
	// begins with a second factor (Entry.Uses) does so, too.
	EndReset bool
	// Spend, Uses and Forgive are applied as those of an Entry.
	Spend   []Spent
	Uses    []FactorUse
	Forgive []string
	// Add are inserted, and their IDs are set. If the user has a factor that may
	// exist only once, the error is jotgate.ErrTaken.
	Add []*Factor
	// Remove are the ids of rows of the user to delete. If one does not exist, the
	// error is jotgate.ErrNotFound. Recovery codes are also deleted with the last
	// other factor.
	Remove []int64
	// EndSessions, if not empty, ends the user's sessions except KeepSession, as
	// Sessions.EndSessions does, at At.
	EndSessions EndReason
	KeepSession string
	At          time.Time
}

// FactorReset is a reset of a user's second factors by staff. It takes effect at
// the first login after Due, unless the user logs in with a second factor
// before.
type FactorReset struct {
	User   UserID
	By     UserID // who requested it; empty: an operator by command
	Reason string
	Due    time.Time
}

// Factors keeps second factors, in allauth's table, and what is used once.
type Factors interface {
	// ListFactors lists the user's factors in order of id, at most 100.
	ListFactors(ctx context.Context, user UserID) ([]Factor, error)
	// ChangeFactors applies the change. The error is jotgate.ErrNotFound if a
	// condition does not hold or there is no such account.
	ChangeFactors(ctx context.Context, change FactorChange) error
	// CountAttempt adds one to the failure counter of key if it still is before
	// (the zero Failure if there is none), and reports whether it was. Of
	// concurrent callers with the same before, exactly one counts.
	CountAttempt(ctx context.Context, key string, before Failure, now time.Time) (bool, error)
	// RequestReset stores a reset of a user's factors that takes effect at its Due,
	// in place of an earlier one.
	RequestReset(ctx context.Context, reset FactorReset) error
	// PendingReset returns the reset of the user's factors, or nil.
	PendingReset(ctx context.Context, user UserID) (*FactorReset, error)
	// GraceStart returns the time of the first call for this user: now, or an
	// earlier time.
	GraceStart(ctx context.Context, user UserID, now time.Time) (time.Time, error)
	// Setting returns a setting that is kept in the database, or "".
	Setting(ctx context.Context, name string) (string, error)
	// PinSetting stores a setting unless it exists, and returns the stored value.
	PinSetting(ctx context.Context, name, value string) (string, error)
}

// FactorFormat is the setting (Factors.Setting) that says how secrets are kept
// in mfa_authenticator: FormatSealed if jotgate created the table, and "" if a
// Django with allauth did, whose plain format is then used.
const (
	FactorFormat = "mfa_format"
	FormatSealed = "sealed"
)

// PinnedRPID is the setting that holds the RP ID that passkeys were registered for.
const PinnedRPID = "rp_id"
