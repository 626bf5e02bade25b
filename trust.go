package jotgate

// Trusted browsers, and resets of second factors by staff: the two cases in
// which a login is not asked for a second factor that exists.

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jotgate/jotgate/record"
)

const trustPurpose = "jotgate trusted browser"

// trust is the content of LoginState.TrustedBrowser. It ends with the password
// and the factors that it names, and with everything that ends all sessions.
type trust struct {
	User     record.UserID `json:"user"`
	Password string        `json:"pw"` // of Gate.passwordMark
	Factors  string        `json:"fs"` // record.FactorSet
	Expires  int64         `json:"exp"`
	Issued   int64         `json:"iat"` // Unix microseconds
	Ended    *int64        `json:"nb"`  // of Gate.lastEnding; an earlier version of jotgate did not write it
}

// sealTrust returns "" if it fails: the next login then asks for the second factor.
func (g *Gate) sealTrust(ctx context.Context, a *record.Account, factors string) string {
	ended, err := g.lastEnding(ctx, a)
	if err != nil {
		return ""
	}
	plain, err := json.Marshal(trust{
		User: a.ID, Password: g.passwordMark(a), Factors: factors,
		Expires: g.now().Add(g.settings.TrustedBrowser).Unix(), Issued: g.now().UnixMicro(), Ended: ended,
	})
	if err != nil {
		return ""
	}
	sealed, err := g.keys.Seal(plain, "trusted browser", trustPurpose)
	if err != nil {
		return ""
	}
	return sealed
}

// isTrusted reports whether the client has shown a second factor of this account
// before, and neither the password nor a factor has changed since, nor have all
// sessions of the account ended.
func (g *Gate) isTrusted(ctx context.Context, l *login) (bool, error) {
	if g.settings.TrustedBrowser <= 0 {
		return false, nil
	}
	plain, ok := g.keys.Open(l.client.TrustedBrowser, "trusted browser", trustPurpose)
	if !ok {
		return false, nil
	}
	var t trust
	err := json.Unmarshal(plain, &t)
	if err != nil || t.User != l.account.ID || t.Password != g.passwordMark(l.account) ||
		t.Factors != record.FactorSet(l.factors) || g.now().Unix() >= t.Expires {
		return false, nil
	}
	void, err := g.endedSince(ctx, l.account, t.Ended, t.Issued)
	return !void, err
}

var errEnded = errors.New("all sessions of the account have ended since")

// endedSince reports whether all sessions of the account ended after something was
// sealed for it: that is void then, as tokens without a session are. sealed is what
// lastEnding returned, or nil if it was sealed by an earlier version of jotgate at a
// time in Unix microseconds.
func (g *Gate) endedSince(ctx context.Context, a *record.Account, sealed *int64, issued int64) (bool, error) {
	last, err := g.lastEnding(ctx, a)
	if err != nil || sealed != nil {
		return err != nil || *last != *sealed, err
	}
	return issued < *last, nil
}

// RequestReset allows the user to log in without second factors after the given delay,
// unless the user logs in with one before that. The owner of the account is notified
// now. by is the member of staff who requests it, or "" for an operator. reason has 10
// to 500 characters; it is recorded and shown to the owner. Errors: 400 (field reason);
// ErrNotFound if the account has no second factor; ErrForbidden, ErrUnavailable.
func (fs Factors) RequestReset(ctx context.Context, a *record.Account, by record.UserID, reason string, delay time.Duration, client Client) error {
	g := fs.gate
	if g.factors == nil {
		return ErrForbidden.Because(errNoFactors)
	}
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); n < 10 || n > 500 || strings.ContainsAny(reason, "\r\n\x00") {
		return fieldError("reason", "Ensure this field has 10 to 500 characters in one line.")
	}
	set, err := g.factorSet(ctx, a)
	if err != nil {
		return err
	}
	if set == "" {
		return ErrNotFound
	}
	due := g.now().Add(delay)
	e := record.Event{Name: "factor", User: a.ID, Detail: "reset requested by " + cmp.Or(string(by), "an operator") + ": " + reason}
	if err := g.recorded(ctx, &e, client, func(ctx context.Context) error {
		return g.factors.RequestReset(ctx, record.FactorReset{User: a.ID, By: by, Reason: reason, Due: due})
	}); err != nil {
		return err
	}
	detail := "They no longer count from " + due.UTC().Format("2 January 2006 at 15:04 MST") + " on. To prevent this, log in with one of them before."
	g.Accounts().Notify(ctx, record.MessageFactorsReset, a, detail)
	return nil
}

// applyReset removes the factors of a login's account if staff reset them and
// the delay is over. All its sessions end.
func (g *Gate) applyReset(ctx context.Context, l *login) error {
	set := record.FactorSet(l.factors)
	if set == "" || l.stepUp || isTwoFactors(l.done) {
		return nil
	}
	reset, err := g.factors.PendingReset(ctx, l.account.ID)
	if err != nil || reset == nil || g.now().Before(reset.Due) {
		return err
	}
	change := record.FactorChange{User: l.account.ID, IfFactors: &set, EndReset: true, EndSessions: record.EndedByFactors, At: g.now()}
	for _, f := range l.factors {
		if f.Type != record.FactorRecovery { // removed with the last other one
			change.Remove = append(change.Remove, f.ID)
		}
	}
	e := record.Event{Name: "factor", User: l.account.ID, Detail: "reset"}
	if err := g.recorded(ctx, &e, l.client, func(ctx context.Context) error {
		if err := g.factors.ChangeFactors(ctx, change); !errors.Is(err, ErrNotFound) {
			return err
		}
		return nil
	}); err != nil {
		return err
	}
	g.pullRevocations(ctx)
	g.factorChanged(ctx, l.account, "reset", record.MessageFactorRemoved)
	l.read = g.now() // of this login's own change
	return g.readFactors(ctx, l)
}
