package admin

// What pages and JSON show. Each list checks the permission to see it.

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

// list is a page of a list: Next is the parameter after of the next page, "" for the
// last one.
type list struct {
	Results any    `json:"results"`
	Next    string `json:"next,omitempty"`
	// Count is the number of all results, up to adminstore.MaxCount, and Search how
	// they were searched; of users.
	Count  int                   `json:"count,omitempty"`
	Search adminstore.SearchKind `json:"search,omitempty"`
}

// readers are the lists by their path.
var readers = map[string]func(a *Admin, ctx context.Context, who *Actor, values url.Values) (list, error){
	"users": (*Admin).listUsers, "groups": (*Admin).listGroups, "permissions": (*Admin).listPermissions, "sessions": (*Admin).listSessions,
	"keys": (*Admin).listKeys, "emails": (*Admin).listEmails, "events": (*Admin).listEvents, "throttles": (*Admin).listThrottles,
	"jobs": (*Admin).listJobs, "invitations": (*Admin).listInvitations, "health": (*Admin).listHealth,
}

func (a *Admin) listUsers(ctx context.Context, who *Actor, values url.Values) (l list, err error) {
	if err := a.mayView(who, "user"); err != nil {
		return l, err
	}
	q, err := listQuery(values)
	if err != nil {
		return l, err
	}
	page, err := a.store.Users(ctx, q)
	if err != nil {
		return l, err
	}
	l.Results, l.Next, l.Search = append([]*record.Account{}, page.Users...), page.Next, page.Search
	if l.Count = len(page.Users); q.After != "" || page.Next != "" { // otherwise the page has all
		l.Count, err = a.store.Count(ctx, q)
	}
	return l, err
}

// userView is a user with everything that its page shows.
type userView struct {
	*record.Account
	Version     string                  `json:"version"`
	Fields      map[string]any          `json:"fields"`
	Groups      []record.Group          `json:"groups"`
	Permissions []adminstore.Permission `json:"user_permissions"`
	Factors     []jotgate.FactorInfo    `json:"factors"`
	Addresses   []adminstore.Address    `json:"addresses"`
	Sessions    []record.Session        `json:"sessions"`
	// Providers are the connected accounts at providers, and APIKeys the API keys that are
	// not revoked.
	Providers []jotgate.ConnectedAccount `json:"providers,omitempty"`
	APIKeys   []apikey.Key               `json:"api_keys,omitempty"`
	Events    []record.Event             `json:"events"`

	above error // why the actor may not change it, as far as it depends on the user
}

func (a *Admin) readUser(ctx context.Context, who *Actor, id string) (*userView, error) {
	if err := a.mayView(who, "user"); err != nil {
		return nil, err
	}
	u, err := a.store.User(ctx, record.UserID(id))
	if err != nil {
		return nil, err
	}
	values := a.values(u)
	v := &userView{Account: &u.Account, Version: version(values), Fields: values, Groups: append([]record.Group{}, u.Groups...), Permissions: append([]adminstore.Permission{}, u.Permissions...)}
	v.above = who.above(u, func() ([]record.Group, []string, error) { return a.gate.Store().Accounts().Grants(ctx, u.ID) })
	if v.Factors, err = a.gate.Factors().List(ctx, u.ID); err != nil {
		return nil, err
	}
	if v.Addresses, err = a.store.Addresses(ctx, u.ID); err != nil {
		return nil, err
	}
	if v.Sessions, err = a.store.Sessions(ctx, u.ID, time.Time{}, 20); err != nil {
		return nil, err
	}
	if v.Providers, err = a.gate.Logins().Providers().Connected(ctx, &u.Account); err != nil {
		return nil, err
	}
	if keys := a.keys(); keys != nil {
		if v.APIKeys, err = keys.List(ctx, u.ID); err != nil {
			return nil, err
		}
	}
	events, err := a.store.Events(ctx, adminstore.EventQuery{User: u.ID, Limit: 20})
	if err != nil {
		return nil, err
	}
	entries, err := a.store.DjangoLog(ctx, u.ID, 20)
	v.Events = withDjango(events.Events, u.ID, entries)
	return v, err
}

