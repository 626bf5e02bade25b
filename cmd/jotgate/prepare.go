package main

// The settings of serve, and a rehearsal of its start: everything is built as
// serve builds it, but without a database, so that a wrong setting is found
// before anything has been created. doctor reports the same errors.

import (
	"cmp"
	"io"
	"log/slog"
	"net"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// serveFlags are all settings of serve.
type serveFlags struct {
	serverFlags
	tlsFlags
	gateFlags
	requestFlags
	serveAPIKeyFlags
	siteFlags
	adminFlags
	metricsFlags
	serveWebhookFlags
	mailFlags
	upstreamFlags
}

// fault is what is wrong with the settings under one heading.
type fault struct {
	about string
	err   error
}

// dryRun builds what serve builds and returns the errors, in the order in
// which serve would find them.
func (f *serveFlags) dryRun(a *app) (faults []fault) {
	note := func(about string, err error) {
		if err != nil {
			faults = append(faults, fault{about, err})
		}
	}
	_, err := f.logger(io.Discard, new(slog.LevelVar))
	note("server", err)
	_, err = f.address()
	note("server", err)
	_, err = f.socketMode()
	note("server", err)
	_, err = networkAddress("--metrics-addr", f.MetricsAddr, "")
	note("server", err)
	_, err = networkAddress("--admin-addr", f.AdminAddr, "")
	note("server", err)
	quiet := slog.New(slog.DiscardHandler)
	_, err = f.newTLS(quiet)
	note("TLS", err)
	gate, err := f.dryRunGate(a, quiet)
	note("tokens, secret and passwords", err)
	if gate == nil {
		return faults // even the generated secret was refused, which cannot happen
	}
	own, err := f.newOwnHandler(gate)
	note("requests", err)
	if own != nil {
		_, err = f.front(own, gate, &f.requestFlags)
		note("upstream", err)
	}
	_, err = f.mailFlags.sender(a, gate, noOutbox{}, cmp.Or(f.BaseURL, "http://127.0.0.1"), quiet)
	note("mail", err)
	_, err = f.newWebhooks(gate)
	note("webhooks", err)
	return faults
}

// dryRunGate makes the gate that serve would make. If its settings are
// refused, it returns a gate with the default settings, for the rest of the
// rehearsal.
func (f *serveFlags) dryRunGate(a *app, log *slog.Logger) (*jotgate.Gate, error) {
	fallback := jotgate.Secret(randomText(secretLength, secretAlphabet))
	if !f.isSupported() {
		gate, _ := jotgate.New(jotgate.Settings{SecretKey: fallback, Logger: log}, nil)
		return gate, errDatabase
	}
	silent := *a
	silent.stderr, silent.jsonLog = io.Discard, nil // warnings are printed at the start itself
	settings, err := f.gateFlags.settings(&silent, log, true)
	if err == nil {
		if settings.SecretKey == "" {
			settings.SecretKey = fallback
		}
		var gate *jotgate.Gate
		if gate, err = jotgate.New(settings, nil); err == nil {
			return gate, nil
		}
		err = inFlags("jotgate", err)
	}
	gate, _ := jotgate.New(jotgate.Settings{SecretKey: fallback, Logger: log}, nil)
	return gate, err
}

// check returns the first fault, as serve reports it.
func (f *serveFlags) check(a *app) error {
	for _, fault := range f.dryRun(a) {
		return fault.err
	}
	return nil
}

// noOutbox is the outbox of a rehearsal, in which no e-mail is sent.
type noOutbox struct{ record.Outbox }

// address returns --addr as net.Listen takes it. A bare port listens on this
// machine only, as in Django's runserver; :8000 listens on every address.
func (f *serverFlags) address() (string, error) {
	addr := f.Addr
	if path, ok := socketPath(addr); ok {
		return addr, checkSocket(path)
	}
	return networkAddress("--addr", addr, " or unix:/run/jotgate/jotgate.sock")
}

// networkAddress returns the value of a flag as net.Listen takes it. A bare port is one of
// this machine. more is what the flag accepts as well.
func networkAddress(flag, value, more string) (string, error) {
	addr := value
	if addr+more == "" {
		return "", nil // the flag is not set
	}
	if addr != "" && strings.Trim(addr, "0123456789") == "" {
		addr = "127.0.0.1:" + addr
	}
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		return "", usage("%s: %q is not an address such as 127.0.0.1:8000, :8000, 8000%s", flag, value, more)
	}
	return addr, nil
}
