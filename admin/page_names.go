package admin

// Names on pages, instead of ids, which say nothing to people.

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/internal/layout"
	"github.com/jotgate/jotgate/record"
)

// userIDs returns the keys of the users that the rows of a list refer to.
func userIDs(rows any) (ids []record.UserID) {
	switch rows := rows.(type) {
	case []record.Event:
		for _, e := range rows {
			ids = append(ids, e.Actor, e.User)
		}
	case []record.Session:
		for _, s := range rows {
			ids = append(ids, s.User)
		}
	case []email:
		for _, m := range rows {
			ids = append(ids, m.User)
		}
	case []record.Invitation:
		for _, i := range rows {
			ids = append(ids, i.By)
		}
	case []adminstore.Job:
		for _, j := range rows {
			ids = append(ids, j.Actor)
		}
	}
	return ids
}

// learn reads the names of these users, in one query.
func (v *visit) learn(ids ...record.UserID) error {
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id record.UserID) bool { return id == "" })
	if len(ids) == 0 {
		return nil
	}
	page, err := v.a.store.Users(v.r.Context(), adminstore.Query{IDs: ids, Limit: adminstore.MaxPage})
	if errors.Is(err, jotgate.ErrNotFound) { // a key of another kind, from before the table was replaced
		return nil
	}
	v.names = map[record.UserID]string{}
	for _, u := range page.Users {
		v.names[u.ID] = u.Username
	}
	return err
}

// Person returns the name of a user as a link, or the key of one that is gone.
func (v *visit) Person(id record.UserID) layout.Link {
	name, ok := v.names[id]
	if !ok {
		return layout.Link{Text: string(id)}
	}
	return layout.Link{Text: cmp.Or(name, string(id)), URL: v.Row("users", id)}
}

// Actor returns who has made a change.
func (v *visit) Actor(e record.Event) layout.Link {
	if e.Name == "admin" {
		return v.By(e.Actor)
	}
	return v.Person(e.Actor)
}

// By returns who has acted in the administration: a user, or an operator on the command
// line, who has no key.
func (v *visit) By(id record.UserID) layout.Link {
	if id == "" {
		return layout.Link{Text: v.T("admin.operator")}
	}
	return v.Person(id)
}

// Target returns what an event is about.
func (v *visit) Target(e record.Event) layout.Link {
	noun, id, _ := strings.Cut(e.Target, " ")
	switch {
	case e.User != "":
		return v.Person(e.User)
	case noun == "group" || noun == "job":
		return layout.Link{Text: v.T("admin."+noun) + " " + id, URL: v.Row(nouns[noun], id)}
	}
	return layout.Link{Text: e.Target}
}

// object returns what an action has made or changed, if the actor may see it.
func (v *visit) object(noun, id string) (l layout.Link, err error) {
	if v.a.mayView(&v.who, noun) != nil {
		return l, nil
	}
	if noun == "user" {
		err := v.learn(record.UserID(id))
		return v.Person(record.UserID(id)), err
	}
	n, _ := strconv.ParseInt(id, 10, 64)
	g, err := v.a.store.Group(v.r.Context(), n)
	if errors.Is(err, jotgate.ErrNotFound) {
		return l, nil
	}
	if err == nil {
		l = layout.Link{Text: g.Name, URL: v.Row("groups", id)}
	}
	return l, err
}

// Shown returns a value of a form in words: a box as yes or no, ids as the names
// beside their boxes.
func (v *visit) Shown(field string, value any) string {
	ids, ok := value.([]string)
	if !ok {
		return v.words(value)
	}
	names := v.choices(field)
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = cmp.Or(names[id], id)
	}
	return v.words(list)
}

// choices returns the names beside the boxes of a field, by id.
func (v *visit) choices(field string) map[string]string {
	switch d := v.Data.(type) {
	case userData:
		if field == "groups" {
			return groupNames(d.Groups)
		}
		return namesOf(d.Permissions)
	case groupData:
		return namesOf(d.Permissions)
	}
	return nil
}

func groupNames(groups []adminstore.Group) map[string]string {
	names := map[string]string{}
	for _, g := range groups {
		names[strconv.FormatInt(g.ID, 10)] = g.Name
	}
	return names
}

func namesOf(permissions []adminstore.Permission) map[string]string {
	names := map[string]string{}
	for _, p := range permissions {
		names[strconv.FormatInt(p.ID, 10)] = p.Name
	}
	return names
}

// words returns a value of the history or of a form in words.
func (v *visit) words(value any) string {
	switch value := value.(type) {
	case bool:
		return v.T(map[bool]string{true: "admin.yes", false: "admin.no"}[value])
	case []any:
		texts := make([]string, len(value))
		for i := range value {
			texts[i] = v.words(value[i])
		}
		return cmp.Or(strings.Join(texts, ", "), "–")
	case string:
		return cmp.Or(value, "–")
	case nil:
		return "–"
	}
	text, _ := json.Marshal(value) // it was read from JSON
	return string(text)
}
