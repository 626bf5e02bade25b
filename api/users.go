package api

import (
	"context"
	"net/url"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

// userOut is djoser's UserSerializer.
type userOut struct {
	Email    string        `json:"email"`
	ID       record.UserID `json:"id"`
	Username string        `json:"username"`
}

func showUser(a *record.Account) userOut { return userOut{a.Email, a.ID, a.Username} }

// shownUser is what OPTIONS shows of it.
func shownUser(*API) []form.Field {
	return []form.Field{
		emailField(new(string), new(bool)),
		{Name: "id", Label: "ID", Type: "integer", ReadOnly: true},
		{
			Name: "username", Label: "Username", Type: "string", ReadOnly: true,
			Help: "Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
		},
	}
}

// emailField is the model's: it may be empty, and it may be left out.
func emailField(into *string, sent *bool) form.Field {
	f := form.Email("email", into).OrNot(sent)
	f.Label, f.Blank, f.MaxLength = "Email address", true, 254
	return f
}

// listPage is how many users one answer holds.
const listPage = 1000

// userList is GET /auth/users/: all for staff, and everybody else's own row.
// It holds the first thousand; a Link header leads to the next.
func userList(c *call) (any, error) {
	if !c.account.IsStaff && !c.settings.InsecureShowUsers {
		return []userOut{showUser(c.account)}, nil
	}
	accounts, err := c.accounts(c.ctx, record.UserID(c.r.URL.Query().Get("after")))
	if err != nil {
		return nil, err
	}
	list := make([]userOut, len(accounts))
	for i, a := range accounts {
		list[i] = showUser(a)
	}
	if len(list) == listPage {
		next := "/auth/users/?after=" + url.QueryEscape(string(list[listPage-1].ID))
		c.w.Header().Set("Link", "<"+c.settings.BaseURL+next+`>; rel="next"`)
	}
	return list, nil
}

func (c *call) accounts(ctx context.Context, after record.UserID) ([]*record.Account, error) {
	return c.gate.Store().ListAccounts(ctx, after, listPage)
}

type createIn struct {
	email, username, password, again string
	sent                             bool
}

func createFields(a *API, in *createIn) []form.Field {
	username := form.Text("username", &in.username)
	username.MaxLength = 150
	username.Help = "Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only."
	fields := []form.Field{emailField(&in.email, &in.sent), username, form.Text("password", &in.password)}
	if a.settings.UserCreatePasswordRetype {
		fields = append(fields, form.Text("re_password", &in.again))
	}
	return fields
}

// createdOut has the order of djoser's UserCreateSerializer.
type createdOut struct {
	Email    string        `json:"email"`
	Username string        `json:"username"`
	ID       record.UserID `json:"id"`
}

// userCreate is the sign-up: POST /auth/users/.
func userCreate(c *call, in *createIn) (any, error) {
	if c.settings.UserCreatePasswordRetype && in.again != in.password {
		return nil, form.NonField("The two password fields didn't match.")
	}
	account, err := c.gate.Register(c.ctx, jotgate.Registration{
		Username: in.username, Email: in.email, Password: in.password, Activate: c.settings.SendActivationEmail,
	}, c.client)
	if err != nil {
		return nil, err
	}
	if account.IsActive && c.settings.SendConfirmationEmail {
		c.gate.Notify(c.ctx, record.LetterConfirmation, account, "")
	}
	return createdOut{account.Email, account.Username, account.ID}, nil
}
