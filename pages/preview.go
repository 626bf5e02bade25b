package pages

// A preview of the pages, for people who write a theme and for tests.

import (
	"bytes"
	"fmt"
	"html"
	"net/http"
	"slices"

	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/internal/layout"
)

// Preview returns a handler for the author of a theme or a translation. It shows
// every page in every state, with invented data, at /LANGUAGE/SAMPLE, and a list of
// them at /. The language en-XA is English with accents and longer words: it shows
// which texts would not fit and which are not translated. The forms do nothing: the
// response to a POST is 405.
func (p *Pages) Preview() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.listSamples)
	mux.HandleFunc("GET /{language}/{sample}", p.showSample)
	mux.Handle("GET "+p.options.Path+"static/{file}", http.HandlerFunc(p.static))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		layout.Headers(w.Header())
		mux.ServeHTTP(w, r)
	})
}

// listSamples links to every sample.
func (p *Pages) listSamples(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprint(w, "<!doctype html><html lang=\"en\"><title>Preview</title><h1>Preview</h1><ul>\n")
	for _, s := range samples {
		_, _ = fmt.Fprintf(w, "<li>%s:", html.EscapeString(s.name))
		for _, l := range append(slices.Clone(p.catalogs.List), p.catalogs.List[0].Pseudo()) {
			_, _ = fmt.Fprintf(w, " <a href=\"/%s/%s\">%[1]s</a>", l.Code, s.name)
		}
		_, _ = fmt.Fprintln(w)
	}
	_, _ = fmt.Fprintln(w, "</ul>")
}

func (p *Pages) showSample(w http.ResponseWriter, r *http.Request) {
	l := p.catalogs.Named(r.PathValue("language"))
	if r.PathValue("language") == catalog.PseudoCode {
		l = p.catalogs.List[0].Pseudo()
	}
	var page bytes.Buffer
	if l == nil {
		http.NotFound(w, r)
		return
	}
	if err := p.writeSample(&page, r.PathValue("sample"), l); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = page.WriteTo(w)
}
