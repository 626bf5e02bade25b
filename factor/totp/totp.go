// Package totp implements time-based one-time passwords (RFC 6238) as
// authenticator apps use them: SHA-1, 6 digits, 30 seconds. The two calls to make are
// [NewSecret], when a user sets up the app, and [Match], when the user types a code:
//
//	secret := totp.NewSecret()                      // to be stored, encrypted
//	address := totp.URL("Example", "alice", secret) // for a QR code, see SVG
//	step, ok := totp.Match(secret, "123456", time.Now(), 15*time.Second, last)
//
// A code must be accepted only once (RFC 6238 section 5.2): Match returns the time step
// of the code, and the caller stores it and passes it as last the next time. A grace of
// at most 30 seconds is the safe choice. Limiting the number of attempts is left to the
// caller. The functions may be called concurrently. The package does not depend on the
// rest of jotgate.
package totp

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"rsc.io/qr"
)

// Period is the length of a time step.
const Period = 30 * time.Second

// Digits is the number of digits of a code.
const Digits = 6

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSecret returns 20 random bytes in base32: 32 characters.
func NewSecret() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never returns an error since Go 1.24: it stops the program
	return encoding.EncodeToString(b[:])
}

// Step returns the time step of t: the number of periods since 1970.
func Step(t time.Time) int64 { return t.Unix() / int64(Period/time.Second) }

// Code returns the code of a time step. The error says that the secret is not base32,
// or that the step is negative.
func Code(secret string, step int64) (string, error) {
	if step < 0 {
		return "", errors.New("totp: a time before 1970")
	}
	code, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return "", fmt.Errorf("totp: %w", err)
	}
	return code, nil
}

// Match reports whether code is the code of the current time step or, if that step is
// younger than grace, of the previous one, and returns the step of the code. last is the
// step of the last code that was accepted; this step and earlier ones are not accepted.
// 0: none was. Match takes the same time whether a code matches or not. It returns false
// if the secret is not base32.
func Match(secret, code string, now time.Time, grace time.Duration, last int64) (step int64, ok bool) {
	current := Step(now)
	for _, candidate := range []int64{current - 1, current} {
		want, err := Code(secret, candidate)
		if err != nil {
			return 0, false
		}
		over := now.Sub(time.Unix((candidate+1)*int64(Period/time.Second), 0)) // since the end of the step
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && candidate > last && (over < 0 || over < grace) {
			step, ok = candidate, true
		}
	}
	return step, ok
}

// IsCode reports whether text has the form of a code: six ASCII digits.
func IsCode(text string) bool {
	return len(text) == Digits && strings.Trim(text, "0123456789") == ""
}

// URL returns the otpauth address of a secret, which authenticator apps read
// from a QR code. A colon cannot be part of a name; it is removed.
func URL(issuer, account, secret string) string {
	issuer, account = strings.ReplaceAll(issuer, ":", ""), strings.ReplaceAll(account, ":", "")
	query := url.Values{"secret": {secret}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	label := url.PathEscape(issuer) + ":" + url.PathEscape(account)
	// Some apps show a plus sign instead of a space.
	return "otpauth://totp/" + label + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

// SVG returns a QR code of text as an SVG image with a white margin of four
// modules, to be put inline into a page. The error says that the text is too
// long for a QR code.
func SVG(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("totp: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			width := 0
			for x+width < code.Size && code.Black(x+width, y) {
				width++
			}
			if width > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+4, y+4, width, width)
				x += width
			}
		}
	}
	size := code.Size + 8
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="QR code" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="%s"/></svg>`, size, size, size, size, path.String()), nil
}
