package admin

// What the pages show.

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/internal/layout"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// page returns the page of an action: the form of what is created or changed, or
// the question whether to do it.
func (act *action) page() *page {
	p := &page{path: act.path(), template: "confirm.html", title: "admin.act." + act.Name, show: func(v *visit) error { return confirmShow(v, act) }}
	switch act.Name {
	case "user.add":
		p.template, p.show = "user.html", userShow
	case "user.change":
		p.template, p.title, p.show = "user.html", "admin.user", userShow
	case "group.add":
		p.template, p.show = "group.html", groupShow
	case "group.change":
		p.template, p.title, p.show = "group.html", "admin.group", groupShow
	case "invitation.add":
		p.template, p.show = "invitation.html", invitationShow
	case "job.start", "user.export":
		p.template, p.title, p.show = "users.html", "admin.users", usersShow
	case "event.export":
		p.template, p.title, p.show = "events.html", "admin.events", listShow("events")
	case "provider.disconnect", "apikey.revoke":
		p.path = "users/" // of which they are a part
	}
	return p
}

// listData is the Data of a list.
type listData struct {
	list
	Filter url.Values
}

// listShow shows the list of this name.
func listShow(name string) func(*visit) error {
	return func(v *visit) error {
		values := v.r.URL.Query()
		if v.in != nil && name == "events" { // the form of an export, shown again
			values = url.Values(v.in)
		}
		l, err := readers[name](v.a, v.r.Context(), &v.who, values)
		if err != nil {
			return v.refused(err)
		}
		v.Data = listData{l, values}
		return v.learn(userIDs(l.Results)...)
	}
}

// usersData is the Data of users.html.
type usersData struct {
	listData
	Groups    []adminstore.Group
	Providers []*provider.Provider
	Columns   []column
	Actions   []*action // for many users
	Hidden    []hidden  // the filters, for the forms
}

func usersShow(v *visit) error {
	if err := listShow("users")(v); err != nil {
		if e := jotgate.AsError(err); e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound {
			return v.redirect(v.Path + "users/") // a filter that is not valid, or a page that has gone
		}
		return err
	}
	d := usersData{listData: v.Data.(listData), Providers: v.a.gate.Settings().Providers}
	for _, name := range filterNames {
		if text := d.Filter.Get(name); text != "" {
			d.Hidden = append(d.Hidden, hidden{name, text})
		}
	}
	for _, act := range actions {
		if act.bulk && act.allows(v.a, &v.who) {
			d.Actions = append(d.Actions, act)
		}
	}
	sorts := v.a.store.Sorts()
	if len(d.Hidden) > 0 {
		sorts = nil // see adminstore.Query.Sort
	}
	d.Columns = v.columns(sorts)
	var err error
	d.Groups, err = v.a.store.Groups(v.r.Context(), "", pageSize)
	v.Data = d
	return err
}

// userData is the Data of user.html. Without a User, it is the form of a new one.
type userData struct {
	User         *userView
	Groups       []adminstore.Group
	Permissions  []adminstore.Permission
	Further      []record.UserField
	SetPasswords bool
	Fixed        bool // the actor may not change the user
}

func userShow(v *visit) error {
	d := userData{SetPasswords: v.a.options.SetPasswords}
	var err error
	values := v.a.values(&adminstore.User{Account: record.Account{IsActive: true}})
	values["send_reset"] = true
	if id := v.r.PathValue("id"); id != "" {
		if d.User, err = v.a.readUser(v.r.Context(), &v.who, id); err != nil {
			return v.refused(err)
		}
		d.Fixed = !v.May("user.change") || d.User.above != nil
		values, v.Object = d.User.Fields, layout.Link{Text: d.User.Username}
		if err := v.learn(userIDs(d.User.Events)...); err != nil {
			return err
		}
	}
	v.fill(values)
	if d.Groups, err = v.a.store.Groups(v.r.Context(), "", adminstore.MaxPage); err != nil {
		return err
	}
	if d.Permissions, err = v.a.store.Permissions(v.r.Context()); err != nil {
		return err
	}
	for _, f := range v.a.gate.Accounts().UserFields() {
		if !isOwnField(f.Name) && !f.WriteOnly {
			d.Further = append(d.Further, f)
		}
	}
	v.Data = d
	return nil
}

// fill sets the values of a form: those that were sent, or those of the target.
func (v *visit) fill(values map[string]any) {
	for name, value := range values {
		if v.in.has(name) {
			value = v.in.shown(name, value)
		}
		switch value := value.(type) {
		case []string:
			v.Values[name] = " " + strings.Join(value, " ") + " "
		case bool:
			v.Values[name] = strconv.FormatBool(value)
		default:
			v.Values[name] = fieldText(value)
		}
	}
}

// Chosen reports whether a list of the form has this id.
func (v *visit) Chosen(name string, id int64) bool {
	return strings.Contains(v.Values[name], " "+strconv.FormatInt(id, 10)+" ")
}

// groupData is the Data of group.html.
type groupData struct {
	Group       *groupView
	Permissions []adminstore.Permission
	Fixed       bool // the actor may not change the group
}

func groupShow(v *visit) error {
	var d groupData
	var err error
	values := map[string]any{"name": "", "permissions": []string{}}
	if id := v.r.PathValue("id"); id != "" {
		if d.Group, err = v.a.readGroup(v.r.Context(), &v.who, id, v.r.URL.Query()); err != nil {
			return v.refused(err)
		}
		d.Fixed = !v.May("group.change")
		values, v.Object = groupValues(d.Group.Group), layout.Link{Text: d.Group.Name}
	}
	v.fill(values)
	d.Permissions, err = v.a.store.Permissions(v.r.Context())
	v.Data = d
	return err
}

func permissionShow(v *visit) error {
	h, err := v.a.readPermission(v.r.Context(), &v.who, v.r.PathValue("id"), v.r.URL.Query())
	if err != nil {
		return v.refused(err)
	}
	v.Data = h
	return nil
}

// jobData is the Data of job.html.
type jobData struct {
	*adminstore.Job
	Undoable bool
}

func jobShow(v *visit) error {
	job, err := v.a.readJob(v.r.Context(), &v.who, v.r.PathValue("id"))
	if err != nil {
		return v.refused(err)
	}
	undoable := job.Action == "user.deactivate" && job.State == adminstore.JobDone && job.Done > 0 && v.Now.Before(job.Created.Add(undoTime))
	if job.State == adminstore.JobRunning || job.State == adminstore.JobUndoing {
		v.w.Header().Set("Refresh", "2") // as the meta element, which only a template of the layout could have
	}
	v.Data = jobData{job, undoable}
	return v.learn(job.Actor)
}
