package api

// Every request takes the same path: authentication, permission, rate, method, then
// decode → act → encode. All errors are sent from one place.

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

// route is a path and what its methods do.
type route struct {
	path                          string
	name                          string // in the response to OPTIONS: DRF's view name
	about                         string // in the response to OPTIONS: the description
	get, post, put, patch, remove *action

	access access                  // of OPTIONS and of methods the route does not have
	shown  func(*API) []form.Field // what OPTIONS shows for POST, if it differs
	scope  string                  // of Settings.Rates, with raw
	raw    func(*API) http.Handler // if not nil, handles the request without the actions
	fast   fastAction              // likewise, see web.Shell.WrapFast
	probe  bool                    // also served without Settings.Prefix
	page   bool                    // with raw: for people, at an allowed host
	only   func(*API) bool         // reports whether the route is served; nil is always
	// inserted returns the URL whose path may also follow that of the route, as in a
	// well-known document.
	inserted func(*API) string
	render   renderer // writes errors; nil: as Django REST framework does
}

// renderer writes an error.
type renderer = func(http.ResponseWriter, *http.Request, *jotgate.Error)

// fastAction responds to a request, or returns the error to respond with and, if it is
// known, the user of the request.
type fastAction func(*API, http.ResponseWriter, *http.Request) (*jotgate.User, error)

// action is what one method of a route does.
type action struct {
	access access
	scope  string                  // of Settings.Rates
	acting bool                    // changes something, and a member of staff who acts for the user may use it
	grant  string                  // the scope with which limited tokens may use it; empty: none may
	fields func(*API) []form.Field // of the body
	run    func(*call) (status int, body any, err error)
}

// access is the set of callers that may use a route.
type access int

const (
	open   access = iota // anyone; a token is not read, as in SimpleJWT's views
	anyone               // anyone, but a token must be valid if there is one
	member               // callers with a valid token of an active account
	keyed                // callers with an API key, which the action verifies
)

// call is one request that is being handled.
type call struct {
	*API
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context
	network string // of the client, for rate limits and lockout
	client  jotgate.Client
	user    *jotgate.User   // nil without a token
	account *record.Account // the user's row
	render  renderer        // of the route
}

// bare is a response without a body, with this status.
type bare int

// on makes an action that decodes the body into In, calls act and responds with
// its result. It is the only place that reads bodies.
func on[In any](status int, access access, fields func(*API, *In) []form.Field, act func(*call, *In) (any, error)) *action {
	return &action{
		access: access,
		fields: func(a *API) []form.Field { return fields(a, new(In)) },
		run: func(c *call) (int, any, error) {
			in := new(In)
			body, err := c.shell.Body(c.w, c.r)
			if err == nil {
				err = body.Decode(fields(c.API, in)...)
			}
			if err != nil {
				return 0, nil, err
			}
			out, err := act(c, in)
			return status, out, err
		},
	}
}

// read makes an action that does not read the body.
func read(access access, act func(*call) (any, error)) *action {
	return &action{access: access, run: func(c *call) (int, any, error) {
		out, err := act(c)
		return http.StatusOK, out, err
	}}
}

// in limits the action by the rate of a scope.
func (a *action) in(scope string) *action {
	a.scope = scope
	return a
}

// with opens the action to limited tokens that have the scope.
func (a *action) with(scope string) *action {
	a.grant = scope
	return a
}

// byActor opens an action that changes something to a member of staff who acts for the
// user. All others are the user's own.
func (a *action) byActor() *action {
	a.acting = true
	return a
}

// serve handles a request for a route.
func (a *API) serve(w http.ResponseWriter, r *http.Request, route *route) {
	if route.raw != nil {
		route.raw(a).ServeHTTP(w, r)
		return
	}
	c := &call{API: a, w: w, r: r, ctx: r.Context(), render: route.render}
	c.client, c.network = a.shell.Client(r)
	status, body, err := c.answer(route)
	if err != nil {
		c.refuse(err)
		return
	}
	c.write(status, body)
}

// answer follows DRF's order (rest_framework/views.py, APIView.initial): the
// Accept header, authentication and permission, throttling, and only then whether
// the route has the method.
func (c *call) answer(route *route) (int, any, error) {
	action, access := route.action(c.r.Method)
	if !acceptsJSON(c.r.Header.Get("Accept")) {
		return 0, nil, &jotgate.Error{Status: http.StatusNotAcceptable, Detail: "Could not satisfy the request Accept header."}
	}
	if err := c.authenticate(access, action); err != nil {
		return 0, nil, err
	}
	if err := c.throttle(action); err != nil {
		return 0, nil, err
	}
	switch {
	case action != nil:
		return action.run(c)
	case c.r.Method == http.MethodOptions:
		return http.StatusOK, route.describe(c.API), nil
	default:
		return 0, nil, methodNotAllowed(c.r.Method)
	}
}

func methodNotAllowed(method string) *jotgate.Error {
	return &jotgate.Error{Status: http.StatusMethodNotAllowed, Detail: `Method "` + method + `" not allowed.`}
}

