package signing

// The uid in reset and activation links: the primary key in base64 for URLs.

import (
	"encoding/base64"
	"errors"
	"strings"
)

// ErrUID is the error of DecodeUID for a text that Django cannot decode either, or
// that is longer than 1024 bytes.
var ErrUID = errors.New("invalid uid")

const (
	maxUID      = 1024 // bytes
	urlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// EncodeUID returns a primary key as it appears in a link: its text in base64 for
// URLs without padding (django.utils.http.urlsafe_base64_encode). The text is
// "42", or a UUID with hyphens in lower case.
func EncodeUID(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

// DecodeUID returns the primary key in a uid, or ErrUID. It is as lenient as Django:
// other characters are skipped, and the padding may be missing or too long. The
// result can be any text, also "", and proves nothing without a token.
func DecodeUID(uid string) (string, error) {
	if len(uid) > maxUID {
		return "", ErrUID
	}
	var kept []byte
	padding := 0
	// Django adds as many "=" as there are bytes over a multiple of four.
	for _, c := range []byte(uid + strings.Repeat("=", len(uid)%4)) {
		if c == '=' && len(kept)%4 >= 2 {
			if padding++; len(kept)%4+padding >= 4 {
				return decodeKept(kept)
			}
		} else if i := strings.IndexByte(urlAlphabet+"+/", c); i >= 0 {
			// the two characters of plain base64 mean the same as those for URLs
			kept, padding = append(kept, (urlAlphabet + "-_")[i]), 0
		}
	}
	if len(kept)%4 != 0 {
		return "", ErrUID
	}
	return decodeKept(kept)
}

func decodeKept(kept []byte) (string, error) {
	id, err := base64.RawURLEncoding.DecodeString(string(kept))
	if err != nil {
		return "", ErrUID
	}
	return string(id), nil
}
