package credentials

import (
	"encoding/base64"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/tamper"
	"github.com/jotgate/jotgate/record"
)

// Column is a column of the tables in docs/credentials.md: the kinds in it open the same.
type Column int

// The columns, in their order.
const (
	None Column = iota
	Client
	Browser
	BrowserActor
	BrowserPending
	Login
	Django
	Actor
	TokenWith
	TokenWithout
	KeyWith
	KeyWithout
	AuthToken
	Rejected
	Columns // their number
)

var columns = [Columns]string{
	None: "none", Client: "client_id and secret (Basic)", Browser: "browser, signed in", BrowserActor: "browser of a member of staff who acts for the user", BrowserPending: "browser in a login without its second factor",
	Login: "access token of a login", Django: "access token without a session", Actor: "of a member of staff who acts for the user",
	TokenWith: "token with the scopes", TokenWithout: "token with other scopes",
	KeyWith: "API key with the scopes", KeyWithout: "API key with other scopes", AuthToken: "DRF token, with `--authtokens on`", Rejected: "any other",
}

// String returns the heading of the column.
func (c Column) String() string { return columns[c] }

// Kind is a kind of credential.
type Kind struct {
	Name   string
	Column Column
	// Present makes a new one of alice, and returns the headers of requests that each have
	// it, in pairs.
	Present func(s *Site) [][]string
}

// asToken are the ways to send a token.
func asToken(token string) [][]string {
	return [][]string{{"Authorization", "Bearer " + token}, {"Authorization", "Token " + token}}
}

func asKey(key string) [][]string {
	return [][]string{{"Authorization", "Bearer " + key}, {"Authorization", "Api-Key " + key}, {"X-Api-Key", key}}
}

func asCookie(value string, names ...string) (ways [][]string) {
	for _, name := range names {
		ways = append(ways, []string{"Cookie", name + "=" + value})
	}
	return ways
}

// signed is a kind of token with these claims.
func signed(name string, column Column, typ string, claims map[string]any) Kind {
	return Kind{name, column, func(s *Site) [][]string { return asToken(s.Signed(typ, claims)) }}
}

func key(name string, column Column, scopes string, change func(s *Site, c apikey.Created) string) Kind {
	return Kind{name, column, func(s *Site) [][]string {
		c := s.Key(scopes)
		text := c.Secret
		if change != nil {
			text = change(s, c)
		}
		s.limitKeys(c.ID)
		return asKey(text)
	}}
}

func service(name string, column Column, scopes ...string) Kind {
	return Kind{name, column, func(s *Site) [][]string { return asToken(s.serviceToken(s.service(scopes...))) }}
}

// rejected is a kind whose value is not an access token.
func rejected(name string, value func(s *Site) string) Kind {
	return Kind{name, Rejected, func(s *Site) [][]string {
		text := value(s)
		if text == "" {
			s.Errorf("%s: there is none", name)
		}
		return asToken(text)
	}}
}

// The scopes that the tables are about, and others with similar names.
const with, other = "account events orders:read", "accounts orders:readers"

// Kinds returns every kind of credential that jotgate, Django or another issuer makes.
func Kinds() []Kind {
	var all []Kind
	for _, part := range [][]Kind{withoutToken(), browsers(), accessTokens(), keys(), otherTokens(), forged(), foreign()} {
		all = append(all, part...)
	}
	return all
}

// Accepted returns the kinds that a gate with authtoken.Accept accepts in addition.
func Accepted() []Kind {
	return []Kind{{"DRF's authtoken", AuthToken, func(s *Site) [][]string { return asAuthToken(s.AuthToken()) }}}
}

func asAuthToken(token string) [][]string { return [][]string{{"Authorization", "Token " + token}} }

func access(s *Site) string { token, _ := s.login(); return token }

func refresh(s *Site) string { _, token := s.login(); return token }

