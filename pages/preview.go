package pages

// A preview of the pages, for people who write a theme and for tests.

import (
	"bytes"
	"fmt"
	"html"
	"net/http"
	"strings"

	"golang.org/x/text/language"
)

// Preview returns a handler that shows every page in every state, with invented
// data: /LANGUAGE/SAMPLE, and a list of them at /. The language en-XA is English
// with accents and longer words, which shows what would not fit, and what is not
// translated. Nothing can be done there: a form is answered with 405.
func (p *Pages) Preview() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.listSamples)
	mux.HandleFunc("GET /{language}/{sample}", p.showSample)
	mux.Handle("GET "+p.options.Path+"static/{file}", http.HandlerFunc(p.static))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.headers(w.Header())
		mux.ServeHTTP(w, r)
	})
}

// listSamples links to every sample.
func (p *Pages) listSamples(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprint(w, "<!doctype html><html lang=\"en\"><title>Preview</title><h1>Preview</h1><ul>\n")
	for _, s := range samples {
		_, _ = fmt.Fprintf(w, "<li>%s:", html.EscapeString(s.name))
		for _, l := range append(p.catalogs.list, pseudo(p.catalogs.list[0])) {
			_, _ = fmt.Fprintf(w, " <a href=\"/%s/%s\">%[1]s</a>", l.code, s.name)
		}
		_, _ = fmt.Fprintln(w)
	}
	_, _ = fmt.Fprintln(w, "</ul>")
}

func (p *Pages) showSample(w http.ResponseWriter, r *http.Request) {
	l := p.catalogs.named(r.PathValue("language"))
	if r.PathValue("language") == pseudoCode {
		l = pseudo(p.catalogs.list[0])
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

// pseudoCode is the tag of the pseudo-language, as in CLDR.
const pseudoCode = "en-XA"

// accents replaces letters by others that look alike.
var accents = strings.NewReplacer("a", "å", "c", "ç", "e", "é", "i", "î", "n", "ñ", "o", "ö", "s", "š", "u", "û", "A", "Å", "E", "É", "O", "Ö", "S", "Š", "Y", "Ý")

// pseudo returns the pseudo-language of a catalog: each message is recognizable,
// and 40 % longer, as a translation may be.
func pseudo(of *catalog) *catalog {
	l := &catalog{tag: language.English, code: pseudoCode, name: "Pseudo", dir: "ltr", messages: map[string]string{}, errorID: of.errorID}
	for id, text := range of.messages {
		words := strings.Fields(text)
		longer := words[:min(len(words), 1+len(words)*2/5)]
		l.messages[id] = "[" + accents.Replace(strings.Join(append(words, longer...), " ")) + "]"
	}
	return l
}
