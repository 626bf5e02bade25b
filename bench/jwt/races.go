package main

// The races: which work is timed, and a test that every contender does it.

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// Simple is SimpleJWT's access token.
type Simple struct {
	TokenType string `json:"token_type"`
	Exp       int64  `json:"exp"`
	Iat       int64  `json:"iat"`
	JTI       string `json:"jti"`
	UserID    string `json:"user_id"`
}

// Seed is a token with a structure of the application's own.
type Seed struct {
	Role  Role   `json:"role"`
	ID    string `json:"id"`
	Email string `json:"email"`
	Exp   int64  `json:"exp"`
}

// Role is what Seed nests.
type Role struct {
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	RoleType    string `json:"role_type"`
}

// A library makes the functions to time for one key. A nil function means that
// the library has no such algorithm. Each verifying function demands exp, checks
// times without leeway, and pins the algorithm.
type library struct {
	name         string
	verifySimple func(k *keys, alg, header string) func(*Simple) error
	verifySeed   func(k *keys, alg, header string) func(*Seed) error
	signSimple   func(k *keys, alg string, c *Simple) func() (string, error)
	signSeed     func(k *keys, alg string, c *Seed) func() (string, error)
}

type keys struct {
	secret []byte
	rsa    *rsa.PrivateKey
	ec     *ecdsa.PrivateKey
	ed     ed25519.PrivateKey
}

func newKeys() *keys {
	k := &keys{secret: []byte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ")}
	k.rsa, _ = rsa.GenerateKey(rand.Reader, 2048)
	k.ec, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, k.ed, _ = ed25519.GenerateKey(rand.Reader)
	return k
}

// own is jotgate's key for an algorithm.
func (k *keys) own(alg string) *jwt.Key {
	var key *jwt.Key
	var err error
	switch alg {
	case "HS256":
		key, err = jwt.NewHMAC(jwt.HS256, k.secret)
	case "RS256":
		key, err = jwt.NewKey(jwt.RS256, k.rsa)
	case "ES256":
		key, err = jwt.NewKey(jwt.ES256, k.ec)
	default:
		key, err = jwt.NewKey(jwt.EdDSA, k.ed)
	}
	if err != nil {
		panic(err)
	}
	return key
}

func races() []race {
	k := newKeys()
	now := time.Now().Unix()
	simple := &Simple{"access", now + 3600, now, "5f3e1c9a7b2d4e6f8091a2b3c4d5e6f7", "42"}
	seed := &Seed{Role{"59ad1f", "Admin", "admin"}, "59bb", "admin@example.com", now + 3600}
	libraries := []library{jotgate, golangJWT, jwxLib, goJose, katarasLib, tinkLib}

	list := []race{
		verifyRace(k, "HS256", "verify HS256, SimpleJWT claims", libraries, simple),
		seedRace(k, "verify HS256, {role:{…},id,email,exp}", libraries, seed),
		signRace(k, "HS256", "sign HS256, SimpleJWT claims", libraries, simple),
		signSeedRace(k, "sign HS256, {role:{…},id,email,exp}", libraries, seed),
	}
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		list = append(list,
			verifyRace(k, alg, "verify "+alg+", SimpleJWT claims; floor is the bare standard library call", libraries[:2], simple),
			signRace(k, alg, "sign "+alg+", SimpleJWT claims; floor is the bare standard library call", libraries[:2], simple))
	}
	return append(list, cacheRace(k, simple))
}

func verifyRace(k *keys, alg, title string, libraries []library, c *Simple) race {
	token := must(jwt.Sign(k.own(alg), *c))
	r := race{title: title, runners: []runner{floorVerify(k, alg, token)}}
	for _, l := range libraries {
		fn := l.verifySimple(k, alg, "Bearer "+token)
		var out Simple
		if err := fn(&out); err != nil || out != *c {
			panic(fmt.Sprint(l.name, " verifies wrongly: ", err, out))
		}
		refuses(l, k, alg, token, c)
		r.runners = append(r.runners, runner{l.name, func() error { return fn(&out) }})
	}
	return r
}

// refuses makes sure that no contender is fast by not looking.
func refuses(l library, k *keys, alg, token string, c *Simple) {
	forged := []byte(token)
	forged[len(forged)-10] ^= 1
	past := *c
	past.Exp = c.Iat - 10
	future := *c
	future.Iat = c.Iat + 1000
	for _, t := range []string{string(forged), must(jwt.Sign(k.own(alg), past)), must(jwt.Sign(k.own(alg), future))} {
		var out Simple
		if err := l.verifySimple(k, alg, "Bearer "+t)(&out); err == nil {
			panic(l.name + " accepts what it must refuse: " + t)
		}
	}
}

func seedRace(k *keys, title string, libraries []library, c *Seed) race {
	token := must(jwt.Sign(k.own("HS256"), *c))
	r := race{title: title, runners: []runner{floorVerify(k, "HS256", token)}}
	for _, l := range libraries {
		fn := l.verifySeed(k, "HS256", "Bearer "+token)
		var out Seed
		if err := fn(&out); err != nil || out != *c {
			panic(fmt.Sprint(l.name, " verifies wrongly: ", err, out))
		}
		r.runners = append(r.runners, runner{l.name, func() error { return fn(&out) }})
	}
	return r
}

func signRace(k *keys, alg, title string, libraries []library, c *Simple) race {
	r := race{title: title, runners: []runner{floorSign(k, alg, func(b []byte) []byte { return appendSimple(b, c) })}}
	check := jotgate.verifySimple
	for _, l := range libraries {
		fn := l.signSimple(k, alg, c)
		var out Simple
		if err := check(k, alg, "Bearer "+must(fn()))(&out); err != nil || out != *c {
			panic(fmt.Sprint(l.name, " signs wrongly: ", err, out))
		}
		r.runners = append(r.runners, runner{l.name, func() error { _, err := fn(); return err }})
	}
	return r
}

func signSeedRace(k *keys, title string, libraries []library, c *Seed) race {
	r := race{title: title, runners: []runner{floorSign(k, "HS256", func(b []byte) []byte { return appendSeed(b, c) })}}
	for _, l := range libraries {
		fn := l.signSeed(k, "HS256", c)
		var out Seed
		if err := jotgate.verifySeed(k, "HS256", "Bearer "+must(fn()))(&out); err != nil || out != *c {
			panic(fmt.Sprint(l.name, " signs wrongly: ", err, out))
		}
		r.runners = append(r.runners, runner{l.name, func() error { _, err := fn(); return err }})
	}
	return r
}

func cacheRace(k *keys, c *Simple) race {
	token := must(jwt.Sign(k.own("ES256"), *c))
	r := race{title: "verify ES256 again, with the cache of verified tokens", runners: []runner{floorVerify(k, "ES256", token)}}
	for _, size := range []int{0, 10000} {
		name := fmt.Sprintf("jotgate, cache of %d", size)
		v, err := jwt.NewVerifier[Simple](k.own("ES256"), jwt.Rules{Cache: size})
		if err != nil {
			panic(err)
		}
		r.runners = append(r.runners, runner{name, func() error { _, err := v.Verify(token); return err }})
	}
	return r
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

var errTimes = errors.New("exp or iat refused")
