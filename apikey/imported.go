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
	switch {
	case !strings.Contains(key.Digest, "$"):
		return isEqual(digestOf(text), key.Digest), "", nil
	case strings.HasPrefix(key.Digest, sha512Form):
		return isEqual(sha512Of(text), key.Digest), "", nil
	}
	return k.matchesSlowly(ctx, key, text)
}

// sha512Form begins the digests of djangorestframework-api-key since its version 3.
const sha512Form = "sha512$$"

func sha512Of(text string) string {
	sum := sha512.Sum512([]byte(text))
	return sha512Form + hex.EncodeToString(sum[:])
}

// matchesSlowly compares the text with a password hash of Django.
func (k *Keys) matchesSlowly(ctx context.Context, key *Key, text string) (ok bool, faster string, err error) {
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
