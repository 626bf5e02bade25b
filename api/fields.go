package api

// The further fields of users, such as first_name: columns of the user table
// that the store's schema names (store.Schema.Fields).

import (
	"fmt"
	"strings"

	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

// fieldValues receives the further fields of a body.
type fieldValues struct {
	values []any
	sent   []bool
}

// fields returns the fields of a body. At sign-up, those that are required are
// the schema's; with PUT, those that the table must have; with PATCH, none.
func (in *fieldValues) fields(a *API, method string) (list []form.Field) {
	in.values, in.sent = make([]any, len(a.userFields)), make([]bool, len(a.userFields))
	for i, f := range a.userFields {
		switch method {
		case "PUT":
			f.Required = !f.Null && !f.Blank
		case "PATCH":
			f.Required = false
		}
		if f.ReadOnly || f.WriteOnly && method != "POST" {
			continue
		}
		list = append(list, form.Typed(f, &in.values[i], &in.sent[i]))
	}
	return list
}

// given returns the values that the body has, by name.
func (in *fieldValues) given(a *API) map[string]any {
	given := map[string]any{}
	for i, f := range a.userFields {
		// An empty username is as good as none: the address takes its place.
		if in.sent[i] && (in.values[i] != "" || !f.WriteOnly) {
			given[f.Name] = in.values[i]
		}
	}
	return given
}

// shownFields returns the further fields of a response.
func (a *API) shownFields(u *record.Account) (list row) {
	for _, f := range a.userFields {
		if !f.WriteOnly {
			list = append(list, property{f.Name, u.Fields[f.Name]})
		}
	}
	return list
}

// shownFormFields lists the further fields of a user that OPTIONS shows.
func (a *API) shownFormFields() (list []form.Field) {
	for _, f := range a.userFields {
		if !f.WriteOnly {
			list = append(list, form.Typed(f, new(any), new(bool)))
		}
	}
	return list
}

// describeUserFields adds the fields to the schemas of users.
func describeUserFields(text string, fields []record.UserField) string {
	for _, f := range fields {
		if !f.WriteOnly {
			text = addField(text, "User", f)
			text = requireField(text, "User", f.Name)
		}
		if f.ReadOnly {
			continue
		}
		text = addField(text, "SignUp", f)
		if f.Required {
			text = requireField(text, "SignUp", f.Name)
		}
		if !f.WriteOnly {
			text = addField(text, "Profile", f)
		}
	}
	return text
}

// jsonTypes describes each kind in JSON Schema.
var jsonTypes = map[record.Kind]string{
	record.KindText: "type: string", record.KindBoolean: "type: boolean", record.KindInteger: "type: integer",
	record.KindNumber: "type: number", record.KindDecimal: "type: string", record.KindDate: "type: string, format: date",
	record.KindDateTime: "type: string, format: date-time", record.KindUUID: "type: string, format: uuid",
}

// addField adds a property to a schema.
func addField(text, schema string, f record.UserField) string {
	kind := jsonTypes[f.Kind]
	if kind == "" {
		kind = `description: "Any JSON value."`
	} else if f.Null {
		before, after, _ := strings.Cut(kind, ",")
		kind = `type: [` + strings.TrimPrefix(before, "type: ") + `, "null"]`
		if after != "" {
			kind += "," + after
		}
	}
	if f.MaxLength > 0 && f.Kind == record.KindText && schema != "User" {
		kind += fmt.Sprintf(", maxLength: %d", f.MaxLength)
	}
	return inSchema(text, schema, func(part string) string {
		return strings.Replace(part, "\n      properties:\n", "\n      properties:\n        "+f.Name+": { "+kind+" }\n", 1)
	})
}
