package main

// The secret: given, read from a file, or created once next to the database.

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/jotgate/jotgate"
)

type secretFlags struct {
	SecretKey           string   `group:"secret" placeholder:"TEXT" also:"SECRET_KEY" secret:"all" help:"Signs tokens and reset links; Django's SECRET_KEY. Other users of the machine can see a flag: prefer the environment or a file."`
	SecretKeyFile       string   `group:"secret" placeholder:"FILE" aliases:"secret-file" help:"Read it from a file. Default: jotgate.secret beside the SQLite file, created if it is missing."`
	SecretKeyFallbacks  []string `group:"secret" placeholder:"TEXT" secret:"all" help:"Earlier secrets that still verify, separated by commas; a list in the config file may contain any text."`
	InsecureShortSecret bool     `group:"secret" help:"Serve with a secret under 32 bytes or a well-known one."`
}

// secretLength is that of Django's get_random_secret_key: 50 characters from
// an alphabet of 50.
const (
	secretLength   = 50
	secretAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)"
)

// read returns the secret. folder is the folder of the database. With create,
// a missing default file is not an error but an empty secret, so that the
// caller can create it.
func (f *secretFlags) read(a *app, folder string, create bool) (jotgate.Secret, error) {
	if f.SecretKey != "" {
		return jotgate.Secret(f.SecretKey), f.check(f.SecretKey)
	}
	file, named := f.SecretKeyFile, f.SecretKeyFile != ""
	if !named {
		if folder == "" {
			return "", usage("there is no secret: set SECRET_KEY (the same on every node), or --secret-key-file")
		}
		file = secretFile(folder)
	}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named && create:
		return "", nil
	case err != nil:
		return "", usage("the secret cannot be read: %w", err)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return "", usage("the secret is missing: %s is empty", file)
	}
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
		a.warn("warning: others can read %s: chmod 600 %s", file, file)
	}
	return jotgate.Secret(secret), f.check(secret)
}

// errSiteSecret is the error if the secret of a Django site is missing.
func errSiteSecret(database string) error {
	return usage("there is no secret, and %s is the database of a Django site: set SECRET_KEY to the site's, or --secret-key-file", database)
}

// secretFile is the default file of the secret.
func secretFile(folder string) string { return filepath.Join(folder, "jotgate.secret") }

// check rejects secrets that appear in examples: anyone who has read them
// could make tokens. Package jotgate checks the length.
func (f *secretFlags) check(secret string) error {
	if f.InsecureShortSecret {
		return nil
	}
	lower := strings.ToLower(secret)
	for _, known := range []string{"changeme", "change-me", "change_me", "replace-me", "replaceme", "replace_me", "your-secret", "your_secret", "yoursecret", "secret-key-here", "placeholder"} {
		if strings.Contains(lower, known) {
			return usage("the secret contains %q, as the secrets in examples do: make a random one", known)
		}
	}
	return nil
}

// makeSecret writes 50 random characters into a new file that only its owner
// can read. If another process creates the file first, its secret is used.
func makeSecret(a *app, file string) (jotgate.Secret, error) {
	secret := randomText(secretLength, secretAlphabet)
	partly := fmt.Sprintf("%s.%d", file, os.Getpid())
	if err := os.WriteFile(partly, []byte(secret+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("the secret cannot be stored: %w", err)
	}
	defer os.Remove(partly)
	// Link fails if the file exists, and the file never appears incomplete.
	if err := os.Link(partly, file); errors.Is(err, fs.ErrExist) {
		text, err := os.ReadFile(file)
		return jotgate.Secret(strings.TrimRight(string(text), "\r\n")), err
	} else if err != nil {
		return "", fmt.Errorf("the secret cannot be stored: %w", err)
	}
	a.warn("made a secret in %s; keep it: without it all tokens stop working", file)
	return jotgate.Secret(secret), nil
}

// randomText returns n independent characters of the alphabet, each with the
// same probability.
func randomText(n int, alphabet string) string {
	text := make([]byte, n)
	for i := range text {
		at, _ := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet)))) // never fails since Go 1.24
		text[i] = alphabet[at.Int64()]
	}
	return string(text)
}

// fallbacks returns the earlier secrets.
func (f *secretFlags) fallbacks() []jotgate.Secret {
	var secrets []jotgate.Secret
	for _, text := range f.SecretKeyFallbacks {
		secrets = append(secrets, jotgate.Secret(text))
	}
	return secrets
}
