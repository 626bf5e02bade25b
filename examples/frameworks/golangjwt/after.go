package golangjwt

import (
	"context"
	"net/http"
	"strings"

	"github.com/jotgate/jotgate/jwt"
)

type newClaims struct {
	Name  string `json:"name"`
	Admin bool   `json:"admin"`

	// What signing needs; verified.ExpiresAt and its like are there anyway.
	Issuer    string   `json:"iss"`
	Audience  []string `json:"aud"`
	ExpiresAt int64    `json:"exp,omitempty"`
	IssuedAt  int64    `json:"iat"`
}

type newKey struct{}

// after is the same middleware with jotgate's jwt.
func after(secret []byte, next http.Handler) (http.Handler, error) {
	key, err := jwt.NewHMAC(jwt.HS256, secret)
	if err != nil {
		return nil, err // shorter than 32 bytes, for one
	}
	tokens, err := jwt.NewVerifier[newClaims](key, jwt.Rules{
		Issuer:   "https://accounts.example",
		Audience: []string{"shop"},
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		verified, err := tokens.Verify(token)
		if err != nil {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), newKey{}, &verified.Claims)))
	}), nil
}

// newSign makes a token for it.
func newSign(secret []byte, claims newClaims) (string, error) {
	key, err := jwt.NewHMAC(jwt.HS256, secret)
	if err != nil {
		return "", err
	}
	return jwt.Sign(key, claims)
}
