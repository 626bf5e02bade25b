package jwt_test

import (
	"testing"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

type simple struct {
	TokenType string `json:"token_type"`
	Exp       int64  `json:"exp"`
	Iat       int64  `json:"iat"`
	JTI       string `json:"jti"`
	UserID    string `json:"user_id"`
}

func BenchmarkVerify(b *testing.B) {
	k, err := jwt.NewHMAC(jwt.HS256, []byte("0123456789abcdefghijklmnopqrstuvwxyz"))
	if err != nil {
		b.Fatal(err)
	}
	c := simple{"access", time.Now().Unix() + 3600, time.Now().Unix(), "0123456789abcdef0123456789abcdef", "1"}
	tok, err := jwt.Sign(k, c)
	if err != nil {
		b.Fatal(err)
	}
	v, err := jwt.NewVerifier[simple](k, jwt.Rules{})
	if err != nil {
		b.Fatal(err)
	}
	got, err := v.Verify(tok)
	if err != nil || got.Claims != c {
		b.Fatal(err, got)
	}
	b.ReportAllocs()
	for b.Loop() {
		v.Verify(tok)
	}
}

func BenchmarkSign(b *testing.B) {
	k, _ := jwt.NewHMAC(jwt.HS256, []byte("0123456789abcdefghijklmnopqrstuvwxyz"))
	c := simple{"access", time.Now().Unix() + 3600, time.Now().Unix(), "0123456789abcdef0123456789abcdef", "1"}
	b.ReportAllocs()
	for b.Loop() {
		jwt.Sign(k, c)
	}
}
