package admin

// Previews of the e-mails: each kind in each language, with sample data.

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/record"
)

// previewData is the Data of preview.html.
type previewData struct {
	Kinds     []record.MessageKind
	Languages []string
	Kind      record.MessageKind
	Language  string
	Message   mail.Message
}

// emailPreview renders the e-mail that the request asks for: the first one by default.
func (v *visit) emailPreview() (d previewData, err error) {
	if err := v.a.mayView(&v.who, "user"); err != nil {
		return d, v.refused(err)
	}
	if v.a.options.Emails == nil {
		return d, jotgate.ErrNotFound
	}
	d.Kinds, d.Languages = v.a.options.Emails.Previews()
	d.Kind, d.Language = d.Kinds[0], d.Languages[0]
	values := v.r.URL.Query()
	if kind := values.Get("kind"); kind != "" {
		d.Kind = record.MessageKind(kind)
	}
	if language := values.Get("language"); language != "" {
		d.Language = language
	}
	if !slices.Contains(d.Kinds, d.Kind) || !slices.Contains(d.Languages, d.Language) {
		return d, jotgate.ErrNotFound
	}
	d.Message, err = v.a.options.Emails.Preview(d.Kind, d.Language)
	return d, err
}

func previewShow(v *visit) error {
	d, err := v.emailPreview()
	if err != nil || v.done {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Security-Policy", h.Get("Content-Security-Policy")+"; frame-src 'self'")
	v.Data = d
	return nil
}

// previewHTML responds with the HTML of an e-mail, which preview.html shows in a
// frame. It may come from the operator's templates: it is sandboxed also if the
// address is opened by itself, and runs no scripts.
func previewHTML(v *visit) error {
	d, err := v.emailPreview()
	if err != nil || v.done {
		return err
	}
	if d.Message.HTML == "" {
		return jotgate.ErrNotFound
	}
	v.done = true
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(d.Message.HTML)))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'")
	v.w.WriteHeader(http.StatusOK)
	if v.r.Method != http.MethodHead {
		_, _ = v.w.Write([]byte(d.Message.HTML))
	}
	return nil
}

// Previews reports whether there are previews of e-mails.
func (v *visit) Previews() bool { return v.a.options.Emails != nil }
