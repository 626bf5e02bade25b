package admin

// Forms of the pages: what is sent, and where that leads.

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/layout"
)

// action handles the page of an action: GET asks, POST acts.
func (v *visit) action(act *action) error {
	if !act.allows(v.a, &v.who) {
		return v.refused(jotgate.ErrForbidden)
	}
	if v.r.Method != http.MethodPost {
		if act.danger {
			if err := v.who.recent(v.r.Context()); err != nil {
				return v.refused(err)
			}
		}
		return v.show(http.StatusOK)
	}
	in, err := readFields(v.w, v.r)
	if err != nil {
		return err
	}
	v.readButton(in)
	if act.exports() {
		x := &exchange{a: v.a, w: v.w, r: v.r, who: v.who}
		err = x.export(act, in)
		v.done = x.sent
	} else {
		err = v.run(act, in)
	}
	if err != nil {
		return v.again(in, err)
	}
	return nil
}

// run runs an action and leads to what it has changed.
func (v *visit) run(act *action, in Fields) error {
	result, err := v.a.Act(v.r.Context(), v.who, act.Name, v.r.PathValue("id"), in)
	if err != nil {
		return err
	}
	if result.startsJob() {
		v.a.wake(v.r.Context())
	}
	if result.acting != nil {
		return v.actFor(result.acting)
	}
	after := act.after(result)
	if v.button != addAnother && !v.sees(after) {
		return v.redirect(v.Path)
	}
	if !slices.Contains([]string{"user.add", "user.change", "group.add", "group.change"}, act.Name) {
		return v.redirect(v.Path + after + "?done=" + act.Name)
	}
	return v.redirect(v.Path + v.afterForm(after, url.Values{"done": {act.Name}, "id": {result.Target}}))
}

// sees reports whether the actor may see a page.
func (v *visit) sees(page string) bool {
	section, _, _ := strings.Cut(page, "/")
	return slices.ContainsFunc(v.Menu, func(m layout.MenuItem) bool { return m.Page == section+"/" })
}

// readButton takes the button that sent a form out of its fields.
func (v *visit) readButton(in Fields) {
	for _, name := range []string{addAnother, editMore} {
		if in.has(name) {
			v.button = name
			delete(in, name)
		}
	}
}

// The names of the buttons of Django's forms beside Save, which leads to the list.
const (
	addAnother = "_addanother"
	editMore   = "_continue"
)

// afterForm returns the page after a form: that of the object, an empty form, or the
// list as it was before.
func (v *visit) afterForm(object string, done url.Values) string {
	section, _, _ := strings.Cut(object, "/")
	back := v.r.URL.Query().Get("back")
	switch v.button {
	case addAnother:
		return section + "/add?" + done.Encode()
	case editMore:
		if back != "" {
			done.Set("back", back)
		}
		return object + "?" + done.Encode()
	}
	list, _ := url.ParseQuery(back)
	list = filtersOf(Fields(list), "sort", "after")
	maps.Copy(list, done)
	return section + "/?" + list.Encode()
}

// after returns the page that shows the result of an action.
func (act *action) after(result Result) string {
	noun, verb, _ := strings.Cut(act.Name, ".")
	list := nouns[noun] + "/"
	switch {
	case result.user != "":
		return "users/" + url.PathEscape(string(result.user)) + "/"
	case noun == "provider" || noun == "apikey": // of a user of jotgate.Settings.Users
		return "users/"
	case noun == "session" || noun == "key" || noun == "email" || noun == "invitation" || noun == "throttle" || verb == "delete":
		return list
	}
	return list + url.PathEscape(result.Target) + "/"
}

// again shows the form with what is wrong, or returns an error that is not the
// user's.
func (v *visit) again(in Fields, err error) error {
	var e *jotgate.Error
	if v.done || !errors.As(err, &e) {
		return err
	}
	status := http.StatusUnprocessableEntity
	switch v.in = in; {
	case e.Code == "insufficient_user_authentication":
		return v.refused(err)
	case asConflict(err) != nil:
		v.Conflict, status = asConflict(err), http.StatusConflict
	case e.Status != http.StatusBadRequest || v.page.show == nil:
		return err
	}
	for _, f := range e.Fields {
		for _, text := range f.Messages {
			v.Errors = append(v.Errors, layout.Problem{Field: f.Field, Text: v.Catalog.ErrorText(text)})
		}
	}
	if len(e.Fields) == 0 {
		v.Errors = append(v.Errors, layout.Problem{Text: v.Catalog.ErrorText(e.Detail)})
	}
	return v.show(status)
}
