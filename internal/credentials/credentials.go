// Package credentials makes every kind of credential for tests that send all of them
// to an endpoint or through an integration:
//
//	s := &credentials.Site{TB: t, Gate: gate, Store: db, Keys: keys, Clients: clients, Endpoints: api, …}
//	for _, kind := range credentials.Kinds() {
//		for _, headers := range kind.Present(s) { … }
//	}
//
// docs/credentials.md has the expected result of each, by [Column].
package credentials

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// Audience is an audience of the gate of a Site.
const Audience = "https://api.example"

// Site is what credentials are made with: a gate on a database that has the active
// users alice and carol. The gate serves revocations and has Audience.
type Site struct {
	testing.TB
	Gate      *jotgate.Gate
	Store     *store.Store
	Keys      *apikey.Keys
	Clients   *oauth.Server
	Endpoints http.Handler // those of package api, for this gate or another one on the same database
	Secret    string       // the gate's SECRET_KEY
	Password  string       // of alice
	// Advance sets the clock of the gate forward, so that what follows is later than a
	// change of an account. Then service accounts are superusers, as alice is. It is nil
	// if neither is.
	Advance func(time.Duration)
	// AuthToken returns a new token of alice in Django's table authtoken_token.
	AuthToken func() string

	keys     []string // that Kind.Present created
	services int
	hasErin  bool
}

// Account returns the row of a user.
func (s *Site) Account(name string) *record.Account {
	s.Helper()
	a, err := s.Store.Accounts().ByLogin(s.Context(), name)
	if err != nil {
		s.Fatal(name, err)
	}
	return a
}

// Key creates an API key of alice.
func (s *Site) Key(scopes string) apikey.Created {
	s.Helper()
	c, err := s.Keys.Create(s.Context(), s.Account("alice"), apikey.Request{Name: "ci", Scopes: strings.Fields(scopes)}, jotgate.Client{})
	if err != nil {
		s.Fatal(err)
	}
	return c
}

// limitKeys revokes the oldest key of many, since an account can have 100.
func (s *Site) limitKeys(id string) {
	if s.keys = append(s.keys, id); len(s.keys) > 50 {
		s.revoke(s.keys[0])
		s.keys = s.keys[1:]
	}
}

func (s *Site) revoke(id string) {
	s.Helper()
	if err := s.Keys.Revoke(s.Context(), s.Account("alice").ID, id, jotgate.Client{}); err != nil {
		s.Fatal(err)
	}
}

// Signed returns a token of alice of this type (typ) with the claims of an access token,
// and these; nil removes one.
func (s *Site) Signed(typ string, claims map[string]any) string {
	s.Helper()
	key, err := jwt.NewHMAC(jwt.HS256, []byte(s.Secret))
	if err != nil {
		s.Fatal(err)
	}
	now := s.Gate.Settings().Now()
	all := map[string]any{
		"token_type": "access", "exp": now.Unix() + 300, "iat": now.Unix(), "jti": "0123456789abcdef0123456789abcdef",
		"user_id": string(s.Account("alice").ID), "role": jotgate.RoleOf(s.Account("alice")), "aud": Audience,
	}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	token, err := jwt.Sign(key.WithType(typ), all)
	if err != nil {
		s.Fatal(err)
	}
	return token
}

// post sends a body to an endpoint and returns the response, which must have this status,
// and the members of its JSON object that are texts.
func (s *Site) post(status int, path, body string, headers ...string) (*http.Response, map[string]string) {
	s.Helper()
	response := s.ask("POST", path, body, headers...)
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		s.Fatalf("%s: %d %s %v, want %d", path, response.StatusCode, text, err, status)
	}
	var all map[string]any
	_ = json.Unmarshal(text, &all)
	texts := map[string]string{}
	for name, value := range all {
		texts[name], _ = value.(string)
	}
	return response, texts
}

