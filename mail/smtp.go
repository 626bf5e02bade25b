// Delivery to a mail server (RFC 5321), through github.com/wneessen/go-mail.

package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// refusedError is a permanent refusal by the server: it is useless to try again.
type refusedError struct{ cause error }

func (e *refusedError) Error() string { return e.cause.Error() }
func (e *refusedError) Unwrap() error { return e.cause }

// smtpServer delivers each message over a new connection.
type smtpServer struct {
	host     string
	port     int
	user     string
	password string
	implicit bool // TLS from the start
	policy   gomail.TLSPolicy
	tls      *tls.Config
	timeout  time.Duration
}

// errServer does not repeat the address, which holds a password.
var errServer = errors.New("Settings.Server must have the form smtp://user:password@host:587 or smtps://user:password@host:465, with ?tls=insecure-off and no user for a local server without TLS")

// newSMTP reads Settings.Server.
func newSMTP(address string, config *tls.Config, timeout time.Duration) (*smtpServer, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return nil, errServer
	}
	s := &smtpServer{host: u.Hostname(), user: u.User.Username(), policy: gomail.TLSMandatory, timeout: timeout}
	s.password, _ = u.User.Password()
	switch {
	case u.Scheme == "smtp" && u.RawQuery == "":
		s.port = 587
	case u.Scheme == "smtp" && u.RawQuery == "tls=insecure-off" && u.User == nil:
		s.port, s.policy = 25, gomail.NoTLS
	case u.Scheme == "smtps" && u.RawQuery == "":
		s.port, s.policy, s.implicit = 465, gomail.NoTLS, true
	default:
		return nil, errServer
	}
	if u.Port() != "" {
		if s.port, err = strconv.Atoi(u.Port()); err != nil || s.port < 1 || s.port > 65535 {
			return nil, errServer
		}
	}
	s.setTLS(config)
	return s, nil
}

func (s *smtpServer) setTLS(config *tls.Config) {
	s.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if config != nil {
		s.tls = config.Clone()
	}
	if s.tls.ServerName == "" {
		s.tls.ServerName = s.host
	}
}

// connect connects and logs in. The caller must call l.hangUp, also after an error.
func (s *smtpServer) connect(l *line) (*gomail.Client, *smtp.Client, error) {
	client, err := gomail.NewClient(s.host, s.options(l)...)
	if err != nil {
		return nil, nil, err
	}
	conn, err := client.DialToSMTPClientWithContext(l.ctx)
	return client, conn, err
}

// check connects, logs in and disconnects.
func (s *smtpServer) check(ctx context.Context) error {
	line := &line{ctx: ctx, server: s}
	defer line.hangUp()
	_, conn, err := s.connect(line)
	if err != nil {
		return err
	}
	_ = conn.Quit()
	return nil
}

// deliver connects, sends and disconnects. It succeeds once the server has accepted
// the message, whatever happens afterwards.
func (s *smtpServer) deliver(ctx context.Context, e envelope) error {
	line := &line{ctx: ctx, server: s}
	defer line.hangUp()
	client, conn, err := s.connect(line)
	if err != nil {
		return err
	}
	err = client.SendWithSMTPClient(conn, e.message())
	if err == nil {
		_ = conn.Quit() // a failure no longer matters
		return nil
	}
	if isFinal(err) {
		return &refusedError{err}
	}
	return err
}

func (s *smtpServer) options(l *line) []gomail.Option {
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(s.timeout), gomail.WithTLSConfig(s.tls),
		gomail.WithTLSPolicy(s.policy), gomail.WithDialContextFunc(l.dial), gomail.WithoutNoop(), gomail.WithoutRset(),
	}
	if s.user != "" {
		options = append(options, gomail.WithUsername(s.user), gomail.WithPassword(s.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	return options
}

// line is the connection of one delivery. It is cut when the context ends, and
// always closed, which go-mail does not do after a failed greeting or login.
type line struct {
	ctx    context.Context
	server *smtpServer
	conn   net.Conn
	stop   func() bool
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var err error
	if l.server.implicit {
		l.conn, err = (&tls.Dialer{Config: l.server.tls}).DialContext(ctx, network, address)
	} else {
		l.conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	}
	if err != nil {
		l.conn = nil
		return nil, err
	}
	l.stop = context.AfterFunc(l.ctx, func() { _ = l.conn.Close() })
	return l.conn, nil
}

func (l *line) hangUp() {
	if l.conn != nil {
		l.stop()
		_ = l.conn.Close()
	}
}

// message returns the envelope as a message of go-mail: headers encoded (RFC 2047),
// text and HTML as alternatives.
func (e *envelope) message() *gomail.Msg {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(e.from)
	m.ToMailAddress(&mail.Address{Address: e.to})
	m.Subject(e.Subject)
	m.SetDateWithValue(e.date)
	m.SetMessageIDWithValue(e.id)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no automatic replies
	m.SetBodyString(gomail.TypeTextPlain, e.Text)
	if e.HTML != "" {
		m.AddAlternativeString(gomail.TypeTextHTML, e.HTML)
	}
	return m
}

// isFinal reports whether the server refused this recipient or this text with
// a 5xx (RFC 5321 section 4.2.1: do not repeat the request). Refusals by
// policy (RFC 3463, x.7.y), of the sender and of the login have to be fixed by the
// operator, and the message waits for that.
func isFinal(err error) bool {
	var e *gomail.SendError
	if !errors.As(err, &e) || e.ErrorCode() < 500 || strings.HasPrefix(e.EnhancedStatusCode(), "5.7.") {
		return false
	}
	return e.Reason == gomail.ErrSMTPRcptTo || e.Reason == gomail.ErrSMTPData || e.Reason == gomail.ErrSMTPDataClose
}
