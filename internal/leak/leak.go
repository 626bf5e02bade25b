// Package leak fails tests whose logs have what logs must not have: tokens, keys, links of e-mails, passwords and their hashes,
// and e-mail addresses. The network addresses of clients are part of events (docs/events.md).
package leak

import (
	"io"
	"regexp"
	"strings"
	"testing"
)

// shapes are what a line must not have.
var shapes = map[string]*regexp.Regexp{
	"a token":              regexp.MustCompile(`eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}`),
	"an API key":           regexp.MustCompile(`jgk_\w{8,}`),
	"the token of a link":  regexp.MustCompile(`\b[0-9a-z]{6}-[0-9a-f]{32}`),
	"a hash of a password": regexp.MustCompile(`(pbkdf2|argon2|scrypt|bcrypt|md5)\w*\$`),
	"an e-mail address":    regexp.MustCompile(`[\w.+%-]+@[\w-]+(\.[\w-]+)+`),
}

// Watch returns a writer for logs, which passes lines on to w and fails tb if one has a secret: of a shape that is never
// allowed, or one of these passwords and other texts. Each Write has to be a line, as those of slog are.
func Watch(tb testing.TB, w io.Writer, secrets ...string) io.Writer {
	return &watch{tb, w, secrets}
}

type watch struct {
	tb      testing.TB
	w       io.Writer
	secrets []string
}

func (w *watch) Write(line []byte) (int, error) {
	if found := Find(string(line), w.secrets...); found != "" {
		w.tb.Errorf("the log has %s: %s", found, line)
	}
	return w.w.Write(line)
}

// Find returns which secret a text has, or "".
func Find(text string, secrets ...string) string {
	for what, shape := range shapes {
		if shape.MatchString(text) {
			return what
		}
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			return "the secret " + secret
		}
	}
	return ""
}
