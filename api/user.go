package api

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

// The rows of /auth/users/{id}/: a user's own, or any row for staff.

// errNoUser is Django's text for a row that does not exist. Only staff see it: for
// other callers, another user's row and a missing row look the same.
var errNoUser = &jotgate.Error{Status: http.StatusNotFound, Detail: "No User matches the given query."}

// target returns the account that the path names, if the caller may see it.
func (c *call) target() (*record.Account, error) {
	id := canonicalKey(c.r.PathValue("id"), c.account.ID)
	if id == c.account.ID {
		return c.account, nil
	}
	staff, err := c.isStaff()
	if err != nil {
		return nil, err
	}
	if !staff {
		if c.settings.InsecureShowUsers || c.r.Method == http.MethodDelete {
			return nil, jotgate.ErrForbidden
		}
		return nil, jotgate.ErrNotFound
	}
	account, err := c.gate.Accounts().ByID(c.ctx, id)
	if errors.Is(err, jotgate.ErrNotFound) {
		return nil, errNoUser.Because(err)
	}
	return account, err
}

// isStaff reports whether the caller has the rights of staff.
func (c *call) isStaff() (bool, error) {
	return c.gate.Factors().MayActAsStaff(c.ctx, c.user, c.account)
}

// canonicalKey returns a key from a path as the store spells it: Django also
// takes integers with leading zeros, and UUIDs in upper case, without hyphens,
// in braces and as URN. own, the caller's key, has the type of all keys.
func canonicalKey(text string, own record.UserID) record.UserID {
	if digits := strings.TrimLeft(text, "0"); digits != text && strings.Trim(text, "0123456789") == "" {
		return record.UserID(cmp.Or(digits, "0"))
	}
	if id, problem := form.ParseText(record.KindUUID, text); problem == "" && strings.Contains(string(own), "-") {
		return record.UserID(id.(string))
	}
	return record.UserID(text)
}

func userShow(c *call) (any, error) {
	account, err := c.target()
	if err != nil {
		return nil, err
	}
	return c.userOut(account), nil
}

// managed returns the account that the path names, if the caller may change it.
func (c *call) managed() (*record.Account, error) {
	account, err := c.target()
	if err == nil {
		err = c.gate.Accounts().MayManage(c.ctx, c.account, account)
	}
	return account, err
}

func userChange(c *call, in *profileIn) (any, error) {
	account, err := c.managed()
	if err != nil {
		return nil, err
	}
	return c.changeProfile(account, in)
}

func userDelete(c *call, in *confirmIn) (any, error) {
	account, err := c.managed()
	if err != nil {
		return nil, err
	}
	return nil, c.deleteAccount(account, in)
}
