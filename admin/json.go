package admin

// The administration as JSON, below api/ in Options.Path: the lists, and the same
// actions as the pages have, with the same fields. A request has an access token;
// the cookie of the pages does not count.

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/internal/web"
)

// nouns are the paths of actions, by the first word of their name.
var nouns = map[string]string{
	"user": "users", "group": "groups", "session": "sessions", "key": "keys", "email": "emails", "throttle": "throttles", "job": "jobs", "invitation": "invitations",
	"provider": "providers", "apikey": "apikeys", "event": "events",
}

// maxBody bounds a request, in bytes.
const maxBody = 128 << 10

// mountJSON registers the JSON endpoints.
func (a *Admin) mountJSON(mux *http.ServeMux) {
	base := a.options.Path + "api/"
	get := func(path string, do func(*exchange) (any, error)) {
		web.Handle(mux, base+path+"/", a.jsonHandler("GET, HEAD", do))
	}
	for path := range readers {
		get(path, func(x *exchange) (any, error) { return a.Read(x.r.Context(), x.who, path, "", x.r.URL.Query()) })
	}
	get("schema", func(*exchange) (any, error) { return a.schema(), nil })
	get("actions", func(*exchange) (any, error) { return list{Results: a.Actions()}, nil })
	for _, path := range []string{"users", "groups", "permissions", "jobs"} {
		get(path+"/{id}", func(x *exchange) (any, error) {
			return a.Read(x.r.Context(), x.who, path, x.r.PathValue("id"), x.r.URL.Query())
		})
	}
	for _, act := range actions {
		web.Handle(mux, base+act.path()+"/", a.jsonHandler("POST", func(x *exchange) (any, error) { return x.act(act) }))
	}
	mux.Handle(base, a.shell.Wrap(web.Endpoint{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { jotgate.ErrNotFound.Respond(w, "") })))
}

// path returns the path of an action: users/{id}/change, users/add.
func (act *action) path() string {
	for noun, path := range nouns {
		if verb, ok := bytes.CutPrefix([]byte(act.Name), []byte(noun+".")); ok {
			if act.create {
				return path + "/" + string(verb)
			}
			return path + "/{id}/" + string(verb)
		}
	}
	panic("admin: no path for " + act.Name) // a test calls it for every action
}

// exchange is a request for JSON and its response.
type exchange struct {
	a    *Admin
	w    http.ResponseWriter
	r    *http.Request
	who  Actor
	sent bool // the response was sent
}

// jsonHandler returns the handler of an endpoint.
func (a *Admin) jsonHandler(allow string, do func(*exchange) (any, error)) http.Handler {
	return a.shell.Wrap(web.Endpoint{Allow: allow}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{a: a, w: w, r: r}
		body, err := x.answer(allow, do)
		switch {
		case x.sent:
		case err != nil:
			x.fail(err)
		default:
			writeJSON(w, http.StatusOK, body)
		}
	}))
}

func (x *exchange) answer(allow string, do func(*exchange) (any, error)) (any, error) {
	client, _ := x.a.shell.Client(x.r)
	user, err := x.a.gate.Authenticate(x.r)
	if err != nil {
		return nil, err
	}
	if x.who, err = x.a.Staff(x.r.Context(), user, client); err != nil {
		x.a.gate.Events().RecordRefusal(x.r.Context(), err, "", client)
		return nil, err
	}
	if x.r.Method != http.MethodPost && allow == "POST" || x.r.Method != http.MethodGet && x.r.Method != http.MethodHead && allow != "POST" {
		return nil, &jotgate.Error{Status: http.StatusMethodNotAllowed, Detail: "Method " + strconv.Quote(x.r.Method) + " not allowed."}
	}
	return do(x)
}

// act runs an action.
func (x *exchange) act(act *action) (any, error) {
	in, err := x.fields()
	if err != nil {
		return nil, err
	}
	if act.exports() {
		return nil, x.export(act, in)
	}
	result, err := x.a.Act(x.r.Context(), x.who, act.Name, x.r.PathValue("id"), in)
	if err == nil && result.startsJob() {
		x.a.wake(x.r.Context())
	}
	return result, err
}

