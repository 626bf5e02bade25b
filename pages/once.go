package pages

// A form that a browser sends twice.

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/jotgate/jotgate/internal/resubmit"
)

// once runs act, or responds as to the same form a moment ago. Each request counts for
// the rates.
func (v *visit) once(act func() error) error {
	body, err := v.p.shell.ReadBody(v.w, v.r)
	if err != nil {
		return err
	}
	v.r.Body = io.NopCloser(bytes.NewReader(body))
	form := resubmit.Form{
		Browser:  v.browser() + "\x00" + strings.Join(v.r.Header.Values("Cookie"), "; "),
		Content:  strings.Join([]string{v.r.Host, v.r.URL.RequestURI(), v.r.Header.Get("Content-Type"), v.Catalog.Code, string(body)}, "\x00"),
		Received: v.receipts,
	}
	if v.limited != nil {
		return act()
	}
	w := v.w
	first := false
	err = v.p.forms.Do(v.ctx, w, form, func(ctx context.Context, w http.ResponseWriter) error {
		first, v.ctx, v.w = true, ctx, w
		return act()
	})
	v.w = w
	v.done = v.done || !first && err == nil
	return err
}

// browser distinguishes browsers without cookies.
func (v *visit) browser() string { return v.network + "\x00" + v.client.UserAgent }

// receipts returns what the browser sends when it has received the response: a cookie
// that it sets, or a request for the page that it redirects to.
func (v *visit) receipts(_ int, header http.Header) []string {
	list := []string{v.browser() + "\x00" + header.Get("Location")}
	for _, line := range header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.Value != "" {
			list = append(list, c.Name+"="+c.Value)
		}
	}
	return list
}

// received reports the receipts of the request, as receipts has returned them.
func (v *visit) received() {
	var list []string
	if v.r.Method == http.MethodGet {
		list = append(list, v.browser()+"\x00"+v.p.shell.PublicPath(v.r, v.r.URL.RequestURI()))
	}
	for _, c := range v.r.Cookies() {
		if !strings.HasSuffix(c.Name, languageCookie) {
			list = append(list, c.Name+"="+c.Value)
		}
	}
	v.p.forms.Received(list...)
}
