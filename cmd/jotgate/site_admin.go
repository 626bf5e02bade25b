package main

// The administration of serve: below a path, or at a separate address.

import (
	"context"
	"net/http"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
)

type adminFlags struct {
	Admin             string `group:"admin" default:"auto" enum:"auto,on,off" placeholder:"on|off" help:"Serve the administration to staff. Default: on; with --upstream off, since /admin/ may be the API's own."`
	AdminPath         string `group:"admin" default:"/admin/" placeholder:"PATH" help:"The path below which it is served, after --prefix."`
	AdminAddr         string `group:"admin" placeholder:"HOST:PORT" help:"Serve it only at this address, with the login pages. A port alone is one of 127.0.0.1. Default: at --addr."`
	AdminSetPasswords bool   `group:"admin" help:"Let administrators choose passwords for other users. Default: they send a link to choose one."`
}

// addAdmin makes the administration, unless it is off.
func (f *serveFlags) addAdmin(own *ownHandler, gate *jotgate.Gate) (err error) {
	if f.Admin == "off" || f.Admin == "auto" && f.Upstream != "" && f.AdminAddr == "" {
		return nil
	}
	path := strings.TrimRight(f.Prefix, "/") + f.AdminPath
	own.admin, err = admin.New(gate, admin.Options{
		Path: path, Site: f.SiteName, Logo: f.Logo, Accent: f.Accent, SetPasswords: f.AdminSetPasswords, Pages: own.pages, API: own.api, Emails: &own.emails,
	})
	if err != nil {
		return inFlags("admin", err)
	}
	if f.AdminAddr == "" {
		own.adminPath = path
	}
	return nil
}

// adminHandler returns what --admin-addr serves, nil if the administration is off.
func (f *serveFlags) adminHandler(own *ownHandler) http.Handler {
	if f.AdminAddr == "" || own.admin == nil {
		return nil
	}
	mux := http.NewServeMux()
	own.pages.Mount(mux)
	own.admin.Mount(mux)
	return mux
}

// listenAdmin opens --admin-addr.
func (f *serveFlags) listenAdmin(ctx context.Context, s *serving) (*sideServer, error) {
	if f.AdminAddr == "" || f.Admin == "off" {
		return nil, nil
	}
	return listenBeside(ctx, "--admin-addr", f.AdminAddr, s.current(func(g *generation) http.Handler { return g.admin }))
}
