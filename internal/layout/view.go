package layout

// What a template sees.

import (
	"cmp"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/internal/useragent"
)

// View is the data of every template. A template calls its methods and reads
// Data, which belongs to the page.
type View struct {
	Site        string
	Title       string // id of the page's title
	Page        string // path of the page below Path
	Path        string // below which the pages are, such as /account/
	AccountPath string // below which the pages of package pages are: Path, or that of their Options
	User        *jotgate.User
	Next        string // where to go after signing in; "" is home
	Notice      string // id of a message about what was done
	Object      Link   // what the page is about, or was done to; without a Text, nothing in particular
	Errors      []Problem
	Menu        []MenuItem
	Data        any
	Request     string // the id of the request, on the error page
	Token       bool   // the address of the page holds a token, which must not leave it

	Catalog  *catalog.Catalog // of the language of the page
	Catalogs *catalog.Catalogs
	Files    *Files
	Values   map[string]string // what the user typed into the fields, by name
	Now      time.Time
	Query    string // of the request, for the links to other languages: empty, or with & at its end
}

// A Problem is an error that a page shows: in its summary, with a link to the
// field, if it is of one, and at the field.
type Problem struct{ Field, Text string }

// A Link is a link to an object: without a URL, its name only.
type Link struct {
	Text string
	URL  template.URL
}

// A MenuItem is a link in the menu of the pages: Title is the id of a message.
type MenuItem struct{ Page, Title string }

// T returns a message of the catalog with its values.
func (v *View) T(id string, values ...any) string { return v.Catalog.Text(id, values...) }

// Lang returns the language of the page, such as pt-BR.
func (v *View) Lang() string { return v.Catalog.Code }

// Dir returns the direction of the text: ltr or rtl.
func (v *View) Dir() string { return v.Catalog.Dir }

// URL returns the address of a page. It keeps Next.
func (v *View) URL(page string) string { return Address(v.Path, page, v.Next) }

// AccountURL is URL for a page of package pages.
func (v *View) AccountURL(page string) string { return Address(v.AccountPath, page, v.Next) }

// Address returns the address of a page below a path, with next if there is one.
func Address(path, page, next string) string {
	if next != "" {
		return path + page + "?next=" + url.QueryEscape(next)
	}
	return path + page
}

// Home returns Next, or the first page.
func (v *View) Home() string { return cmp.Or(v.Next, v.Path) }

// Static returns the address of a static file: style, script, logo, or one that
// was added; "" if there is none.
func (v *View) Static(role string) string {
	if name := v.Files.names[role]; name != "" {
		return v.Path + "static/" + name
	}
	return ""
}

// languageLink is a link to the page in another language.
type languageLink struct {
	Code, Name, URL string
	Current         bool
}

// Languages lists the languages of the pages.
func (v *View) Languages() []languageLink {
	list := make([]languageLink, len(v.Catalogs.List))
	for i, l := range v.Catalogs.List {
		list[i] = languageLink{l.Code, l.Name, "?" + v.Query + "lang=" + l.Code, l == v.Catalog}
	}
	return list
}

// LanguageName returns the name of the page's language in itself.
func (v *View) LanguageName() string { return v.Catalog.Name }

// Input is a field of a form.
type Input struct {
	*View
	Name, Type, Complete string
	ID                   string // Name, unless several forms have the field
	Hint                 string // id; "" if there is none
	Value                string
	Problems             []string
	Required             bool
}

// Input returns a required field with its autocomplete token. Its label is the
// message field.NAME.
func (v *View) Input(name, kind, complete string) Input {
	in := Input{View: v, Name: name, ID: name, Type: kind, Complete: complete, Required: true}
	if kind != "password" {
		in.Value = v.Values[name]
	}
	in.Problems = v.problems(name)
	return in
}

// Named returns a required text field of one of several forms that have it, with the
// id of its element, at which a Problem names it.
func (v *View) Named(name, id, value string) Input {
	in := Input{View: v, Name: name, ID: id, Type: "text", Complete: "off", Value: value, Required: true, Problems: v.problems(id)}
	if len(in.Problems) > 0 {
		in.Value = v.Values[name]
	}
	return in
}

// problems returns what is wrong with a field.
func (v *View) problems(field string) (list []string) {
	for _, e := range v.Errors {
		if e.Field == field {
			list = append(list, e.Text)
		}
	}
	return list
}

// Optional is Input for a field that may be empty.
func (v *View) Optional(name, kind, complete string) Input {
	in := v.Input(name, kind, complete)
	in.Required = false
	return in
}

// WithHint returns the field with a text below its label.
func (in Input) WithHint(id string) Input {
	in.Hint = id
	return in
}

// Described lists the ids of the elements that describe the field.
func (in Input) Described() string {
	switch {
	case in.Hint != "" && len(in.Problems) > 0:
		return in.ID + "-hint " + in.ID + "-error"
	case in.Hint != "":
		return in.ID + "-hint"
	case len(in.Problems) > 0:
		return in.ID + "-error"
	}
	return ""
}

// Value returns what the user typed into a field, or what the page set.
func (v *View) Value(name string) string { return v.Values[name] }

// Machine returns a time for the attribute datetime.
func (v *View) Machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// When returns a time for people: how long ago it was, or the date.
func (v *View) When(t time.Time) string {
	age := v.Now.Sub(t)
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
	date := t.UTC().Format("2006-01-02")
	if v.Dir() == "rtl" {
		return "\u2066" + date + "\u2069" // after Arabic letters its parts would change places
	}
	return date
}

// Device returns words for a User-Agent header.
func (v *View) Device(userAgent string) string {
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
func (v *View) HasError(field string) bool {
	return slices.ContainsFunc(v.Errors, func(e Problem) bool { return e.Field == field })
}

// In reports whether the page is this one of the menu, or below it.
func (v *View) In(page string) bool {
	return v.Page == page || page != "" && strings.HasPrefix(v.Page, page+"/")
}