// keyOf returns the key of a user whom a filter names by key or by login name; of an
// account that is gone, what the filter has.
func (a *Admin) keyOf(ctx context.Context, text string) (record.UserID, error) {
	if text == "" {
		return "", nil
	}
	account, err := a.gate.Store().Accounts().ByID(ctx, record.UserID(text))
	if errors.Is(err, jotgate.ErrNotFound) {
		account, err = a.gate.Store().Accounts().ByLogin(ctx, text)
	}
	if errors.Is(err, jotgate.ErrNotFound) {
		return record.UserID(text), nil
	}
	if err != nil {
		return "", err
	}
	return account.ID, nil
}

func (a *Admin) listGroups(ctx context.Context, who *Actor, values url.Values) (l list, err error) {
	if err := a.mayView(who, "group"); err != nil {
		return l, err
	}
	groups, err := a.store.Groups(ctx, values.Get("after"), pageSize+1)
	if len(groups) > pageSize {
		groups = groups[:pageSize]
		l.Next = groups[pageSize-1].Name
	}
	l.Results = append([]adminstore.Group{}, groups...)
	return l, err
}

// groupView is a group with everything that its page shows.
type groupView struct {
	*adminstore.Group
	Version string            `json:"version"`
	Users   []*record.Account `json:"users"` // the first members
	Next    string            `json:"next,omitempty"`
}

func (a *Admin) readGroup(ctx context.Context, who *Actor, id string, values url.Values) (*groupView, error) {
	if err := a.mayView(who, "group"); err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, jotgate.ErrNotFound
	}
	g, err := a.store.Group(ctx, n)
	if err != nil {
		return nil, err
	}
	v := &groupView{Group: g, Version: version(groupValues(g))}
	if a.mayView(who, "user") != nil {
		return v, nil
	}
	page, err := a.store.Users(ctx, adminstore.Query{Group: n, After: values.Get("after"), Limit: pageSize})
	v.Users, v.Next = page.Users, page.Next
	return v, err
}

func (a *Admin) listPermissions(ctx context.Context, who *Actor, _ url.Values) (l list, err error) {
	if err := a.mayView(who, "group"); err != nil {
		return l, err
	}
	permissions, err := a.store.Permissions(ctx)
	l.Results = append([]adminstore.Permission{}, permissions...)
	return l, err
}

// holders says who has a permission.
type holders struct {
	Permission adminstore.Permission `json:"permission"`
	Groups     []adminstore.Group    `json:"groups"`
	Users      []*record.Account     `json:"users"` // also by a group; superusers are left out, since each has all
	Next       record.UserID         `json:"next,omitempty"`
}

func (a *Admin) readPermission(ctx context.Context, who *Actor, id string, values url.Values) (*holders, error) {
	if err := a.mayView(who, "group"); err != nil {
		return nil, err
	}
	if err := a.mayView(who, "user"); err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, jotgate.ErrNotFound
	}
	all, err := a.store.Permissions(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.ID != n {
			continue
		}
		h := &holders{Permission: p}
		h.Users, h.Groups, err = a.store.Holders(ctx, n, record.UserID(values.Get("after")), pageSize)
		if len(h.Users) == pageSize {
			h.Next = h.Users[pageSize-1].ID
		}
		return h, err
	}
	return nil, jotgate.ErrNotFound
}

func (a *Admin) listSessions(ctx context.Context, who *Actor, values url.Values) (l list, err error) {
	if err := a.mayView(who, "user"); err != nil {
		return l, err
	}
	before := time.Time{}
	if text := values.Get("after"); text != "" {
		if before, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return l, jotgate.ErrNotFound
		}
	}
	user, err := a.keyOf(ctx, values.Get("user"))
	if err != nil {
		return l, err
	}
	sessions, err := a.store.Sessions(ctx, user, before, pageSize)
	if len(sessions) == pageSize {
		l.Next = sessions[pageSize-1].Created.Format(time.RFC3339Nano)
	}
	l.Results = append([]record.Session{}, sessions...)
	return l, err
}

func (a *Admin) listKeys(ctx context.Context, who *Actor, _ url.Values) (l list, err error) {
	if !who.super() {
		return l, jotgate.ErrForbidden
	}
	keys, err := a.gate.Keys().List(ctx)
	l.Results = append([]record.Key{}, keys...)
	return l, err
}

// email is an e-mail of the queue: never a link, which is made when it is sent.
type email struct {
	ID       int64              `json:"id"`
	Kind     record.MessageKind `json:"kind"`
	User     record.UserID      `json:"user_id,omitempty"`
	To       string             `json:"to"`
	Created  time.Time          `json:"created"`
	Due      time.Time          `json:"due"`
	Attempts int                `json:"attempts"`
	Reason   string             `json:"reason,omitempty"`
}

