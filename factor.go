package jotgate

// Second factors: reading their data, and checking their codes.

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/factor/recovery"
	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

// Secrets that jotgate stores in mfa_authenticator are sealed: sealedPrefix and
// the base64url of what seal returns. Others are plain, as allauth stores them.
const (
	sealedPrefix = "jg1:"
	totpPurpose  = "jotgate totp"
)

// sealSecret returns the secret of a TOTP factor as it is stored.
func (g *Gate) sealSecret(ctx context.Context, user record.UserID, secret string) (string, error) {
	format, err := g.factors.Setting(ctx, record.FactorFormat)
	if err != nil || format != record.FormatSealed {
		return secret, err
	}
	sealed, err := g.keys.Seal([]byte(secret), "user "+string(user), totpPurpose)
	return sealedPrefix + sealed, err
}

// openSecret is the inverse of sealSecret, for either form.
func (g *Gate) openSecret(user record.UserID, stored string) (string, error) {
	text, ok := strings.CutPrefix(stored, sealedPrefix)
	if !ok {
		return stored, nil
	}
	if plain, ok := g.keys.Open(text, "user "+string(user), totpPurpose); ok {
		return string(plain), nil
	}
	return "", errors.New("the TOTP secret of the user " + string(user) + " was sealed with another SECRET_KEY; add that one to SECRET_KEY_FALLBACKS")
}

// The limits of wrong codes. Delays are those of a login from one network, but
// count every network, because who enters a code knows the password.
const (
	attemptsForEmail   = 10  // wrong codes in a row after which the user gets an e-mail
	attemptsOfPending  = 10  // wrong codes of one pending login
	attemptsUntilRests = 100 // wrong codes of one kind after which it rests until another factor is used
)

// attempt is an attempt to enter a code, counted before it is checked.
type attempt struct {
	gate  *Gate
	l     *login
	kind  record.FactorType
	total record.Failure // of the account, including this attempt
}

func (a *attempt) totalKey() string { return "mfa|" + string(a.l.account.ID) }

// kindKey is the key of the wrong codes of one kind in a row. It is not purged.
func (a *attempt) kindKey() string {
	return "mfa|" + string(a.l.account.ID) + "|" + string(a.kind)
}

func (a *attempt) pendingKey() string { return "mfa-login|" + a.l.pending.ID }

// beginAttempt counts an attempt to enter a code, or returns an error with
// status 429, ErrLoginNotValid or ErrCodeNotValid if there were too many. An
// attempt counts as a failure until it has succeeded, in one conditional
// statement, so that concurrent ones are all counted before any is checked.
func (g *Gate) beginAttempt(ctx context.Context, l *login, kind record.FactorType) (*attempt, error) {
	a := &attempt{gate: g, l: l, kind: kind}
	failures := g.db.Failures()
	if failures == nil {
		return nil, ErrUnavailable.Because(errors.New("the store does not count failures"))
	}
	for range 50 {
		keys := []string{a.totalKey(), a.kindKey()}
		if l.pending != nil {
			keys = append(keys, a.pendingKey())
		}
		found, err := failures.Find(ctx, keys)
		if err != nil {
			return nil, err
		}
		now := g.now()
		a.total = found[a.totalKey()]
		switch wait := (throttle.Policy{}).Wait(a.total.Count, a.total.Last, now); {
		case wait > 0:
			return nil, throttled(wait)
		case l.pending != nil && found[a.pendingKey()].Count >= attemptsOfPending:
			return nil, ErrLoginNotValid.Because(errors.New("too many wrong codes in one login"))
		case found[a.kindKey()].Count >= attemptsUntilRests:
			return nil, ErrCodeNotValid.Because(errors.New("this factor is blocked after too many wrong codes until another one is used"))
		}
		if counted, err := g.factors.CountAttempt(ctx, a.totalKey(), a.total, now); err != nil || counted {
			a.total.Count++
			return a, err
		}
	}
	return nil, ErrUnavailable.Because(errors.New("too many concurrent attempts"))
}

// failed counts a wrong code, and returns the error for it.
func (a *attempt) failed(ctx context.Context) error {
	keys := []string{a.kindKey()}
	if a.l.pending != nil {
		keys = append(keys, a.pendingKey())
	}
	ctx = context.WithoutCancel(ctx)
	if err := a.gate.db.Failures().Add(ctx, keys, a.gate.now(), time.Time{}); err != nil {
		return err
	}
	if a.total.Count == attemptsForEmail {
		a.gate.Accounts().Notify(ctx, record.MessageWrongCodes, a.l.account, "")
	}
	return ErrCodeNotValid
}

// succeeded makes the login's transaction remove the counters: the account's, and
// those of the kinds that rested until another factor was used.
func (a *attempt) succeeded() {
	a.l.entry.Forgive = []string{
		a.totalKey(), "mfa|" + string(a.l.account.ID) + "|" + string(record.FactorTOTP), "mfa|" + string(a.l.account.ID) + "|" + string(record.FactorRecovery),
	}
}

// throttled returns the error for status 429, with Django REST framework's
// wording.
func throttled(wait time.Duration) *Error {
	seconds, unit := throttle.RetryAfter(wait), " seconds."
	if seconds == "1" {
		unit = " second."
	}
	return &Error{
		Status: 429, RetryAfter: max(wait, time.Second),
		Detail: "Request was throttled. Expected available in " + seconds + unit,
	}
}

