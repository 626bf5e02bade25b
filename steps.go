package jotgate

// A login in steps: Begin, Continue and Sessions.Start.

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/jotgate/jotgate/record"
)

// Login checks a username and a password and starts a session. It makes two SELECTs,
// computes one password hash whatever the result, and writes the session and its event
// in one transaction. Errors: ErrNoActiveAccount, with the same response in the same
// time for an unknown name, a wrong password, an unusable password and an inactive
// account; a *StepError if the login needs another step, such as a second factor;
// ErrBusy if too many logins wait; ErrUnavailable. It does not limit the number of
// attempts: package api does, and a program that calls Login itself should use package
// throttle.
func (g *Gate) Login(ctx context.Context, username, password string, client Client) (Tokens, error) {
	state, err := g.Logins().Begin(ctx, Password(username, password), client)
	if err == nil && state.Next != StepDone {
		err = &StepError{state}
	}
	return state.Tokens, err
}

// Begin starts a login with a first proof. If no other step is needed, the result has
// the tokens of a new session. Otherwise there is no session yet, and Next is the next
// step, for Continue. Errors: those of the proof (ErrNoActiveAccount for a Password),
// ErrBusy, ErrUnavailable.
func (ls Logins) Begin(ctx context.Context, proof Proof, client Client) (LoginState, error) {
	return ls.gate.begin(ctx, proof, client, nil)
}

// begin is Begin; page, if not nil, makes it the login of a page.
func (g *Gate) begin(ctx context.Context, proof Proof, client Client, page *PageLogin) (LoginState, error) {
	var l *login
	var err error
	for range 2 {
		l = &login{client: client, page: page}
		if err = g.take(ctx, l, proof); !errors.Is(err, errOvertaken) {
			break
		}
		// The row may have changed during hashing, perhaps by another login that
		// upgraded the hash: try once more.
	}
	if errors.Is(err, ErrNoActiveAccount) {
		g.event(ctx, record.Event{
			Name: "login_failed", User: idOf(l.account), Subject: g.Events().Subject(proof.subject()), Detail: failureReason(err),
		}, client)
	}
	if err != nil {
		g.countLogin(err)
		return LoginState{}, err
	}
	return l.state, nil
}

// Continue makes the next step of a login. pending is the LoginState.Pending of the
// previous step; it cannot be used again after the proof was accepted. Errors:
// ErrLoginNotValid if pending has expired, was used or belongs to another kind of
// client (Client.Browser), or if the password or the factors have changed since;
// ErrCodeNotValid if the proof is wrong or was used before; 429 after too many wrong
// ones; ErrUnavailable.
func (ls Logins) Continue(ctx context.Context, pending string, proof Proof, client Client) (LoginState, error) {
	return ls.gate.proceed(ctx, pending, proof, client, nil)
}

// proceed is Continue; page, if not nil, makes it the login of a page.
func (g *Gate) proceed(ctx context.Context, pending string, proof Proof, client Client, page *PageLogin) (LoginState, error) {
	_, namesUser := proof.(interface{ namesUser() })
	_, retries := proof.(interface{ retries() })
	var l *login
	for range 3 {
		var err error
		if namesUser {
			l, err = g.resumeAny(ctx, pending, client)
		} else {
			l, err = g.resume(ctx, pending, client)
		}
		if err != nil {
			return LoginState{}, err
		}
		l.page = page
		// If another login with the same passkey has just changed its row, this one
		// is verified again against the new counter.
		if err = g.take(ctx, l, proof); err == nil {
			return l.state, nil
		} else if !retries || !errors.Is(err, ErrCodeNotValid) {
			return LoginState{}, g.continued(ctx, l, err)
		}
	}
	return LoginState{}, ErrPasskeyNotValid.Because(errOvertaken)
}

