package jotgate

// Authenticating again: how recent and how strong an authentication is, and
// replacing a session by a stronger one.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Requirement is a requirement of RequireAuth on the user's authentication: Fresh or
// ACR.
type Requirement struct {
	maxAge time.Duration
	acr    string
}

// Fresh requires that the user authenticated at most d ago (the claim
// auth_time).
func Fresh(d time.Duration) Requirement { return Requirement{maxAge: d} }

// ACR requires a level of authentication (the claim acr): "aal2" is two factors, and
// "aal1" is one or two.
func ACR(level string) Requirement { return Requirement{acr: level} }

// errInsufficient is the refusal of RFC 9470 section 3, without its parameters.
var errInsufficient = &Error{
	Status: http.StatusUnauthorized, Code: "insufficient_user_authentication",
	Detail: "A different or more recent authentication is required.",
}

// CheckAuth returns nil if the user's authentication meets all requirements. Otherwise
// the error has the status 401 and, in WWW-Authenticate, the error
// insufficient_user_authentication with acr_values and max_age (RFC 9470). A token
// without the claims auth_time and acr meets no requirement except ACR("aal1").
func (g *Guard) CheckAuth(user *User, requirements ...Requirement) error {
	maxAge, acr, missing := time.Duration(0), "", false
	seen := user.details()
	for _, r := range requirements {
		if r.maxAge > 0 {
			if maxAge == 0 || r.maxAge < maxAge {
				maxAge = r.maxAge
			}
			age := g.now().Unix() - seen.authTime
			missing = missing || seen.authTime == 0 || age > int64(r.maxAge/time.Second)
		}
		if r.acr != "" {
			if acr == "" || !reaches(acr, r.acr) { // the highest is enough for all
				acr = r.acr
			}
			missing = missing || !reaches(seen.acr, r.acr)
		}
	}
	if !missing {
		return nil
	}
	e := *errInsufficient
	e.Challenge = `error="insufficient_user_authentication"`
	if acr != "" {
		e.Challenge += fmt.Sprintf(", acr_values=%q", acr)
	}
	if maxAge > 0 {
		e.Challenge += fmt.Sprintf(`, max_age="%d"`, int64(maxAge/time.Second))
	}
	return &e
}

// reaches reports whether a level is as high as another one. Levels that are not
// jotgate's are only equal to themselves.
func reaches(have, want string) bool {
	return have == want || want == levelOne && (have == "" || have == levelTwo)
}

// RequireAuth returns a middleware that is Require for users whose
// authentication meets the requirements; it responds to others as RFC 9470 says,
// so that the client authenticates again and repeats the request:
//
//	mux.Handle("/pay", gate.RequireAuth(jotgate.Fresh(10*time.Minute), jotgate.ACR("aal2"))(pay))
func (g *Guard) RequireAuth(requirements ...Requirement) func(http.Handler) http.Handler {
	return g.requireThat(func(u *User) error { return g.CheckAuth(u, requirements...) })
}

// Reauthenticate authenticates the user of a session again and replaces the session by
// a new one. Its tokens have a new auth_time and, if proof is a second factor, the
// level aal2. The old session ends with record.EndedByStepUp, so that a stolen token of
// it is not upgraded. A user who has a second factor must present one; other users
// present a Password. Errors: a *StepError if the proof is not sufficient, those of
// Continue, and ErrTokenBlacklisted if the session has ended or the token has none.
func (ls Logins) Reauthenticate(ctx context.Context, user *User, proof Proof, client Client) (LoginState, error) {
	g := ls.gate
	if err := user.CheckSelf(); err != nil {
		return LoginState{}, err
	}
	if user.Session == "" {
		return LoginState{}, ErrTokenBlacklisted.Because(errors.New("the token has no session"))
	}
	l := &login{client: client, stepUp: true, read: g.now()}
	var err error
	if l.account, err = g.Accounts().Of(ctx, user); err != nil {
		return LoginState{}, err
	}
	session, err := g.db.Sessions().Find(ctx, user.Session)
	if err != nil || session.User != l.account.ID || !session.Ended.IsZero() {
		if err == nil || errors.Is(err, ErrNotFound) {
			err = ErrTokenBlacklisted
		}
		return LoginState{}, err
	}
	if err := g.readFactors(ctx, l); err != nil {
		return LoginState{}, err
	}
	l.done, l.entry.Replaces = provedBefore(session), session.ID
	if record.FactorSet(l.factors) != "" && !provesSecond(proof) {
		l.done = []proved{{Method: methodPassword}}
		l.state.Next = StepSecond
		l.state.Flows = g.flows(l)
		return l.state, &StepError{l.state}
	}
	err = g.take(ctx, l, proof)
	if errors.Is(err, ErrNoActiveAccount) {
		err = ErrWrongPassword.Because(err)
	}
	if err != nil {
		return LoginState{}, err
	}
	return l.state, nil
}

// provesSecond reports whether a proof is one of a second factor.
func provesSecond(p Proof) bool {
	switch p.(type) {
	case passwordProof, elsewhereProof, providerProof:
		return false
	}
	return true
}

// provedBefore returns what a session proves about its user by itself: the first
// factor. A second one must be presented again. A session without amr began
// with a password.
func provedBefore(s *record.Session) (done []proved) {
	words := strings.Fields(s.AMR)
	for _, word := range words {
		switch {
		case word == methodPasskey:
			done = append(done, proved{Method: methodPasskey, Both: slices.Contains(words, methodUser)})
		case word != methodUser && word != methodMulti && !isSecond(word):
			done = append(done, proved{Method: word})
		}
	}
	if len(done) == 0 {
		done = []proved{{Method: methodPassword}}
	}
	return done
}

// RequireRecent returns nil if the user of an access token has authenticated within
// Settings.StepUpLifetime, at the highest level that the account can reach (with a
// second factor, if it has one). Otherwise the error is that of CheckAuth. It reads the
// session and not the token. Call it before a change of second factors.
func (fs Factors) RequireRecent(ctx context.Context, user *User, a *record.Account) error {
	g := fs.gate
	if err := user.CheckSelf(); err != nil {
		return err
	}
	set, err := g.factorSet(ctx, a)
	if err != nil {
		return err
	}
	level := levelOne
	if set != "" {
		level = levelTwo
	}
	var seen details
	if user.Session != "" {
		session, err := g.db.Sessions().Find(ctx, user.Session)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err == nil && session.User == a.ID && !session.AuthTime.IsZero() {
			seen.authTime, seen.acr = session.AuthTime.Unix(), cmp.Or(session.ACR, levelOne)
		}
	}
	return g.CheckAuth(&User{rest: &seen}, Fresh(g.settings.StepUpLifetime), ACR(level))
}

// Protect returns nil if the account has no second factor, and otherwise the result of
// RequireRecent. Call it before a change of the password or the e-mail address, and
// before the account is deleted.
func (fs Factors) Protect(ctx context.Context, user *User, a *record.Account) error {
	if err := user.CheckSelf(); err != nil {
		return err
	}
	set, err := fs.gate.factorSet(ctx, a)
	if err != nil || set == "" {
		return err
	}
	return fs.RequireRecent(ctx, user, a)
}
