// Package certfile serves TLS with a certificate from files, and reads them again
// when they have changed, as certbot and other tools leave them.
//
//	pair, err := certfile.Load("fullchain.pem", "privkey.pem", log)
//	config := &tls.Config{GetCertificate: pair.GetCertificate}
package certfile

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how often, at most, the files are read again. A change is thus in
// use after the first handshake that comes this long after it.
const lookEvery = time.Second

// maxSize is that of each file. Chains and keys have a few kilobytes.
const maxSize = 1 << 20

// soon is how long before the end of a certificate a warning is logged.
const soon = 14 * 24 * time.Hour

// Pair is a certificate chain and its key, in two files or in one. Its methods may
// be called concurrently.
type Pair struct {
	cert, key string
	log       *slog.Logger
	now       func() time.Time

	mu        sync.Mutex
	looked    time.Time
	read      [2][]byte // the text of the files when they were last tried
	current   *tls.Certificate
	complaint string // the error that was logged last
	warned    time.Time
}

// Load reads the two PEM files: the chain, beginning with the server's own
// certificate, and its key. Both may be the same file.
func Load(cert, key string, log *slog.Logger) (*Pair, error) {
	return load(cert, key, log, time.Now)
}

func load(cert, key string, log *slog.Logger, now func() time.Time) (*Pair, error) {
	p := &Pair{cert: cert, key: key, log: log, now: now}
	if err := p.readFiles(); err != nil {
		return nil, err
	}
	return p, nil
}

// GetCertificate is for tls.Config. If the files have changed it returns the new
// certificate; if that cannot be used, it logs the reason once and returns the
// previous one.
func (p *Pair) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now().Sub(p.looked) >= lookEvery {
		p.logOnce(p.readFiles())
		p.warnOfExpiry()
	}
	return p.current, nil
}

// logOnce logs an error unless it is the same as the last time.
func (p *Pair) logOnce(err error) {
	if err == nil {
		p.complaint = ""
	} else if err.Error() != p.complaint {
		p.complaint = err.Error()
		p.log.Error("the new TLS certificate cannot be used; the previous one stays in use", "error", err)
	}
}

// readFiles reads both files and, if one has changed, replaces the certificate.
func (p *Pair) readFiles() error {
	p.looked = p.now()
	cert, err := readFile(p.cert)
	if err != nil {
		return err
	}
	key, err := readFile(p.key)
	if err != nil {
		return err
	}
	if p.current != nil && bytes.Equal(cert, p.read[0]) && bytes.Equal(key, p.read[1]) {
		return nil
	}
	return p.replace(cert, key)
}

// replace uses the certificate from now on, if the two belong together: one of the
// files may not have been replaced yet.
func (p *Pair) replace(cert, key []byte) error {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", p.cert, p.key, err)
	}
	if p.current != nil {
		p.log.Info("read a new TLS certificate", "expires", pair.Leaf.NotAfter, "names", pair.Leaf.DNSNames)
	}
	p.read, p.current, p.warned = [2][]byte{cert, key}, &pair, time.Time{}
	return nil
}

// warnOfExpiry logs once a day that the certificate has to be renewed.
func (p *Pair) warnOfExpiry() {
	end := p.current.Leaf.NotAfter
	if end.Sub(p.looked) > soon || p.looked.Sub(p.warned) < 24*time.Hour {
		return
	}
	p.warned = p.looked
	if p.looked.After(end) {
		p.log.Error("the TLS certificate has expired", "expired", end, "file", p.cert)
		return
	}
	p.log.Warn("the TLS certificate expires soon", "expires", end, "file", p.cert)
}

func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err == nil && len(text) > maxSize {
		err = fmt.Errorf("%s has over %d bytes", name, maxSize)
	}
	return text, err
}