// withoutToken are the kinds in which nothing of a request is a token or a key for a gate.
func withoutToken() []Kind {
	names := []string{"__Host-jotgate", "sessionid", "__Secure-jotgate-refresh", "access", "token"}
	return []Kind{
		{"no credential", None, func(*Site) [][]string { return [][]string{nil} }},
		{"a password (Basic)", None, func(s *Site) [][]string { return [][]string{{"Authorization", basic("alice", s.Password)}} }},
		{"client_id and secret of a service account (Basic)", Client, func(s *Site) [][]string {
			c := s.service(strings.Fields(with)...)
			return [][]string{{"Authorization", basic(c.ID, c.Secret)}}
		}},
		{"the refresh token, as a cookie", None, func(s *Site) [][]string { return asCookie(refresh(s), append(names, "jotgate")...) }},
		{"the access token, as a cookie", None, func(s *Site) [][]string { return asCookie(access(s), append(names, "jotgate")...) }},
		{"session cookie of jotgate's pages, by another name", None, func(s *Site) [][]string { return asCookie(s.page().Cookie, names...) }},
		{"session cookie of Django", None, func(*Site) [][]string {
			return asCookie("f9h3k2j4l5m6n7o8p9q0r1s2t3u4v5w6", append(names, "jotgate")...)
		}},
		{"access token, API key in another scheme", None, func(s *Site) [][]string {
			token := access(s)
			return [][]string{{"Authorization", "Digest " + token}, {"Authorization", "Digest " + s.Key(with).Secret}, {"X-Api-Key", token}}
		}},
	}
}

// browsers are the cookies of the pages.
func browsers() []Kind {
	return []Kind{
		{"session cookie of jotgate's pages", Browser, func(s *Site) [][]string { return asCookie(s.page().Cookie, "jotgate") }},
		{"session cookie of the pages of a member of staff who acts for the user", BrowserActor, func(s *Site) [][]string { return asCookie(s.actingPage(), "jotgate") }},
		{"cookie of a pending login", BrowserPending, func(s *Site) [][]string {
			return asCookie("~"+string(jotgate.StepSecond)+"~totp~"+s.pagePending(), "jotgate-login")
		}},
	}
}

func accessTokens() []Kind {
	return []Kind{
		{"access token of a login", Login, func(s *Site) [][]string { return asToken(access(s)) }},
		signed("access token that SimpleJWT makes", Django, "JWT", map[string]any{"role": nil}),
		{"access token of a member of staff who acts for the user", Actor, func(s *Site) [][]string { return asToken(s.actingToken())[:1] }},

		signed("access token with scope", TokenWith, "JWT", map[string]any{"scope": with}),
		signed("access token with scp, an array", TokenWith, "JWT", map[string]any{"scp": strings.Fields(with)}),
		signed("access token of a client (RFC 9068)", TokenWith, "at+jwt", map[string]any{"scope": with, "client_id": "c"}),
		signed("access token with other scopes", TokenWithout, "JWT", map[string]any{"scope": other}),
		signed("access token with an empty scope", TokenWithout, "JWT", map[string]any{"scope": ""}),
		signed("access token with client_id alone", TokenWithout, "JWT", map[string]any{"client_id": "c"}),
		signed("access token with azp alone", TokenWithout, "JWT", map[string]any{"azp": "c"}),
		signed("access token with a scope of another type", TokenWithout, "JWT", map[string]any{"scope": map[string]any{"account": true}}),

		service("access token of a service account", TokenWith, strings.Fields(with)...),
		service("access token of a service account with other scopes", TokenWithout, "accounts", "introspection"),
	}
}

func keys() []Kind {
	return []Kind{
		key("API key", KeyWith, with, nil),
		key("API key with other scopes", KeyWithout, other, nil),
		key("revoked API key", Rejected, with, func(s *Site, c apikey.Created) string { s.revoke(c.ID); return c.Secret }),
		key("API key that was not copied completely", Rejected, with, func(_ *Site, c apikey.Created) string { return c.Secret[:63] }),
		key("API key with a wrong checksum", Rejected, with, func(_ *Site, c apikey.Created) string { return tamper.At(c.Secret, 63) }),
		rejected("token for which a guard exchanged an API key", func(s *Site) string {
			_, members := s.post(200, "/auth/api-keys/token/", "", "X-Api-Key", s.Key(with).Secret)
			return members["token"]
		}),
	}
}

