package admin

// The fields of an action, from a form, JSON or the command line.

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jotgate/jotgate"
)

// Fields are the values of an action's fields by name, as a form sends them (see
// Admin.Actions for the names). A field that is absent stays as it is; one with an
// empty value becomes empty or false.
type Fields map[string][]string

// has reports whether a field was sent.
func (f Fields) has(name string) bool { _, ok := f[name]; return ok }

// text returns the last value of a field, without surrounding white space.
func (f Fields) text(name string) string {
	if v := f[name]; len(v) > 0 {
		return strings.TrimSpace(v[len(v)-1])
	}
	return ""
}

// truth returns the value of a box: true, on or 1.
func (f Fields) truth(name string) (bool, error) {
	switch text := f.text(name); strings.ToLower(text) {
	case "true", "on", "1", "yes":
		return true, nil
	case "false", "off", "0", "no", "":
		return false, nil
	}
	return false, refuse(name, "Must be a valid boolean.")
}

// ids returns the values of a field with the ids of rows.
func (f Fields) ids(name string) (ids []int64, err error) {
	for _, text := range f[name] {
		if text == "" { // a hidden input that makes a form send an empty selection
			continue
		}
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, refuse(name, "“"+cut(text, 40)+"” is not a valid value.")
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// shown returns a field in the form of the value like, for a Conflict.
func (f Fields) shown(name string, like any) any {
	switch like.(type) {
	case bool:
		v, _ := f.truth(name)
		return v
	case []string:
		return slices.DeleteFunc(slices.Clone(f[name]), func(s string) bool { return s == "" })
	}
	return f.text(name)
}

// bounds of what a client may send.
const (
	maxValues = 2000
	maxText   = 4096 // bytes of a value
)

// known rejects fields that the action does not have, what is too long, and what no
// database can store.
func (act *action) known(a *Admin, in Fields) error {
	for name, values := range in {
		switch {
		case !slices.Contains(act.fieldNames(a), name):
			return refuse(name, "There is no such field.")
		case len(values) > maxValues:
			return refuse(name, "Ensure this field has no more than "+strconv.Itoa(maxValues)+" elements.")
		}
		for _, v := range values {
			if len(v) > maxText || strings.ContainsRune(v, 0) || !utf8.ValidString(v) {
				return refuse(name, "Not a valid string.")
			}
		}
	}
	return nil
}

func cut(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n]) + "…"
	}
	return text
}

// reason returns the reason for an action, which the owner of the account and the
// history see.
func (f Fields) reason() (string, error) {
	text := f.text("reason")
	if n := len([]rune(text)); n < 10 || n > 500 || strings.ContainsAny(text, "\r\n\x00") {
		return "", refuse("reason", "Ensure this field has 10 to 500 characters in one line.")
	}
	return text, nil
}

var errNoMail = &jotgate.Error{Status: 400, Detail: "This account has no e-mail address."}
