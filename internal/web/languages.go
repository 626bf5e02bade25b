package web

import (
	"net/http"
	"slices"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/catalog"
)

// Respond sends an error as JSON, in the language of the request if the Shell has
// languages. Every error of an endpoint is sent by it.
func (s *Shell) Respond(w http.ResponseWriter, r *http.Request, e *jotgate.Error, challenge string) {
	if l := s.language(r); l != nil {
		e = translated(e, l)
		w.Header().Set("Content-Language", l.Code)
	}
	e.Respond(w, challenge)
}

// language returns the catalog that the client accepts best; nil without languages.
func (s *Shell) language(r *http.Request) *catalog.Catalog {
	if s.settings.Languages == nil {
		return nil
	}
	return s.settings.Languages.Accept(r.Header.Get("Accept-Language"))
}

// speak has the e-mails that a request causes written in its language.
func (s *Shell) speak(w http.ResponseWriter, r *http.Request) *http.Request {
	l := s.language(r)
	if l == nil {
		return r
	}
	w.Header().Add("Vary", "Accept-Language")
	return r.WithContext(s.gate.Accounts().WithLanguage(r.Context(), l.Code))
}

// translated returns a copy of the error with its texts in another language. Codes
// and the names of fields stay.
func translated(e *jotgate.Error, l *catalog.Catalog) *jotgate.Error {
	c := *e
	c.Detail = l.ErrorText(e.Detail)
	c.Messages = slices.Clone(e.Messages)
	for i := range c.Messages {
		c.Messages[i].Message = l.ErrorText(c.Messages[i].Message)
	}
	c.Fields = slices.Clone(e.Fields)
	for i := range c.Fields {
		c.Fields[i].Messages = translatedList(c.Fields[i].Messages, l)
	}
	c.List = translatedList(e.List, l)
	return &c
}

func translatedList(texts []string, l *catalog.Catalog) []string {
	texts = slices.Clone(texts)
	for i := range texts {
		texts[i] = l.ErrorText(texts[i])
	}
	return texts
}