// authenticate finds the user of the request, and reads the account once. A
// token that is limited to scopes opens only what a scope grants.
func (c *call) authenticate(access access, action *action) error {
	if access == open || access == keyed {
		return nil
	}
	user, err := c.gate.Authenticate(c.r)
	if err == jotgate.ErrNotAuthenticated && access == anyone {
		return nil
	}
	if err != nil {
		return err
	}
	account, err := c.gate.Accounts().Of(c.ctx, user)
	if err != nil {
		return err
	}
	c.user, c.account, c.client.Actor = user, account, user.Actor()
	return action.permits(user, c.r.Method)
}

// permits returns nil if the user's token may use the action. A nil action is
// that of OPTIONS, and of methods that the route does not have.
func (a *action) permits(user *jotgate.User, method string) error {
	reads := method == http.MethodGet || method == http.MethodHead
	switch {
	case user.Actor() != "" && a != nil && !reads && !a.acting:
		return user.CheckSelf()
	case !user.Limited():
		return nil
	case a == nil:
		return user.CheckScope(jotgate.ScopeAccount)
	case a.grant == "":
		return errNeedsLogin
	default:
		return user.CheckScope(a.grant)
	}
}

// errNeedsLogin rejects limited tokens where no scope helps.
var errNeedsLogin = &jotgate.Error{
	Status: http.StatusForbidden, Code: "login_required",
	Detail: "This needs the access token of a login: tokens of clients and with scopes are not accepted here.",
}

// throttle asks every limiter that applies to the request and reports the
// longest wait, as DRF does.
func (c *call) throttle(action *action) error {
	scopes := []string{"user"}
	if c.account == nil {
		scopes = append(scopes, "anon")
	}
	if action != nil && action.scope != "" {
		scopes = append(scopes, action.scope)
	}
	if c.account != nil {
		return c.shell.LimitUser(c.account.ID, c.network, scopes...)
	}
	return c.shell.Limit(c.network, scopes...)
}

// refuse responds with an error, records it, and logs it if its status is 500 or
// above.
func (c *call) refuse(err error) {
	var user record.UserID
	if c.account != nil {
		user = c.account.ID
	}
	c.gate.Events().RecordRefusal(c.ctx, err, user, c.client)
	c.shell.Fail(c.w, c.r.WithContext(c.ctx), err, c.render)
}

// requestLink is Links.Request with its event, which is the same whether or not
// an account has the address.
func (c *call) requestLink(kind record.MessageKind, email string) (found bool, err error) {
	c.gate.Events().Record(c.ctx, record.Event{Name: "link_requested", Subject: c.gate.Events().Subject(email), Detail: string(kind)}, c.client)
	return c.gate.Links().Request(c.ctx, kind, email)
}

// log logs a failure that does not change the response.
func (c *call) log(ctx context.Context, message string, args ...any) {
	c.gate.Settings().Logger.ErrorContext(ctx, message, args...)
}

// write sends a response as DRF encodes it. encoding/json is used here to encode
// only.
func (c *call) write(status int, body any) {
	if code, ok := body.(bare); ok {
		c.w.WriteHeader(int(code))
		return
	}
	if body == nil {
		c.w.WriteHeader(status)
		return
	}
	kind := "application/json"
	text, encoded := body.(json.RawMessage)
	if lines, ok := body.(jsonLines); ok {
		kind, text, encoded = jsonLinesType, json.RawMessage(lines), true
	}
	if !encoded {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(body); err != nil {
			c.refuse(err)
			return
		}
		text = b.Bytes()[:b.Len()-1] // without the newline
	}
	h := c.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(text)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(text)
}

// action returns the route's action for the method, or nil if it has none, and the
// access that applies.
func (r *route) action(method string) (*action, access) {
	var found *action
	switch method {
	case http.MethodGet, http.MethodHead:
		found = r.get
	case http.MethodPost:
		found = r.post
	case http.MethodPut:
		found = r.put
	case http.MethodPatch:
		found = r.patch
	case http.MethodDelete:
		found = r.remove
	}
	if found == nil {
		return nil, r.access
	}
	return found, found.access
}

// allow lists the route's methods in DRF's order.
func (r *route) allow() string {
	var methods []string
	add := func(method string, there bool) {
		if there {
			methods = append(methods, method)
		}
	}
	add("GET", r.get != nil)
	add("POST", r.post != nil)
	add("PUT", r.put != nil)
	add("PATCH", r.patch != nil)
	add("DELETE", r.remove != nil)
	add("HEAD", r.get != nil)
	add("OPTIONS", len(methods) > 0)
	return strings.Join(methods, ", ")
}

// acceptsJSON reads the Accept header as DRF's negotiation does with one renderer:
// it reports whether JSON is among the types, whatever its weight.
func acceptsJSON(accept string) bool {
	if accept == "" {
		return true
	}
	for media := range strings.SplitSeq(accept, ",") {
		media, _, _ = strings.Cut(media, ";")
		switch strings.ToLower(strings.TrimSpace(media)) {
		case "*/*", "application/*", "application/json", jsonLinesType:
			return true
		}
	}
	return false
}
