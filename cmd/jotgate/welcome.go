package main

// What serve prints when it is ready: commands that work with its settings.

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/store"
)

// welcome prints where the server is and what to try. What it prints before the
// demo's requests is one write, so that a reader that finds the address in the
// output finds the rest as well.
func (c *serveCommand) welcome(a *app, listener net.Listener, gate *jotgate.Gate, db *store.Store) error {
	text := fmt.Sprintf("jotgate is listening on %s, with its users in %s\n", c.placeOf(listener), c.shown())
	if c.Demo {
		a.printf("%s", text)
		return c.demonstrate(a, listener, gate, db)
	}
	open, first := "sign up and sign in", "sign up, log in"
	switch {
	case c.NoSignup:
		open, first = "sign in", "create alice with jotgate user create, log in"
	case c.SendActivationEmail:
		first = "sign up, follow the link in the e-mail, log in"
	}
	if c.Pages == "on" {
		text += fmt.Sprintf("\nOpen %s%s to %s.\n", c.pagesBase(listener), c.PagesPath, open)
	}
	a.printf("%s\nTry it: %s, and ask who you are with the access token that comes back.\n\n%s\n", text, first, c.commands(listener))
	return nil
}

// commands returns the lines to try.
func (c *serveCommand) commands(listener net.Listener) (lines string) {
	base, curl := c.baseOf(listener), "curl"
	if address, socket := listener.Addr().(*net.UnixAddr); socket {
		curl += " --unix-socket " + address.Name
	}
	if host := c.hostFor(base); host != "" {
		curl += ` -H "Host: ` + host + `"`
	}
	login := " -d " + c.UsernameColumn + "=alice"
	if c.UsernameColumn == "email" {
		login += "@example.com"
	}
	login += " -d password=correct-horse-1 "
	if !c.NoSignup {
		again := ""
		if c.UserCreatePasswordRetype {
			again = "-d re_password=correct-horse-1 "
		}
		if c.SendActivationEmail && c.UsernameColumn != "email" {
			again += "-d email=alice@example.com "
		}
		lines = "  " + curl + login + again + base + "/auth/users/\n"
	}
	lines += "  " + curl + login + base + "/api/token/\n"
	return lines + fmt.Sprintf("  %s -H \"%s: %s $TOKEN\" %s/auth/users/me/\n", curl, c.HeaderName, slices.Concat(c.HeaderTypes, []string{"Bearer"})[0], base)
}

// hostFor returns the Host header that a request to the base URL needs because
// of --allowed-hosts, or "".
func (c *serveCommand) hostFor(base string) string {
	u, err := url.Parse(base)
	if err != nil || len(c.AllowedHosts) == 0 || slices.Contains(c.AllowedHosts, u.Hostname()) {
		return ""
	}
	return strings.TrimPrefix(c.AllowedHosts[0], ".")
}

// pagesBase is the address above the pages that a browser opens: behind a proxy
// the public one.
func (c *serveCommand) pagesBase(listener net.Listener) string {
	if c.BaseURL != "" {
		return strings.TrimRight(c.BaseURL, "/")
	}
	return c.browserBase(listener)
}
