package pages

// New passwords: the step of a login that replaces one that attackers know, and
// what is wrong with one.

import (
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd/strength"
)

// newPassword takes the step by a new password. The gate checks it: the pages do
// not know the account before the last step.
func newPassword(v *visit) error {
	var password string
	if err := v.read(field{"new_password", &password, true}); err != nil {
		return err
	}
	if err := v.next(jotgate.NewPassword(password), "new_password", "problem.refused"); err != nil {
		if v.done {
			return err
		}
		return renamed(err, "password", "new_password")
	}
	if v.session != nil && v.session.Account != nil {
		v.noticePassword(v.session.Account)
	}
	return nil
}

// weak adds the problems of a new password, and reports whether e is about one.
func (v *visit) weak(e *jotgate.Error) bool {
	var problems strength.Error
	if !errors.As(e, &problems) || len(e.Fields) != 1 {
		return false
	}
	for _, problem := range problems {
		text := problem.Message
		if id := "problem." + problem.Code; v.T(id) != id {
			text = v.T(id, problem.Params["min_length"])
		}
		v.wrong(e.Fields[0].Field, text)
	}
	return true
}
