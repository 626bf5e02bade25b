package matrix

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/store"
)

// group is the one that "group removed" removes users from; each user is in it.
const group = "editors"

// A cell is what a place does with a token after an event.
type cell string

const (
	undecided   cell = ""
	works       cell = "works"       // as does the next refresh
	immediately cell = "immediately" // the first request after the event is refused
	soon        cell = "≤ 1 s"       // refused once the revocation list has arrived
	nextRefresh cell = "next refresh"
	untilExp    cell = "until exp" // accepted although the next refresh is refused
)

// A kind is a kind of token.
type kind struct {
	name    string
	refresh bool // a refresh token
	session bool // it carries the id of a session of jotgate
	unknown bool // jotgate has never read its user's account
	page    bool // a cookie of the login pages, which only nodes accept and which renews itself
	make    func(w *world, p *probe)
}

// places returns the number of places, from the first on, that a token of the kind is meant for.
func (k *kind) places() int {
	if k.page {
		return guard
	}
	return places
}

func ofJotgate(w *world, p *probe) { p.tokens = w.login(here, p.username) }

func ofDjango(w *world, p *probe) { p.tokens = w.login(dj, p.username) }

// read logs in at Django and presents the access token at an endpoint of jotgate that reads the account.
func read(w *world, p *probe) {
	ofDjango(w, p)
	user, err := w.nodes[second].VerifyAccess(p.tokens.Access)
	if err == nil {
		_, err = w.nodes[second].Accounts().Of(w.t.Context(), user)
	}
	if err != nil {
		w.t.Fatalf("%s: %v", p.username, err)
	}
}

// atPages logs in at a page of the node of the event.
func atPages(w *world, p *probe) {
	state, err := w.nodes[here].Sessions().Pages().Begin(w.t.Context(), jotgate.Password(p.username, password), jotgate.PageLogin{}, jotgate.Client{})
	if err != nil || state.Page == nil {
		w.t.Fatalf("login of %s at a page: %v", p.username, err)
	}
	p.cookie = state.Page
}

// besideASession logs in at both; the next refresh is that of jotgate's session.
func besideASession(w *world, p *probe) {
	ofJotgate(w, p)
	p.tokens.Access = w.login(dj, p.username).Access
}

// adopted exchanges a refresh token of Django at jotgate.
func adopted(w *world, p *probe) {
	var ok bool
	if p.tokens, ok = w.refresh(here, w.login(dj, p.username).Refresh); !ok {
		w.t.Fatalf("%s: jotgate does not accept a refresh token of Django", p.username)
	}
}

// refreshedByDjango exchanges a refresh token of jotgate at Django, which copies sid and keeps the refresh token.
func refreshedByDjango(w *world, p *probe) {
	ofJotgate(w, p)
	tokens, ok := w.refresh(dj, p.tokens.Refresh)
	if !ok {
		w.t.Fatalf("%s: Django does not accept a refresh token of jotgate", p.username)
	}
	p.tokens.Access = tokens.Access
}

var kinds = []kind{
	{name: "jotgate's", session: true, make: ofJotgate},
	{name: "cookie of a page", session: true, page: true, make: atPages},
	{name: "Django's", unknown: true, make: ofDjango},
	{name: "Django's, read", make: read},
	{name: "Django's, beside a session", make: besideASession},
	{name: "jotgate's, adopted", session: true, make: adopted},
	{name: "Django's, with `sid`", session: true, make: refreshedByDjango},
	{name: "jotgate's", refresh: true, session: true, make: ofJotgate},
	{name: "Django's", refresh: true, unknown: true, make: ofDjango},
	{name: "Django's, read", refresh: true, make: read},
	{name: "Django's, adopted", refresh: true, session: true, make: adopted},
}

// A probe is a user with a token to whom one event happens. An access token is presented at every place, a refresh token
// at one, since a use may change it.
type probe struct {
	event    *event
	kind     *kind
	cached   bool // every place has accepted the access token before the event
	place    int  // of a refresh token
	username string
	tokens   jotgate.Tokens
	cookie   *jotgate.PageSession // of a page, in place of tokens
	next     bool                 // the refresh token was accepted after the event
	cells    [places]cell
}

// follows reports whether a place learns of the event by its revocation list alone.
func (p *probe) follows(place int) bool {
	return place == second || place == guard || place == here && p.event.by == byStore
}

// probes returns one probe for each event and kind of token, cached and not, or for each place.
func probes() (list []*probe) {
	for e := range events {
		for k := range kinds {
			for i := range places {
				p := &probe{event: &events[e], kind: &kinds[k], place: i, cached: i == 1}
				if p.kind.refresh && i == guard || !p.kind.refresh && i > 1 || p.kind.page && (i > 0 || p.event.ofTokens) {
					continue
				}
				p.username = fmt.Sprintf("user%d", len(list))
				list = append(list, p)
			}
		}
	}
	return list
}

