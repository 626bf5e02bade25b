package signing

// The tokens of reset and activation links: Django's PasswordResetTokenGenerator.

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"time"
)

const (
	// ResetTimeout is how long a token is valid by default: Django's
	// PASSWORD_RESET_TIMEOUT, three days.
	ResetTimeout = 259_200 * time.Second

	resetSalt  = "django.contrib.auth.tokens.PasswordResetTokenGenerator"
	maxBase36  = 13 // digits of a 64-bit number, Django's bound
	lastLogged = "2006-01-02 15:04:05"
)

// ResetTokens makes and checks the tokens of links in e-mails, such as that to reset
// a password. A token is valid until Timeout has passed, or the account's password,
// last login or e-mail address changes. It works once only if following the link
// makes such a change.
type ResetTokens struct {
	// Keys sign and verify. Required.
	Keys *Keys
	// Timeout is the maximum age of a token, in whole seconds. Default:
	// ResetTimeout.
	Timeout time.Duration
	// Location is Django's TIME_ZONE, since Django counts the seconds by its local
	// time. Default: UTC, which startproject writes.
	Location *time.Location
	// Salt names the purpose of the tokens. Default: Django's for password resets,
	// which djoser also uses for its activation links.
	Salt string
	// NotBefore, if set, is when all tokens made until then became invalid, in whole
	// seconds: Make dates a token later, and Check rejects those that are not. Django
	// has no such time. Default: none.
	NotBefore time.Time
	// Legacy also accepts tokens signed with SHA-1 (20 digits), as Django 3.1 and
	// 3.2 do. Default: false.
	Legacy bool
}

// An Account is the values of an account that a token is made from.
type Account struct {
	ID        string    // primary key as text: "42", or a UUID with hyphens in lower case
	Password  string    // the stored hash
	Email     string    // "" if there is none
	LastLogin time.Time // used in UTC, without its fraction of a second; zero: never
}

// Make returns a token for the account: the time in base 36, a hyphen and 32
// hexadecimal digits.
func (t ResetTokens) Make(a Account, at time.Time) string {
	return t.token(a, max(t.seconds(at), t.first()), t.Keys.secrets[0], sha256.New)
}

// Check reports whether token was made, with any of the keys, for an account with
// these values, and is not older than Timeout.
func (t ResetTokens) Check(a Account, token string, now time.Time) bool {
	digits, signature, found := strings.Cut(token, "-")
	if !found || len(digits) > maxBase36 || len(signature) > sha256.Size {
		return false
	}
	at, err := strconv.ParseInt(digits, 36, 64) // never negative: the first hyphen ended the digits
	if err != nil {
		return false
	}
	return t.signed(a, at, token) && at >= t.first() && t.seconds(now)-at <= int64(t.timeout()/time.Second)
}

func (t ResetTokens) signed(a Account, at int64, token string) bool {
	with := func(newHash func() hash.Hash) bool {
		return t.Keys.any(func(secret string) string { return t.token(a, at, secret, newHash) }, token)
	}
	return with(sha256.New) || (t.Legacy && with(sha1.New))
}

// token signs the account and the time; of the signature every second digit is
// used, which shortens the link.
func (t ResetTokens) token(a Account, at int64, secret string, newHash func() hash.Hash) string {
	salt, login := t.Salt, ""
	if salt == "" {
		salt = resetSalt
	}
	if !a.LastLogin.IsZero() {
		login = a.LastLogin.UTC().Format(lastLogged)
	}
	value := a.ID + a.Password + login + strconv.FormatInt(at, 10) + a.Email
	digest := hex.EncodeToString(SaltedHMAC(newHash, salt, value, secret))
	half := make([]byte, 0, len(digest)/2)
	for i := 0; i < len(digest); i += 2 {
		half = append(half, digest[i])
	}
	return strconv.FormatInt(at, 36) + "-" + string(half)
}

// first returns the time of the earliest token that NotBefore leaves valid.
func (t ResetTokens) first() int64 {
	if t.NotBefore.IsZero() {
		return 0
	}
	return t.seconds(t.NotBefore) + 1
}

func (t ResetTokens) timeout() time.Duration {
	if t.Timeout == 0 {
		return ResetTimeout
	}
	return t.Timeout
}

// seconds counts from 2001-01-01 by the wall clock of Location, as Django's
// datetime.now() without a zone does: an hour is counted twice or never when the
// clocks change.
func (t ResetTokens) seconds(at time.Time) int64 {
	location := t.Location
	if location == nil {
		location = time.UTC
	}
	at = at.In(location)
	_, offset := at.Zone()
	return max(0, at.Unix()+int64(offset)-time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).Unix())
}
