package django

import "testing"

// A User describes a new user. Username is the e-mail address if the project's users log in with it.
type User struct {
	Username  string
	Password  string
	Email     string // empty if it is the user name
	Superuser bool
	Groups    []string // created if they do not exist
}

// A Shown is a user in Django's database.
type Shown struct {
	ID          string
	Username    string
	Email       string
	Password    string   // the encoded hash
	Active      bool     `json:"is_active"`
	Staff       bool     `json:"is_staff"`
	Superuser   bool     `json:"is_superuser"`
	Groups      []string // names, sorted
	Permissions []string // app_label.codename, sorted, including those of the groups
}

// A ResetLink holds the parameters of a password reset link.
type ResetLink struct{ UID, Token string }

// CreateUser creates a user and returns the id.
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

// ShowUser returns a user by login name.
func (s *Site) ShowUser(tb testing.TB, username string) Shown {
	tb.Helper()
	var shown Shown
	s.Ask(tb, "show_user", map[string]any{"username": username}, &shown)
	return shown
}

// SetPassword changes a user's password.
func (s *Site) SetPassword(tb testing.TB, username, password string) {
	tb.Helper()
	s.Ask(tb, "set_password", map[string]any{"username": username, "password": password}, nil)
}

// HasPassword reports whether Django accepts the password. It upgrades an outdated hash, as a login does.
func (s *Site) HasPassword(tb testing.TB, username, password string) (ok bool) {
	tb.Helper()
	s.Ask(tb, "user_has_password", map[string]any{"username": username, "password": password}, &ok)
	return ok
}

// MakeResetToken returns the link that Django's password reset e-mail would contain.
func (s *Site) MakeResetToken(tb testing.TB, username string) ResetLink {
	tb.Helper()
	var link ResetLink
	s.Ask(tb, "make_reset_token", map[string]any{"username": username}, &link)
	return link
}

// CheckResetToken reports whether Django accepts the link.
func (s *Site) CheckResetToken(tb testing.TB, link ResetLink) (ok bool) {
	tb.Helper()
	s.Ask(tb, "check_reset_token", map[string]any{"uid": link.UID, "token": link.Token}, &ok)
	return ok
}

// Tables returns the names of the database's tables, sorted.
func (s *Site) Tables(tb testing.TB) (names []string) {
	tb.Helper()
	s.Ask(tb, "tables", nil, &names)
	return names
}
