package admin

// Questions before an action: what it will do.

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// confirmData is the Data of confirm.html.
type confirmData struct {
	Action *action
	Back   string // the page to go back to
	Target string
	// Effects are what the action will do, one line for each.
	Effects []string
	Names   []string // the users of an action on many
	Hidden  []hidden
	Reason  bool // asks for a reason
	Pass    bool // asks for a password
}

// hidden is a hidden field.
type hidden struct{ Name, Value string }

// confirmShow asks before an action.
func confirmShow(v *visit, act *action) error {
	id := v.r.PathValue("id")
	d := confirmData{Action: act, Target: id, Back: v.Path + act.after(Result{Target: id}), Reason: act.owns("reason"), Pass: act.owns("password")}
	noun, _, _ := strings.Cut(act.Name, ".")
	switch noun {
	case "user":
		u, err := v.a.readUser(v.r.Context(), &v.who, id)
		if err != nil {
			return v.refused(err)
		}
		d.Target, d.Back = u.Username, v.Path+"users/"+url.PathEscape(id)+"/"
		d.Effects = v.effects(act, u)
	case "group":
		g, err := v.a.readGroup(v.r.Context(), &v.who, id, nil)
		if err != nil {
			return v.refused(err)
		}
		d.Target, d.Back = g.Name, v.Path+"groups/"+url.PathEscape(id)+"/"
		d.Effects = []string{v.T("admin.effect.group", g.Members)}
	case "provider":
		if err := v.confirmProvider(&d); err != nil {
			return v.refused(err)
		}
	case "apikey":
		if err := v.confirmAPIKey(&d); err != nil {
			return v.refused(err)
		}
	}
	if act.owns("factor") && v.r.URL.Query().Get("factor") != "" {
		d.Hidden = append(d.Hidden, hidden{"factor", v.r.URL.Query().Get("factor")})
	}
	v.Data = d
	return nil
}

// confirmProvider describes an account at a provider.
func (v *visit) confirmProvider(d *confirmData) error {
	row, err := v.a.connectedTo(v.r.Context(), d.Target)
	if err != nil {
		return err
	}
	u, err := v.confirmOf(row.User, d, "admin.effect.disconnect")
	if err != nil {
		return err
	}
	for _, c := range u.Providers {
		if c.ID == row.ID {
			d.Target = u.Username + ": " + c.Provider + " " + c.UID
		}
	}
	if u.Email != "" {
		d.Effects = append(d.Effects, v.T("admin.effect.email", u.Email))
	}
	return nil
}

// confirmAPIKey describes an API key.
func (v *visit) confirmAPIKey(d *confirmData) error {
	k, err := v.a.apiKey(v.r.Context(), d.Target)
	if err != nil {
		return err
	}
	u, err := v.confirmOf(k.User, d, "admin.effect.apikey")
	if err != nil {
		return err
	}
	d.Target = u.Username + ": " + k.Name
	return nil
}

// confirmOf describes an action on what a user has, and returns the user.
func (v *visit) confirmOf(owner record.UserID, d *confirmData, effect string) (*userView, error) {
	u, err := v.a.readUser(v.r.Context(), &v.who, string(owner))
	d.Back = v.Path + "users/" + url.PathEscape(string(owner)) + "/"
	d.Effects = []string{v.T(effect)}
	return u, err
}

// effects says what an action on a user will also do.
func (v *visit) effects(act *action, u *userView) (list []string) {
	switch act.Name {
	case "user.delete":
		list = append(list, v.T("admin.effect.delete", len(u.Groups), len(u.Factors), len(u.Addresses)), v.T("admin.effect.sessions", len(u.Sessions)))
	case "user.deactivate", "user.password", "user.end-sessions", "user.remove-factor":
		list = append(list, v.T("admin.effect.sessions", len(u.Sessions)))
	case "user.impersonate":
		list = append(list, v.T("admin.effect.impersonate"), v.T("admin.effect.email", u.Email))
	case "user.reset-password", "user.send-activation":
		list = append(list, v.T("admin.effect.email", u.Email))
	}
	return list
}

// confirmMany is the page that asks before an action on many users.
var confirmMany = &page{path: "users/confirm", template: "confirm.html", title: "admin.act.job.start"}

// many asks before an action on many users: it lists what will happen.
func (v *visit) many() error {
	in, err := readFields(v.w, v.r)
	if err != nil {
		return err
	}
	act := actionNamed(in.text("action"))
	if act == nil || !act.bulk || !act.allows(v.a, &v.who) {
		return v.refused(jotgate.ErrForbidden)
	}
	if err := v.who.recent(v.r.Context()); err != nil {
		return v.refused(err)
	}
	q, err := selection(in)
	if err != nil {
		return v.redirect(v.Path + "users/?" + filtersOf(in).Encode())
	}
	d := confirmData{Action: actionNamed("job.start"), Back: v.Path + "users/?" + filtersOf(in).Encode()}
	if err := v.preview(&d, act, q); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		for _, value := range in[name] {
			d.Hidden = append(d.Hidden, hidden{name, value})
		}
	}
	v.Data = d
	return v.render(http.StatusOK)
}

// preview fills in how many users an action on many will change, and the first of
// them.
func (v *visit) preview(d *confirmData, act *action, q adminstore.Query) error {
	n, err := v.a.store.Count(v.r.Context(), q)
	if err != nil {
		return err
	}
	q.Limit = pageSize
	page, err := v.a.store.Users(v.r.Context(), q)
	for _, u := range page.Users {
		d.Names = append(d.Names, u.Username)
	}
	d.Target = v.T("admin.act."+act.Name) + ": " + v.count(n)
	d.Effects = []string{v.T("admin.effect.many"), v.T("admin.effect.skip")}
	if act.Name == "user.deactivate" {
		d.Effects = append(d.Effects, v.T("admin.effect.undo"))
	}
	return err
}

// filtersOf returns the filters of a selection, and further fields.
func filtersOf(in Fields, further ...string) url.Values {
	values := url.Values{}
	for _, name := range append(further, filterNames...) {
		if text := in.text(name); text != "" {
			values.Set(name, text)
		}
	}
	return values
}
