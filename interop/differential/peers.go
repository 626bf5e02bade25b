package differential

// The other Go libraries, each configured to require exp, iss and aud.

import (
	"time"

	jose "github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	gojwt "github.com/golang-jwt/jwt/v5"
	kjwt "github.com/kataras/jwt"
	"github.com/lestrrat-go/jwx/v3/jwa"
	xjwt "github.com/lestrrat-go/jwx/v3/jwt"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	tinkjwt "github.com/tink-crypto/tink-go/v2/jwt"
	"github.com/tink-crypto/tink-go/v2/jwt/jwthmac"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"

	"github.com/jotgate/jotgate/jwt"
)

func golangJWT(k *keys) (library, error) {
	l := library{"golang-jwt", map[jwt.Algorithm]func(string) bool{}}
	for _, alg := range algorithms {
		key := k.public(alg)
		p := gojwt.NewParser(gojwt.WithValidMethods([]string{string(alg)}), gojwt.WithExpirationRequired(), gojwt.WithIssuedAt(), gojwt.WithIssuer(issuer), gojwt.WithAudience(audience))
		l.accept[alg] = func(token string) bool {
			_, err := p.Parse(token, func(*gojwt.Token) (any, error) { return key, nil })
			return err == nil
		}
	}
	return l, nil
}

func goJose(k *keys) (library, error) {
	l := library{"go-jose", map[jwt.Algorithm]func(string) bool{}}
	for _, alg := range algorithms {
		key := k.public(alg)
		l.accept[alg] = func(token string) bool {
			t, err := josejwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
			if err != nil {
				return false
			}
			var c josejwt.Claims
			if err := t.Claims(key, &c); err != nil || c.Expiry == nil {
				return false
			}
			return c.ValidateWithLeeway(josejwt.Expected{Issuer: issuer, AnyAudience: josejwt.Audience{audience}, Time: time.Now()}, 0) == nil
		}
	}
	return l, nil
}

func jwx(k *keys) (library, error) {
	l := library{"jwx", map[jwt.Algorithm]func(string) bool{}}
	for _, alg := range algorithms {
		a, _ := jwa.LookupSignatureAlgorithm(string(alg))
		key := k.public(alg)
		l.accept[alg] = func(token string) bool {
			_, err := xjwt.ParseString(token, xjwt.WithKey(a, key), xjwt.WithValidate(true), xjwt.WithRequiredClaim("exp"), xjwt.WithIssuer(issuer), xjwt.WithAudience(audience))
			return err == nil
		}
	}
	return l, nil
}

func kataras(k *keys) (library, error) {
	l := library{"kataras", map[jwt.Algorithm]func(string) bool{}}
	for alg, method := range map[jwt.Algorithm]kjwt.Alg{
		jwt.HS256: kjwt.HS256, jwt.HS512: kjwt.HS512, jwt.RS256: kjwt.RS256, jwt.PS256: kjwt.PS256, jwt.ES256: kjwt.ES256, jwt.EdDSA: kjwt.EdDSA,
	} {
		key := k.public(alg)
		l.accept[alg] = func(token string) bool {
			t, err := kjwt.Verify(method, key, []byte(token), kjwt.Expected{Issuer: issuer})
			if err != nil || t.StandardClaims.Expiry == 0 {
				return false
			}
			for _, a := range t.StandardClaims.Audience { // the library's check compares the whole list
				if a == audience {
					return true
				}
			}
			return false
		}
	}
	return l, nil
}

// tink does not support Ed25519.
func tink(k *keys) (library, error) {
	l := library{"tink", map[jwt.Algorithm]func(string) bool{}}
	for _, alg := range []jwt.Algorithm{jwt.RS256, jwt.PS256, jwt.ES256} {
		handle, err := tinkjwt.JWKSetToPublicKeysetHandle(k.document(alg))
		if err != nil {
			return l, err
		}
		v, err := tinkjwt.NewVerifier(handle)
		if err != nil {
			return l, err
		}
		l.accept[alg] = func(token string) bool {
			_, err := v.VerifyAndDecode(token, tinkRules())
			return err == nil
		}
	}
	for alg, a := range map[jwt.Algorithm]jwthmac.Algorithm{jwt.HS256: jwthmac.HS256, jwt.HS512: jwthmac.HS512} {
		mac, err := tinkMAC(k.secret, a)
		if err != nil {
			return l, err
		}
		l.accept[alg] = func(token string) bool {
			_, err := mac.VerifyMACAndDecode(token, tinkRules())
			return err == nil
		}
	}
	return l, nil
}

func tinkRules() *tinkjwt.Validator {
	i, a := issuer, audience
	v, err := tinkjwt.NewValidator(&tinkjwt.ValidatorOpts{ExpectedIssuer: &i, ExpectedAudience: &a, IgnoreTypeHeader: true})
	if err != nil {
		panic(err)
	}
	return v
}

func tinkMAC(secret []byte, a jwthmac.Algorithm) (tinkjwt.MAC, error) {
	params, err := jwthmac.NewParameters(len(secret), jwthmac.IgnoredKID, a)
	if err != nil {
		return nil, err
	}
	key, err := jwthmac.NewKey(jwthmac.KeyOpts{KeyBytes: secretdata.NewBytesFromData(secret, insecuresecretdataaccess.Token{}), Parameters: params})
	if err != nil {
		return nil, err
	}
	m := keyset.NewManager()
	id, err := m.AddKey(key)
	if err != nil {
		return nil, err
	}
	if err := m.SetPrimary(id); err != nil {
		return nil, err
	}
	handle, err := m.Handle()
	if err != nil {
		return nil, err
	}
	return tinkjwt.NewMAC(handle)
}
