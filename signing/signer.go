package signing

// Signed strings: Django's Signer and TimestampSigner.

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MaxSigned is the maximum length of a signed value, in bytes, that is verified.
const MaxSigned = 1 << 20

// The errors of Unsign, UnsignAt and Loads. Test for them with errors.Is.
var (
	// ErrSignature means that the value was not signed with these keys and this
	// salt, has been changed, or is longer than MaxSigned.
	ErrSignature = errors.New("signature does not match")
	// ErrExpired means that the signature is valid but too old.
	ErrExpired = errors.New("signature has expired")
)

// A Signer signs strings for one purpose. For the same key, value and salt its
// result equals that of Django's Signer or TimestampSigner. Keys.Signer returns it.
type Signer struct {
	keys *Keys
	salt string
}

// Signer returns a Signer for one purpose, which salt names: a value signed with
// another salt is rejected. Django's default salts are "django.core.signing.Signer",
// "django.core.signing.TimestampSigner" and, for dumps and loads,
// "django.core.signing".
func (k *Keys) Signer(salt string) *Signer { return &Signer{k, salt} }

// Sign returns value with ":" and its signature appended.
func (s *Signer) Sign(value string) string {
	return value + ":" + s.signature(value, s.keys.secrets[0])
}

// Unsign verifies the result of Sign and returns its value. The error is
// ErrSignature.
func (s *Signer) Unsign(signed string) (string, error) {
	i := strings.LastIndexByte(signed, ':')
	if i < 0 || len(signed) > MaxSigned {
		return "", ErrSignature
	}
	value, signature := signed[:i], signed[i+1:]
	if !s.keys.any(func(secret string) string { return s.signature(value, secret) }, signature) {
		return "", ErrSignature
	}
	return value, nil
}

// SignAt returns value with ":", the time in whole seconds (base 62), ":" and the
// signature of both appended, as Django's TimestampSigner.sign does.
func (s *Signer) SignAt(value string, at time.Time) string {
	return s.Sign(value + ":" + base62(at.Unix()))
}

// UnsignAt verifies the result of SignAt and returns its value. The error is
// ErrSignature, or ErrExpired if it is older than maxAge at the time now. If maxAge
// is 0, any age is allowed. A time in the future is accepted, as in Django.
func (s *Signer) UnsignAt(signed string, now time.Time, maxAge time.Duration) (string, error) {
	both, err := s.Unsign(signed)
	if err != nil {
		return "", err
	}
	i := strings.LastIndexByte(both, ':')
	if i < 0 {
		return "", fmt.Errorf("%w: no time in it", ErrSignature)
	}
	at, err := unbase62(both[i+1:])
	if err != nil {
		return "", err
	}
	if maxAge > 0 && now.Sub(time.Unix(at, 0)) > maxAge {
		return "", ErrExpired
	}
	return both[:i], nil
}

func (s *Signer) signature(value, secret string) string {
	return base64.RawURLEncoding.EncodeToString(SaltedHMAC(sha256.New, s.salt+"signer", value, secret))
}

const base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// base62 writes a number as Django's b62_encode does. Times before 1970 are 0.
func base62(n int64) string {
	text := ""
	for n = max(n, 0); n > 0 || text == ""; n /= 62 {
		text = base62Digits[n%62:n%62+1] + text
	}
	return text
}

// unbase62 reads what base62 wrote: at most 10 digits, which is 26,000 million
// years.
func unbase62(text string) (n int64, err error) {
	if text == "" || len(text) > 10 {
		return 0, fmt.Errorf("%w: bad time", ErrSignature)
	}
	for _, digit := range []byte(text) {
		value := strings.IndexByte(base62Digits, digit)
		if value < 0 {
			return 0, fmt.Errorf("%w: bad time", ErrSignature)
		}
		n = n*62 + int64(value)
	}
	return n, nil
}
