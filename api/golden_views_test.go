package api

// The views of the recorded project: what stands behind the gate there.

import (
	"encoding/json"
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
)

// handler is the API and the project's views.
func (w *world) handler() http.Handler {
	a, err := New(w.gate, w.apiSettings())
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	for _, r := range projectViews() {
		h := http.Handler(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) { a.serve(rw, req, &r) }))
		if w.stateless() {
			h = w.statelessView(a, &r)
		}
		mux.Handle(r.path, a.shell.Wrap(r.endpoint(), h))
	}
	mux.Handle("/", a)
	return mux
}

type viewOut struct {
	ID        any     `json:"id"`
	Username  string  `json:"username"`
	Email     *string `json:"email"`
	UserClass string  `json:"user_class"`
	AuthClass string  `json:"auth_class"`
}

type openOut struct {
	User          string `json:"user"`
	Authenticated bool   `json:"authenticated"`
}

type echoIn struct{ a string }

func echoFields(_ *API, in *echoIn) []form.Field { return []form.Field{form.Text("a", &in.a)} }

func echo(_ *call, in *echoIn) (any, error) {
	return map[string]any{"got": map[string]any{"a": json.Number(in.a)}}, nil
}

func fine(*call) (any, error) { return map[string]bool{"ok": true}, nil }

// projectViews are IsAuthenticated, AllowAny, IsAdminUser and
// IsAuthenticatedOrReadOnly views, each by the road of every endpoint.
func projectViews() []route {
	return []route{
		{path: "/api/me/", name: "Me", access: member, get: read(member, func(c *call) (any, error) {
			return viewOut{c.account.ID, c.account.Username, &c.account.Email, "User", "AccessToken"}, nil
		})},
		{path: "/api/open/", access: anyone, get: read(anyone, func(c *call) (any, error) {
			if c.account == nil {
				return openOut{"AnonymousUser", false}, nil
			}
			return openOut{c.account.Username, true}, nil
		})},
		{path: "/api/staff/", access: member, get: read(member, func(c *call) (any, error) {
			if !c.account.IsStaff {
				return nil, jotgate.ErrForbidden
			}
			return fine(c)
		})},
		{path: "/api/readonly/", access: member, get: read(anyone, fine), post: on(200, member, echoFields, echo)},
	}
}

// statelessView is the same view behind the Guard alone, which reads no account.
func (w *world) statelessView(a *API, r *route) http.Handler {
	answer := http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		user, _ := jotgate.UserFrom(req.Context())
		c := &call{API: a, w: rw, r: req, ctx: req.Context(), user: user}
		action, _ := r.action(req.Method)
		var status int
		var body any
		err := error(methodNotAllowed(req.Method))
		switch {
		case action != nil && r.path == "/api/me/":
			id, _ := user.Claim("user_id")
			status, body, err = 200, viewOut{json.RawMessage(id), user.Username, nil, "TokenUser", "AccessToken"}, nil
		case action != nil && user != nil && r.path == "/api/open/":
			status, body, err = 200, openOut{"TokenUser " + string(user.ID), true}, nil
		case action != nil && r.path == "/api/staff/":
			status, body, err = 200, map[string]bool{"ok": true}, nil
		case action != nil:
			status, body, err = action.run(c)
		case req.Method == http.MethodOptions:
			status, body, err = 200, r.describe(a), nil
		}
		if err != nil {
			c.refuse(err)
			return
		}
		c.write(status, body)
	})
	optional, required := w.gate.Optional(answer), w.gate.Require(answer)
	if r.path == "/api/staff/" {
		required = w.gate.RequireStaff(answer)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if _, access := r.action(req.Method); access == anyone {
			optional.ServeHTTP(rw, req)
			return
		}
		required.ServeHTTP(rw, req)
	})
}
