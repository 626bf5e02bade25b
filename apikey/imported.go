package apikey

// Keys of djangorestframework-api-key, which have the form prefix.secret. An imported
// key has the prefix as its ID and the text that Django stored as its Digest.

import (
	"context"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"github.com/jotgate/jotgate"
)

// The lengths of what that package generates are 8 and 32. A generator of a site can
// differ, but the column of the prefix has 8 characters.
const (
	maxImportedPrefix = 8
	minImportedSecret = 16
	maxImportedSecret = 128
)

// importedID returns the id of an imported key. ok is false if the text has another
// form.
func importedID(key string) (id string, ok bool) {
	id, secret, _ := strings.Cut(key, ".")
	ok = id != "" && len(id) <= maxImportedPrefix && len(secret) >= minImportedSecret && len(secret) <= maxImportedSecret
	return id, ok && isAlphanumericText(id) && isAlphanumericText(secret)
}

func isAlphanumericText(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c > 'z' || !isAlphanumeric(byte(c)) })
}

// matches reports whether a text is the key. faster, if not empty, is a digest that
// replaces the key's, which takes long to compute.
func (k *Keys) matches(ctx context.Context, key *Key, text string) (ok bool, faster string, err error) {
	const sha512Form = "sha512$$" // since version 3 of djangorestframework-api-key
	switch {
	case !strings.Contains(key.Digest, "$"):
		return isEqual(digestOf(text), key.Digest), "", nil
	case strings.HasPrefix(key.Digest, sha512Form):
		sum := sha512.Sum512([]byte(text))
		return isEqual(sha512Form+hex.EncodeToString(sum[:]), key.Digest), "", nil
	}
	select {
	case k.hashing <- struct{}{}:
		defer func() { <-k.hashing }()
	case <-ctx.Done():
		return false, "", jotgate.ErrBusy.Because(ctx.Err())
	}
	if ok, _ = k.gate.Settings().Hasher.Check(text, key.Digest); ok {
		faster = digestOf(text)
	}
	return ok, faster, nil
}

// isEqual compares in constant time.
func isEqual(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
