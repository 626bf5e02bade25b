// Names that moved to package record; they go when nothing uses them.

package jotgate

import "github.com/jotgate/jotgate/record"

type (
	UserID        = record.UserID     // moved
	Account       = record.Account    // moved
	Group         = record.Group      // moved
	Store         = record.Store      // moved
	Accounts      = record.Accounts   // moved
	AccountChange = record.Change     // moved
	EndReason     = record.EndReason  // moved
	Session       = record.Session    // moved
	Sessions      = record.Sessions   // moved
	Rotation      = record.Rotation   // moved
	Rotated       = record.Rotated    // moved
	Ending        = record.Ending     // moved
	Revocation    = record.Revocation // moved
	SigningKey    = record.Key        // moved
	KeyState      = record.KeyState   // moved
	KeyStore      = record.Keys       // moved
	Event         = record.Event      // moved
	EventStore    = record.Events     // moved
	Letter        = record.Letter     // moved
	LetterKind    = record.LetterKind // moved
	Outbox        = record.Outbox     // moved
	Failure       = record.Failure    // moved
	FailureStore  = record.Failures   // moved
)

const (
	EndedByLogout         = record.EndedByLogout
	EndedByUser           = record.EndedByUser
	EndedByReuse          = record.EndedByReuse
	EndedByPassword       = record.EndedByPassword
	EndedByAccount        = record.EndedByAccount
	EndedByDjango         = record.EndedByDjango
	KeyNext               = record.KeyNext
	KeyCurrent            = record.KeyCurrent
	KeyRetired            = record.KeyRetired
	LetterActivation      = record.LetterActivation
	LetterConfirmation    = record.LetterConfirmation
	LetterPasswordReset   = record.LetterPasswordReset
	LetterPasswordChanged = record.LetterPasswordChanged
	LetterUsernameReset   = record.LetterUsernameReset
	LetterUsernameChanged = record.LetterUsernameChanged
	LetterNewSignIn       = record.LetterNewSignIn
	LetterDecoy           = record.LetterDecoy
)
