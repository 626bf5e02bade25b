package django

import "testing"

// User is what a test gives a new user. Username is the e-mail address where the project's users log in with that.
type User struct {
	Username  string
	Password  string
	Email     string // left out where it is the user name
	Superuser bool
	Groups    []string // made where they do not exist
}

// Shown is what Django knows of a user.
type Shown struct {
	ID          string
	Username    string
	Email       string
	Password    string   // the encoded hash
	Active      bool     `json:"is_active"`
	Staff       bool     `json:"is_staff"`
	Superuser   bool     `json:"is_superuser"`
	Groups      []string // names, in order
	Permissions []string // app_label.codename, in order, the groups' included
}

// ResetLink is what a password reset link carries.
type ResetLink struct{ UID, Token string }

// CreateUser makes a user and returns the id.
func (s *Site) CreateUser(tb testing.TB, user User) (id string) {
	tb.Helper()
	args := map[string]any{"username": user.Username, "password": user.Password, "superuser": user.Superuser}
	if user.Email != "" {
		args["email"] = user.Email
	}
	if len(user.Groups) > 0 {
		args["groups"] = user.Groups
	}
	s.Ask(tb, "create_user", args, &id)
	return id
}

// ShowUser reads a user by the name the user logs in with.
func (s *Site) ShowUser(tb testing.TB, username string) Shown {
	tb.Helper()
	var shown Shown
	s.Ask(tb, "show_user", map[string]any{"username": username}, &shown)
	return shown
}

// SetPassword gives a user another password.
func (s *Site) SetPassword(tb testing.TB, username, password string) {
	tb.Helper()
	s.Ask(tb, "set_password", map[string]any{"username": username, "password": password}, nil)
}

// HasPassword tells whether Django takes password for the user's. It upgrades an outdated hash, as a login does.
func (s *Site) HasPassword(tb testing.TB, username, password string) (ok bool) {
	tb.Helper()
	s.Ask(tb, "user_has_password", map[string]any{"username": username, "password": password}, &ok)
	return ok
}

// MakeResetToken is what Django's password reset mail would carry.
func (s *Site) MakeResetToken(tb testing.TB, username string) ResetLink {
	tb.Helper()
	var link ResetLink
	s.Ask(tb, "make_reset_token", map[string]any{"username": username}, &link)
	return link
}

// CheckResetToken tells whether Django takes the link.
func (s *Site) CheckResetToken(tb testing.TB, link ResetLink) (ok bool) {
	tb.Helper()
	s.Ask(tb, "check_reset_token", map[string]any{"uid": link.UID, "token": link.Token}, &ok)
	return ok
}

// Tables are the names of the database's tables, in order.
func (s *Site) Tables(tb testing.TB) (names []string) {
	tb.Helper()
	s.Ask(tb, "tables", nil, &names)
	return names
}
