package main

// `key export`: the public keys for programs that verify tokens elsewhere.

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

type keyExport struct {
	gateFlags
	Format string `default:"jwks" enum:"jwks,pem,django" placeholder:"FORM" help:"jwks (a JWK Set), pem, or django (SIMPLE_JWT settings that accept these tokens)."`
}

// Help is shown below the usage line.
func (keyExport) Help() string {
	return `Only public keys are printed, never a secret.

    jotgate key export > jwks.json
    jotgate key export --format django >> settings.py`
}

// Run prints the keys.
func (c *keyExport) Run(a *app) error {
	return c.with(a, func(gate *jotgate.Gate) error {
		if err := gate.Sync(a.ctx); err != nil {
			return err
		}
		public := gate.Keys().Public()
		switch c.Format {
		case "pem":
			for _, key := range public {
				text, err := pemOf(key)
				if err != nil {
					return err
				}
				a.printf("%s", text)
			}
			return nil
		case "django":
			text, err := c.django(a.ctx, gate, public)
			if err == nil {
				a.printf("%s", text)
			}
			return err
		}
		return a.json(struct {
			Keys []*jwt.Key `json:"keys"`
		}{append([]*jwt.Key{}, public...)})
	})
}

func pemOf(key *jwt.Key) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key.PublicKey())
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// django writes settings for SimpleJWT, which supports one algorithm and one
// key.
func (c *keyExport) django(ctx context.Context, gate *jotgate.Gate, public []*jwt.Key) (string, error) {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "    %q: %s,\n", name, value) }
	b.WriteString("SIMPLE_JWT = {\n")
	if err := signingLines(ctx, gate, public, line); err != nil {
		return "", err
	}
	s := gate.Settings()
	if s.Issuer != "" {
		line("ISSUER", python(s.Issuer))
	}
	if len(s.Audience) > 0 {
		line("AUDIENCE", python(s.Audience))
	}
	line("USER_ID_CLAIM", python(s.UserIDClaim))
	line("AUTH_HEADER_TYPES", "("+strings.Trim(python(s.HeaderTypes), "[]")+",)")
	b.WriteString("}\n")
	return b.String(), nil
}

// signingLines writes the algorithm and, if it is public, the key.
func signingLines(ctx context.Context, gate *jotgate.Gate, public []*jwt.Key, line func(name, value string)) error {
	current, err := currentKey(ctx, gate)
	if err != nil {
		return err
	}
	for _, key := range public {
		if key.ID() == current && current != "" {
			text, err := pemOf(key)
			line("ALGORITHM", fmt.Sprintf("%q", key.Algorithm()))
			line("VERIFYING_KEY", `"""`+text+`"""`)
			return err
		}
	}
	line("ALGORITHM", `"HS256"`)
	return nil
}

// currentKey returns the id of the key that signs, or "" if the secret does.
func currentKey(ctx context.Context, gate *jotgate.Gate) (string, error) {
	keys, err := gate.Keys().List(ctx)
	for _, k := range keys {
		if k.State == record.KeyCurrent {
			return k.ID, err
		}
	}
	return "", err
}

// python writes strings and lists as Python does; for these, JSON is the
// same.
func python(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}
