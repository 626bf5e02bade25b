// Package golangjwt holds one middleware twice: as it is written with
// golang-jwt, and moved to jotgate's jwt package. Both let the same tokens
// through; the second refuses a few more.
package golangjwt

import (
	"context"
	"net/http"
	"strings"

	gojwt "github.com/golang-jwt/jwt/v5"
)

type oldClaims struct {
	Name  string `json:"name"`
	Admin bool   `json:"admin"`
	gojwt.RegisteredClaims
}

type oldKey struct{}

// before is the middleware with golang-jwt.
func before(secret []byte, next http.Handler) http.Handler {
	parser := gojwt.NewParser(
		gojwt.WithValidMethods([]string{"HS256"}),
		gojwt.WithIssuer("https://accounts.example"),
		gojwt.WithAudience("shop"),
		gojwt.WithExpirationRequired(),
		gojwt.WithIssuedAt(),
	)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		claims := new(oldClaims)
		if ok {
			_, err := parser.ParseWithClaims(token, claims, func(*gojwt.Token) (any, error) { return secret, nil })
			ok = err == nil
		}
		if !ok {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), oldKey{}, claims)))
	})
}

// oldSign makes a token for it.
func oldSign(secret []byte, claims oldClaims) (string, error) {
	return gojwt.NewWithClaims(gojwt.SigningMethodHS256, claims).SignedString(secret)
}
