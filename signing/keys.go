// Package signing makes and checks the signed values of Django: signed strings and
// objects (django/core/signing.py), the tokens of password-reset and activation
// links (django/contrib/auth/tokens.py), the uid in such links, and the hash that
// ends a session when the password changes.
//
// Create [Keys] with [New], from Django's SECRET_KEY and, while that is being
// replaced, its SECRET_KEY_FALLBACKS. The first key signs, and all verify. Then
// [ResetTokens.Make] makes the token of a link, and [ResetTokens.Check] checks it:
//
//	keys, err := signing.New(secretKey)
//	tokens := signing.ResetTokens{Keys: keys, Location: location}
//	link := signing.EncodeUID("42") + "/" + tokens.Make(account, time.Now())
//	...
//	ok := tokens.Check(account, token, time.Now())
//
// [Keys.Signer] signs other values. The defaults of ResetTokens are the safe choice:
// Django's timeout of three days, and no SHA-1.
//
// Django accepts what this package signs, and this package accepts what Django
// signs, if the key, the salt and, for reset tokens, TIME_ZONE are equal. Signatures
// are compared in constant time. A signed value of more than MaxSigned bytes is
// rejected before it is processed. The time is always an argument. Everything in
// this package is safe for concurrent use.
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

// ErrNoKey is the error of New if a key is empty.
var ErrNoKey = errors.New("empty signing key")

// Keys are the secrets that sign and verify. Create them with New: the zero value
// must not be used. They are immutable, and printed or logged as "[redacted]".
type Keys struct{ secrets []string }

// New returns Keys that sign with secret, and verify with secret and the fallbacks.
// The error is ErrNoKey if one of them is empty. It does not check how strong they
// are.
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

// SaltedHMAC is Django's salted_hmac (django/utils/crypto.py): the HMAC of value
// with a key that is the hash of salt followed by secret. Use a different salt for
// each purpose.
func SaltedHMAC(newHash func() hash.Hash, salt, value, secret string) []byte {
	key := newHash()
	key.Write([]byte(salt + secret))
	mac := hmac.New(newHash, key.Sum(nil))
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

// SessionHash returns a hash of the stored password, to be kept in a session: the
// session ends when it no longer equals the hash of the current password. It is
// Django's AbstractBaseUser.get_session_auth_hash: 64 hexadecimal digits (SHA-256).
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
