package main

// The contenders. Each is configured as its documentation advises, requires the same
// algorithm, exp, issuer and audience, and passes the same three facts about the user to
// the handler.

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	ginjwt "github.com/appleboy/gin-jwt/v2"
	auth0 "github.com/auth0/go-jwt-middleware/v2"
	"github.com/auth0/go-jwt-middleware/v2/validator"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/jwtauth/v5"
	gojwt "github.com/golang-jwt/jwt/v5"
	xjwt "github.com/lestrrat-go/jwx/v2/jwt"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
)

const (
	secret   = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
	issuer   = "https://accounts.example"
	audience = "shop"
)

// seen is what the handler received about the user.
type seen struct{ id, username, role string }

var last seen

// contenders creates each middleware with a handler that records the user. The first is
// jotgate's typed form, the second its form with a context.
func contenders() []contender {
	return []contender{
		{"jotgate, typed handler", jotgateTyped()},
		{"jotgate, context", jotgateContext()},
		{"jotgate, remembering tokens (less work)", jotgateRemembering()},
		{"golang-jwt v5, by hand", byHand()},
		{"gin-jwt v2", ginJWT()},
		{"auth0 go-jwt-middleware v2", auth0Middleware()},
		{"go-chi/jwtauth v5", chiJWTAuth()},
	}
}

type contender struct {
	name    string
	handler http.Handler
}

func guard(remember int) *jotgate.Guard {
	key := must(jwt.NewHMAC(jwt.HS256, []byte(secret)))
	return must(jotgate.NewGuard(jotgate.GuardSettings{
		Keys: key, Issuer: issuer, Audience: []string{audience}, RememberTokens: remember,
	}))
}

func noteUser(_ http.ResponseWriter, _ *http.Request, user *jotgate.User) {
	last = seen{string(user.ID), user.Username, user.Role.Type}
}

func jotgateTyped() http.Handler { return guard(0).RequireUser(noteUser) }

// jotgateRemembering does less work: it caches the verified token.
func jotgateRemembering() http.Handler { return guard(100).RequireUser(noteUser) }

func jotgateContext() http.Handler {
	return guard(0).Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		user, _ := jotgate.UserFrom(r.Context())
		last = seen{string(user.ID), user.Username, user.Role.Type}
	}))
}

// Role is the nested object in the token.
type Role struct {
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	Type        string `json:"role_type"`
}

type handClaims struct {
	TokenType string `json:"token_type"`
	UserID    string `json:"user_id"`
	SID       string `json:"sid"`
	Username  string `json:"username"`
	Email     string `json:"email"`
	Role      Role   `json:"role"`
	gojwt.RegisteredClaims
}

type handKey struct{}

// byHand is the middleware that many programs write themselves.
func byHand() http.Handler {
	parser := gojwt.NewParser(gojwt.WithValidMethods([]string{"HS256"}), gojwt.WithIssuer(issuer), gojwt.WithAudience(audience),
		gojwt.WithExpirationRequired(), gojwt.WithIssuedAt())
	key := []byte(secret)
	keyfunc := func(*gojwt.Token) (any, error) { return key, nil }
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		claims := r.Context().Value(handKey{}).(*handClaims)
		last = seen{claims.UserID, claims.Username, claims.Role.Type}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		claims := new(handClaims)
		if ok {
			_, err := parser.ParseWithClaims(token, claims, keyfunc)
			ok = err == nil
		}
		if !ok {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), handKey{}, claims)))
	})
}

// ginJWT has no option for issuer and audience: Authorizator checks them.
func ginJWT() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	middleware := must(ginjwt.New(&ginjwt.GinJWTMiddleware{
		Key: []byte(secret), IdentityKey: "user_id",
		Authorizator: func(_ any, c *gin.Context) bool {
			claims := ginjwt.ExtractClaims(c)
			return claims["iss"] == issuer && claims["aud"] == audience
		},
	}))
	engine := gin.New()
	engine.Use(middleware.MiddlewareFunc())
	engine.GET("/api/hello", func(c *gin.Context) {
		claims := ginjwt.ExtractClaims(c)
		role, _ := claims["role"].(map[string]any)
		last.id, _ = claims["user_id"].(string)
		last.username, _ = claims["username"].(string)
		last.role, _ = role["role_type"].(string)
	})
	return engine
}

// custom holds the claims that auth0's validator reads in addition to the registered ones.
type custom struct {
	TokenType string `json:"token_type"`
	UserID    string `json:"user_id"`
	SID       string `json:"sid"`
	Username  string `json:"username"`
	Email     string `json:"email"`
	Role      Role   `json:"role"`
}

// Validate is called if the registered claims are valid.
func (*custom) Validate(context.Context) error { return nil }

func auth0Middleware() http.Handler {
	key := []byte(secret)
	checks := must(validator.New(func(context.Context) (any, error) { return key, nil }, validator.HS256, issuer, []string{audience},
		validator.WithCustomClaims(func() validator.CustomClaims { return new(custom) })))
	return auth0.New(checks.ValidateToken).CheckJWT(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		claims := r.Context().Value(auth0.ContextKey{}).(*validator.ValidatedClaims).CustomClaims.(*custom)
		last = seen{claims.UserID, claims.Username, claims.Role.Type}
	}))
}

func chiJWTAuth() http.Handler {
	auth := jwtauth.New("HS256", []byte(secret), nil, xjwt.WithIssuer(issuer), xjwt.WithAudience(audience), xjwt.WithRequiredClaim("exp"))
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, claims, _ := jwtauth.FromContext(r.Context())
		role, _ := claims["role"].(map[string]any)
		last.id, _ = claims["user_id"].(string)
		last.username, _ = claims["username"].(string)
		last.role, _ = role["role_type"].(string)
	})
	return jwtauth.Verifier(auth)(jwtauth.Authenticator(auth)(next))
}

// check checks that a contender refuses invalid tokens, so that none is fast by omitting
// a check. Each of them differs from the valid one in one point.
func (c contender) check() error {
	good := claims()
	if last = (seen{}); c.get(sign(good, secret)) != http.StatusOK || last != (seen{"42", "alice", "staff"}) {
		return errors.New("the valid token is refused or misread")
	}
	with := func(name string, value any) string {
		changed := slices.Clone(good)
		for i := range changed {
			if changed[i].Name == name {
				changed[i].Value = value
			}
		}
		return sign(changed, secret)
	}
	for what, token := range map[string]string{
		"wrong key":      sign(good, secret[1:]+"x"),
		"expired":        with("exp", int64(1_700_000_000)),
		"other issuer":   with("iss", "https://other.example"),
		"other audience": with("aud", "another shop"),
	} {
		last = seen{}
		if status := c.get(token); status == http.StatusOK || last != (seen{}) {
			return errors.New("a token is accepted: " + what)
		}
	}
	return nil
}
