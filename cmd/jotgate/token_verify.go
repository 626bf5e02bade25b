package main

// `token verify`: prints the claims of a valid token and exits with status 0,
// or prints the reason and exits with status 1. Wrong usage is status 2.

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

type tokenVerify struct {
	keyFlags
	Token     string        `arg:"" help:"The token; - reads one line of standard input."`
	Alg       []string      `placeholder:"ALG" sep:"none" help:"An algorithm to allow, or several separated by commas; may be repeated. Default: HS256 with a secret, else those that the keys name or imply."`
	Issuer    string        `placeholder:"ISS" help:"The iss that the token must have. Default: any."`
	Audience  []string      `placeholder:"AUD" sep:"none" help:"The aud that the token must contain; may be repeated, then one of them. Default: none, and a token with an aud is rejected."`
	At        *int64        `placeholder:"UNIX" help:"The time at which to verify, in seconds since 1970. Default: now."`
	Leeway    time.Duration `default:"0s" help:"Maximum difference between the clocks: whole seconds up to 10m."`
	Require   []string      `placeholder:"CLAIM" help:"Claims that the token must have, such as exp,sub."`
	Typ       string        `placeholder:"TYP" help:"The typ that the header must have, such as at+jwt. Default: any."`
	TokenType string        `placeholder:"TYPE" help:"The claim token_type that the token must have, such as access. Default: any."`
}

// Help is shown below the usage line.
func (tokenVerify) Help() string {
	return `Prints the claims and ends with 0; ends with 1 and says why on standard error
when the token is refused; ends with 2 for wrong usage or an unusable key.

    jotgate token verify --secret-file jotgate.secret --require exp --token-type access eyJhbGciOi…
    jotgate token verify --key jwks.json --alg ES256 --issuer https://auth.example --audience api - < token`
}

// Run prints the claims.
func (c *tokenVerify) Run(a *app) error {
	keys, err := c.keys(a)
	if err != nil {
		return err
	}
	verifier, err := jwt.NewVerifier[jwt.Raw](keys, c.rules())
	if err != nil {
		return usage("%s", strings.ReplaceAll(err.Error(), "Rules.Leeway", "--leeway"))
	}
	token, err := a.argument(c.Token)
	if err != nil {
		return err
	}
	verified, err := verifier.Verify(token)
	if err != nil {
		return fmt.Errorf("refused: %w", because(err))
	}
	if err := c.typed(&verified); err != nil {
		return err
	}
	if _, ends := verified.Claim("exp"); !ends {
		a.warn("warning: the token has no exp, so it never expires; --require exp refuses it")
	}
	a.print(harmless(string(verified.Payload())))
	return nil
}

// keys returns the keys to verify with.
func (c *tokenVerify) keys(a *app) (jwt.Keys, error) {
	var algs []jwt.Algorithm
	for _, list := range c.Alg {
		for name := range strings.SplitSeq(list, ",") { // an empty list is an unknown algorithm, not any
			algs = append(algs, jwt.Algorithm(name))
		}
	}
	secret, shared, err := c.secret(a)
	if err != nil {
		return nil, err
	}
	if shared {
		return secretSet(a, secret, algs)
	}
	document, err := a.read(c.Key)
	if err != nil {
		return nil, err
	}
	set, err := jwt.ParseKeySet(document, algs...)
	if err != nil {
		return nil, usage("%s: %w", c.Key, err)
	}
	return set, nil
}

// secretSet returns a key set that has the secret once for each algorithm.
func secretSet(a *app, secret []byte, algs []jwt.Algorithm) (jwt.Keys, error) {
	if len(algs) == 0 {
		algs = []jwt.Algorithm{jwt.HS256}
	}
	var keys []*jwt.Key
	for _, alg := range algs {
		key, err := a.hmac(alg, secret)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return jwt.NewKeySet(keys...)
}

// rules returns what the flags require of a valid token. exp is only required
// if it is named, as in PyJWT, because this command is also used to inspect
// unusual tokens.
func (c *tokenVerify) rules() jwt.Rules {
	rules := jwt.Rules{
		Issuer: c.Issuer, Audience: c.Audience, Leeway: c.Leeway, Require: c.Require, Type: c.Typ,
		InsecureNoExpiration: !slices.Contains(c.Require, "exp"),
	}
	if c.At != nil {
		rules.Now = func() time.Time { return time.Unix(*c.At, 0) }
	}
	return rules
}

// typed checks SimpleJWT's token_type.
func (c *tokenVerify) typed(token *jwt.Token[jwt.Raw]) error {
	if c.TokenType == "" {
		return nil
	}
	claim, found := token.Claim("token_type")
	if text, ok := claim.Text(); !found || !ok || text != c.TokenType {
		return fmt.Errorf("refused: %w (claim token_type: not %q)", jwt.ErrType, c.TokenType)
	}
	return nil
}

// because adds to the refusal of a token the reason, which only the operator
// may know.
func because(err error) error {
	var refused *jwt.Error
	if errors.As(err, &refused) && refused.Detail() != "" {
		return fmt.Errorf("%w (%s)", err, refused.Detail())
	}
	return err
}
