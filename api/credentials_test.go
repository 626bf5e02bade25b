package api

// Every kind of credential, to be sent to every endpoint and integration.

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

const matrixAudience = "https://api.example"

// The columns of the table in docs/credentials.md.
const (
	none = iota
	ofLogin
	ofDjango
	ofActor
	tokenWith
	tokenWithout
	keyWith
	keyWithout
	ofAuthToken
	rejected
)

var columns = []string{
	none: "none", ofLogin: "access token of a login", ofDjango: "access token without a session", ofActor: "of a member of staff who acts for the user",
	tokenWith: "token with the scopes", tokenWithout: "token with other scopes",
	keyWith: "API key with the scopes", keyWithout: "API key with other scopes", ofAuthToken: "DRF token, with `--authtokens on`", rejected: "any other",
}

// kind is a kind of credential. present returns a fresh one of alice, as the headers of
// requests that each carry it, in pairs.
type kind struct {
	name    string
	column  int
	present func(s *site) [][]string
}

// asToken are the ways to send a token.
func asToken(token string) [][]string {
	return [][]string{{"Authorization", "Bearer " + token}, {"Authorization", "Token " + token}}
}

func asKey(key string) [][]string {
	return [][]string{{"Authorization", "Bearer " + key}, {"Authorization", "Api-Key " + key}, {"X-Api-Key", key}}
}

func asCookie(value string) (ways [][]string) {
	for _, name := range []string{"jotgate", "__Host-jotgate", "sessionid", refreshCookie} {
		ways = append(ways, []string{"Cookie", name + "=" + value})
	}
	return ways
}

