package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

// row is a JSON object whose names depend on the settings. It keeps their order.
type row []property

type property struct {
	name  string
	value any
}

// MarshalJSON encodes the members as call.write encodes a response.
func (r row) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i, m := range r {
		b.WriteByte("{,"[min(i, 1)])
		if err := enc.Encode(m.name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// userOut is djoser's UserSerializer: what the model requires, the id, and the
// login name, renamed to the login field. If the login name is the e-mail, it
// appears once.
func (a *API) userOut(u *record.Account) row {
	if a.loginIsEmail() {
		return append(a.shownFields(u), row{{"id", u.ID}, {"email", u.Email}}...)
	}
	return slices.Concat(row{{"email", u.Email}}, a.shownFields(u), row{{"id", u.ID}, {a.loginName, u.Username}})
}

// loginIsEmail reports whether users log in by e-mail and have no other name.
func (a *API) loginIsEmail() bool { return a.loginName == "email" }

// shownUser lists the fields of a user that OPTIONS shows.
func shownUser(a *API) []form.Field {
	id := form.Field{Name: "id", Label: "ID", Type: "integer", ReadOnly: true}
	login := a.loginField(new(string))
	login.ReadOnly, login.MaxLength = true, 0 // a read-only field has no maximum length
	if a.loginIsEmail() {
		return append(a.shownFormFields(), id, login)
	}
	return slices.Concat([]form.Field{emailField(new(string), new(bool))}, a.shownFormFields(), []form.Field{id, login})
}

// loginField is the field for the login name of a new account.
func (a *API) loginField(into *string) form.Field {
	if a.loginIsEmail() {
		f := form.Email("email", into)
		f.Label, f.MaxLength = "Email address", 254
		return f
	}
	f := form.Text(a.loginName, into)
	f.MaxLength = 150
	f.Help = "Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only."
	return f
}

// loginError renames the error's field to the login field, with the prefix. For a
// login field other than Django's username, "already exists" has DRF's text
// (rest_framework/utils/field_mapping.py, get_unique_error_message).
func (a *API) loginError(err error, prefix string) error {
	if e := jotgate.AsError(err); len(e.Fields) > 0 && e.Code != "" {
		return err // about the username that a table keeps beside the login name
	}
	if a.loginName != "username" && jotgate.AsError(err).Is(jotgate.ErrTaken) {
		label := strings.ToLower(a.loginField(new(string)).Label)
		return form.FieldError(prefix+a.loginName, "user with this "+label+" already exists.").Because(err)
	}
	return renamed(err, "username", prefix+a.loginName)
}

// emailField is the field for the model's e-mail: it may be empty or left out.
func emailField(into *string, sent *bool) form.Field {
	f := form.Email("email", into).OrNot(sent)
	f.Label, f.Blank, f.MaxLength = "Email address", true, 254
	return f
}

// listPage is the number of users in one response.
const listPage = 1000

// userList is GET /auth/users/: all users for staff and with
// Settings.InsecureShowUsers, otherwise the caller's row. A response has at most a
// thousand users; a Link header leads to the next ones.
func userList(c *call) (any, error) {
	staff, err := c.isStaff()
	if err != nil {
		return nil, err
	}
	if !staff && !c.settings.InsecureShowUsers {
		return []any{c.userOut(c.account)}, nil
	}
	accounts, err := c.accounts(c.ctx, record.UserID(c.r.URL.Query().Get("after")))
	if err != nil {
		return nil, err
	}
	list := make([]any, len(accounts))
	for i, a := range accounts {
		list[i] = c.userOut(a)
	}
	if len(list) == listPage {
		next := "/auth/users/?after=" + url.QueryEscape(string(accounts[listPage-1].ID))
		c.w.Header().Set("Link", "<"+c.settings.BaseURL+next+`>; rel="next"`)
	}
	return list, nil
}

func (c *call) accounts(ctx context.Context, after record.UserID) ([]*record.Account, error) {
	return c.gate.Store().Accounts().List(ctx, after, listPage)
}

type createIn struct {
	email, username, password, again string
	sent                             bool
	further                          fieldValues
}

func createFields(a *API, in *createIn) []form.Field {
	var fields []form.Field
	further := in.further.fields(a, http.MethodPost)
	if a.loginIsEmail() {
		fields = append(further, a.loginField(&in.email), form.Text("password", &in.password))
	} else {
		fields = slices.Concat([]form.Field{emailField(&in.email, &in.sent)}, further, []form.Field{a.loginField(&in.username), form.Text("password", &in.password)})
	}
	if a.settings.UserCreatePasswordRetype {
		fields = append(fields, form.Text("re_password", &in.again))
	}
	return fields
}

// createdOut has the order of djoser's UserCreateSerializer.
func (a *API) createdOut(u *record.Account) row {
	if a.loginIsEmail() {
		return append(a.shownFields(u), row{{"email", u.Email}, {"id", u.ID}}...)
	}
	return slices.Concat(row{{"email", u.Email}}, a.shownFields(u), row{{a.loginName, u.Username}, {"id", u.ID}})
}

// signup is the action of POST /auth/users/.
func (a *API) signup() *action {
	if a.settings.NoSignup {
		return read(anyone, signupClosed)
	}
	return on(201, anyone, createFields, userCreate)
}

// signupClosed rejects a sign-up without reading its body.
func signupClosed(*call) (any, error) { return nil, jotgate.ErrSignupClosed }

// userCreate is the sign-up: POST /auth/users/.
func userCreate(c *call, in *createIn) (any, error) {
	if c.settings.UserCreatePasswordRetype && in.again != in.password {
		return nil, form.NonField("The two password fields didn't match.")
	}
	account, err := c.gate.Register(c.ctx, jotgate.Registration{
		Username: in.username, Email: in.email, Password: in.password, Activate: c.settings.SendActivationEmail,
		Fields: in.further.given(c.API),
	}, c.client)
	if err != nil {
		return nil, c.loginError(err, "")
	}
	if account.IsActive && c.settings.SendConfirmationEmail {
		c.gate.Accounts().Notify(c.ctx, record.MessageConfirmation, account, "")
	}
	if len(c.userFields) > 0 { // some of them may be filled by the database
		if account, err = c.gate.Accounts().ByID(c.ctx, account.ID); err != nil {
			return nil, err
		}
	}
	return c.createdOut(account), nil
}
