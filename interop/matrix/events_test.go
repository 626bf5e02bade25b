package matrix

// What happens to a user.

import (
	"fmt"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/record"
)

// By whom an event happens decides what is promised of it.
type party int

const (
	byNode   party = iota // through jotgate's first node
	byStore               // by jotgate's command line, that is, another process: each node follows the list
	byDjango              // jotgate notices at the next refresh
)

// An ending is what an event must end at jotgate.
type ending int

const (
	nothing     ending = iota
	sessionOnly        // the session of the refresh token, and so access tokens without a session do not end
	accessOnly         // access tokens with the rights of before; refresh tokens lead to new ones
	everything         // of the user
)

// An event happens to the user of a probe.
type event struct {
	name string
	by   party
	ends ending
	// byDigest: jotgate notices the event by the digest of the password that it recorded when it last read the account.
	byDigest bool
	ofTokens bool // it does not exist for the cookie of a page
	happens  func(w *world, p *probe) error
}

var events = []event{
	{"password changed", byNode, everything, false, false, func(w *world, p *probe) error {
		return w.nodes[here].Accounts().SetPassword(w.t.Context(), w.account(p), newPassword, "", jotgate.Client{})
	}},
	{"password changed by Django", byDjango, everything, true, false, func(w *world, p *probe) error {
		w.site.SetPassword(w.t, p.username, newPassword)
		return nil
	}},
	{"e-mail address changed", byNode, nothing, false, false, changeEmail},
	{"user name changed", byNode, everything, false, false, func(w *world, p *probe) error {
		return w.nodes[here].Accounts().SetUsername(w.t.Context(), w.account(p), "new-"+p.username, "", jotgate.Client{})
	}},
	{"deactivated", byStore, everything, false, false, func(w *world, p *probe) error {
		no := false
		return w.stores[here].Accounts().Change(w.t.Context(), w.account(p).ID, record.Change{IsActive: &no, At: time.Now()})
	}},
	{"deactivated by Django", byDjango, everything, false, false, func(w *world, p *probe) error {
		w.site.Ask(w.t, "change_user", map[string]any{"username": p.username, "is_active": false}, nil)
		return nil
	}},
	{"deleted", byNode, everything, false, false, func(w *world, p *probe) error {
		return w.nodes[here].Accounts().Delete(w.t.Context(), w.account(p), jotgate.Client{})
	}},
	{"deleted by Django", byDjango, everything, false, false, func(w *world, p *probe) error {
		w.site.Ask(w.t, "delete_user", map[string]any{"username": p.username}, nil)
		return nil
	}},
	{"group removed", byStore, accessOnly, false, false, func(w *world, p *probe) error {
		return w.stores[here].Groups().RemoveMember(w.t.Context(), w.account(p).ID, group)
	}},
	{"logout", byNode, sessionOnly, false, false, func(w *world, p *probe) error {
		if p.kind.page {
			return w.nodes[here].Sessions().End(w.t.Context(), p.cookie.Owner, p.cookie.User.Session, jotgate.Client{})
		}
		return w.nodes[here].Logout(w.t.Context(), p.tokens.Refresh, jotgate.Client{})
	}},
	{"logout at Django", byDjango, sessionOnly, false, true, func(w *world, p *probe) error {
		if answer := client.Post(w.t, w.site.URL+"/api/token/blacklist/", "refresh", p.tokens.Refresh); !w.ok(answer) {
			return fmt.Errorf("logout at Django: %+v", answer)
		}
		return nil
	}},
	{"log out everywhere", byNode, everything, false, false, func(w *world, p *probe) error {
		return w.nodes[here].Sessions().EndAll(w.t.Context(), w.account(p).ID, "", jotgate.Client{})
	}},
}

// account reads the account of a probe's user.
func (w *world) account(p *probe) *record.Account {
	w.t.Helper()
	account, err := w.stores[here].Accounts().ByLogin(w.t.Context(), p.username)
	if err != nil {
		w.t.Fatalf("%s: %v", p.username, err)
	}
	return account
}

// changeEmail asks for another address and follows the link that is sent there.
func changeEmail(w *world, p *probe) error {
	account, node := w.account(p), w.nodes[here]
	next := "new-" + account.Email
	if err := node.Accounts().SetEmail(w.t.Context(), account, next, false, jotgate.Client{}); err != nil {
		return err
	}
	asked := *account
	asked.Email = next
	uid, token := node.Links().Parts(record.MessageEmailChange, &asked)
	_, err := node.Links().ConfirmEmail(w.t.Context(), uid, token, jotgate.Client{})
	return err
}
