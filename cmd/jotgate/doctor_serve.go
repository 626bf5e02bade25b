package main

// What doctor reports about the settings of serve: the rehearsal of its start
// (prepare.go), and whether the servers they name can be reached.

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/store"
)

// reachTime limits each attempt to reach a server.
const reachTime = 5 * time.Second

// serveFacts checks every setting of serve; migrated means that the database has
// jotgate's tables.
func (c *doctorCommand) serveFacts(a *app, migrated bool) (facts []store.Fact) {
	add := func(more ...store.Fact) { facts = append(facts, more...) }
	faults := c.dryRun(a)
	for _, fault := range faults {
		add(store.Fact{Fatal: true, About: fault.about, Found: sentence(fault.err), Fix: "see jotgate serve --help"})
	}
	if len(faults) == 0 {
		add(store.Fact{OK: true, About: "settings of serve", Found: "all understood"})
	}
	unknown, err := (&source{env: a.env}).unknownVariables()
	if err != nil {
		add(store.Fact{About: "environment", Found: err.Error()})
	}
	for _, variable := range unknown {
		add(store.Fact{About: "environment", Found: "there is no setting " + variable, Fix: "it has no effect: correct or remove it"})
	}
	add(c.clientFacts()...)
	add(c.addressFact(a.ctx))
	if f, ok := c.mailFact(a, faults); ok {
		add(f)
	}
	add(c.claimHookFacts(a)...)
	add(c.providerFacts(a)...)
	add(c.passkeyFacts(a, migrated)...)
	const otherwise = "requests get 502 until it listens"
	if path, ok := socketPath(c.Upstream); ok {
		add(reach(a.ctx, "upstream "+c.Upstream, "unix", path, otherwise))
	} else if u, err := url.Parse(c.Upstream); err == nil && u.Host != "" {
		add(reach(a.ctx, "upstream "+u.Host, "tcp", hostPort(u), otherwise))
	}
	return facts
}

// addressFact tries to listen. It is not an error if serve is already
// running.
func (c *doctorCommand) addressFact(ctx context.Context) store.Fact {
	f := store.Fact{OK: true, About: "--addr", Found: c.Addr + " is free"}
	addr, err := c.address()
	if err != nil {
		return store.Fact{Fatal: true, About: f.About, Found: sentence(err), Fix: "give it as HOST:PORT or unix:PATH"}
	}
	if path, ok := socketPath(addr); ok {
		return socketFact(ctx, f, path)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		f.Found, f.Fix = err.Error(), "right if serve is running; otherwise another program has the address, or this machine has not: see --addr"
		return f
	}
	_ = listener.Close()
	return f
}

// socketFact looks at the path of the socket without changing it.
func socketFact(ctx context.Context, f store.Fact, path string) store.Fact {
	f.Fix = "right if serve is running; otherwise remove it or choose another path: see --addr"
	found, err := os.Lstat(path)
	switch {
	case err == nil && found.Mode().Type() != fs.ModeSocket:
		f.OK, f.Found = false, path+" is a file that is not a socket"
	case err == nil:
		conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err != nil {
			f.Fix = ""
			return f
		}
		_ = conn.Close()
		f.Found = path + " is in use"
	default:
		f.Fix = ""
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			f.OK, f.Found, f.Fix = false, sentence(err), "make the folder of the socket: RuntimeDirectory= of systemd does"
		}
	}
	return f
}

// mailFact tries to log in to the mail server.
func (c *doctorCommand) mailFact(a *app, faults []fault) (f store.Fact, ok bool) {
	f = store.Fact{OK: true, About: "mail server", Found: "none: no e-mail is sent", Fix: "for production set --mail-server and --mail-from"}
	switch {
	case c.PrintEmails:
		f.Found = "none: e-mails are printed"
	case c.SendActivationEmail:
		f.OK, f.Fix = false, "set --mail-server and --mail-from: with --send-activation-email nobody can activate a new account without them"
	}
	broken := slices.ContainsFunc(faults, func(f fault) bool { return f.about == "mail" })
	if c.MailServer == "" || broken {
		return f, !broken
	}
	f.OK, f.Found, f.Fix = true, "reached", "try it with jotgate email test ADDRESS"
	gate, err := c.dryRunGate(a, slog.New(slog.DiscardHandler))
	if err != nil {
		return f, false // already reported as a fault
	}
	sender, err := c.mailFlags.sender(a, gate, noOutbox{}, cmp.Or(c.BaseURL, "http://127.0.0.1"), slog.New(slog.DiscardHandler))
	if err != nil {
		return f, false
	}
	ctx, cancel := context.WithTimeout(a.ctx, reachTime)
	defer cancel()
	if err := sender.Check(ctx); err != nil {
		f.OK, f.Found, f.Fix = false, sentence(err), "no e-mail leaves; it waits in the outbox: check --mail-server, its user and password, and the network"
	}
	return f, true
}

// clientFacts are notes about front ends that expect other settings.
func (c *doctorCommand) clientFacts() (facts []store.Fact) {
	note := func(about, found, fix string) {
		facts = append(facts, store.Fact{OK: true, About: about, Found: found, Fix: fix})
	}
	if !c.KeepRefreshTokens && !c.RefreshCookie {
		note("refresh tokens", "rotate: each refresh returns a new one", "a client written for SimpleJWT's default keeps its first one and is logged out: store both tokens, or start with --keep-refresh-tokens")
	}
	if !slices.Contains(c.HeaderTypes, "JWT") {
		note("--header-types", strings.Join(c.HeaderTypes, ", "), "many djoser front ends send Authorization: JWT …; they need --header-types=Bearer,Token,JWT")
	}
	for _, origin := range c.CORSOrigins {
		if u, err := url.Parse(origin); c.RefreshCookie && err == nil && isLoopback(u.Hostname()) {
			note("--cors-origins", origin, "the page must call this API at "+u.Scheme+"://"+u.Hostname()+":PORT: browsers send the cookie to no other name, so localhost and 127.0.0.1 do not mix")
		}
	}
	return facts
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// reach tries to open a connection.
func reach(ctx context.Context, about, network, address, otherwise string) store.Fact {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return store.Fact{About: about, Found: fmt.Sprint("cannot be reached: ", err), Fix: otherwise}
	}
	_ = conn.Close()
	return store.Fact{OK: true, About: about, Found: "reached"}
}

// hostPort returns the host and port of a URL.
func hostPort(u *url.URL) string {
	port := "80"
	if u.Scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
}