// TOTP returns a proof with a code of the user's authenticator app: six digits. It is
// the second step of a login.
func TOTP(code string) Proof { return totpProof{code} }

type totpProof struct{ code string }

func (totpProof) subject() string { return "" }

func (p totpProof) prove(ctx context.Context, g *Gate, l *login) (proved, error) {
	if len(l.done) == 0 {
		return proved{}, ErrLoginNotValid.Because(errors.New("TOTP is not the first step of a login"))
	}
	return g.proveCode(ctx, l, record.FactorTOTP, methodTOTP, func() (record.FactorUse, bool, error) { return g.matchTOTP(l, p.code) })
}

// proveCode counts an attempt to enter a code, lets match compare it, and then
// takes the attempt back or reports the wrong code.
func (g *Gate) proveCode(ctx context.Context, l *login, kind record.FactorType, method string, match func() (record.FactorUse, bool, error)) (proved, error) {
	a, err := g.beginAttempt(ctx, l, kind)
	if err != nil {
		return proved{}, err
	}
	use, ok, err := match()
	if err != nil {
		return proved{}, err
	}
	if !ok {
		return proved{}, a.failed(ctx)
	}
	a.succeeded()
	l.entry.Uses = append(l.entry.Uses, use)
	return proved{Method: method}, nil
}

// matchTOTP compares a code with the user's TOTP factor, and returns the change
// of its row that uses the code up.
func (g *Gate) matchTOTP(l *login, code string) (use record.FactorUse, ok bool, err error) {
	f := factorOf(l.factors, record.FactorTOTP)
	if f == nil || !totp.IsCode(code) {
		return use, false, nil
	}
	data, err := totp.ParseData(f.Data)
	if err != nil {
		return use, false, ErrUnavailable.Because(err)
	}
	secret, err := g.openSecret(f.User, data.Secret)
	if err != nil {
		return use, false, ErrUnavailable.Because(err)
	}
	now := g.now().Truncate(time.Microsecond)
	step, ok := totp.Match(secret, code, now, g.settings.TOTPGrace, data.Last(f.LastUsed))
	return record.FactorUse{ID: f.ID, Old: f.Data, New: data.Use(step, now).String(), LastUsed: now}, ok, nil
}

// RecoveryCode returns a proof with one of the user's recovery codes. Case, blanks and
// hyphens are ignored, and characters that look alike, such as O and 0, are equal. It
// is the second step of a login, and works once.
func RecoveryCode(code string) Proof { return recoveryProof{code} }

type recoveryProof struct{ code string }

func (recoveryProof) subject() string { return "" }

func (p recoveryProof) prove(ctx context.Context, g *Gate, l *login) (proved, error) {
	if len(l.done) == 0 {
		return proved{}, ErrLoginNotValid.Because(errors.New("RecoveryCode is not the first step of a login"))
	}
	return g.proveCode(ctx, l, record.FactorRecovery, methodRecovery, func() (record.FactorUse, bool, error) { return g.matchRecovery(ctx, l, p.code) })
}

// matchRecovery compares a code with the user's recovery codes, and returns the
// change of their row that uses it up. A hash is computed in the hash pool.
func (g *Gate) matchRecovery(ctx context.Context, l *login, code string) (use record.FactorUse, ok bool, err error) {
	f := factorOf(l.factors, record.FactorRecovery)
	if f == nil || len(code) > 64 {
		return use, false, nil
	}
	data, err := recovery.ParseData(f.Data)
	if err != nil {
		return use, false, ErrUnavailable.Because(err)
	}
	var busy error
	i, ok := data.Find(code, func(code, hash string) (fits bool) {
		busy = g.hash(ctx, hash, func() { fits, _ = g.hasher.Check(code, hash) })
		return fits && busy == nil
	})
	if busy != nil || !ok {
		return use, false, busy
	}
	data = data.Use(i)
	l.codesLeft = data.Left()
	return record.FactorUse{ID: f.ID, Old: f.Data, New: data.String(), LastUsed: g.now().Truncate(time.Microsecond)}, true, nil
}

// factorOf returns the user's factor of this type, or nil.
func factorOf(factors []record.Factor, kind record.FactorType) *record.Factor {
	i := slices.IndexFunc(factors, func(f record.Factor) bool { return f.Type == kind })
	if i < 0 {
		return nil
	}
	return &factors[i]
}

// readFactors reads the factors of a login's account.
func (g *Gate) readFactors(ctx context.Context, l *login) (err error) {
	if g.factors == nil {
		return nil
	}
	l.factors, err = g.listFactors(ctx, l.account)
	l.entry.Factors = record.FactorSet(l.factors)
	return err
}

// overtaken converts ErrNotFound of a change that found another account or other
// factors than were read.
func overtaken(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrLoginNotValid.Because(errOvertaken)
	}
	return err
}

// factorSet returns the record.FactorSet of the account.
func (g *Gate) factorSet(ctx context.Context, a *record.Account) (string, error) {
	if g.factors == nil {
		return "", nil
	}
	factors, err := g.factors.ListFactors(ctx, a.ID)
	return record.FactorSet(factors), err
}
