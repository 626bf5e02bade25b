package jotgate

// Setting up, listing and removing second factors.

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/factor/recovery"
	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/record"
)

var errNoFactors = errors.New("these accounts cannot have second factors")

// FactorInfo describes a second factor without its secret.
type FactorInfo struct {
	ID       int64             `json:"id"`
	Type     record.FactorType `json:"type"`
	Created  time.Time         `json:"created_at"`
	LastUsed time.Time         `json:"last_used_at,omitzero"`
	Left     int               `json:"left,omitempty"` // of FactorRecovery: unused codes
	Passkey  *PasskeyInfo      `json:"-"`              // of FactorPasskey; nil if it cannot be read
}

// List lists the user's second factors in order of id, including recovery codes. The
// error is ErrUnavailable.
func (fs Factors) List(ctx context.Context, user record.UserID) ([]FactorInfo, error) {
	return fs.Of(ctx, &record.Account{ID: user})
}

// Of returns the same as List, for an account. It makes no query if the account was
// read together with its factors (record.Account.Related), as that of a PageSession is.
func (fs Factors) Of(ctx context.Context, a *record.Account) ([]FactorInfo, error) {
	if fs.gate.factors == nil {
		return nil, nil
	}
	factors, err := fs.gate.listFactors(ctx, a)
	list := make([]FactorInfo, len(factors))
	for i, f := range factors {
		list[i] = FactorInfo{ID: f.ID, Type: f.Type, Created: f.Created, LastUsed: f.LastUsed}
		if f.Type == record.FactorPasskey {
			if p, err := passkey.Parse([]byte(f.Data)); err == nil {
				info := passkeyInfo(p, &f)
				list[i].Passkey = &info
			}
		}
		if f.Type == record.FactorRecovery {
			data, err := recovery.ParseData(f.Data)
			if err != nil {
				return nil, ErrUnavailable.Because(err)
			}
			list[i].Left = data.Left()
		}
	}
	return list, err
}

// NewTOTP is a new secret for an authenticator app, which is not stored yet.
type NewTOTP struct {
	Secret string `json:"secret"` // base32, to be typed
	URL    string `json:"url"`    // otpauth://, for a QR code
	SVG    string `json:"svg"`    // that QR code
	// Token is what AddTOTP and EnrolTOTP need, together with a code of the app. It is
	// valid for 10 minutes.
	Token string `json:"token"`
}

// enrolTime is how long a secret can wait for its first code.
const enrolTime = 10 * time.Minute

const enrolPurpose = "jotgate totp enrolment"

// BeginTOTP returns a new secret for an authenticator app. It stores nothing: the Token
// of the result contains the secret, encrypted, and AddTOTP stores it. Errors: ErrTaken
// if the account has an authenticator app, ErrForbidden, ErrUnavailable.
func (fs Factors) BeginTOTP(ctx context.Context, a *record.Account) (NewTOTP, error) {
	g := fs.gate
	if g.factors == nil {
		return NewTOTP{}, ErrForbidden.Because(errNoFactors)
	}
	factors, err := g.listFactors(ctx, a)
	if err != nil {
		return NewTOTP{}, err
	}
	if factorOf(factors, record.FactorTOTP) != nil {
		return NewTOTP{}, errHasTOTP
	}
	t := NewTOTP{Secret: totp.NewSecret()}
	t.URL = totp.URL(cmp.Or(g.settings.MFAIssuer, cmp.Or(g.settings.Issuer, "jotgate")), cmp.Or(a.Username, a.Email), t.Secret)
	if t.SVG, err = totp.SVG(t.URL); err != nil {
		return NewTOTP{}, ErrUnavailable.Because(err)
	}
	t.Token, err = g.keys.Seal([]byte(g.now().UTC().Format(time.RFC3339)+" "+t.Secret), "enrol|"+string(a.ID), enrolPurpose)
	return t, err
}

// errHasTOTP reports that an authenticator app must be removed before another one
// is set up.
var errHasTOTP = &Error{Status: 400, Detail: "An authenticator app is already set up.", Code: "totp_exists"}

// openEnrolment returns the secret of a Token of BeginTOTP.
func (g *Gate) openEnrolment(user record.UserID, token string) (string, error) {
	plain, ok := g.keys.Open(token, "enrol|"+string(user), enrolPurpose)
	at, secret, _ := strings.Cut(string(plain), " ")
	if !ok {
		return "", ErrLoginNotValid
	}
	made, err := time.Parse(time.RFC3339, at)
	if err != nil || !g.now().Before(made.Add(enrolTime)) {
		return "", ErrLoginNotValid.Because(errors.New("the enrolment has expired"))
	}
	return secret, nil
}

// AddTOTP sets up an authenticator app. token is that of BeginTOTP, and code is the one
// that the app shows, which cannot be used again. If the account has no recovery codes,
// AddTOTP returns new ones, to be shown once. Errors: ErrLoginNotValid if the token is
// not valid or has expired; ErrCodeNotValid; 400 if the account has an app; 429;
// ErrForbidden, ErrBusy, ErrUnavailable.
func (fs Factors) AddTOTP(ctx context.Context, a *record.Account, token, code string, client Client) (codes []string, err error) {
	g := fs.gate
	if g.factors == nil {
		return nil, ErrForbidden.Because(errNoFactors)
	}
	l := &login{client: client, account: a, read: g.now()}
	if err := g.readFactors(ctx, l); err != nil {
		return nil, err
	}
	add, codes, err := g.enrolTOTP(ctx, l, token, code)
	if err != nil {
		return nil, err
	}
	err = g.changeFactors(ctx, record.FactorChange{
		User: a.ID, IfPassword: &a.Password, IfFactors: &l.entry.Factors,
		Spend: l.entry.Spend, Forgive: l.entry.Forgive, Add: add,
	}, "totp added", client)
	if errors.Is(err, ErrTaken) {
		err = errHasTOTP.Because(err)
	}
	if err != nil {
		return nil, overtaken(err)
	}
	g.factorChanged(ctx, a, "totp added", record.MessageFactorAdded)
	return codes, nil
}

