package main

// `token encode`: makes a token from claims, byte for byte as PyJWT writes
// it.

import (
	"cmp"
	"encoding/json"

	"github.com/jotgate/jotgate/jwt"
)

type tokenEncode struct {
	keyFlags
	Alg    string `placeholder:"ALG" help:"Algorithm. Default: HS256 with a secret, else the one that the key names or implies."`
	Claims string `arg:"" help:"The claims, a JSON object; - reads standard input."`
}

// Help is shown below the usage line.
func (tokenEncode) Help() string {
	return `The members keep their order. The token is what PyJWT's jwt.encode prints
for the same claims; no claim is added.

    jotgate token encode --secret-file jotgate.secret '{"user_id":"1","exp":4102444800}'
    jotgate token encode --key private.pem --alg ES256 - < claims.json`
}

// Run prints the token.
func (c *tokenEncode) Run(a *app) error {
	key, err := c.signingKey(a)
	if err != nil {
		return err
	}
	claims, err := a.argument(c.Claims)
	if err != nil {
		return err
	}
	token, err := jwt.Sign(key, jwt.Raw(claims))
	if err != nil {
		return cmp.Or(claimsError(claims), usage("%w", err))
	}
	a.print(token)
	return nil
}

// claimsError explains why claims cannot be in a token. It returns nil if
// they are a JSON object, so that something else must be wrong.
func claimsError(claims string) error {
	var value any
	if err := json.Unmarshal([]byte(claims), &value); err != nil {
		return usage("CLAIMS is not a JSON object: %w", err)
	}
	if _, ok := value.(map[string]any); !ok {
		return usage(`CLAIMS is JSON, but not an object such as {"user_id":"1"}`)
	}
	return nil
}

func (c *tokenEncode) signingKey(a *app) (*jwt.Key, error) {
	secret, shared, err := c.secret(a)
	if err != nil {
		return nil, err
	}
	if shared {
		alg := jwt.HS256
		if c.Alg != "" {
			alg = jwt.Algorithm(c.Alg)
		}
		return a.hmac(alg, secret)
	}
	document, err := a.read(c.Key)
	if err != nil {
		return nil, err
	}
	key, err := jwt.ParseKey(document, jwt.Algorithm(c.Alg))
	if err != nil {
		return nil, usage("%s: %w", c.Key, err)
	}
	return key, nil
}
