// Package signing makes and checks the signed values of Django: signed strings and
// objects (django/core/signing.py), the tokens of password-reset and activation
// links (django/contrib/auth/tokens.py), the uid beside them, and the hash that
// ties a session to a password.
//
// Everything begins with Keys, made from Django's SECRET_KEY and, while it is
// being replaced, its SECRET_KEY_FALLBACKS: the first signs, all verify.
//
//	keys, err := signing.New(secretKey)
//	tokens := signing.ResetTokens{Keys: keys, Location: location}
//	link := signing.EncodeUID("42") + "/" + tokens.Make(account, time.Now())
//
// What either side signs, the other one accepts, given the same key, salt and, for
// reset tokens, TIME_ZONE. Signatures are compared in constant time. Input is
// bounded before it is worked on: MaxSigned bytes for a signed value. Time is
// always an argument; nothing here reads a clock. All of it may be called
// concurrently.
package signing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"log/slog"
	"slices"
)

// ErrNoKey is returned by New for an empty key.
var ErrNoKey = errors.New("empty signing key")

// Keys are the secrets that sign and verify. They never show themselves in logs.
type Keys struct{ secrets []string }

// New returns Keys that sign with secret and verify with it and the fallbacks. It
// returns ErrNoKey when one of them is empty.
func New(secret string, fallbacks ...string) (*Keys, error) {
	secrets := append([]string{secret}, fallbacks...)
	if slices.Contains(secrets, "") {
		return nil, ErrNoKey
	}
	return &Keys{secrets}, nil
}

// String hides the secrets.
func (k *Keys) String() string { return "[redacted]" }

// GoString hides the secrets.
func (k *Keys) GoString() string { return "[redacted]" }

// LogValue hides the secrets.
func (k *Keys) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// SaltedHMAC is Django's salted_hmac (django/utils/crypto.py): HMAC over value
// with a key that is the plain hash of salt and secret. Use another salt for each
// purpose.
func SaltedHMAC(newHash func() hash.Hash, salt, value, secret string) []byte {
	key := newHash()
	key.Write([]byte(salt + secret))
	mac := hmac.New(newHash, key.Sum(nil))
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

// SessionHash ties a session to the stored password, so that it ends when the
// password changes: AbstractBaseUser.get_session_auth_hash, 64 hexadecimal digits
// (SHA-256).
func (k *Keys) SessionHash(password string) string { return sessionHash(password, k.secrets[0]) }

// CheckSessionHash reports whether hash is the SessionHash of the stored password
// under any of the keys.
func (k *Keys) CheckSessionHash(password, hash string) bool {
	return k.any(func(secret string) string { return sessionHash(password, secret) }, hash)
}

func sessionHash(password, secret string) string {
	const salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
	return hex.EncodeToString(SaltedHMAC(sha256.New, salt, password, secret))
}

// any reports, in constant time for each key, whether sign gives want with one.
func (k *Keys) any(sign func(secret string) string, want string) bool {
	return slices.ContainsFunc(k.secrets, func(secret string) bool {
		return hmac.Equal([]byte(sign(secret)), []byte(want))
	})
}
