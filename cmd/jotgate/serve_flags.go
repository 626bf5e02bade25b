package main

// The flags of serve that do not belong to the gate: the server, api.Settings
// and mail.Settings.

import (
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

type serverFlags struct {
	Addr         string        `group:"server" default:"127.0.0.1:8000" placeholder:"HOST:PORT" help:"Where to listen. A port alone is one of 127.0.0.1, :PORT of every address; port 0 takes a free one; unix:PATH is a Unix socket. A socket that systemd passes (LISTEN_FDS) takes its place."`
	SocketMode   string        `group:"server" default:"0660" placeholder:"MODE" help:"The permissions of a Unix socket, in octal: who may connect."`
	Demo         bool          `group:"server" help:"Create a user named demo, and show a login, a request and a rejected one."`
	DrainTimeout time.Duration `group:"server" default:"20s" placeholder:"TIME" help:"How long open requests may take to finish after SIGTERM."`
	LogFormat    string        `group:"server" default:"text" enum:"text,json" placeholder:"FORM" help:"text or json, on standard error."`
	AccessLog    bool          `group:"server" help:"Log each request: method, route, status, duration and its ids; no path, query, header or address. Default: off."`
	LogLevel     string        `group:"server" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error."`
}

type requestFlags struct {
	BaseURL      string   `group:"requests" placeholder:"URL" help:"The public URL of this API, such as https://example.com/accounts, for links, the schema and cookies. Default: links are paths."`
	Prefix       string   `group:"requests" placeholder:"PATH" help:"Serve every endpoint under this path, such as /accounts; /livez and /readyz without it, too. A gateway that removes the path needs only --base-url. Default: none."`
	AllowedHosts []string `group:"requests" placeholder:"NAME" help:"Values that the Host header may have; .example.com is the domain and its subdomains. Default: any."`
	corsFlags
	TrustedProxies        []string          `group:"requests" placeholder:"NETWORK" help:"Proxies whose X-Forwarded-For, -Proto and -Host are trusted: addresses or networks; unix is every peer on a Unix socket. Default: none, the headers are ignored."`
	ForwardedHeader       bool              `group:"requests" help:"Read Forwarded (RFC 7239) instead. Default: off."`
	Rates                 map[string]string `group:"requests" name:"rate" mapsep:";" placeholder:"SCOPE=N/TIME" help:"Limit requests, such as login=60/min;anon=1000/hour. Scopes: anon, user, login, refresh, register, email, links, revocations. Default: login=60/min;register=20/hour;email=20/hour;links=60/hour;revocations=600/min."`
	SharedRates           string            `group:"requests" default:"off" enum:"on,off" placeholder:"on|off" help:"Count the requests that --rate limits over all nodes, in the database. While it does not respond, each node counts its own."`
	RefreshCookie         bool              `group:"requests" help:"Send the refresh token in a cookie, for browsers. Default: in the body."`
	RefreshCookieSameSite string            `group:"requests" default:"strict" enum:"strict,lax,none" placeholder:"MODE" help:"strict or lax: pages on the API's own site can use that cookie; none: pages of --cors-origins on other sites, too (the cookie is then Partitioned)."`
	lockoutFlags
	MaxBody        int64         `group:"requests" default:"65536" placeholder:"BYTES" help:"Largest body of a request, in bytes."`
	BodyTimeout    time.Duration `group:"requests" default:"10s" placeholder:"TIME" help:"How long a client may take to send the body of a request to jotgate's own endpoints."`
	RequestTimeout time.Duration `group:"requests" default:"30s" placeholder:"TIME" help:"Maximum total duration of a request."`
	signupFlags
	fieldFlags
	TranslateErrors bool `group:"requests" help:"Translate the texts of errors to the language of Accept-Language. Default: off, they are English, as clients of Django may expect."`
	NoSchema        bool `group:"requests" help:"Leave out /api/schema/ and /api/docs/."`
	ShowUsers       bool `group:"requests" name:"insecure-show-users" help:"Let every user list all users (djoser HIDE_USERS = False)."`
}

// signupFlags are the flags that openapi also needs.
type signupFlags struct {
	NoSignup bool `group:"requests" help:"Close the sign-up: POST /auth/users/ responds with 403. Accounts are created by command or in Django. Default: open."`
}

// corsFlags are about pages of other origins.
type corsFlags struct {
	CORSOrigins       []string `group:"requests" name:"cors-origins" placeholder:"ORIGIN" help:"Origins whose pages may call the API, and with --upstream the API behind the gate. Default: its own only."`
	CORSHeaders       []string `group:"requests" name:"cors-headers" placeholder:"NAME" help:"Further request headers that those pages may send. Default: what django-cors-headers allows, and --header-name."`
	CORSExposeHeaders []string `group:"requests" name:"cors-expose-headers" placeholder:"NAME" help:"Further response headers that those pages may read. Default: Retry-After, WWW-Authenticate, X-Request-Id."`
	CORSCredentials   bool     `group:"requests" name:"cors-credentials" help:"Let those pages send cookies, as front ends with withCredentials do. --refresh-cookie implies it. Default: off."`
}

// fieldFlags decide which fields the endpoints ask for, and what they disclose.
type fieldFlags struct {
	UserCreatePasswordRetype   bool `group:"requests" help:"Require re_password at sign-up (djoser USER_CREATE_PASSWORD_RETYPE)."`
	SetPasswordRetype          bool `group:"requests" help:"Require re_new_password when a password is changed (djoser SET_PASSWORD_RETYPE)."`
	PasswordResetConfirmRetype bool `group:"requests" help:"Require re_new_password when a password is reset (djoser PASSWORD_RESET_CONFIRM_RETYPE)."`
	SetUsernameRetype          bool `group:"requests" help:"Require re_new_username when a username is changed (djoser SET_USERNAME_RETYPE)."`
	UsernameResetConfirmRetype bool `group:"requests" help:"Require re_new_username when a username is reset (djoser USERNAME_RESET_CONFIRM_RETYPE)."`
	PasswordResetShowNotFound  bool `group:"requests" name:"insecure-password-reset-show-email-not-found" help:"Respond with 400 if no account has the address: it discloses which do (djoser PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND)."`
	UsernameResetShowNotFound  bool `group:"requests" name:"insecure-username-reset-show-email-not-found" help:"The same for reset_username (djoser USERNAME_RESET_SHOW_EMAIL_NOT_FOUND)."`
}

// lockoutFlags are throttle.Lockout.
type lockoutFlags struct {
	LockoutFree        int           `group:"requests" default:"5" placeholder:"N" help:"Failed logins to an account from one network before the delays begin."`
	LockoutDelay       time.Duration `group:"requests" default:"1s" placeholder:"TIME" help:"The first delay; each further failure doubles it."`
	LockoutMax         time.Duration `group:"requests" default:"15m" placeholder:"TIME" help:"The longest delay."`
	LockoutForget      time.Duration `group:"requests" default:"1d" placeholder:"TIME" help:"How long after the last failure the counters are reset."`
	LockoutAccountFree int           `group:"requests" default:"20" placeholder:"N" help:"Failed logins to an account from all networks that it never logged in from, before delays begin there."`
	LockoutAccountMax  time.Duration `group:"requests" default:"5m" placeholder:"TIME" help:"The longest of those delays."`
}

type mailFlags struct {
	locale                   fs.FS         // of --locale or --theme; nil without
	pages, prefix            string        // the path of the login pages, empty if they are off; and of the API
	MailServer               string        `group:"mail" placeholder:"URL" also:"EMAIL_URL" secret:"url" help:"smtp://user:password@host:587 or smtps://…. Default: none; no e-mail is sent (see --print-emails)."`
	PrintEmails              bool          `group:"mail" help:"Without --mail-server: print e-mails, with the links in them, on standard error. Anyone who reads them can take over the accounts. --demo sets it."`
	MailFrom                 string        `group:"mail" placeholder:"ADDRESS" help:"The sender. Required with --mail-server."`
	MailSite                 string        `group:"mail" placeholder:"NAME" help:"The site's name in e-mails. Default: the host of --mail-base-url."`
	MailBaseURL              string        `group:"mail" placeholder:"URL" help:"The front end that links in e-mails lead to. Default: the pages at --base-url, or at the listen address."`
	ActivationPath           string        `group:"mail" placeholder:"PATH" help:"What follows it in activation links. Default: #/activate/{uid}/{token}."`
	PasswordResetPath        string        `group:"mail" placeholder:"PATH" help:"The same for new passwords. Default: #/password/reset/confirm/{uid}/{token}."`
	UsernameResetPath        string        `group:"mail" placeholder:"PATH" help:"The same for new usernames. Default: #/username/reset/confirm/{uid}/{token}."`
	EmailChangePath          string        `group:"mail" placeholder:"PATH" help:"The same for confirming a new address. Default: #/email/change/confirm/{uid}/{token}."`
	EmailUndoPath            string        `group:"mail" placeholder:"PATH" help:"The same for undoing that. Default: #/email/change/undo/{uid}/{token}."`
	DeletionUndoPath         string        `group:"mail" placeholder:"PATH" help:"The same for restoring an account that its owner has deleted. Default: #/account/restore/{uid}/{token}."`
	InvitationPath           string        `group:"mail" placeholder:"PATH" help:"The same for accepting an invitation. Default: the page invitation of --pages-path."`
	LoginCodePath            string        `group:"mail" placeholder:"PATH" help:"The same for entering a code to log in with; {token} is the code. Default: #/login/code/{token}."`
	SendActivationEmail      bool          `group:"mail" help:"New accounts become active when their owner follows a link in an e-mail. Default: immediately."`
	SendConfirmationEmail    bool          `group:"mail" help:"Send an e-mail when an account becomes active."`
	PasswordChangedEmail     bool          `group:"mail" help:"Send an e-mail when a password was changed."`
	UsernameChangedEmail     bool          `group:"mail" help:"Send an e-mail when a username was changed."`
	EmailChangedEmail        bool          `group:"mail" help:"Send an e-mail to the previous address when an account's address was changed."`
	EmailChangeNeedsPassword bool          `group:"mail" help:"Ask for current_password when the e-mail address changes. Default: off, as the front ends of djoser send none."`
	NewSignInEmail           bool          `group:"mail" help:"Send an e-mail about a login from a network not seen before."`
	MailTemplates            string        `group:"mail" placeholder:"FOLDER" help:"Custom templates, in a folder for each language; docs/mail.md describes them. Default: the built-in ones, also for those that are missing."`
	MailLanguage             string        `group:"mail" default:"en" placeholder:"LANGUAGE" help:"The language of e-mails: the name of a folder of templates."`
	MailTimeout              time.Duration `group:"mail" default:"30s" placeholder:"TIME" help:"Maximum duration of the delivery of one e-mail."`
	MailMaxAge               time.Duration `group:"mail" default:"3d" placeholder:"TIME" help:"How long sending an e-mail is tried again before it is dropped."`
}

// settings returns the api.Settings.
func (f *requestFlags) settings(m *mailFlags) api.Settings {
	s := api.Settings{
		BaseURL: f.BaseURL, Prefix: f.Prefix, AllowedHosts: f.AllowedHosts,
		CORSOrigins: f.CORSOrigins, CORSHeaders: f.CORSHeaders, CORSExposeHeaders: f.CORSExposeHeaders, CORSCredentials: f.CORSCredentials,
		TrustedProxies: f.TrustedProxies, ForwardedHeader: f.ForwardedHeader, Lockout: f.lockout(),
		RefreshCookie: f.RefreshCookie, RefreshCookieSameSite: f.RefreshCookieSameSite,
		MaxBody: f.MaxBody, BodyTimeout: f.BodyTimeout, Timeout: f.RequestTimeout, TranslateErrors: f.TranslateErrors, NoSignup: f.NoSignup, NoSchema: f.NoSchema,
		InsecureShowUsers: f.ShowUsers, UserCreatePasswordRetype: f.UserCreatePasswordRetype, SetPasswordRetype: f.SetPasswordRetype,
		PasswordResetConfirmRetype: f.PasswordResetConfirmRetype, SetUsernameRetype: f.SetUsernameRetype,
		UsernameResetConfirmRetype:             f.UsernameResetConfirmRetype,
		InsecurePasswordResetShowEmailNotFound: f.PasswordResetShowNotFound, InsecureUsernameResetShowEmailNotFound: f.UsernameResetShowNotFound,
		SendActivationEmail: m.SendActivationEmail, SendConfirmationEmail: m.SendConfirmationEmail,
		PasswordChangedEmail: m.PasswordChangedEmail, UsernameChangedEmail: m.UsernameChangedEmail,
		EmailChangedEmail: m.EmailChangedEmail, NewSignInEmail: m.NewSignInEmail, EmailChangeNeedsPassword: m.EmailChangeNeedsPassword,
	}
	if len(f.Rates) > 0 {
		s.Rates = maps.Clone(f.Rates)
	}
	return s
}

func (f *lockoutFlags) lockout() throttle.Lockout {
	return throttle.Lockout{
		Network: throttle.Policy{Free: f.LockoutFree, First: f.LockoutDelay, Max: f.LockoutMax, Forget: f.LockoutForget},
		Account: throttle.Policy{Free: f.LockoutAccountFree, First: f.LockoutDelay, Max: f.LockoutAccountMax, Forget: f.LockoutForget},
	}
}

// linkToPages makes links lead to the pages, if these are on, unless there is a
// front end or a path for such links.
func (f *mailFlags) linkToPages(s *mail.Settings) {
	if f.pages == "" {
		return
	}
	s.BaseURL = strings.TrimSuffix(s.BaseURL, f.prefix)
	if s.LoginCodePath == "" {
		s.LoginCodePath = f.pages + "code/confirm?code={token}"
	}
	for path, page := range map[*string]string{
		&s.ActivationPath: "activate", &s.PasswordResetPath: "reset/confirm", &s.UsernameResetPath: "username/confirm",
		&s.EmailChangePath: "email/confirm", &s.EmailUndoPath: "email/undo", &s.DeletionUndoPath: "delete/undo", &s.InvitationPath: "invitation",
	} {
		if *path == "" {
			*path = f.pages + page + "?uid={uid}&token={token}"
		}
	}
}

// sender returns the mail.Sender that sends the e-mails of the outbox.
func (f *mailFlags) sender(a *app, gate *jotgate.Gate, outbox record.Outbox, base string, log *slog.Logger) (*mail.Sender, error) {
	s := mail.Settings{
		Server: jotgate.Secret(f.MailServer), From: f.MailFrom, Site: f.MailSite, BaseURL: f.MailBaseURL,
		ActivationPath: f.ActivationPath, PasswordResetPath: f.PasswordResetPath, UsernameResetPath: f.UsernameResetPath,
		EmailChangePath: f.EmailChangePath, EmailUndoPath: f.EmailUndoPath, DeletionUndoPath: f.DeletionUndoPath, InvitationPath: f.InvitationPath, LoginCodePath: f.LoginCodePath,
		LinkLifetime: gate.Settings().PasswordResetTimeout, Logger: log,
		Language: f.MailLanguage, Locale: f.locale, Timeout: f.MailTimeout, MaxAge: f.MailMaxAge, Metrics: a.metrics,
	}
	if f.MailTemplates != "" {
		s.Templates = os.DirFS(f.MailTemplates)
	}
	if s.BaseURL == "" {
		s.BaseURL = base
		f.linkToPages(&s)
	}
	switch {
	case f.MailServer != "":
	case f.PrintEmails:
		s.Output = a.stderr
	default:
		s.Discard = true
		log.Warn("no e-mail is sent: there is no --mail-server; --print-emails prints them, with their links, for development")
	}
	sender, err := mail.New(s, gate.Accounts(), gate.Links(), outbox)
	return sender, inFlags("mail", err)
}