// continued returns the error of a step that failed. An inactive account is
// reported as by Begin.
func (g *Gate) continued(ctx context.Context, l *login, err error) error {
	switch {
	case errors.Is(err, errOvertaken):
		err = ErrLoginNotValid.Because(errOvertaken)
	case errors.Is(err, ErrNoActiveAccount):
		g.event(ctx, record.Event{Name: "login_failed", User: idOf(l.account), Detail: failureReason(err)}, l.client)
		g.countLogin(err)
	}
	a := &attributed{error: err, user: idOf(l.account)}
	if l.pending != nil && l.pending.Code != nil {
		a.subject = l.pending.Code.Subject
	}
	return a
}

// Start starts a session for an account that the program has authenticated itself;
// proof is a ProvedElsewhere. Errors: a *StepError if the login needs another step, for
// Logins.Continue; ErrNoActiveAccount if the account has become inactive or its
// password has changed; ErrUnavailable.
func (ss Sessions) Start(ctx context.Context, account *record.Account, proof Proof, client Client) (Tokens, error) {
	if _, ok := proof.(elsewhereProof); !ok || account == nil {
		return Tokens{}, ErrLoginNotValid.Because(errors.New("Sessions.Start needs an account and a ProvedElsewhere"))
	}
	l := &login{client: client, account: account, read: ss.gate.now()}
	if err := ss.gate.take(ctx, l, proof); err != nil {
		return Tokens{}, err
	}
	if l.state.Next != StepDone {
		return Tokens{}, &StepError{l.state}
	}
	return l.state.Tokens, nil
}

// resume reads a pending login and the account that it belongs to.
func (g *Gate) resume(ctx context.Context, pending string, client Client) (*login, error) {
	l, err := g.resumeAny(ctx, pending, client)
	if err == nil && l.account == nil {
		return nil, ErrLoginNotValid.Because(errors.New("the login has not begun"))
	}
	return l, err
}

// resumeAny is resume also for a login that begins with a passkey or a code by
// e-mail, which has no account yet.
func (g *Gate) resumeAny(ctx context.Context, pending string, client Client) (*login, error) {
	p, err := g.openPending(pending, &client)
	if err != nil {
		return nil, err
	}
	l := &login{client: client, pending: p, done: p.Done, read: g.now(), entry: record.Entry{Spend: []record.Spent{p.spent()}}}
	if p.User == "" {
		return l, nil
	}
	if l.account, err = g.accountByID(ctx, p.User); errors.Is(err, ErrNotFound) {
		return nil, ErrLoginNotValid.Because(err)
	} else if err != nil {
		return nil, err
	}
	if !l.account.IsActive || g.passwordMark(l.account) != p.Password {
		return nil, ErrLoginNotValid.Because(errOvertaken)
	}
	if ended, err := g.endedSince(ctx, l.account, p.Ended, p.asOf()); err != nil {
		return nil, err
	} else if ended {
		return nil, ErrLoginNotValid.Because(errEnded)
	}
	if err := g.readFactors(ctx, l); err != nil {
		return nil, err
	}
	if record.FactorSet(l.factors) != p.Factors {
		return nil, ErrLoginNotValid.Because(errors.New("the second factors have changed"))
	}
	return l, nil
}

// take checks a proof, determines the next step and, if there is none, creates
// the session. It is the only caller of createSession.
func (g *Gate) take(ctx context.Context, l *login, proof Proof) error {
	p, err := proof.prove(ctx, g, l)
	if err != nil {
		return err
	}
	if len(l.done) == 0 {
		if err := g.readFactors(ctx, l); err != nil {
			return err
		}
	}
	if len(l.entry.Add) > 0 {
		l.record("factor", l.added)
	}
	if p.Method == methodRecovery {
		l.record("recovery_code", strconv.Itoa(l.codesLeft)+" left")
	}
	p.Time = cmp.Or(p.Time, g.now().Unix())
	l.done = append(slices.Clone(l.done), p)
	input, err := g.stepInput(ctx, l)
	if err != nil {
		return err
	}
	switch l.state.Next = nextStep(input, l.done); l.state.Next {
	case StepDone:
		err = g.createSession(ctx, l)
	case StepFirst, StepActivate:
		return ErrNoActiveAccount.Because(whyInactive(l.account))
	default:
		err = g.suspend(ctx, l)
	}
	if err != nil {
		return err
	}
	g.stepTaken(ctx, l, p.Method)
	return nil
}

