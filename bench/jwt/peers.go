package main

// The other libraries, each used as its documentation advises.

import (
	"crypto"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	gojwt "github.com/golang-jwt/jwt/v5"
	kjwt "github.com/kataras/jwt"
	"github.com/lestrrat-go/jwx/v3/jwa"
	xjwt "github.com/lestrrat-go/jwx/v3/jwt"
)

// private and public are the keys as most libraries take them.
func (k *keys) private(alg string) any {
	switch alg {
	case "HS256":
		return k.secret
	case "RS256":
		return k.rsa
	case "ES256":
		return k.ec
	}
	return k.ed
}

func (k *keys) public(alg string) any {
	if alg == "HS256" {
		return k.secret
	}
	return k.private(alg).(interface{ Public() crypto.PublicKey }).Public()
}

func bearer(header string) string {
	token, _ := strings.CutPrefix(header, "Bearer ")
	return token
}

// golang-jwt

type goSimple struct {
	TokenType string `json:"token_type"`
	UserID    string `json:"user_id"`
	gojwt.RegisteredClaims
}

type goSeed struct {
	Role  Role   `json:"role"`
	MyID  string `json:"id"`
	Email string `json:"email"`
	gojwt.RegisteredClaims
}

func goParser(k *keys, alg string) (*gojwt.Parser, gojwt.Keyfunc) {
	key := k.public(alg)
	p := gojwt.NewParser(gojwt.WithValidMethods([]string{alg}), gojwt.WithExpirationRequired(), gojwt.WithIssuedAt())
	return p, func(*gojwt.Token) (any, error) { return key, nil }
}

var golangJWT = library{
	name: "golang-jwt",
	verifySimple: func(k *keys, alg, header string) func(*Simple) error {
		parser, keyfunc := goParser(k, alg)
		return func(out *Simple) error {
			var c goSimple
			if _, err := parser.ParseWithClaims(bearer(header), &c, keyfunc); err != nil {
				return err
			}
			*out = Simple{c.TokenType, c.ExpiresAt.Unix(), c.IssuedAt.Unix(), c.ID, c.UserID}
			return nil
		}
	},
	verifySeed: func(k *keys, alg, header string) func(*Seed) error {
		parser, keyfunc := goParser(k, alg)
		return func(out *Seed) error {
			var c goSeed
			if _, err := parser.ParseWithClaims(bearer(header), &c, keyfunc); err != nil {
				return err
			}
			*out = Seed{c.Role, c.MyID, c.Email, c.ExpiresAt.Unix()}
			return nil
		}
	},
	signSimple: func(k *keys, alg string, c *Simple) func() (string, error) {
		key, method := k.private(alg), gojwt.GetSigningMethod(alg)
		return func() (string, error) {
			return gojwt.NewWithClaims(method, &goSimple{c.TokenType, c.UserID, gojwt.RegisteredClaims{
				ExpiresAt: gojwt.NewNumericDate(time.Unix(c.Exp, 0)), IssuedAt: gojwt.NewNumericDate(time.Unix(c.Iat, 0)), ID: c.JTI,
			}}).SignedString(key)
		}
	},
	signSeed: func(k *keys, alg string, c *Seed) func() (string, error) {
		key, method := k.private(alg), gojwt.GetSigningMethod(alg)
		return func() (string, error) {
			return gojwt.NewWithClaims(method, &goSeed{c.Role, c.ID, c.Email, gojwt.RegisteredClaims{
				ExpiresAt: gojwt.NewNumericDate(time.Unix(c.Exp, 0)),
			}}).SignedString(key)
		}
	},
}

// jwx

func jwxParse(k *keys, alg, header string) (xjwt.Token, error) {
	return xjwt.ParseString(bearer(header), xjwt.WithKey(jwxAlg(alg), k.public(alg)), xjwt.WithValidate(true), xjwt.WithAcceptableSkew(0))
}

func jwxAlg(alg string) jwa.SignatureAlgorithm {
	a, _ := jwa.LookupSignatureAlgorithm(alg)
	return a
}

