package record

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FactorType is the kind of a second factor, as allauth names it.
type FactorType string

// The kinds of second factors. Recovery codes replace another factor, and are not a
// second factor without one.
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
	// Data is the row's JSON object, in allauth's form. It may contain a secret: it
	// must not be logged or sent to a client.
	Data     string
	Created  time.Time
	LastUsed time.Time // zero: never
}

// FactorSet returns a text that identifies the user's second factors: it changes if one
// is added or removed, and is "" if there is none. Recovery codes have no effect on it.
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

// FactorUse is a change of the Data of a factor at its use, such as the last time step
// of TOTP. It takes effect only if Data is still Old, so that of concurrent uses of one
// code exactly one succeeds.
type FactorUse struct {
	ID       int64
	Old, New string
	LastUsed time.Time // zero: the column is unchanged
}

// Spent records that something that can be used once, such as a pending login, has been
// used. The row is deleted after Expires, when no client can use it again.
type Spent struct {
	ID      string // at most 128 bytes
	Expires time.Time
}

// Entry is what Sessions.Create checks and writes together with a session, in the same
// transaction. The zero Entry is the safe choice: with it, Create rejects a user who has
// a second factor.
type Entry struct {
	// Endpoint is the endpoint of the login, for the event.
	Endpoint string
	// Factors is the FactorSet of the user when it was read. If the user has other
	// factors now, the error is jotgate.ErrNotFound.
	Factors string
	// Spend are rows to insert. If one of them exists, the error is
	// jotgate.ErrLoginNotValid.
	Spend []Spent
	// Uses are changes to apply. If the data of a factor is not Old, the error is
	// jotgate.ErrCodeNotValid.
	Uses []FactorUse
	// Social are logins with accounts at providers to record, at the session's
	// Created.
	Social []SocialUse
	// Forgive are the keys of failure counters to remove.
	Forgive []string
	// Add are new factors of the user, as in FactorChange.
	Add []*Factor
	// Replaces, if not empty, is the id of a live session of the user, which ends
	// with EndedByStepUp. If it is not live, the error is
	// jotgate.ErrTokenBlacklisted.
	Replaces string
}

// FactorChange is a change of a user's factors, applied in one transaction.
type FactorChange struct {
	User UserID
	// IfPassword and IfFactors, if not nil, are conditions: the stored hash and the
	// FactorSet of the user must be these.
	IfPassword, IfFactors *string
	// IfSocial, if not nil, is a condition: these must be the ids of the user's
	// accounts at providers, in order.
	IfSocial *[]int64
	// EndReset deletes the pending reset of the user's factors. A session that
	// begins with a second factor (Entry.Uses) also deletes it.
	EndReset bool
	// Spend, Uses and Forgive are applied as those of an Entry.
	Spend   []Spent
	Uses    []FactorUse
	Forgive []string
	// Add are factors to insert; the store sets their IDs. If a user may have only
	// one of a type and has it, the error is jotgate.ErrTaken.
	Add []*Factor
	// Remove are the ids of rows of the user to delete. If one does not exist, the
	// error is jotgate.ErrNotFound. Recovery codes are deleted together with the last
	// other factor.
	Remove []int64
	// EndSessions, if not empty, ends the user's sessions except KeepSession, as
	// Sessions.End does, at the time At.
	EndSessions EndReason
	KeepSession string
	At          time.Time
}

// FactorReset is a reset of a user's second factors that staff has requested. It takes
// effect at the first login after Due, unless the user logs in with a second factor
// before.
type FactorReset struct {
	User   UserID
	By     UserID // the member of staff; empty if an operator requested it by command
	Reason string
	Due    time.Time
}

// Factors keeps second factors, in allauth's table mfa_authenticator, their pending
// resets, and a few settings.
type Factors interface {
	// ListFactors lists the user's factors in order of id, at most 100.
	ListFactors(ctx context.Context, user UserID) ([]Factor, error)
	// ChangeFactors applies the change. The error is jotgate.ErrNotFound if a
	// condition does not hold or there is no such account.
	ChangeFactors(ctx context.Context, change FactorChange) error
	// CountAttempt adds one to the failure counter of key, if the counter equals
	// before (the zero Failure if there is none), and reports whether it did. Of
	// concurrent callers with the same before, exactly one counts.
	CountAttempt(ctx context.Context, key string, before Failure, now time.Time) (bool, error)
	// RequestReset stores a reset of a user's factors that takes effect at its Due,
	// in place of an earlier one.
	RequestReset(ctx context.Context, reset FactorReset) error
	// PendingReset returns the reset of the user's factors, or nil.
	PendingReset(ctx context.Context, user UserID) (*FactorReset, error)
	// GraceStart returns the now of the first call for this user: the beginning of
	// jotgate.Settings.MFAGrace.
	GraceStart(ctx context.Context, user UserID, now time.Time) (time.Time, error)
	// Setting returns a setting that is kept in the database, or "".
	Setting(ctx context.Context, name string) (string, error)
	// PinSetting stores a setting unless it exists, and returns the stored value.
	PinSetting(ctx context.Context, name, value string) (string, error)
}

// FactorFormat is the name of the setting (Factors.Setting) for the format of the
// secrets in mfa_authenticator. Its value is FormatSealed, encrypted, if jotgate created
// the table. It is "" if a Django with allauth created it: then the secrets have
// allauth's format, which is not encrypted.
const (
	FactorFormat = "mfa_format"
	FormatSealed = "sealed"
)

// PinnedRPID is the name of the setting (Factors.Setting) with the RP ID for which the
// passkeys were registered.
const PinnedRPID = "rp_id"
