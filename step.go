package jotgate

// The steps of a login: which one is next. Every login passes through nextStep.

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Step is the next step of a login.
type Step string

// The steps of a login, in the order in which they are asked for. Each is also
// the code of the error that reports it.
const (
	StepDone     Step = ""                  // nothing is missing: a session is created
	StepFirst    Step = "first"             // nothing has been proved yet
	StepActivate Step = "no_active_account" // the account is not active
	StepSecond   Step = "mfa_required"      // a second factor must be presented
	StepEnrol    Step = "mfa_enrol"         // a second factor must be set up
	StepPassword Step = "password_change"   // the password must be changed
)

// The methods by which a user authenticates: the claim amr, with the names of RFC 8176
// if it has one.
const (
	methodPassword = "pwd"
	methodTOTP     = "otp"
	methodRecovery = "recovery"
	methodPasskey  = "pop"  // possession of a key
	methodUser     = "user" // the device has verified the user
	methodProvider = "fed"
	methodEmail    = "mail"
	methodMulti    = "mfa"
)

// A proved is a proof that was accepted in a login.
type proved struct {
	Method string   `json:"m"`
	Time   int64    `json:"t"`           // Unix seconds; 0 in the result of prove is now
	Change bool     `json:"c,omitempty"` // it is a password that must be replaced
	Both   bool     `json:"b,omitempty"` // it is two factors, as a passkey whose device verified the user
	AMR    []string `json:"a,omitempty"` // in the claim amr, if it is not Method alone

	Social *record.SocialUse `json:"s,omitempty"` // of methodProvider
}

// isSecond reports whether a method can be the second factor after another. A
// code sent by e-mail cannot: it proves a mailbox, which also resets passwords
// (NIST SP 800-63B section 3.1.3.1, ASVS 6.3.6).
func isSecond(method string) bool {
	return method == methodTOTP || method == methodRecovery || method == methodPasskey
}

// isTwoFactors reports whether the proofs are two different factors.
func isTwoFactors(done []proved) bool {
	first := slices.ContainsFunc(done, func(p proved) bool { return !isSecond(p.Method) })
	second := slices.ContainsFunc(done, func(p proved) bool { return isSecond(p.Method) })
	return first && second || slices.ContainsFunc(done, func(p proved) bool { return p.Both })
}

// stepInput is what the next step depends on in addition to the proofs.
type stepInput struct {
	Active         bool // the account may log in: it is active and not a service account
	SecondFactor   bool // it has a second factor
	Demanded       bool // it must have one, and the grace period is over
	TrustedBrowser bool // a second factor was presented in this browser before
	ChangePassword bool // the password must be changed
}

// nextStep returns what a login needs next. It depends on its arguments alone.
func nextStep(s stepInput, done []proved) Step {
	switch {
	case len(done) == 0:
		return StepFirst
	case !s.Active:
		return StepActivate
	case s.SecondFactor && !s.TrustedBrowser && !isTwoFactors(done):
		return StepSecond
	case !s.SecondFactor && s.Demanded && !isTwoFactors(done):
		return StepEnrol
	case s.ChangePassword && slices.ContainsFunc(done, func(p proved) bool { return p.Method == methodPassword }):
		return StepPassword
	default:
		return StepDone
	}
}

// methodsOf returns the claim amr of these proofs.
func methodsOf(done []proved) (amr []string) {
	for _, p := range done {
		words := p.AMR
		if len(words) == 0 {
			words = []string{p.Method}
		}
		for _, word := range words {
			if !slices.Contains(amr, word) {
				amr = append(amr, word)
			}
		}
	}
	if isTwoFactors(done) && !slices.Contains(amr, methodMulti) {
		amr = append(amr, methodMulti)
	}
	return amr
}

// The authentication assurance levels: the claim acr.
const (
	levelOne = "aal1"
	levelTwo = "aal2"
)

func levelOf(done []proved) string {
	if isTwoFactors(done) {
		return levelTwo
	}
	return levelOne
}

// LoginState is the result of a step of a login. If Next is StepDone, the login is
// complete.
type LoginState struct {
	Tokens  Tokens       // if Next is StepDone
	Page    *PageSession // instead of Tokens, for PageSessions.Begin and PageSessions.Continue
	Next    Step
	Flows   []string // the methods that complete Next, best first: passkey, totp, recovery, password
	Pending string   // the token for Continue; valid for 15 minutes from the first step on
	// RecoveryCodes are new recovery codes, to be shown to the user once. They are set
	// if this step has set up the first second factor.
	RecoveryCodes []string
	// TrustedBrowser is a value for a cookie, if the user wants this browser to be
	// trusted: at the next login it is passed as Client.TrustedBrowser, and no second
	// factor is required. It is empty unless a second factor was presented and
	// Settings.TrustedBrowser is set.
	TrustedBrowser string
}

