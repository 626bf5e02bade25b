package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Wrap returns a handler that counts the requests to next and their durations, by route
// and method. The route is the pattern of the http.ServeMux that next is or contains,
// without the final slash. Routes below one of the prefixes, such as /admin/, count as
// one. The route and the method are "other" if no pattern matches, or if the route does
// not have the method.
func (r *Registry) Wrap(next http.Handler, prefixes ...string) http.Handler {
	if r == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		began := time.Now()
		seen := &Response{ResponseWriter: w}
		returned := false
		defer func() {
			code := "aborted" // the handler panicked: net/http closes the connection
			if returned || seen.Sent() {
				code = strconv.Itoa(seen.Status())
			}
			method, route := methodOf(req), Route(req, seen.status, prefixes...)
			if route == other {
				method = other
			}
			r.Count(HTTPRequests, route, method, code)
			r.Observe(HTTPDuration, time.Since(began), route, method)
		}()
		next.ServeHTTP(seen, req)
		returned = true
	})
}

// methodOf returns the method as a label. HEAD counts as GET, as it costs the same.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodHead:
		return http.MethodGet
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return r.Method
	}
	return other
}

// Route returns the name under which Wrap counts a request that got a response with this
// status: the pattern of the mux, a prefix, or "other". Call it after the mux has handled
// the request. A client cannot add a name, because the patterns are the program's.
func Route(r *http.Request, status int, prefixes ...string) string {
	pattern := r.Pattern
	if i := strings.IndexByte(pattern, '/'); i > 0 {
		pattern = pattern[i:] // without the method or the host
	}
	pattern = strings.TrimSuffix(strings.TrimSuffix(pattern, "{$}"), "/")
	if pattern == "" || status == http.StatusMethodNotAllowed || methodOf(r) == other {
		return other
	}
	for _, prefix := range prefixes {
		if strings.HasPrefix(pattern+"/", prefix) {
			return strings.TrimSuffix(prefix, "/")
		}
	}
	return pattern
}

// Response is an http.ResponseWriter that remembers the status.
// http.ResponseController reaches the features of the one below.
type Response struct {
	http.ResponseWriter
	status int
}

// Status returns the status that was sent, or will be if nothing was written yet.
func (w *Response) Status() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// Sent reports whether a status was sent.
func (w *Response) Sent() bool { return w.status != 0 }

// WriteHeader implements http.ResponseWriter.
func (w *Response) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *Response) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *Response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