// signed returns a token of alice with the claims of an access token, and these.
func (s *site) signed(typ string, claims map[string]any) string {
	s.t.Helper()
	key, err := jwt.NewHMAC(jwt.HS256, []byte(siteSecret))
	if err != nil {
		s.t.Fatal(err)
	}
	now := s.now.Now()
	all := map[string]any{
		"token_type": "access", "exp": now.Unix() + 300, "iat": now.Unix(), "jti": "0123456789abcdef0123456789abcdef",
		"user_id": string(s.account("alice").ID), "aud": matrixAudience,
	}
	maps.Copy(all, claims)
	for name, value := range claims {
		if value == nil {
			delete(all, name)
		}
	}
	token, err := jwt.Sign(key.WithType(typ), all)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// signedKind is a kind of token with these claims.
func signedKind(name string, column int, typ string, claims map[string]any) kind {
	return kind{name, column, func(s *site) [][]string { return asToken(s.signed(typ, claims)) }}
}

// madeKey creates an API key of alice.
func (s *site) madeKey(scopes string) apikey.Created {
	s.t.Helper()
	c, err := s.settings.APIKeys.Create(s.t.Context(), s.account("alice"), apikey.Request{Name: "ci", Scopes: strings.Fields(scopes)}, jotgate.Client{})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func keyKind(name string, column int, scopes string, change func(s *site, c apikey.Created) string) kind {
	return kind{name, column, func(s *site) [][]string {
		c := s.madeKey(scopes)
		defer func() { // an account can have 100
			if s.created = append(s.created, c.ID); len(s.created) > 50 {
				_ = s.settings.APIKeys.Revoke(s.t.Context(), s.account("alice").ID, s.created[0], jotgate.Client{})
				s.created = s.created[1:]
			}
		}()
		if change == nil {
			return asKey(c.Secret)
		}
		return asKey(change(s, c))
	}}
}

// service creates a client, whose service account is staff as alice is.
func (s *site) service(scopes ...string) client {
	s.t.Helper()
	s.services++
	c := s.newClient("service-"+strconv.Itoa(s.services), scopes...)
	if err := s.db.Accounts().Change(s.t.Context(), c.User, record.Change{IsStaff: new(true), At: s.now.Now()}); err != nil {
		s.t.Fatal(err)
	}
	s.now.turn(2 * time.Second)
	return c
}

func serviceKind(name string, column int, scopes ...string) kind {
	return kind{name, column, func(s *site) [][]string { return asToken(s.clientToken(s.service(scopes...))) }}
}

// plain is a kind whose value is not a token of jotgate's.
func plain(name string, value func(s *site) string) kind {
	return kind{name, rejected, func(s *site) [][]string {
		text := value(s)
		if text == "" {
			s.t.Errorf("%s: there is none", name)
		}
		return asToken(text)
	}}
}

// kinds lists every kind of credential that jotgate, Django or another issuer makes.
func kinds() []kind {
	const with, other = "account events orders:read", "accounts orders:readers"
	return []kind{
		{"no credential", none, func(*site) [][]string { return [][]string{nil} }},
		{"a password (Basic)", none, func(*site) [][]string {
			return [][]string{{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:"+goodPassword))}}
		}},
		{"client_id and secret of a client (Basic)", none, func(s *site) [][]string {
			return [][]string{{"Authorization", s.service(strings.Fields(with)...).headers()[3]}}
		}},
		{"the refresh token, as a cookie", none, func(s *site) [][]string { return asCookie(s.login("alice").refresh) }},
		{"the access token, as a cookie or in the query", none, func(s *site) [][]string { return asCookie(s.login("alice").access) }},
		{"session cookie of jotgate's pages", none, func(s *site) [][]string { return asCookie(s.pageCookie()) }},
		{"session cookie of Django", none, func(*site) [][]string { return asCookie("f9h3k2j4l5m6n7o8p9q0r1s2t3u4v5w6") }},
		{"access token, API key in another scheme", none, func(s *site) [][]string {
			return [][]string{{"Authorization", "Digest " + s.login("alice").access}, {"Authorization", "Digest " + s.madeKey(with).Secret}, {"X-Api-Key", s.login("alice").access}}
		}},

		{"access token of a login", ofLogin, func(s *site) [][]string { return asToken(s.login("alice").access) }},
		signedKind("access token that SimpleJWT makes", ofDjango, "JWT", nil),
		{"access token of a member of staff who acts for the user", ofActor, func(s *site) [][]string { return [][]string{s.actingFor("alice")} }},

		signedKind("access token with scope", tokenWith, "JWT", map[string]any{"scope": with}),
		signedKind("access token with scp, an array", tokenWith, "JWT", map[string]any{"scp": strings.Fields(with)}),
		signedKind("access token of a client (RFC 9068)", tokenWith, "at+jwt", map[string]any{"scope": with, "client_id": "c"}),
		signedKind("access token with other scopes", tokenWithout, "JWT", map[string]any{"scope": other}),
		signedKind("access token with an empty scope", tokenWithout, "JWT", map[string]any{"scope": ""}),
		signedKind("access token with client_id alone", tokenWithout, "JWT", map[string]any{"client_id": "c"}),
		signedKind("access token with azp alone", tokenWithout, "JWT", map[string]any{"azp": "c"}),
		signedKind("access token with a scope of another type", tokenWithout, "JWT", map[string]any{"scope": map[string]any{"account": true}}),

		serviceKind("access token of a service account", tokenWith, strings.Fields(with)...),
		serviceKind("access token of a service account with other scopes", tokenWithout, "accounts", "introspection"),

		keyKind("API key", keyWith, with, nil),
		keyKind("API key with other scopes", keyWithout, other, nil),
		keyKind("revoked API key", rejected, with, func(s *site, c apikey.Created) string {
			if err := s.settings.APIKeys.Revoke(s.t.Context(), c.User, c.ID, jotgate.Client{}); err != nil {
				s.t.Fatal(err)
			}
			return c.Secret
		}),
		keyKind("API key that was not copied completely", rejected, with, func(_ *site, c apikey.Created) string { return c.Secret[:63] }),
		keyKind("API key with a wrong checksum", rejected, with, func(_ *site, c apikey.Created) string {
			return c.Secret[:63] + map[bool]string{true: "1", false: "0"}[c.Secret[63] == '0']
		}),

		plain("token for which a guard exchanged an API key", func(s *site) string {
			return s.ask("POST", "/auth/api-keys/token/", "", "X-Api-Key", s.madeKey(with).Secret).member("token")
		}),
		plain("refresh token", func(s *site) string { return s.login("alice").refresh }),
		signedKind("ID token", rejected, "JWT", map[string]any{"token_type": nil, "sub": "1", "nonce": "n", "aud": []string{"c", matrixAudience}, "azp": "c"}),
		signedKind("logout token", rejected, "logout+jwt", map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}}}),
		signedKind("DPoP proof", rejected, "dpop+jwt", map[string]any{"htm": "GET", "htu": "https://api.example/"}),
		signedKind("token bound to a key (cnf)", rejected, "JWT", map[string]any{"cnf": map[string]string{"jkt": "x"}}),
		signedKind("token of another type", rejected, "JWT", map[string]any{"token_type": "sliding"}),
		signedKind("token for another audience", rejected, "JWT", map[string]any{"aud": "https://other.example"}),
		signedKind("token without a user", rejected, "JWT", map[string]any{"user_id": nil, "sub": "1"}),
		signedKind("expired access token", rejected, "JWT", map[string]any{"exp": 1}),
		plain("access token of an ended session", func(s *site) string {
			tk := s.login("alice")
			want(s.t, "logout", s.ask("POST", "/auth/logout/", "", tk.header()...), 204, "")
			return tk.access
		}),
		plain("access token that is not signed (alg none)", func(s *site) string {
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + strings.Split(s.login("alice").access, ".")[1] + "."
		}),
		plain("access token signed with another key", func(s *site) string {
			parts := strings.Split(s.login("alice").access, ".")
			return parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 32))
		}),
		plain("secret of a client", func(s *site) string { return s.service("account").Secret }),
		plain("access token of a service account that was revoked", func(s *site) string {
			c := s.service(strings.Fields(with)...)
			token := s.clientToken(c)
			want(s.t, "revoke", s.ask("POST", "/o/revoke/", "token="+token, c.headers()...), 200, "")
			return token
		}),
		plain("pending login", func(s *site) string { return s.pending() }),
		plain("token of a password reset link", func(s *site) string {
			uid, token := s.link(record.MessagePasswordReset, "alice")
			return uid + "-" + token
		}),
		plain("token of a change of address, of a deletion", func(s *site) string {
			_, token := s.link(record.MessageUsernameReset, "alice")
			return token
		}),
		plain("session cookie of the pages, as a token", func(s *site) string { return s.pageCookie() }),
		{"DRF's authtoken, which is not accepted by default", rejected, func(s *site) [][]string { return asAuthToken(s.authToken()) }},
		plain("DRF's authtoken as a Bearer token", func(s *site) string { return s.authToken() }),
		plain("unknown authtoken of DRF", func(*site) string { return "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b" }),
		plain("key of djangorestframework-api-key", func(*site) string { return "8LJyGoMN.0Vv3TiJvVpJzfqR7mCXhOzHxRZyT5lQy" }),
		plain("opaque token of another issuer", func(*site) string { return "ya29.a0AfH6SMBx-opaque" }),
		plain("page of the revocation feed", func(s *site) string {
			if err := s.gate.Sync(s.t.Context()); err != nil {
				s.t.Fatal(err)
			}
			return s.ask("GET", "/auth/revocations?nonce=0123456789abcdef", "").Header.Get("Jotgate-Signature")
		}),
		plain("no text", func(*site) string { return "null" }),
	}
}

