package jotgate

// Providers: the flow that a browser begins and finishes, and logins with an account
// at a provider.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// Providers lets users log in with accounts at other sites, such as Google, and
// connects those with accounts here. Call Begin, and Finish in the callback.
// Logins.Providers returns it. Its methods return ErrNotFound for a provider that is
// not in Settings.Providers. It is safe for concurrent use.
type Providers struct{ gate *Gate }

// Providers returns the operations on accounts at providers.
func (ls Logins) Providers() Providers { return Providers(ls) }

// checkProviders reports providers that cannot be used.
func (g *Gate) checkProviders() error {
	var ids []string
	for _, p := range g.settings.Providers {
		if p == nil || slices.Contains(ids, p.ID()) {
			return errors.New("jotgate: Providers: one is nil, or two have the same id")
		}
		ids = append(ids, p.ID())
	}
	if len(ids) > 0 && g.db != nil && (g.ownUsers() || g.db.SocialAccounts() == nil || g.factors == nil) {
		return errors.New("jotgate: Providers: these accounts cannot be connected: Settings.Users keeps them, or the Store has no SocialAccounts")
	}
	return nil
}

// List returns the providers in the order of Settings.Providers.
func (ps Providers) List() []*provider.Provider { return slices.Clone(ps.gate.settings.Providers) }

// find returns the provider with this id.
func (ps Providers) find(id string) (*provider.Provider, error) {
	for _, p := range ps.gate.settings.Providers {
		if p.ID() == id {
			return p, nil
		}
	}
	return nil, ErrNotFound
}

// A sealedFlow is the content of the cookie of a flow.
type sealedFlow struct {
	Flow provider.Flow `json:"f"`
	Use  ProviderFlow  `json:"u"`
}

const flowPurpose = "jotgate provider flow"

// Begin begins a login with a provider. It returns the address to which to send the
// browser, and the name and the value of a cookie for this browser alone, which is
// valid for provider.FlowTime. Each flow has its own cookie, so that several can run
// concurrently. Errors: ErrNotFound; ErrUnavailable if the provider cannot be reached,
// which is recorded as the event provider_refused.
func (ps Providers) Begin(ctx context.Context, id, redirectURL string, use ProviderFlow, client Client) (address, name, value string, err error) {
	p, err := ps.find(id)
	if err != nil {
		return "", "", "", err
	}
	address, flow, err := p.Begin(ctx, redirectURL, use.Session != "" && !use.Connect)
	if err != nil {
		ps.refused(ctx, id, "", err, client)
		return "", "", "", ErrUnavailable.Because(err)
	}
	plain, err := json.Marshal(sealedFlow{flow, use})
	if err != nil {
		return "", "", "", err
	}
	value, err = ps.gate.keys.Seal(plain, flow.State[:8], flowPurpose)
	return address, flow.State[:8], value, err
}

// FlowName returns the name of the cookie that Begin has returned for the flow of this
// callback, or "" if the callback has no valid state.
func (ps Providers) FlowName(callback url.Values) string {
	state := callback.Get("state")
	if len(state) < 8 || len(state) > 128 {
		return ""
	}
	return state[:8]
}

// Finish verifies the response of a provider. value is that of the cookie with the name
// FlowName(callback), and callback has the parameters of the request with which the
// provider has sent the browser back. A flow is finished once, also if several requests
// try concurrently. Errors: 403 with the code provider_denied, provider_expired or
// provider_invalid; ErrUnavailable if the provider cannot be reached. Each is recorded
// as the event provider_refused. With an error the result is nil, or has only Use if
// this browser has begun the flow.
func (ps Providers) Finish(ctx context.Context, id, value string, callback url.Values, client Client) (*ProviderLogin, error) {
	p, err := ps.find(id)
	if err != nil {
		return nil, err
	}
	l, err := ps.finish(ctx, p, value, callback)
	if err != nil {
		ps.refused(ctx, id, "", err, client)
		return l, refusedFlow(err)
	}
	return l, nil
}

// refused records that signing in with a provider failed.
func (ps Providers) refused(ctx context.Context, id string, user record.UserID, err error, client Client) {
	ps.gate.event(ctx, record.Event{Name: "provider_refused", User: user, Detail: id + ": " + err.Error()}, client)
}

func (ps Providers) finish(ctx context.Context, p *provider.Provider, value string, callback url.Values) (*ProviderLogin, error) {
	plain, ok := ps.gate.keys.Open(value, ps.FlowName(callback), flowPurpose)
	if !ok {
		return nil, errNoFlow
	}
	var s sealedFlow
	if err := json.Unmarshal(plain, &s); err != nil {
		return nil, err
	}
	if callback.Get("state") != s.Flow.State { // provider.Finish compares it again, in constant time
		return nil, errNoFlow
	}
	// Before the code is exchanged, and whatever comes of it.
	if err := ps.spendOnce(ctx, "provider", s.Flow.State, time.Unix(s.Flow.Start, 0).Add(2*provider.FlowTime)); err != nil {
		return nil, err
	}
	at := ps.gate.now()
	verified, err := p.Finish(ctx, s.Flow, callback)
	if err != nil {
		return &ProviderLogin{Use: s.Use}, err
	}
	identity, ok := verified.Identity()
	if !ok {
		return nil, errors.New("the identity is not verified")
	}
	return &ProviderLogin{Use: s.Use, identity: identity, name: p.Name(), at: at}, nil
}

// spendOnce marks a text as used until it has expired. Only its digest is stored. Errors: those of SpendOnce.
func (ps Providers) spendOnce(ctx context.Context, kind, text string, expires time.Time) error {
	digest := sha256.Sum256([]byte(text))
	return ps.gate.db.SocialAccounts().SpendOnce(ctx, record.Spent{ID: kind + " " + hex.EncodeToString(digest[:]), Expires: expires})
}

// errNoFlow is the cause of the refusal of a callback to a browser that has not begun
// this flow.
var errNoFlow = errors.New("this browser has not begun this flow")

// refusedFlow returns the error for a client.
func refusedFlow(err error) error {
	switch {
	case errors.Is(err, provider.Denied):
		return errProviderDenied.Because(err)
	case errors.Is(err, provider.Expired), errors.Is(err, ErrLoginNotValid), errors.Is(err, errNoFlow):
		return errProviderExpired.Because(err)
	case errors.Is(err, provider.Unavailable), errors.Is(err, ErrUnavailable):
		return ErrUnavailable.Because(err)
	}
	return errProviderInvalid.Because(err)
}

// providerName returns the name of a provider, or its id if it is not in the settings
// any more.
func (g *Gate) providerName(id string) string {
	if p, err := g.Logins().Providers().find(id); err == nil {
		return p.Name()
	}
	return id
}
