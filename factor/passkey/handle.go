package passkey

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// Handle returns the user handle of an account, as django-allauth makes it:
// an integer key in base 36, a UUID as 32 hex digits, another key as it is
// (user_pk_to_url_str in allauth/account/utils.py). Authenticators store it
// with the passkey and return it at a login.
func Handle(id string) []byte {
	if n, err := strconv.ParseInt(id, 10, 64); err == nil && n >= 0 && strconv.FormatInt(n, 10) == id {
		return []byte(strconv.FormatInt(n, 36))
	}
	if digits := strings.ReplaceAll(id, "-", ""); len(id) == 36 && isUUID(digits) {
		return []byte(strings.ToLower(digits))
	}
	return []byte(id)
}

// UserID returns the id of the account with this handle. It is the inverse of Handle
// for integer keys and UUIDs; any other handle is returned as it is.
func UserID(handle []byte) string {
	text := string(handle)
	if isUUID(text) {
		return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
	}
	if n, err := strconv.ParseInt(text, 36, 64); err == nil && strconv.FormatInt(n, 36) == text {
		return strconv.FormatInt(n, 10)
	}
	return text
}

func isUUID(text string) bool {
	_, err := hex.DecodeString(text)
	return err == nil && len(text) == 32
}
