package pages

// What a template sees.

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/useragent"
)

// view is the data of every template. A template calls its methods and reads
// Data, which belongs to the page.
type view struct {
	Site    string
	Title   string // id of the page's title
	Page    string // path of the page below Options.Path
	User    *jotgate.User
	Next    string // where to go after signing in; "" is home
	Notice  string // id of a message about what was done
	Errors  []problem
	Data    any
	Request string // the id of the request, on the error page
	Token   bool   // the address of the page holds a token, which must not leave it
	Links   links

	values map[string]string
	lang   *catalog
	pages  *Pages
	now    time.Time
	query  string // of the request, for the links to other languages
}

// links says which other pages there are.
type links struct{ Signup, Reset bool }

// problem is an error that a page shows: in its summary, with a link to the
// field, if it is of one, and at the field.
type problem struct{ Field, Text string }

// T returns a message of the catalog with its values.
func (v *view) T(id string, values ...any) string { return v.lang.text(id, values...) }

// Lang returns the language of the page, such as pt-BR.
func (v *view) Lang() string { return v.lang.code }

// Dir returns the direction of the text: ltr or rtl.
func (v *view) Dir() string { return v.lang.dir }

// URL returns the address of a page. It keeps Next.
func (v *view) URL(page string) string { return v.pages.url(page, v.Next) }

// Home returns the address of the security page, or of Next.
func (v *view) Home() string {
	if v.Next != "" {
		return v.Next
	}
	return v.pages.options.Path
}

// Static returns the address of a static file: style, script or logo; "" if
// there is none.
func (v *view) Static(role string) string {
	if name := v.pages.files.names[role]; name != "" {
		return v.pages.options.Path + "static/" + name
	}
	return ""
}

// language is a link to the page in another language.
type languageLink struct {
	Code, Name, URL string
	Current         bool
}

// Languages lists the languages of the pages.
func (v *view) Languages() []languageLink {
	list := make([]languageLink, len(v.pages.catalogs.list))
	for i, l := range v.pages.catalogs.list {
		list[i] = languageLink{l.code, l.name, "?" + v.query + "lang=" + l.code, l == v.lang}
	}
	return list
}

// LanguageName returns the name of the page's language in itself.
func (v *view) LanguageName() string { return v.lang.name }

// input is a field of a form.
type input struct {
	*view
	Name, Type, Complete string
	Hint                 string // id; "" if there is none
	Value                string
	Problems             []string
	Required             bool
}

// Input returns a required field with its autocomplete token. Its label is the
// message field.NAME.
func (v *view) Input(name, kind, complete string) input {
	in := input{view: v, Name: name, Type: kind, Complete: complete, Required: true}
	if kind != "password" {
		in.Value = v.values[name]
	}
	for _, e := range v.Errors {
		if e.Field == name {
			in.Problems = append(in.Problems, e.Text)
		}
	}
	return in
}

// Optional is Input for a field that may be empty.
func (v *view) Optional(name, kind, complete string) input {
	in := v.Input(name, kind, complete)
	in.Required = false
	return in
}

// WithHint returns the field with a text below its label.
func (in input) WithHint(id string) input {
	in.Hint = id
	return in
}

// Described lists the ids of the elements that describe the field.
func (in input) Described() string {
	switch {
	case in.Hint != "" && len(in.Problems) > 0:
		return in.Name + "-hint " + in.Name + "-error"
	case in.Hint != "":
		return in.Name + "-hint"
	case len(in.Problems) > 0:
		return in.Name + "-error"
	}
	return ""
}

// Value returns what the user typed into a field, or what the page set.
func (v *view) Value(name string) string { return v.values[name] }

// Machine returns a time for the attribute datetime.
func (v *view) Machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// When returns a time for people: how long ago it was, or the date.
func (v *view) When(t time.Time) string {
	age := v.now.Sub(t)
	switch {
	case age < time.Minute && age > -time.Minute:
		return v.T("time.now")
	case age > 0 && age < time.Hour:
		return v.T("time.minutes", int(age/time.Minute))
	case age > 0 && age < 24*time.Hour:
		return v.T("time.hours", int(age/time.Hour))
	case age > 0 && age < 7*24*time.Hour:
		return v.T("time.days", int(age/(24*time.Hour)))
	}
	return t.UTC().Format("2006-01-02")
}

// Device returns words for a User-Agent header.
func (v *view) Device(userAgent string) string {
	browser, system := useragent.Parse(userAgent)
	switch {
	case browser != "" && system != "":
		return v.T("device.both", browser, system)
	case browser+system != "":
		return cmp.Or(browser, system)
	}
	return v.T("device.unknown")
}

// HasError reports whether the field has a problem.
func (v *view) HasError(field string) bool {
	return slices.ContainsFunc(v.Errors, func(e problem) bool { return e.Field == field })
}

// Menu lists the pages of an account.
func (v *view) Menu() []string { return menu }

// menu are the pages of an account, in the order of the menu.
var menu = []string{"", "password", "emails", "security", "sessions", "activity", "data"}

// In reports whether the page is this one of the menu, or below it.
func (v *view) In(page string) bool {
	return v.Page == page || page != "" && strings.HasPrefix(v.Page, page+"/")
}

// MenuTitle returns the id of the title of a page in the menu.
func (v *view) MenuTitle(page string) string { return cmp.Or(page, "profile") + ".title" }
