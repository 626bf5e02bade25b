// A real SMTP server in the test's process, with a certificate of an authority
// of its own.

package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/jotgate/jotgate/internal/wait"
)

// server keeps what it is sent. The fields above mu are set before it starts.
type server struct {
	users    map[string]string             // who may send; nil: everybody
	mechs    []string                      // of AUTH
	refuse   func(to string) error         // answer to RCPT TO
	data     func(s *session, n int) error // answer to the n-th DATA
	plain    bool                          // offer no STARTTLS
	implicit bool                          // TLS from the start
	addr     string

	mu      sync.Mutex
	arrived []delivery
	tries   int // DATA commands
	running int // sessions, now
	most    int // and at the same time
}

type delivery struct {
	from, to, user string
	tls            bool
	data           string
}

// serve starts the server on 127.0.0.1 and stops it with the test.
func serve(t *testing.T, s *server, config *tls.Config) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	smtpd := smtp.NewServer(smtp.BackendFunc(s.session))
	smtpd.Domain, smtpd.ReadTimeout, smtpd.WriteTimeout = "mail.test", wait.Limit, wait.Limit
	smtpd.ErrorLog = discard{}
	if s.implicit {
		listener = tls.NewListener(listener, config)
	} else if !s.plain {
		smtpd.TLSConfig = config
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = smtpd.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = smtpd.Close()
		<-done
	})
	return s
}

func (s *server) session(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running++
	s.most = max(s.most, s.running)
	return &session{server: s, conn: c}, nil
}

func (s *server) mail() []delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]delivery(nil), s.arrived...)
}

type session struct {
	server *server
	conn   *smtp.Conn
	delivery
}

func (s *session) AuthMechanisms() []string { return s.server.mechs }

func (s *session) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if want, ok := s.server.users[user]; !ok || password != want {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}
	if mech == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

// loginServer is AUTH LOGIN: it asks for the name, then for the password.
type loginServer struct {
	check   func(user, password string) error
	answers []string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response != nil {
		l.answers = append(l.answers, string(response))
	}
	if len(l.answers) < 2 {
		return []byte([]string{"Username:", "Password:"}[len(l.answers)]), false, nil
	}
	return nil, true, l.check(l.answers[0], l.answers[1])
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.users != nil && s.user == "" {
		return smtp.ErrAuthRequired
	}
	_, s.tls = s.conn.TLSConnectionState()
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = strings.TrimPrefix(s.to+","+to, ",")
	if s.server.refuse != nil {
		return s.server.refuse(to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	s.server.mu.Lock()
	s.server.tries++
	n := s.server.tries
	s.server.mu.Unlock()
	if s.server.data != nil {
		if err := s.server.data(s, n); err != nil {
			return err
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	got := s.delivery
	got.data = string(b)
	s.server.arrived = append(s.server.arrived, got)
	return nil
}

func (s *session) Reset() { s.from, s.to = "", "" }

func (s *session) Logout() error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.running--
	return nil
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

// authority makes a certificate authority and a server certificate for
// 127.0.0.1: what the server has, and what a client must trust.
func authority(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	sign := func(template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return certificate
	}
	key, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	caKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	ca = sign(ca, ca, caKey, caKey)
	leaf := sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "mail.test"}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, ca, key, caKey)
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}}, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
