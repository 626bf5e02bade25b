package jotgate

// Which account here an account at a provider belongs to: signing up, connecting
// and disconnecting.

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// ProviderLink says what must happen before a user can log in with an account at a provider.
type ProviderLink string

// What Providers.Link returns.
const (
	// LinkLogin: the account at the provider is connected now. Begin the login again.
	LinkLogin ProviderLink = "login"
	// LinkSignUp: no account here has the e-mail address. Providers.SignUp creates one.
	LinkSignUp ProviderLink = "signup"
	// LinkSignIn: an account here has the e-mail address. The user logs in to it in an existing way, with all
	// steps; then Providers.ConnectHeld connects the accounts.
	LinkSignIn ProviderLink = "signin"
	// LinkReset: an account here has the e-mail address, but the address is not
	// verified, so another person may have registered with it. The user follows a link
	// for a new password, which verifies the address, ends the sessions and disconnects
	// the accounts at providers that were connected before.
	LinkReset ProviderLink = "reset"

	linkConnect ProviderLink = "connect" // by Link itself
)

// How an account here has an address.
type addressState int

const (
	addressNone addressState = iota
	addressUnknown
	addressUnverified
	addressVerified
)

// decideLink is the table of account linking for an identity that is not connected.
// An account is never connected by its address alone: the provider must vouch for it,
// and the account here must have proved it, too.
func decideLink(local addressState, vouched, linkVerified bool) ProviderLink {
	switch {
	case local == addressNone:
		return LinkSignUp
	case local == addressVerified && vouched && linkVerified:
		return linkConnect
	case local == addressUnverified && vouched:
		return LinkReset
	}
	return LinkSignIn
}

// Link decides what must happen before the user can log in with the account at the provider, after the login
// has failed with ErrNotConnected. For LinkSignUp and LinkSignIn, keep held in a cookie of this browser for
// 15 minutes, and pass it to Resume. The error is ErrUnavailable.
func (ps Providers) Link(ctx context.Context, l *ProviderLogin, client Client) (link ProviderLink, held string, err error) {
	g := ps.gate
	account, state, err := ps.local(ctx, l.identity.Email)
	if err != nil {
		return "", "", err
	}
	link = decideLink(state, l.identity.Vouched, g.settings.LinkVerifiedEmails)
	if link == linkConnect {
		change := record.SocialChange{IfVerified: strings.ToLower(l.identity.Email)}
		if err = ps.connect(ctx, account, l, change, client); err == nil {
			return LinkLogin, "", nil
		}
		if !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrConnected) {
			return "", "", err
		}
		link = LinkSignIn // the account is inactive, or has changed
	}
	h := heldIdentity{ID: randomHex(), Identity: l.identity, Use: l.Use, Start: g.now().Unix()}
	if link == LinkSignIn {
		h.User = account.ID
	}
	held, err = g.hold(&h)
	return link, held, err
}

// hold seals an identity. What is not needed is left out if the result would be too
// long for a cookie.
func (g *Gate) hold(h *heldIdentity) (held string, err error) {
	for range 2 {
		plain, err := json.Marshal(h)
		if err != nil {
			return "", err
		}
		if held, err = g.keys.Seal(plain, "held", heldPurpose); err != nil || len(held) <= maxHeld {
			return held, err
		}
		h.Identity.Claims, h.Use.Next, h.Identity.Username = "{}", "", ""
	}
	return "", errProviderInvalid.Because(errors.New("what the provider says about the user does not fit into a cookie"))
}

// local returns the account here that has an address, and how it has it. If several
// have it, it is the one that has proved it.
func (ps Providers) local(ctx context.Context, email string) (account *record.Account, state addressState, err error) {
	if email == "" {
		return nil, addressNone, nil
	}
	list, err := ps.gate.db.Accounts().ByEmail(ctx, email)
	for _, a := range slices.DeleteFunc(list, func(a *record.Account) bool { return !names.SameEmail(a.Email, email) }) {
		verified, listed, err := ps.gate.db.Addresses().Verified(ctx, a.ID, a.Email)
		if err != nil {
			return nil, addressNone, err
		}
		have := addressUnknown
		switch {
		case verified:
			have = addressVerified
		case listed:
			have = addressUnverified
		}
		if account == nil || have == addressVerified && state != addressVerified {
			account, state = a, have
		}
	}
	return account, state, err
}

// Resume returns the login for which Link has returned held. The error is 403 with the code provider_expired
// if held is no longer valid.
func (ps Providers) Resume(held string) (*ProviderLogin, error) {
	plain, ok := ps.gate.keys.Open(held, "held", heldPurpose)
	if !ok {
		return nil, errProviderExpired
	}
	h := new(heldIdentity)
	if err := json.Unmarshal(plain, h); err != nil {
		return nil, errProviderExpired.Because(err)
	}
	if !ps.gate.now().Before(time.Unix(h.Start, 0).Add(heldTime)) {
		return nil, errProviderExpired.Because(errors.New("more than 15 minutes ago"))
	}
	p, err := ps.find(h.Identity.Provider)
	if err != nil {
		return nil, err
	}
	return &ProviderLogin{Use: h.Use, identity: h.Identity, name: p.Name(), at: time.Unix(h.Start, 0), held: h}, nil
}

