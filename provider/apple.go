package provider

// Apple has no client secret but a key that signs one.

import (
	"errors"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// readAppleKey reads Settings.PrivateKey.
func (p *Provider) readAppleKey() error {
	s := &p.settings
	if s.TeamID == "" && s.KeyID == "" && s.PrivateKey == "" {
		return nil
	}
	if s.TeamID == "" || s.KeyID == "" || s.PrivateKey == "" || s.ClientSecret != "" {
		return errors.New("team_id, key_id and private_key (or private_key_file) belong together, without client_secret")
	}
	key, err := jwt.ParseKey([]byte(s.PrivateKey), jwt.ES256)
	if err != nil || !key.CanSign() {
		return errors.New("private_key must be the content of the .p8 file from Apple")
	}
	p.apple = key.WithID(s.KeyID)
	return nil
}

// appleSecret returns a client secret that is valid for five minutes.
func (p *Provider) appleSecret() (string, error) {
	now := p.settings.Now()
	return jwt.Sign(p.apple, jwt.Object{
		{Name: "iss", Value: p.settings.TeamID},
		{Name: "sub", Value: p.settings.ClientID},
		{Name: "aud", Value: "https://appleid.apple.com"},
		{Name: "iat", Value: now.Unix()},
		{Name: "exp", Value: now.Add(5 * time.Minute).Unix()},
	})
}