func (s *Site) ask(method, path, body string, headers ...string) *http.Response {
	r := httptest.NewRequestWithContext(s.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.Endpoints.ServeHTTP(w, r)
	return w.Result()
}

// login returns the tokens of a new session of alice.
func (s *Site) login() (access, refresh string) {
	s.Helper()
	_, tokens := s.post(200, "/api/token/", s.passwordOf("alice"))
	return tokens["access"], tokens["refresh"]
}

func (s *Site) passwordOf(name string) string {
	text, _ := json.Marshal(map[string]string{"username": name, "password": s.Password})
	return string(text)
}

// service creates a client, whose service account is a superuser as alice is.
func (s *Site) service(scopes ...string) oauth.Created {
	s.Helper()
	s.services++
	c, err := s.Clients.Create(s.Context(), oauth.Request{Name: "service-" + strconv.Itoa(s.services), Scopes: scopes}, jotgate.Client{})
	if err == nil && s.Advance != nil {
		err = s.Store.Accounts().Change(s.Context(), c.User, record.Change{IsStaff: new(true), IsSuperuser: new(true), At: s.Gate.Settings().Now()})
		s.Advance(2 * time.Second)
	}
	if err != nil {
		s.Fatal(err)
	}
	return c
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

// asClient sends a form to an endpoint of OAuth.
func (s *Site) asClient(c oauth.Created, path, form string) map[string]string {
	s.Helper()
	_, members := s.post(200, path, form, "Content-Type", "application/x-www-form-urlencoded", "Authorization", basic(c.ID, c.Secret))
	return members
}

// serviceToken returns an access token of a client.
func (s *Site) serviceToken(c oauth.Created) string {
	s.Helper()
	return s.asClient(c, "/o/token/", "grant_type=client_credentials")["access_token"]
}

// acting returns a stored session in which carol acts for alice.
func (s *Site) acting() *record.Session {
	s.Helper()
	session := s.Gate.Sessions().NewImpersonation(s.Account("alice"), s.Account("carol").ID, nil, jotgate.Client{})
	if err := s.Store.Admin().Change(s.Context(), func(ctx context.Context, tx adminstore.Tx) error { return tx.Users.Impersonate(ctx, session) }); err != nil {
		s.Fatal(err)
	}
	return session
}

// actingToken returns an access token with which carol acts for alice.
func (s *Site) actingToken() string {
	s.Helper()
	tokens, err := s.Gate.Sessions().Issue(s.Context(), s.Account("alice"), s.acting())
	if err != nil {
		s.Fatal(err)
	}
	return tokens.Access
}

// page returns the session of a browser in which alice has signed in.
func (s *Site) page() *jotgate.PageSession {
	s.Helper()
	state, err := s.Gate.Sessions().Pages().Begin(s.Context(), jotgate.Password("alice", s.Password), jotgate.PageLogin{}, jotgate.Client{})
	if err != nil {
		s.Fatal(err)
	}
	return state.Page
}

// actingPage returns the cookie of a browser in which carol acts for alice.
func (s *Site) actingPage() string {
	return s.Gate.Sessions().Pages().Impersonation(s.Account("alice"), s.acting(), s.page(), "/admin/").Cookie
}

// erin creates a user with a second factor, once.
func (s *Site) erin() {
	s.Helper()
	if s.hasErin {
		return
	}
	s.hasErin = true
	now := s.Gate.Settings().Now()
	erin := &record.Account{Username: "erin", Email: "erin@example.com", IsActive: true, DateJoined: now, Password: s.Account("alice").Password}
	if err := s.Store.Accounts().Create(s.Context(), erin); err != nil {
		s.Fatal(err)
	}
	app := &record.Factor{Type: record.FactorTOTP, Data: totp.Data{Secret: totp.NewSecret()}.String(), Created: now}
	if err := s.Store.Factors().ChangeFactors(s.Context(), record.FactorChange{User: erin.ID, Add: []*record.Factor{app}}); err != nil {
		s.Fatal(err)
	}
}

// pending returns a login of erin in a program that has presented only the password.
func (s *Site) pending() string {
	s.Helper()
	s.erin()
	_, members := s.post(401, "/api/token/", s.passwordOf("erin"))
	return members["pending"]
}

// pagePending returns one in a browser.
func (s *Site) pagePending() string {
	s.Helper()
	s.erin()
	state, err := s.Gate.Sessions().Pages().Begin(s.Context(), jotgate.Password("erin", s.Password), jotgate.PageLogin{}, jotgate.Client{})
	if err != nil || state.Page != nil {
		s.Fatal(err)
	}
	return state.Pending
}