// StepError is the error of Gate.Login and Sessions.Start if the login needs another
// step. The client gets its code (State.Next), State.Flows and State.Pending with the
// status 401. Find it with errors.As, and pass State.Pending to Logins.Continue.
type StepError struct{ State LoginState }

var stepDetails = map[Step]string{
	StepSecond:   "A second factor is required.",
	StepEnrol:    "A second factor must be set up.",
	StepPassword: "The password must be changed.",
}

// Error returns the text for the operator.
func (e *StepError) Error() string { return stepDetails[e.State.Next] }

// Unwrap returns the *Error that a client gets.
func (e *StepError) Unwrap() error {
	return &Error{
		Status: ErrNoActiveAccount.Status, Detail: stepDetails[e.State.Next], Code: string(e.State.Next),
		Flows: e.State.Flows, Pending: e.State.Pending,
	}
}

// A login is a login in progress.
type login struct {
	client  Client
	pending *pendingLogin // nil in the first step
	account *record.Account
	read    time.Time // at or before the account was read
	factors []record.Factor
	done    []proved
	entry   record.Entry // what the session's transaction writes
	state   LoginState   // what the steps have produced, without tokens
	stepUp  bool         // the login replaces a session of the same user
	page    *PageLogin   // of a login at a page, which gets a cookie instead of tokens

	codesLeft int             // recovery codes that remain after one was used
	added     string          // what entry.Add adds, for the event and the e-mail
	events    []*record.Event // about what the last proof changes
}

// record adds an event, which is stored in the transaction of the next change.
func (l *login) record(name, detail string) {
	l.events = append(l.events, &record.Event{Name: name, User: l.account.ID, Detail: detail})
}

// acr returns the level that the session's tokens carry; "" is none, for users
// without a second factor, whose tokens have no such claims by default.
func (l *login) acr() string {
	if isTwoFactors(l.done) || l.stepUp || record.FactorSet(l.factors) != "" {
		return levelOf(l.done)
	}
	return ""
}

// pendingTime is how long a login may take from its first step to its last. It
// is never prolonged.
const pendingTime = 15 * time.Minute

// A pendingLogin is the content of a pending token.
type pendingLogin struct {
	ID       string        `json:"id"`
	User     record.UserID `json:"user"`
	Done     []proved      `json:"done"`
	Start    int64         `json:"start"`        // Unix seconds
	Read     int64         `json:"read"`         // when the account was read for the last step, in Unix microseconds
	Ended    *int64        `json:"nb,omitempty"` // of Gate.lastEnding, if User is not empty; an earlier version of jotgate did not write it
	Password string        `json:"pw"`           // of Gate.passwordMark
	Factors  string        `json:"fs"`           // record.FactorSet
	// Passkey is the state of a ceremony that has begun. If User is empty, the
	// passkey is the first proof.
	Passkey json.RawMessage `json:"pk,omitempty"`
	// NewPasskey is the state of a registration that has begun, in a login whose
	// next step is StepEnrol.
	NewPasskey json.RawMessage `json:"nk,omitempty"`
	// Code is the code that was sent by e-mail, the first proof. User is empty.
	Code *pendingCode `json:"ec,omitempty"`
}

// A pendingCode names the code that a pending login waits for.
type pendingCode struct {
	ID      string `json:"i"`
	Address string `json:"a"` // see codeAddress
	Subject string `json:"s"` // of events, see Events.Subject
}

func (p *pendingLogin) expires() time.Time { return time.Unix(p.Start, 0).Add(pendingTime) }

// asOf returns Read. An earlier version of jotgate did not write it.
func (p *pendingLogin) asOf() int64 { return cmp.Or(p.Read, p.Start*1e6) }

// spent is the row that makes the pending login usable once.
func (p *pendingLogin) spent() record.Spent {
	return record.Spent{ID: "login " + p.ID, Expires: p.expires()}
}

// PageSession is a verified page cookie and its session. Only methods of PageSessions
// return one.
type PageSession struct {
	User     *User
	Owner    record.UserID // the account's key
	AuthTime time.Time     // when the user last proved who it is
	ACR      string        // the level at which it did: aal1, aal2, or "" without second factors
	Keep     bool          // the user asked to stay signed in: the cookie outlives the browser
	Expires  time.Time     // end of the session

	Cookie  string // the value of the cookie
	Changed bool   // Cookie must be sent to the browser

	// Account is the account, if it was read to start or renew the cookie. It is nil if
	// the cookie was verified without a query.
	Account *record.Account
}

// PageLogin says what kind of session a login at a page starts. The zero value is the
// safe choice: a session of at most 12 hours that ends with the browser.
type PageLogin struct {
	// Keep makes the session last for Settings.SessionLifetime, and its cookie remain
	// when the browser is closed. Default: the session lasts for at most 12 hours.
	Keep bool
	// Replaces is the session of a user who authenticates again. It ends in the
	// transaction that starts the new one (ASVS 7.2.4). A login of another user is
	// rejected with ErrLoginNotValid.
	Replaces *PageSession
}