// try presents the probe's token at each place that has accepted it so far, and notes refused where it no longer does.
// A place that follows the list is left out the first time.
func (p *probe) try(w *world, refused cell) {
	for place := range p.kind.places() {
		switch {
		case p.cells[place] != undecided, p.kind.refresh && place != p.place, refused == immediately && p.follows(place) && !p.kind.refresh:
		case p.kind.refresh:
			if _, ok := w.refresh(place, p.tokens.Refresh); !ok {
				p.cells[place] = refused
			} else if place != dj {
				p.cells[place] = works // and is spent
			}
		case !p.accepted(w, place):
			p.cells[place] = refused
		}
	}
}

// accepted reports whether a place accepts the probe's access token or cookie.
func (p *probe) accepted(w *world, place int) bool {
	if !p.kind.page {
		return w.accepts(place, p.tokens.Access)
	}
	_, err := w.nodes[place].Sessions().Pages().Open(w.t.Context(), p.cookie.Cookie)
	return w.accepted(err)
}

// renewed reports whether the node of the event accepts the refresh token, or renews the cookie.
func (p *probe) renewed(w *world) bool {
	if !p.kind.page {
		_, ok := w.refresh(here, p.tokens.Refresh)
		return ok
	}
	_, err := w.nodes[here].Sessions().Pages().Renew(w.t.Context(), p.cookie)
	return w.accepted(err)
}

// settle decides the cells of the places that accept the token to the end.
func (p *probe) settle() {
	for place := range p.kind.places() {
		if p.cells[place] == undecided && (!p.kind.refresh || place == p.place) {
			p.cells[place] = untilExp
			if p.next {
				p.cells[place] = works
			}
		}
	}
}

func TestMatrix(t *testing.T) {
	var mu sync.Mutex
	pages := map[string]string{}
	t.Run("databases", func(t *testing.T) {
		for name, address := range map[string]func(*testing.T) string{
			"sqlite":     func(*testing.T) string { return "" },
			"postgresql": func(t *testing.T) string { return pgtest.Database(t) },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				seen := observe(newWorld(t, address(t)))
				for _, p := range seen {
					p.judge(t)
				}
				mu.Lock()
				defer mu.Unlock()
				pages[name] = tables(t, seen)
			})
		}
	})
	if t.Failed() {
		return
	}
	if pages["sqlite"] != pages["postgresql"] {
		t.Fatalf("the databases differ: on SQLite\n%s\non PostgreSQL\n%s", pages["sqlite"], pages["postgresql"])
	}
	comparePage(t, pages["sqlite"])
}

// observe makes the users and fills in the cells. The cookies of pages are examined by themselves: a node looks their
// sessions up after five minutes, and all tokens together can take longer.
func observe(w *world) []*probe {
	list := probes()
	w.createUsers(list)
	var tokens, cookies []*probe
	for _, p := range list {
		if p.kind.page {
			cookies = append(cookies, p)
		} else {
			tokens = append(tokens, p)
		}
	}
	fill(w, tokens)
	fill(w, cookies)
	return list
}

// fill makes the tokens of probes, lets the events happen, and fills in the cells.
func fill(w *world, list []*probe) {
	for _, p := range list {
		p.kind.make(w, p)
		for place := range places {
			if p.cached && !p.kind.refresh && !p.accepted(w, place) {
				w.t.Fatalf("%s: not accepted before the event", p)
			}
		}
	}
	for _, p := range list {
		if err := p.event.happens(w, p); err != nil {
			w.t.Fatalf("%s: %v", p, err)
		}
		p.try(w, immediately)
	}
	w.catchUp("marker")
	for _, p := range list {
		if !p.kind.refresh {
			p.try(w, soon)
		}
	}
	for _, p := range list {
		if !p.kind.refresh || p.cells[p.place] == undecided {
			p.next = p.renewed(w)
		}
	}
	w.catchUp("marker")
	for _, p := range list {
		if !p.kind.refresh || !p.next {
			p.try(w, nextRefresh)
		}
		p.settle()
	}
}

// createUsers creates the users in one transaction, and one more for catchUp.
func (w *world) createUsers(list []*probe) {
	w.t.Helper()
	encoded, err := w.nodes[here].Accounts().MakePassword(w.t.Context(), password)
	if err != nil {
		w.t.Fatal(err)
	}
	names := []string{"marker"}
	for _, p := range list {
		names = append(names, p.username)
	}
	var batch []store.Record
	for _, name := range names {
		batch = append(batch, store.Record{
			Username: name, Email: name + "@example.com", Password: encoded, IsActive: true, Groups: []string{group},
		})
	}
	if n, err := w.stores[here].Transfer().Import(w.t.Context(), batch); n != len(batch) || err != nil {
		w.t.Fatalf("%d of %d users: %v", n, len(batch), err)
	}
}

func (p *probe) String() string {
	text := "access token"
	if p.kind.refresh {
		text = "refresh token at " + placeNames[p.place]
	} else if p.cached {
		text += ", cached"
	}
	return strings.Join([]string{p.event.name, p.kind.name, text}, ": ")
}