var jwxLib = library{
	name: "jwx",
	verifySimple: func(k *keys, alg, header string) func(*Simple) error {
		return func(out *Simple) error {
			t, err := jwxParse(k, alg, header)
			if err != nil {
				return err
			}
			exp, ok := t.Expiration()
			iat, _ := t.IssuedAt()
			if !ok {
				return errTimes
			}
			out.Exp, out.Iat = exp.Unix(), iat.Unix()
			out.JTI, _ = t.JwtID()
			if err := t.Get("token_type", &out.TokenType); err != nil {
				return err
			}
			return t.Get("user_id", &out.UserID)
		}
	},
	verifySeed: func(k *keys, alg, header string) func(*Seed) error {
		return func(out *Seed) error {
			t, err := jwxParse(k, alg, header)
			if err != nil {
				return err
			}
			exp, ok := t.Expiration()
			if !ok {
				return errTimes
			}
			out.Exp = exp.Unix()
			var role map[string]any
			if err := t.Get("role", &role); err != nil {
				return err
			}
			out.Role.ID, _ = role["id"].(string)
			out.Role.DisplayName, _ = role["display_name"].(string)
			out.Role.RoleType, _ = role["role_type"].(string)
			if err := t.Get("id", &out.ID); err != nil {
				return err
			}
			return t.Get("email", &out.Email)
		}
	},
	signSimple: func(k *keys, alg string, c *Simple) func() (string, error) {
		key := xjwt.WithKey(jwxAlg(alg), k.private(alg))
		return func() (string, error) {
			t, err := xjwt.NewBuilder().Claim("token_type", c.TokenType).Expiration(time.Unix(c.Exp, 0)).IssuedAt(time.Unix(c.Iat, 0)).JwtID(c.JTI).Claim("user_id", c.UserID).Build()
			if err != nil {
				return "", err
			}
			b, err := xjwt.Sign(t, key)
			return string(b), err
		}
	},
	signSeed: func(k *keys, alg string, c *Seed) func() (string, error) {
		key := xjwt.WithKey(jwxAlg(alg), k.private(alg))
		return func() (string, error) {
			t, err := xjwt.NewBuilder().Claim("role", c.Role).Claim("id", c.ID).Claim("email", c.Email).Expiration(time.Unix(c.Exp, 0)).Build()
			if err != nil {
				return "", err
			}
			b, err := xjwt.Sign(t, key)
			return string(b), err
		}
	},
}

// go-jose

// joseOpen verifies and fills the registered claims and c.
func joseOpen(k *keys, alg, header string, std *josejwt.Claims, c any) error {
	t, err := josejwt.ParseSigned(bearer(header), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		return err
	}
	if err := t.Claims(k.public(alg), std, c); err != nil {
		return err
	}
	if std.Expiry == nil {
		return errTimes
	}
	return std.ValidateWithLeeway(josejwt.Expected{Time: time.Now()}, 0)
}

func joseSigner(k *keys, alg string) jose.Signer {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: k.private(alg)}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		panic(err)
	}
	return s
}

var goJose = library{
	name: "go-jose",
	verifySimple: func(k *keys, alg, header string) func(*Simple) error {
		return func(out *Simple) error { return joseOpen(k, alg, header, new(josejwt.Claims), out) }
	},
	verifySeed: func(k *keys, alg, header string) func(*Seed) error {
		return func(out *Seed) error { return joseOpen(k, alg, header, new(josejwt.Claims), out) }
	},
	signSimple: func(k *keys, alg string, c *Simple) func() (string, error) {
		s := joseSigner(k, alg)
		return func() (string, error) { return josejwt.Signed(s).Claims(c).Serialize() }
	},
	signSeed: func(k *keys, alg string, c *Seed) func() (string, error) {
		s := joseSigner(k, alg)
		return func() (string, error) { return josejwt.Signed(s).Claims(c).Serialize() }
	},
}

// kataras

func katarasAlg(alg string) kjwt.Alg {
	switch alg {
	case "HS256":
		return kjwt.HS256
	case "RS256":
		return kjwt.RS256
	case "ES256":
		return kjwt.ES256
	}
	return kjwt.EdDSA
}

var katarasLib = library{
	name: "kataras",
	verifySimple: func(k *keys, alg, header string) func(*Simple) error {
		a, key := katarasAlg(alg), k.public(alg)
		return func(out *Simple) error {
			t, err := kjwt.Verify(a, key, []byte(bearer(header)))
			if err != nil {
				return err
			}
			if t.StandardClaims.Expiry == 0 {
				return errTimes
			}
			return t.Claims(out)
		}
	},
	verifySeed: func(k *keys, alg, header string) func(*Seed) error {
		a, key := katarasAlg(alg), k.public(alg)
		return func(out *Seed) error {
			t, err := kjwt.Verify(a, key, []byte(bearer(header)))
			if err != nil {
				return err
			}
			if t.StandardClaims.Expiry == 0 {
				return errTimes
			}
			return t.Claims(out)
		}
	},
	signSimple: func(k *keys, alg string, c *Simple) func() (string, error) {
		a, key := katarasAlg(alg), k.private(alg)
		return func() (string, error) { b, err := kjwt.Sign(a, key, c); return string(b), err }
	},
	signSeed: func(k *keys, alg string, c *Seed) func() (string, error) {
		a, key := katarasAlg(alg), k.private(alg)
		return func() (string, error) { b, err := kjwt.Sign(a, key, c); return string(b), err }
	},
}
