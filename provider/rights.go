package provider

// Groups and roles here by what a provider says about a user.

import (
	"maps"
	"slices"
	"strings"

	"github.com/jotgate/jotgate/jwt"
)

// Rights are the groups and roles of a user that the settings of a provider decide about
// (Settings.Groups, Staff and Superuser).
type Rights struct {
	// Groups are the names of the groups that the user must be in, and Others of those
	// that the user must not be in. All other groups stay as they are.
	Groups, Others []string
	// Staff and Superuser are nil if the provider does not decide about them.
	Staff, Superuser *bool
}

// MapsRights reports whether the settings map values to groups or roles.
func (p *Provider) MapsRights() bool {
	return len(p.settings.Groups)+len(p.settings.Staff)+len(p.settings.Superuser) > 0
}

// Rights returns the rights of a user whose Identity.Roles are roles.
func (p *Provider) Rights(roles []string) (r Rights) {
	for _, value := range slices.Sorted(maps.Keys(p.settings.Groups)) {
		if slices.Contains(roles, value) {
			r.Groups = with(r.Groups, p.settings.Groups[value])
		}
	}
	for _, group := range slices.Sorted(maps.Values(p.settings.Groups)) {
		if !slices.Contains(r.Groups, group) {
			r.Others = with(r.Others, group)
		}
	}
	r.Staff, r.Superuser = decided(p.settings.Staff, roles), decided(p.settings.Superuser, roles)
	return r
}

// with returns the list with a name that it may contain already.
func with(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

// decided reports whether the roles have one of the values; nil without values.
func decided(values, roles []string) *bool {
	if len(values) == 0 {
		return nil
	}
	has := slices.ContainsFunc(values, func(value string) bool { return slices.Contains(roles, value) })
	return &has
}

// roles returns the values of the claim groups that the settings name.
func (p *Provider) roles(c claims) []string {
	if !p.MapsRights() {
		return nil
	}
	values := valuesAt(c.token, p.claim("groups"))
	if values == nil {
		values = valuesAt(c.info, p.claim("groups"))
	}
	return slices.DeleteFunc(values, func(value string) bool { return !p.names(value) })
}

// names reports whether the settings name a value of the claim groups.
func (p *Provider) names(value string) bool {
	_, known := p.settings.Groups[value]
	return known || slices.Contains(p.settings.Staff, value) || slices.Contains(p.settings.Superuser, value)
}

// valuesAt returns the texts of an array, or a single text, at a path such as
// realm_access.roles, or in a member with this very name. It is nil if there is none.
func valuesAt(doc jwt.Raw, path string) []string {
	if value, ok := doc.Member(path); ok {
		if text, ok := value.Text(); ok {
			return []string{text}
		}
		return append([]string{}, listOf(doc, path)...)
	}
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		return nil
	}
	inner, _ := doc.Member(first)
	return valuesAt(inner, rest)
}
