package pages

// The page of an error.

import (
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/throttle"
)

// notFound serves every other path below Options.Path.
func (p *Pages) notFound(w http.ResponseWriter, r *http.Request) {
	p.renderError(w, r, jotgate.ErrNotFound)
}

// renderError is the page of an error, with the id of the request.
func (p *Pages) renderError(w http.ResponseWriter, r *http.Request, e *jotgate.Error) {
	v := p.visit(w, r, &route{template: "error.html", title: "problem.title"})
	v.Page, v.Request, v.Query = "error", w.Header().Get(web.RequestID), ""
	v.Data = errorData(e)
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", throttle.RetryAfter(e.RetryAfter))
	}
	if err := v.render(e.Status); err != nil {
		e.Respond(w, "")
	}
}

// errorData returns the id of the message about an error.
func errorData(e *jotgate.Error) string {
	if e.Code == "impersonated" {
		return "problem.impersonated"
	}
	switch e.Status {
	case http.StatusNotFound:
		return "problem.notfound"
	case http.StatusForbidden, http.StatusBadRequest, http.StatusUnauthorized, http.StatusMethodNotAllowed:
		return "problem.refused"
	case http.StatusTooManyRequests:
		return "problem.many"
	}
	return "problem.busy"
}
