package admin

// Selecting users: the filters of the list, and the ticked boxes.

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// filterNames are the parameters that select users: the filters of UserAdmin,
// whether there is a second factor, whether there never was a login, the id of a
// provider at which there is a connected account, and a search.
var filterNames = []string{"q", "staff", "superuser", "active", "mfa", "never", "group", "provider"}

// selectionFields are the fields of a selection of users: filterNames; selected,
// the keys of users; and all, which says that every user that the filters match is
// meant.
var selectionFields = append(slices.Clone(filterNames), "selected", "all")

// maxSearch bounds the text of a search, in bytes.
const maxSearch = 200

// query reads the filters. An invalid value is an error of its field.
func query(in Fields) (q adminstore.Query, err error) {
	q.Search = in.text("q")
	if len(q.Search) > maxSearch {
		return q, refuse("q", "Ensure this field has no more than "+strconv.Itoa(maxSearch)+" characters.")
	}
	for name, into := range map[string]**bool{"staff": &q.Staff, "superuser": &q.Superuser, "active": &q.Active, "mfa": &q.MFA, "never": &q.Never} {
		if in.text(name) == "" {
			continue
		}
		v, err := in.truth(name)
		if err != nil {
			return q, err
		}
		*into = &v
	}
	if text := in.text("group"); text != "" {
		if q.Group, err = strconv.ParseInt(text, 10, 64); err != nil || q.Group < 1 {
			return q, refuse("group", "Must be the id of a group.")
		}
	}
	if q.Provider = in.text("provider"); len(q.Provider) > maxSearch {
		return q, refuse("provider", "Ensure this field has no more than "+strconv.Itoa(maxSearch)+" characters.")
	}
	return q, nil
}

// selection reads a selection for an action on many users: the ticked ones, or all
// that match if that is asked for.
func selection(in Fields) (q adminstore.Query, err error) {
	all, err := in.truth("all")
	if err != nil {
		return q, err
	}
	if all {
		return query(in)
	}
	q.IDs = []record.UserID{}
	for _, id := range in["selected"] {
		if id != "" {
			q.IDs = append(q.IDs, record.UserID(id))
		}
	}
	switch {
	case len(q.IDs) == 0:
		return q, refuse("selected", "Items must be selected in order to perform actions on them. No items have been changed.") // Django's
	case len(q.IDs) > adminstore.MaxPage:
		return q, refuse("selected", "Ensure this field has no more than "+strconv.Itoa(adminstore.MaxPage)+" elements.")
	}
	return q, nil
}

// listQuery reads the parameters of a page of the list.
func listQuery(values url.Values) (q adminstore.Query, err error) {
	if q, err = query(Fields(values)); err != nil {
		return q, err
	}
	q.Sort, q.After, q.Limit = values.Get("sort"), values.Get("after"), pageSize
	if text := values.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > adminstore.MaxPage {
			return q, refuse("limit", "Must be 1 to "+strconv.Itoa(adminstore.MaxPage)+".")
		}
		q.Limit = n
	}
	return q, nil
}

// pageSize is the number of rows in a page.
const pageSize = 100

// view returns an error unless the actor may see users: Django's
// has_view_permission, which includes who may change them.
func (a *Admin) mayView(who *Actor, model string) error {
	if model == "group" {
		if who.has("auth.view_group", "auth.change_group") {
			return nil
		}
	} else if who.has(a.perm("view"), a.perm("change")) {
		return nil
	}
	return jotgate.ErrForbidden
}
