package certfile

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/testcert"
)

// start is when the clock of a test begins.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// issue returns a certificate with this name that ends after the lifetime, and its key.
func issue(t *testing.T, name string, lifetime time.Duration) (cert, key []byte) {
	t.Helper()
	return testcert.SelfSigned(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: start.Add(-time.Hour), NotAfter: start.Add(lifetime),
	})
}

// files is a pair of files and the Pair of them, with a clock that only moves by
// look, and its log.
type files struct {
	t         *testing.T
	cert, key string
	now       time.Time
	pair      *Pair
	log       bytes.Buffer
}

func newFiles(t *testing.T, name string, lifetime time.Duration) *files {
	folder := t.TempDir()
	f := &files{t: t, cert: filepath.Join(folder, "cert.pem"), key: filepath.Join(folder, "key.pem"), now: start}
	cert, key := issue(t, name, lifetime)
	f.write(cert, key)
	pair, err := load(f.cert, f.key, slog.New(slog.NewTextHandler(&f.log, nil)), func() time.Time { return f.now })
	if err != nil {
		t.Fatal(err)
	}
	f.pair = pair
	return f
}

func (f *files) write(cert, key []byte) {
	for name, text := range map[string][]byte{f.cert: cert, f.key: key} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
}

// after returns the name in the certificate of a handshake that comes this much later.
func (f *files) after(d time.Duration) string {
	f.t.Helper()
	f.now = f.now.Add(d)
	c, err := f.pair.GetCertificate(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return c.Leaf.Subject.CommonName
}

func TestReadsChangedFiles(t *testing.T) {
	f := newFiles(t, "old", 90*24*time.Hour)
	cert, key := issue(t, "new", 90*24*time.Hour)
	f.write(cert, key)
	if found := f.after(lookEvery - 1); found != "old" {
		t.Errorf("read the files again within %v: %s", lookEvery, found)
	}
	if found := f.after(1); found != "new" {
		t.Errorf("the new certificate is not in use: %s", found)
	}
	if strings.Count(f.log.String(), "read a new TLS certificate") != 1 {
		t.Errorf("log: %s", f.log.String())
	}
}

// What a tool may leave behind for a moment, or for good, does not end the service.
func TestKeepsThePreviousCertificate(t *testing.T) {
	cert, key := issue(t, "new", 90*24*time.Hour)
	_, other := issue(t, "other", 90*24*time.Hour)
	for name, change := range map[string]func(f *files){
		"only the certificate is new": func(f *files) { f.write(cert, other) },
		"half a file":                 func(f *files) { f.write(cert[:len(cert)/2], key) },
		"empty":                       func(f *files) { f.write(nil, nil) },
		"not PEM":                     func(f *files) { f.write([]byte("x"), key) },
		"gone":                        func(f *files) { _ = os.Remove(f.cert) },
		"too large":                   func(f *files) { f.write(bytes.Repeat([]byte("x"), maxSize+1), key) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFiles(t, "old", 90*24*time.Hour)
			change(f)
			for range 3 {
				if found := f.after(time.Minute); found != "old" {
					t.Fatalf("in use: %s", found)
				}
			}
			if strings.Count(f.log.String(), "cannot be used") != 1 {
				t.Errorf("the reason is not logged once: %s", f.log.String())
			}
			f.write(cert, key)
			if found := f.after(time.Minute); found != "new" {
				t.Errorf("not in use after the files were completed: %s", found)
			}
		})
	}
}

func TestLoadRejects(t *testing.T) {
	f := newFiles(t, "a", time.Hour)
	cert, _ := issue(t, "b", time.Hour)
	_, key := issue(t, "c", time.Hour)
	f.write(cert, key)
	for _, files := range [][2]string{{f.cert, f.key}, {f.cert, f.cert}, {f.cert + "x", f.key}, {f.cert, t.TempDir()}} {
		if _, err := Load(files[0], files[1], slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("accepted %v", files)
		}
	}
}

func TestWarnsOfExpiry(t *testing.T) {
	f := newFiles(t, "a", 15*24*time.Hour)
	f.after(time.Hour)
	if f.log.Len() != 0 {
		t.Errorf("too early: %s", f.log.String())
	}
	for i, want := range []int{0, 1, 1, 2} { // after 13, 25, 37 and 49 hours
		f.after(12 * time.Hour)
		if n := strings.Count(f.log.String(), "expires soon"); n != want {
			t.Errorf("step %d: %d warnings, want %d: %s", i, n, want, f.log.String())
		}
	}
	f.after(20 * 24 * time.Hour)
	if !strings.Contains(f.log.String(), "has expired") {
		t.Errorf("nothing said after the end: %s", f.log.String())
	}
}

func TestConcurrentHandshakes(t *testing.T) {
	f := newFiles(t, "old", 90*24*time.Hour)
	pair, err := Load(f.cert, f.key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if c, err := pair.GetCertificate(nil); c == nil || err != nil {
					t.Error("no certificate", err)
				}
			}
		})
	}
	all.Wait()
}
