package admin

// What the templates call.

import (
	"encoding/json"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// count returns the words for a number of users.
func (v *visit) count(n int) string {
	if n >= adminstore.MaxCount {
		return v.T("admin.count.many")
	}
	return v.T("admin.count", n)
}

// Count is count for templates.
func (v *visit) Count(n int) string { return v.count(n) }

// ByEmail is byEmail for templates.
func (v *visit) ByEmail() bool { return v.a.byEmail() }

// May reports whether the actor may do an action to any target.
func (v *visit) May(name string) bool { return actionNamed(name).allows(v.a, &v.who) }

// With returns the address of this page with another value of a parameter, and
// without the position.
func (v *visit) With(name, value string) string {
	values := v.r.URL.Query()
	values.Del("after")
	values.Del("done")
	values.Del("id")
	values.Set(name, value)
	return "?" + values.Encode()
}

// Sorted returns the state of a column for aria-sort.
func (v *visit) Sorted(name string) string {
	switch sort := v.r.URL.Query().Get("sort"); {
	case sort == name || sort == "" && name == "id":
		return "ascending"
	case sort == "-"+name:
		return "descending"
	}
	return "none"
}

// SortLink returns the address of the list in the order of a column, or in the
// opposite order if that is the present one.
func (v *visit) SortLink(name string) string {
	if v.Sorted(name) == "ascending" {
		name = "-" + name
	}
	return v.With("sort", name)
}

// column is a heading of the list of users, with a link if it can be sorted by it.
type column struct{ Title, Sort, URL string }

// columns returns the headings. Other orders than these would read the whole table.
func (v *visit) columns(sorts []string) (list []column) {
	for _, name := range []string{"id", "username", "email", "name", "staff", "active", "joined", "login"} {
		c, sort := column{Title: v.T("admin.col." + name)}, name
		switch {
		case name == "username" && v.ByEmail():
			continue
		case name == "email" && v.ByEmail():
			sort = "username"
		}
		if slices.Contains(sorts, sort) {
			c.Sort, c.URL = v.Sorted(sort), v.SortLink(sort)
		}
		list = append(list, c)
	}
	return list
}

// Back returns the parameter with which the page of a row leads back to the list as
// it was filtered and sorted.
func (v *visit) Back() template.URL {
	back := v.r.URL.Query().Get("back")
	if v.page.template == "users.html" {
		back = filtersOf(Fields(v.r.URL.Query()), "sort", "after").Encode()
	}
	if back != "" {
		back = "?back=" + url.QueryEscape(back)
	}
	return template.URL(back) //nolint:gosec // escaped
}

// Row returns the address of a row: its key may hold any character.
func (v *visit) Row(section string, key any) template.URL {
	return template.URL(v.Path + section + "/" + url.PathEscape(fieldText(key)) + "/") //nolint:gosec // escaped
}

// Label returns the label of a field.
func (v *visit) Label(name string) string {
	if text := v.T("admin.field." + name); text != "admin.field."+name {
		return text
	}
	return label(name)
}

// Changed is a field with its values before and after, for the history.
type changed struct{ Field, Before, After string }

// Changes returns what an event has changed.
func (v *visit) Changes(e record.Event) (list []changed) {
	var all map[string][2]any
	if json.Unmarshal([]byte(e.Changes), &all) != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, changed{v.Label(name), v.words(all[name][0]), v.words(all[name][1])})
	}
	return list
}

// Says returns the words for an event: the action of an administrator, or the
// message of the pages.
func (v *visit) Says(e record.Event) string {
	id := "event." + e.Name
	if e.Name == "admin" && actionNamed(e.Detail) != nil {
		id = "admin.act." + e.Detail
	}
	if text := v.T(id); text != id {
		return text
	}
	return e.Name
}

// shownTime is a time for the template time; without Machine it is the word for never.
type shownTime struct{ Machine, Shown string }

// eventNames are the events that have words, for the filter of the audit trail.
const eventNames = "account activate admin api_key client delete delete.requested delete.undone email factor factor_refused forbidden key link_refused link_requested login " +
	"login_failed logout password password_refused password_unchecked profile provider provider_refused recovery_code register reuse role throttled token_refused username webhook"

// EventNames lists them.
func (v *visit) EventNames() []string { return strings.Fields(eventNames) }

// EventFilters lists the filters of the audit trail, for the form that exports it.
func (v *visit) EventFilters() []string { return eventFilters }

// Exact returns a time to the second, for the audit trail.
func (v *visit) Exact(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Moment returns a time as the pages show it.
func (v *visit) Moment(t time.Time) shownTime {
	if t.IsZero() {
		return shownTime{Shown: v.T("admin.never")}
	}
	return shownTime{v.Machine(t), v.When(t)}
}

// check is a check of the health page in the language of the page. Names of tables,
// columns and metrics stay as they are, and so does the advice: it names commands,
// settings and SQL, and is what doctor prints.
type check struct {
	adminstore.Fact
	Metric string // its name and labels, if the check is a figure
}

// Check returns a fact in the language of the page.
func (v *visit) Check(f adminstore.Fact) check {
	name, _, _ := strings.Cut(f.About, " ")
	if slices.Contains(mainFigures, name) {
		metric := f.About
		f.About = v.T("admin.figure." + name)
		return check{f, metric}
	}
	f.About, f.Found = v.Catalog.FactText(f.About), v.Catalog.FactText(f.Found)
	return check{Fact: f}
}

// Subject returns the subject of an e-mail in the language of the page, which says more
// than the name of its kind.
func (v *visit) Subject(kind record.MessageKind) string {
	id := "mail." + string(kind) + ".subject"
	if text := v.T(id, v.Site); text != id {
		return text
	}
	return string(kind)
}
