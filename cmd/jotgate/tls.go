package main

// TLS without a gateway: a certificate from files (--tls-cert, --tls-key), which
// are read again when they change, or from an ACME server such as Let's Encrypt
// (--tls-acme). --tls-redirect sends clients of http:// to https://.

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/internal/certfile"
)

type tlsFlags struct {
	TLSCert       string        `group:"tls" name:"tls-cert" placeholder:"FILE" help:"Serve HTTPS with the certificate in this PEM file, followed by its chain. The file is read again when it changes. Default: HTTP."`
	TLSKey        string        `group:"tls" name:"tls-key" placeholder:"FILE" help:"Its private key. Default: the file of --tls-cert."`
	TLSACME       []string      `group:"tls" name:"tls-acme" placeholder:"NAME" help:"Serve HTTPS with a certificate for these host names from an ACME server, renewed in time. The server connects to port 443, or to port 80 with --tls-redirect. Default: off."`
	TLSACMEEmail  string        `group:"tls" name:"tls-acme-email" placeholder:"ADDRESS" help:"Where that server may write to. Default: none."`
	TLSACMEURL    string        `group:"tls" name:"tls-acme-url" placeholder:"URL" help:"Its directory. Default: Let's Encrypt; using it accepts its terms."`
	TLSACMECA     string        `group:"tls" name:"tls-acme-ca" placeholder:"FILE" help:"The certificates that it is checked with, for one of your own. Default: those of the system."`
	TLSACMEFolder string        `group:"tls" name:"tls-acme-folder" placeholder:"FOLDER" help:"Where its account and the certificates are kept. Default: acme, beside the SQLite file."`
	TLSRedirect   string        `group:"tls" name:"tls-redirect" placeholder:"HOST:PORT" help:"Also listen here, such as on :80, and redirect to https. Default: off."`
	HSTS          time.Duration `group:"tls" name:"hsts" default:"0s" placeholder:"TIME" help:"Tell browsers to use only https for this long (Strict-Transport-Security), such as 365d. 0s: do not."`
}

// tlsServing is what TLS adds to a server.
type tlsServing struct {
	config *tls.Config
	// redirect handles requests by HTTP; it also answers the ACME server.
	redirect http.Handler
}

// newTLS returns nil if TLS is not configured. log takes what happens to the
// certificate later.
func (c *serveFlags) newTLS(log *slog.Logger) (*tlsServing, error) {
	files, names := c.TLSCert != "" || c.TLSKey != "", len(c.TLSACME) > 0
	switch {
	case (files || names) && c.Demo:
		return nil, usage("--demo shows requests without TLS: leave out --tls-cert and --tls-acme")
	case files && names:
		return nil, usage("--tls-acme gets a certificate, so there is none to read: leave out --tls-cert and --tls-key")
	case files:
		return c.newTLSFromFiles(log)
	case names:
		return c.newTLSFromACME()
	case c.TLSRedirect != "" || c.HSTS != 0:
		return nil, usage("--tls-redirect and --hsts need --tls-cert or --tls-acme")
	case c.TLSACMEEmail+c.TLSACMEURL+c.TLSACMECA+c.TLSACMEFolder != "":
		return nil, usage("the settings of --tls-acme need the names: --tls-acme example.com")
	}
	return nil, nil
}

func (c *serveFlags) newTLSFromFiles(log *slog.Logger) (*tlsServing, error) {
	if c.TLSCert == "" {
		return nil, usage("--tls-key needs --tls-cert")
	}
	pair, err := certfile.Load(c.TLSCert, cmp.Or(c.TLSKey, c.TLSCert), log)
	if err != nil {
		return nil, usage("--tls-cert: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: pair.GetCertificate}
	return &tlsServing{config: config, redirect: http.HandlerFunc(toHTTPS)}, nil
}

// newTLSFromACME does not contact the ACME server; the first handshake does.
func (c *serveFlags) newTLSFromACME() (*tlsServing, error) {
	for _, name := range c.TLSACME {
		if strings.Trim(name, ".") != name || strings.ContainsAny(name, "*:/@ ") || !strings.Contains(name, ".") {
			return nil, usage("--tls-acme: %q is not a host name such as api.example.com", name)
		}
	}
	folder := c.TLSACMEFolder
	if folder == "" {
		if c.folder() == "" {
			return nil, usage("--tls-acme-folder: name a folder for the certificates; there is no SQLite file to put it beside")
		}
		folder = filepath.Join(c.folder(), "acme")
	}
	client, err := c.acmeClient()
	if err != nil {
		return nil, err
	}
	manager := &autocert.Manager{
		Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(c.TLSACME...), Cache: autocert.DirCache(folder),
		Email: c.TLSACMEEmail, Client: client,
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1", acme.ALPNProto}, GetCertificate: manager.GetCertificate,
	}
	return &tlsServing{config: config, redirect: manager.HTTPHandler(http.HandlerFunc(toHTTPS))}, nil
}

func (c *serveFlags) acmeClient() (*acme.Client, error) {
	client := &acme.Client{DirectoryURL: cmp.Or(c.TLSACMEURL, autocert.DefaultACMEDirectory), UserAgent: "jotgate"}
	if !strings.HasPrefix(client.DirectoryURL, "https://") {
		return nil, usage("--tls-acme-url: %q does not begin with https://", client.DirectoryURL)
	}
	if c.TLSACMECA == "" {
		return client, nil
	}
	text, err := os.ReadFile(c.TLSACMECA)
	if err != nil {
		return nil, usage("--tls-acme-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, usage("--tls-acme-ca: %s has no certificate in PEM", c.TLSACMECA)
	}
	client.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	return client, nil
}

// toHTTPS redirects to the same address by https. Clients repeat the request with
// its method and body, except that a password that was sent without TLS must not
// be sent that way again: only GET and HEAD are redirected.
func toHTTPS(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead || host == "" {
		http.Error(w, "use https", http.StatusForbidden)
		return
	}
	http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusPermanentRedirect)
}

// wrap returns the handler with --hsts.
func (s *tlsServing) wrap(h http.Handler, hsts time.Duration) http.Handler {
	if s == nil || hsts <= 0 {
		return h
	}
	value := "max-age=" + strconv.FormatInt(int64(hsts/time.Second), 10)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", value)
		h.ServeHTTP(w, r)
	})
}

// listen returns the listener, with TLS if it is configured.
func (s *tlsServing) listen(listener net.Listener) net.Listener {
	if s == nil {
		return listener
	}
	return tls.NewListener(listener, s.config)
}

// serveRedirect serves --tls-redirect until stop is called.
func (c *serveFlags) serveRedirect(a *app, s *tlsServing) (stop func(), err error) {
	if s == nil || c.TLSRedirect == "" {
		return func() {}, nil
	}
	listener, err := new(net.ListenConfig).Listen(a.ctx, "tcp", c.TLSRedirect)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (--tls-redirect): %w", c.TLSRedirect, err)
	}
	server := api.Server("", s.redirect)
	server.ReadTimeout, server.WriteTimeout = 10*time.Second, 10*time.Second
	server.ErrorLog = slog.NewLogLogger(a.logger().Handler(), slog.LevelWarn)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.warn("jotgate: --tls-redirect: %v", err)
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
	}, nil
}
