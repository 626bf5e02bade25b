package leak

import (
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	for _, text := range []string{
		"refused token=eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIxIiwidXNlcl9pZCI6IjEifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ", "key jgk_0123456789abcdef", "to alice@example.com",
		"link /reset/MQ/d4n1ab-0123456789abcdef0123456789abcdef", "hash pbkdf2_sha256$1$salt$hash", "password=correct-horse",
	} {
		if Find(text, "correct-horse") == "" {
			t.Errorf("nothing is found in %s", text)
		}
	}
	for _, text := range []string{
		"", "level=INFO msg=login user=1 address=192.0.2.1", "file pages/x_test.go@2", "session 0123456789abcdef0123456789abcdef ended", "algorithm=pbkdf2_sha256", "eyJ is how a token begins",
	} {
		if found := Find(text, "correct-horse"); found != "" {
			t.Errorf("%s: %s", text, found)
		}
	}
}

// failures counts the errors of a test.
type failures struct {
	testing.TB
	n int
}

func (f *failures) Errorf(string, ...any) { f.n++ }

func TestWatch(t *testing.T) {
	var log strings.Builder
	count := &failures{TB: t}
	w := Watch(count, &log, "hunter2-hunter2")
	for _, line := range []string{"started\n", "password hunter2-hunter2\n", "to bob@example.com\n"} {
		if n, err := w.Write([]byte(line)); n != len(line) || err != nil {
			t.Error(n, err)
		}
	}
	if count.n != 2 || log.String() != "started\npassword hunter2-hunter2\nto bob@example.com\n" {
		t.Errorf("%d lines were reported, and passed on was\n%s", count.n, &log)
	}
}