// otherTokens are tokens that the gate's key signed.
func otherTokens() []Kind {
	return []Kind{
		rejected("refresh token", refresh),
		signed("ID token", Rejected, "JWT", map[string]any{"token_type": nil, "sub": "1", "nonce": "n", "aud": []string{"c", Audience}, "azp": "c"}),
		signed("logout token", Rejected, "logout+jwt", map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}}}),
		signed("DPoP proof", Rejected, "dpop+jwt", map[string]any{"htm": "GET", "htu": "https://api.example/"}),
		signed("token bound to a key (cnf)", Rejected, "JWT", map[string]any{"cnf": map[string]string{"jkt": "x"}}),
		signed("token of another type", Rejected, "JWT", map[string]any{"token_type": "sliding"}),
		signed("token for another audience", Rejected, "JWT", map[string]any{"aud": "https://other.example"}),
		signed("token without a user", Rejected, "JWT", map[string]any{"user_id": nil, "sub": "1"}),
		signed("expired access token", Rejected, "JWT", map[string]any{"exp": 1}),
		rejected("access token of an ended session", func(s *Site) string {
			token := access(s)
			s.post(204, "/auth/logout/", "", "Authorization", "Bearer "+token)
			return token
		}),
		rejected("access token of a service account that was revoked", func(s *Site) string {
			c := s.service(strings.Fields(with)...)
			token := s.serviceToken(c)
			s.asClient(c, "/o/revoke/", "token="+token)
			return token
		}),
	}
}

func forged() []Kind {
	return []Kind{
		rejected("access token that is not signed (alg none)", func(s *Site) string {
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + strings.Split(access(s), ".")[1] + "."
		}),
		rejected("access token signed with another key", func(s *Site) string {
			parts := strings.Split(access(s), ".")
			return parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 32))
		}),
	}
}

// foreign are secrets of jotgate that are for other purposes, and those of other issuers.
func foreign() []Kind {
	return []Kind{
		rejected("secret of a client", func(s *Site) string { return s.service("account").Secret }),
		rejected("pending login", func(s *Site) string { return s.pending() }),
		rejected("token of a password reset link", func(s *Site) string {
			uid, token := s.Gate.Links().Parts(record.MessagePasswordReset, s.Account("alice"))
			return uid + "-" + token
		}),
		rejected("token of a change of address, of a deletion", func(s *Site) string {
			_, token := s.Gate.Links().Parts(record.MessageUsernameReset, s.Account("alice"))
			return token
		}),
		rejected("session cookie of the pages, as a token", func(s *Site) string { return s.page().Cookie }),
		{"DRF's authtoken, which is not accepted by default", Rejected, func(s *Site) [][]string { return asAuthToken(s.AuthToken()) }},
		rejected("DRF's authtoken as a Bearer token", func(s *Site) string { return s.AuthToken() }),
		rejected("unknown authtoken of DRF", func(*Site) string { return "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b" }),
		rejected("key of djangorestframework-api-key", func(*Site) string { return "8LJyGoMN.0Vv3TiJvVpJzfqR7mCXhOzHxRZyT5lQy" }),
		rejected("opaque token of another issuer", func(*Site) string { return "ya29.a0AfH6SMBx-opaque" }),
		rejected("page of the revocation feed", func(s *Site) string {
			if err := s.Gate.Sync(s.Context()); err != nil {
				s.Fatal(err)
			}
			return s.ask("GET", "/auth/revocations?nonce=0123456789abcdef", "").Header.Get("Jotgate-Signature")
		}),
		rejected("no text", func(*Site) string { return "null" }),
	}
}