// enrolTOTP checks a code of a new secret and returns the rows to insert: the
// factor and, if the user has none, recovery codes, which are returned, too.
func (g *Gate) enrolTOTP(ctx context.Context, l *login, token, code string) (add []*record.Factor, codes []string, err error) {
	secret, err := g.openEnrolment(l.account.ID, token)
	if err != nil {
		return nil, nil, err
	}
	if factorOf(l.factors, record.FactorTOTP) != nil {
		return nil, nil, errHasTOTP
	}
	attempt, err := g.beginAttempt(ctx, l, record.FactorTOTP)
	if err != nil {
		return nil, nil, err
	}
	now := g.now().Truncate(time.Microsecond)
	step, ok := totp.Match(secret, code, now, g.settings.TOTPGrace, 0)
	if !ok {
		return nil, nil, attempt.failed(ctx)
	}
	attempt.succeeded()
	stored, err := g.sealSecret(ctx, l.account.ID, secret)
	if err != nil {
		return nil, nil, err
	}
	data := totp.Data{Secret: stored}.Use(step, now)
	add = []*record.Factor{{User: l.account.ID, Type: record.FactorTOTP, Data: data.String(), Created: now, LastUsed: now}}
	if factorOf(l.factors, record.FactorRecovery) != nil {
		return add, nil, nil
	}
	row, codes, err := g.newRecoveryCodes(ctx, l.account.ID)
	return append(add, row), codes, err
}

// newRecoveryCodes makes recovery codes in the form of the table: hashed, or as
// allauth does.
func (g *Gate) newRecoveryCodes(ctx context.Context, user record.UserID) (row *record.Factor, codes []string, err error) {
	format, err := g.factors.Setting(ctx, record.FactorFormat)
	if err != nil {
		return nil, nil, err
	}
	data, codes := recovery.Seeded()
	if format == record.FormatSealed {
		codes = recovery.NewCodes()
		hashes := make([]string, len(codes))
		for i, code := range codes {
			if hashes[i], err = g.Accounts().MakePassword(ctx, code); err != nil {
				return nil, nil, err
			}
		}
		data = recovery.Hashed(hashes)
	}
	for i, code := range codes {
		codes[i] = recovery.Show(code)
	}
	return &record.Factor{User: user, Type: record.FactorRecovery, Data: data.String(), Created: g.now().Truncate(time.Microsecond)}, codes, nil
}

// NewRecoveryCodes replaces the account's recovery codes and returns the new ones, to
// be shown once. Errors: ErrForbidden if the account has no second factor, ErrBusy,
// ErrLoginNotValid if the account or its factors have changed concurrently,
// ErrUnavailable.
func (fs Factors) NewRecoveryCodes(ctx context.Context, a *record.Account, client Client) ([]string, error) {
	g := fs.gate
	if g.factors == nil {
		return nil, ErrForbidden.Because(errNoFactors)
	}
	factors, err := g.factors.ListFactors(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	set := record.FactorSet(factors)
	if set == "" {
		return nil, ErrForbidden.Because(errors.New("recovery codes need another factor"))
	}
	row, codes, err := g.newRecoveryCodes(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	change := record.FactorChange{User: a.ID, IfPassword: &a.Password, IfFactors: &set, Add: []*record.Factor{row}}
	if old := factorOf(factors, record.FactorRecovery); old != nil {
		change.Remove = []int64{old.ID}
	}
	if err := g.changeFactors(ctx, change, "recovery codes renewed", client); err != nil {
		return nil, overtaken(err)
	}
	g.factorChanged(ctx, a, "recovery codes renewed", record.MessageFactorAdded)
	return codes, nil
}

// Remove removes a factor. With the last one, the recovery codes are removed, too.
// Errors: ErrNotFound if the account has no such factor; ErrLastWay if it is a passkey,
// and the account could not log in without it; ErrForbidden, ErrUnavailable.
func (fs Factors) Remove(ctx context.Context, a *record.Account, id int64, client Client) error {
	g := fs.gate
	if g.factors == nil {
		return ErrForbidden.Because(errNoFactors)
	}
	change := record.FactorChange{User: a.ID, Remove: []int64{id}}
	if err := g.Logins().Providers().keepWay(ctx, a, &change); err != nil {
		return err
	}
	if err := g.changeFactors(ctx, change, "removed", client); err != nil {
		return err
	}
	g.factorChanged(ctx, a, "removed", record.MessageFactorRemoved)
	return nil
}

// changeFactors changes the factors, with the event.
func (g *Gate) changeFactors(ctx context.Context, change record.FactorChange, detail string, client Client) error {
	return g.recorded(ctx, &record.Event{Name: "factor", User: change.User, Detail: detail}, client, func(ctx context.Context) error {
		return g.factors.ChangeFactors(ctx, change)
	})
}

// factorChanged notifies the account's owner of a change of the factors.
func (g *Gate) factorChanged(ctx context.Context, a *record.Account, detail string, kind record.MessageKind) {
	a.Related = nil
	g.Accounts().Notify(ctx, kind, a, detail)
}
