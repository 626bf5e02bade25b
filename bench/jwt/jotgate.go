package main

import (
	"strings"

	"github.com/jotgate/jotgate/jwt"
)

var jotgate = library{
	name: "jotgate",
	verifySimple: func(k *keys, alg, header string) func(*Simple) error {
		return ownVerify[Simple](k, alg, header)
	},
	verifySeed: func(k *keys, alg, header string) func(*Seed) error {
		return ownVerify[Seed](k, alg, header)
	},
	signSimple: func(k *keys, alg string, c *Simple) func() (string, error) {
		key := k.own(alg)
		return func() (string, error) { return jwt.Sign(key, *c) }
	},
	signSeed: func(k *keys, alg string, c *Seed) func() (string, error) {
		key := k.own(alg)
		return func() (string, error) { return jwt.Sign(key, *c) }
	},
}

func ownVerify[T any](k *keys, alg, header string) func(*T) error {
	v, err := jwt.NewVerifier[T](k.own(alg), jwt.Rules{})
	if err != nil {
		panic(err)
	}
	return func(out *T) error {
		token, ok := strings.CutPrefix(header, "Bearer ")
		if !ok {
			return errTimes
		}
		t, err := v.Verify(token)
		if err != nil {
			return err
		}
		*out = t.Claims
		return nil
	}
}