func (a *Admin) listEmails(ctx context.Context, who *Actor, values url.Values) (l list, err error) {
	if err := a.mayView(who, "user"); err != nil {
		return l, err
	}
	after, _ := strconv.ParseInt(values.Get("after"), 10, 64)
	messages, err := a.store.Messages(ctx, after, pageSize)
	rows := []email{}
	for _, m := range messages {
		rows = append(rows, email{m.ID, m.Kind, m.User, m.To, m.Created, m.Due, m.Attempts, m.Reason})
	}
	if len(rows) == pageSize {
		l.Next = strconv.FormatInt(rows[pageSize-1].ID, 10)
	}
	l.Results = rows
	return l, err
}

func (a *Admin) listThrottles(ctx context.Context, who *Actor, values url.Values) (l list, err error) {
	if err := a.mayView(who, "user"); err != nil {
		return l, err
	}
	rows, err := a.failures(ctx, values.Get("user"), values.Get("after"))
	if len(rows) == pageSize {
		l.Next = rows[pageSize-1].Key
	}
	l.Results = append([]adminstore.Failure{}, rows...)
	return l, err
}

// failures returns a page of counters: all, or those of a login name.
func (a *Admin) failures(ctx context.Context, login, after string) ([]adminstore.Failure, error) {
	if login == "" {
		return a.store.Failures(ctx, after, pageSize)
	}
	account := throttle.AccountKey(login)
	rows, err := a.store.Failures(ctx, max(after, account[:len(account)-1]), pageSize) // which is less than each key of the account
	return slices.DeleteFunc(rows, func(f adminstore.Failure) bool { return !strings.HasPrefix(f.Key, account) }), err
}

func (a *Admin) listJobs(ctx context.Context, who *Actor, values url.Values) (l list, err error) {
	if err := a.mayView(who, "user"); err != nil {
		return l, err
	}
	before, _ := strconv.ParseInt(values.Get("after"), 10, 64)
	rows, err := a.store.Jobs(ctx, before, pageSize)
	if len(rows) == pageSize {
		l.Next = strconv.FormatInt(rows[pageSize-1].ID, 10)
	}
	l.Results = append([]adminstore.Job{}, rows...)
	return l, err
}

func (a *Admin) readJob(ctx context.Context, who *Actor, id string) (*adminstore.Job, error) {
	if err := a.mayView(who, "user"); err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, jotgate.ErrNotFound
	}
	rows, err := a.store.Jobs(ctx, n+1, 1)
	if err == nil && (len(rows) == 0 || rows[0].ID != n) {
		err = jotgate.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &rows[0], nil
}

// Read returns what the JSON endpoint at this path responds with, as a value to
// marshal. Without an id it is a list: users, groups, permissions, sessions, keys,
// emails, events, throttles, jobs, invitations or health; values are the parameters
// of the query. With an id it is one of the users, groups, permissions or jobs.
// Errors: jotgate.ErrForbidden, jotgate.ErrNotFound, 400 with the parameter,
// jotgate.ErrUnavailable.
func (a *Admin) Read(ctx context.Context, who Actor, path, id string, values url.Values) (any, error) {
	if id == "" {
		read := readers[path]
		if read == nil {
			return nil, jotgate.ErrNotFound
		}
		return read(a, ctx, &who, values)
	}
	switch path {
	case "users":
		return a.readUser(ctx, &who, id)
	case "groups":
		return a.readGroup(ctx, &who, id, values)
	case "permissions":
		return a.readPermission(ctx, &who, id, values)
	case "jobs":
		return a.readJob(ctx, &who, id)
	}
	return nil, jotgate.ErrNotFound
}

func (a *Admin) listInvitations(ctx context.Context, who *Actor, values url.Values) (l list, err error) {
	if err := a.mayView(who, "user"); err != nil {
		return l, err
	}
	before, _ := strconv.ParseInt(values.Get("after"), 10, 64)
	invitations, err := a.store.Invitations(ctx, before, pageSize)
	if len(invitations) == pageSize {
		l.Next = strconv.FormatInt(invitations[pageSize-1].ID, 10)
	}
	l.Results = append([]record.Invitation{}, invitations...)
	return l, err
}
