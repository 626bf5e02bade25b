package admin

// The further columns of a custom user model, as texts of a form.

import (
	"encoding/json"
	"fmt"

	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

// fieldText returns a value of record.Account.Fields as a form shows it; NULL is "".
func fieldText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case json.RawMessage:
		return string(v)
	}
	return fmt.Sprint(v)
}

// fieldValue returns the value of a text by the kind of its column.
func fieldValue(f record.UserField, text string) (any, error) {
	if text == "" && f.Kind != record.KindText {
		if f.Null {
			return nil, nil
		}
		return nil, refuse(f.Name, "This field may not be null.")
	}
	v, problem := form.ParseText(f.Kind, text)
	if problem != "" {
		return nil, refuse(f.Name, problem)
	}
	return v, nil
}

// readFields reads the further columns. Also those that users only see can be
// changed here.
func (c *change) readFields(u *adminstore.User, change *record.Change) error {
	for _, f := range c.gate.Accounts().UserFields() {
		if !c.in.has(f.Name) || isOwnField(f.Name) {
			continue
		}
		before := fieldText(u.Fields[f.Name])
		text := c.in.text(f.Name)
		if text == before {
			continue
		}
		v, err := fieldValue(f, text)
		if err != nil {
			return err
		}
		if change.Fields == nil {
			change.Fields = map[string]any{}
		}
		change.Fields[f.Name] = v
		c.set(f.Name, before, text)
	}
	return nil
}

// isOwnField reports whether a name is one of the fields of every user.
func isOwnField(name string) bool { return actionNamed("user.add").owns(name) }

func (act *action) owns(name string) bool {
	for _, f := range act.fields {
		if f == name {
			return true
		}
	}
	return false
}