// SignUp creates an account for the identity of a login that Resume has returned, with its names and its
// e-mail address, which is verified if the provider says so. The account has no password; afterwards the
// login's Proof logs in. email says whether an address that the provider has not verified is stored, as
// unverified; if users log in by e-mail, a verified address is required. Errors: those of Register;
// ErrConnected; 403 with the code provider_expired if the identity was used before, or if an account here has
// the address now.
func (ps Providers) SignUp(ctx context.Context, l *ProviderLogin, username string, email bool, client Client) error {
	err := ps.signUp(ctx, l, username, email, client)
	if e := AsError(err); err != nil && len(e.Fields)+len(e.List) == 0 && !e.Is(ErrTaken) { // not what the user can correct
		ps.refused(ctx, l.identity.Provider, "", err, client)
	}
	return err
}

func (ps Providers) signUp(ctx context.Context, l *ProviderLogin, username string, email bool, client Client) error {
	g := ps.gate
	if !l.SignsUp() {
		return errProviderExpired
	}
	if err := g.mayRegister(); err != nil {
		return ErrSignupClosed.Because(err)
	}
	i := &l.identity
	if _, state, err := ps.local(ctx, i.Email); err != nil || state != addressNone {
		return cmp.Or(err, error(errProviderExpired.Because(errors.New("an account has the address now"))))
	}
	a := &record.Account{Username: username, FirstName: i.FirstName, LastName: i.LastName, Password: passwd.Unusable(), IsActive: true, DateJoined: g.now()}
	if (i.Vouched || email && !g.loginIsEmail()) && names.CheckEmail(i.Email) == nil {
		a.Email = names.Email(i.Email)
	}
	if g.loginIsEmail() {
		if a.Username = ""; a.Email == "" {
			return fieldError("email", "The provider does not say that this address is yours.")
		}
	}
	if err := g.acceptUsername(ctx, a); err != nil {
		return err
	}
	if err := g.newAccount(ctx, a); err != nil {
		return err
	}
	row := g.socialRow(i)
	e := record.Event{Name: "register", Detail: i.Provider}
	err := g.recorded(ctx, &e, client, func(ctx context.Context) error {
		err := g.db.SocialAccounts().SignUpSocial(ctx, a, row, i.Vouched && a.Email != "", l.held.spent())
		e.User = a.ID
		return err
	})
	if errors.Is(err, ErrLoginNotValid) {
		return errProviderExpired.Because(err)
	} else if err != nil {
		return g.whyTaken(ctx, a, err)
	}
	return nil
}

func (g *Gate) socialRow(i *provider.Identity) *record.SocialAccount {
	now := g.now()
	return &record.SocialAccount{Provider: i.Provider, UID: i.UID, Data: i.Claims, LastLogin: now, Joined: now}
}

// Connect connects the account at a provider to the account of a page session, if that session has begun the
// flow with ProviderFlow.Connect. Errors: ErrConnected if it is connected to another account; 403 with the
// code provider_expired if the session is another one or has ended; ErrUnavailable. Each is recorded as the
// event provider_refused.
func (ps Providers) Connect(ctx context.Context, l *ProviderLogin, page *PageSession, client Client) error {
	err := error(errProviderExpired.Because(errors.New("the session is another one")))
	if l.Use.Connect && page != nil && l.Use.Session != "" && l.Use.Session == page.User.Session {
		err = ps.connectSession(ctx, l, page, nil, client)
	}
	return ps.connected(ctx, l, page, err, client)
}

// ConnectHeld connects the account at a provider that Resume has returned, after LinkSignIn and a login of
// the user to the account here. Errors: those of Connect.
func (ps Providers) ConnectHeld(ctx context.Context, l *ProviderLogin, page *PageSession, client Client) error {
	err := error(errProviderExpired.Because(errors.New("the login is of another account, or older")))
	if l.held != nil && l.held.User != "" && page != nil && l.held.User == page.Owner && page.AuthTime.Unix() >= l.held.Start {
		err = ps.connectSession(ctx, l, page, l.held.spent(), client)
	}
	return ps.connected(ctx, l, page, err, client)
}

// connected records an error of Connect or ConnectHeld and returns it.
func (ps Providers) connected(ctx context.Context, l *ProviderLogin, page *PageSession, err error, client Client) error {
	var user record.UserID
	if page != nil {
		user = page.Owner
	}
	if err != nil {
		ps.refused(ctx, l.identity.Provider, user, err, client)
	}
	return err
}

func (ps Providers) connectSession(ctx context.Context, l *ProviderLogin, page *PageSession, spend []record.Spent, client Client) error {
	if client.Actor != "" || page.User.Actor() != "" {
		return ErrForbidden.Because(errors.New("a member of staff acts for the user"))
	}
	account, err := ps.gate.Accounts().ByID(ctx, page.Owner)
	if err == nil {
		err = ps.connect(ctx, account, l, record.SocialChange{IfSession: page.User.Session, Spend: spend}, client)
	}
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrLoginNotValid) {
		err = errProviderExpired.Because(err)
	}
	return err
}

// connect connects the account at the provider to an account here and notifies its
// owner.
func (ps Providers) connect(ctx context.Context, a *record.Account, l *ProviderLogin, change record.SocialChange, client Client) error {
	g := ps.gate
	change.User, change.At, change.Connect = a.ID, g.now(), g.socialRow(&l.identity)
	if err := g.changeSocial(ctx, change, l.identity.Provider+" connected", client); err != nil {
		return err
	}
	g.Accounts().Notify(ctx, record.MessageProviderConnected, a, l.name)
	return nil
}

func (g *Gate) changeSocial(ctx context.Context, change record.SocialChange, detail string, client Client) error {
	return g.recorded(ctx, &record.Event{Name: "provider", User: change.User, Detail: detail}, client, func(ctx context.Context) error {
		return g.db.SocialAccounts().ChangeSocial(ctx, change)
	})
}