// startsJob reports whether there is work for Run.
func (r Result) startsJob() bool { return r.Action == "job.start" || r.Action == "job.undo" }

// export streams users or events.
func (x *exchange) export(act *action, in Fields) error {
	name, _, _ := strings.Cut(act.Name, ".")
	w := &download{w: x.w, name: nouns[name], format: in.text("format")}
	err := x.a.export(x.r.Context(), x.who, act, in, w)
	if err != nil && !w.begun {
		return err
	}
	if err == nil && !w.begun {
		_, err = w.Write(nil)
	}
	x.sent = true
	if err != nil {
		x.a.gate.Settings().Logger.WarnContext(x.r.Context(), "an export was interrupted", "cause", err)
		panic(http.ErrAbortHandler) // the client sees that the file is not complete
	}
	return nil
}

// download sends the headers of a file before its first byte.
type download struct {
	w      http.ResponseWriter
	name   string // of the file
	format string
	begun  bool
}

func (d *download) Write(p []byte) (int, error) {
	if !d.begun {
		d.begun = true
		kind := map[string]string{"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}[d.format]
		d.w.Header().Set("Content-Type", kind)
		d.w.Header().Set("Content-Disposition", `attachment; filename="`+d.name+`.`+d.format+`"`)
		d.w.WriteHeader(http.StatusOK)
	}
	return d.w.Write(p)
}

// fields reads the body: JSON or a form.
func (x *exchange) fields() (Fields, error) { return readFields(x.w, x.r) }

func readFields(w http.ResponseWriter, r *http.Request) (Fields, error) {
	raw, err := form.Read(w, r, maxBody)
	if err != nil || len(raw) == 0 {
		return Fields{}, err
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch media {
	case "application/json":
		return jsonFields(raw)
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(raw))
		if err != nil {
			return nil, &jotgate.Error{Status: http.StatusBadRequest, Detail: "Malformed request."}
		}
		return Fields(values), nil
	}
	return nil, &jotgate.Error{Status: http.StatusUnsupportedMediaType, Detail: "Unsupported media type " + strconv.Quote(cut(media, 80)) + " in request."}
}

// jsonFields reads an object whose members are texts, numbers, booleans, null (as
// ""), or lists of them.
func jsonFields(raw []byte) (Fields, error) {
	malformed := &jotgate.Error{Status: http.StatusBadRequest, Detail: "The body must be a JSON object of texts, numbers, booleans and lists of them."}
	in := Fields{}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, malformed
	}
	for d.More() {
		name, err := d.Token()
		key, ok := name.(string)
		if err != nil || !ok || in.has(key) { // a member twice: what was meant?
			return nil, malformed
		}
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, malformed
		}
		if in[key], ok = texts(v); !ok {
			return nil, malformed
		}
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') {
		return nil, malformed
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed
	}
	return in, nil
}

func texts(v any) ([]string, bool) {
	all, isList := v.([]any)
	if !isList {
		all = []any{v}
	}
	list := []string{}
	for _, v := range all {
		switch v := v.(type) {
		case nil:
			list = append(list, "")
		case string:
			list = append(list, v)
		case json.Number:
			list = append(list, v.String())
		case bool:
			list = append(list, strconv.FormatBool(v))
		default:
			return nil, false
		}
	}
	return list, true
}

// fail sends an error; a Conflict with both versions.
func (x *exchange) fail(err error) {
	if c := asConflict(err); c != nil {
		writeJSON(x.w, errConflict.Status, struct {
			Detail string `json:"detail"`
			Code   string `json:"code"`
			*Conflict
		}{errConflict.Detail, errConflict.Code, c})
		return
	}
	x.a.shell.Fail(x.w, x.r, err, nil)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	if err := out.Encode(body); err != nil {
		jotgate.AsError(err).Respond(w, "")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