// authTokens stands for Django's table authtoken_token; package store reads the real one.
type authTokens map[string]record.UserID

func (a authTokens) Owner(_ context.Context, token string) (record.UserID, error) {
	if owner, ok := a[token]; ok {
		return owner, nil
	}
	return "", jotgate.ErrNotFound
}

func asAuthToken(token string) [][]string {
	return [][]string{{"Authorization", "Token " + token}}
}

// authToken adds a token of alice to the table.
func (s *site) authToken() string {
	if s.tokens == nil {
		s.tokens = authTokens{}
	}
	token := fmt.Sprintf("%040x", len(s.tokens)+1)
	s.tokens[token] = s.account("alice").ID
	return token
}

// acceptedKinds lists what a gate with authtoken.Accept accepts in addition.
func acceptedKinds() []kind {
	return []kind{{"DRF's authtoken", ofAuthToken, func(s *site) [][]string { return asAuthToken(s.authToken()) }}}
}

// pending returns the pending login of a user with a second factor, erin.
func (s *site) pending() string {
	s.t.Helper()
	if s.half == "" {
		erin := &record.Account{Username: "erin", Email: "erin@example.com", IsActive: true, DateJoined: s.now.Now(), Password: s.account("alice").Password}
		if err := s.db.Accounts().Create(s.t.Context(), erin); err != nil {
			s.t.Fatal(err)
		}
		s.enrol(s.t, s.login("erin").access)
		s.now.turn(2 * time.Second)
		s.half = s.try("erin", goodPassword).member("pending")
	}
	if !strings.HasPrefix(s.half, "p1.") {
		s.t.Fatalf("pending: %q", s.half)
	}
	return s.half
}

// pageCookie returns the cookie of a browser in which alice signed in.
func (s *site) pageCookie() string {
	s.t.Helper()
	state, err := s.gate.Sessions().Pages().Begin(s.t.Context(), jotgate.Password("alice", goodPassword), jotgate.PageLogin{}, jotgate.Client{})
	if err != nil {
		s.t.Fatal(err)
	}
	return state.Page.Cookie
}

// asSocket moves a token from its header to the subprotocols of a WebSocket.
func asSocket(r *http.Request) {
	token := strings.TrimPrefix(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "Token ")
	if token != "" && !strings.Contains(token, " ") {
		r.Header.Del("Authorization")
		r.Header.Set("Sec-WebSocket-Protocol", "bearer, "+token)
	}
}