// stepTaken notifies the account's owner of what an accepted proof has changed.
func (g *Gate) stepTaken(ctx context.Context, l *login, method string) {
	if len(l.entry.Add) > 0 {
		g.factorChanged(ctx, l.account, l.added, record.MessageFactorAdded)
	}
	if method == methodRecovery {
		g.Accounts().Notify(ctx, record.MessageRecoveryUsed, l.account, strconv.Itoa(l.codesLeft))
	}
	if l.state.Next == StepDone && g.settings.TrustedBrowser > 0 && isTwoFactors(l.done) {
		l.state.TrustedBrowser = g.sealTrust(ctx, l.account, record.FactorSet(l.factors))
	}
}

// stepInput determines what the next step depends on.
func (g *Gate) stepInput(ctx context.Context, l *login) (s stepInput, err error) {
	s.Active = l.account.IsActive && !l.account.Service
	if err := g.applyReset(ctx, l); err != nil {
		return s, err
	}
	s.SecondFactor = asksSecond(l.factors)
	again := l.stepUp || l.page != nil && l.page.Replaces != nil
	s.ChangePassword = !again && slices.ContainsFunc(l.done, func(p proved) bool { return p.Change })
	if s.SecondFactor && !again {
		if s.TrustedBrowser, err = g.isTrusted(ctx, l); err != nil {
			return s, err
		}
	}
	if g.factors != nil && !s.SecondFactor {
		s.Demanded, err = g.demandsFactor(ctx, l.account)
	}
	if s.Demanded && record.FactorSet(l.factors) != "" { // passkeys for logins alone can also be the second factor
		s.SecondFactor, s.Demanded = true, false
	}
	return s, err
}

// suspend ends a step of a login that is not complete: it stores what the step
// has used, and makes the token for the next one.
func (g *Gate) suspend(ctx context.Context, l *login) (err error) {
	start := g.now().Unix()
	if l.pending != nil {
		start = l.pending.Start
		// Nothing but the token changes if the next step fails.
		if err := g.recordedAll(ctx, l.events, l.client, func(ctx context.Context) error {
			return g.factors.ChangeFactors(ctx, record.FactorChange{
				User: l.account.ID, IfPassword: &l.account.Password, IfFactors: &l.entry.Factors,
				Spend: l.entry.Spend, Uses: l.entry.Uses, Forgive: l.entry.Forgive, Add: l.entry.Add,
			})
		}); err != nil {
			return overtaken(err)
		}
	}
	ended, err := g.lastEnding(ctx, l.account)
	if err != nil {
		return err
	}
	l.state.Flows = g.flows(l)
	l.state.Pending, err = g.sealPending(&pendingLogin{
		ID: randomHex(), User: l.account.ID, Done: l.done, Start: start, Read: l.read.UnixMicro(), Ended: ended,
		Password: g.passwordMark(l.account), Factors: record.FactorSet(l.factors),
	}, &l.client)
	return err
}

// flows lists the methods that complete the next step, best first.
func (g *Gate) flows(l *login) (flows []string) {
	switch l.state.Next {
	case StepPassword:
		return []string{"password"}
	case StepEnrol:
		if g.rp == nil {
			return []string{"totp"}
		}
		return []string{"passkey", "totp"}
	}
	if !slices.ContainsFunc(l.done, func(p proved) bool { return !isSecond(p.Method) }) {
		return []string{"password"} // after a passkey that did not verify the user
	}
	for _, f := range []struct {
		kind record.FactorType
		flow string
	}{{record.FactorPasskey, "passkey"}, {record.FactorTOTP, "totp"}, {record.FactorRecovery, "recovery"}} {
		if f.kind == record.FactorPasskey && g.rp == nil {
			continue // of a Django: they cannot be verified without an RP ID
		}
		if slices.ContainsFunc(l.factors, func(have record.Factor) bool { return have.Type == f.kind }) {
			flows = append(flows, f.flow)
		}
	}
	return flows
}
