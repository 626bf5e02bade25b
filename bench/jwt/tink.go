package main

import (
	"time"

	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/jwt"
	"github.com/tink-crypto/tink-go/v2/jwt/jwthmac"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"
)

// tinkMAC makes tink's HS256 of our secret.
func tinkMAC(k *keys) jwt.MAC {
	params, err := jwthmac.NewParameters(len(k.secret), jwthmac.IgnoredKID, jwthmac.HS256)
	check(err)
	key, err := jwthmac.NewKey(jwthmac.KeyOpts{KeyBytes: secretdata.NewBytesFromData(k.secret, insecuresecretdataaccess.Token{}), Parameters: params})
	check(err)
	m := keyset.NewManager()
	id, err := m.AddKey(key)
	check(err)
	check(m.SetPrimary(id))
	handle, err := m.Handle()
	check(err)
	mac, err := jwt.NewMAC(handle)
	check(err)
	return mac
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// tinkOpen verifies. iat says that the token has one, which tink then demands.
func tinkOpen(mac jwt.MAC, header string, iat bool) (*jwt.VerifiedJWT, error) {
	v, err := jwt.NewValidator(&jwt.ValidatorOpts{IgnoreTypeHeader: true, ExpectIssuedInThePast: iat})
	if err != nil {
		return nil, err
	}
	return mac.VerifyMACAndDecode(bearer(header), v)
}

var tinkLib = library{
	name: "tink",
	verifySimple: func(k *keys, alg, header string) func(*Simple) error {
		mac := tinkMAC(k)
		return func(out *Simple) error {
			t, err := tinkOpen(mac, header, true)
			if err != nil {
				return err
			}
			exp, err := t.ExpiresAt()
			if err != nil {
				return err
			}
			out.Exp = exp.Unix()
			if t.HasIssuedAt() {
				iat, _ := t.IssuedAt()
				out.Iat = iat.Unix()
			}
			out.JTI, _ = t.JWTID()
			out.TokenType, _ = t.StringClaim("token_type")
			out.UserID, err = t.StringClaim("user_id")
			return err
		}
	},
	verifySeed: func(k *keys, alg, header string) func(*Seed) error {
		mac := tinkMAC(k)
		return func(out *Seed) error {
			t, err := tinkOpen(mac, header, false)
			if err != nil {
				return err
			}
			exp, err := t.ExpiresAt()
			if err != nil {
				return err
			}
			out.Exp = exp.Unix()
			role, err := t.ObjectClaim("role")
			if err != nil {
				return err
			}
			out.Role.ID, _ = role["id"].(string)
			out.Role.DisplayName, _ = role["display_name"].(string)
			out.Role.RoleType, _ = role["role_type"].(string)
			out.ID, _ = t.StringClaim("id")
			out.Email, err = t.StringClaim("email")
			return err
		}
	},
	signSimple: func(k *keys, alg string, c *Simple) func() (string, error) {
		mac := tinkMAC(k)
		return func() (string, error) {
			exp, iat := time.Unix(c.Exp, 0), time.Unix(c.Iat, 0)
			return tinkSign(mac, &jwt.RawJWTOptions{
				ExpiresAt: &exp, IssuedAt: &iat, JWTID: &c.JTI,
				CustomClaims: map[string]any{"token_type": c.TokenType, "user_id": c.UserID},
			})
		}
	},
	signSeed: func(k *keys, alg string, c *Seed) func() (string, error) {
		mac := tinkMAC(k)
		return func() (string, error) {
			exp := time.Unix(c.Exp, 0)
			role := map[string]any{"id": c.Role.ID, "display_name": c.Role.DisplayName, "role_type": c.Role.RoleType}
			return tinkSign(mac, &jwt.RawJWTOptions{
				ExpiresAt: &exp, CustomClaims: map[string]any{"role": role, "id": c.ID, "email": c.Email},
			})
		}
	},
}

func tinkSign(mac jwt.MAC, o *jwt.RawJWTOptions) (string, error) {
	raw, err := jwt.NewRawJWT(o)
	if err != nil {
		return "", err
	}
	return mac.ComputeMACAndEncode(raw)
}
