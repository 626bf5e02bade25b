// The flags of passkeys.

package main

import (
	"cmp"
	"net"
	"net/url"
	"strings"

	"github.com/jotgate/jotgate/factor/passkey"
)

type passkeyFlags struct {
	RPID      string   `name:"rp-id" group:"login" placeholder:"HOST" help:"The site to which passkeys belong, such as example.com: they work there and at its subdomains. The first passkey stores it in the database; serve does not start with another one. Default: the host of --base-url, or localhost; none at an IP address."`
	RPOrigins []string `name:"rp-origins" group:"login" placeholder:"ORIGIN" help:"The pages and apps that use passkeys, such as https://www.example.com or android:apk-key-hash:…; those outside --rp-id are listed in /.well-known/webauthn. Default: --base-url and those of --cors-origins that are inside --rp-id."`
}

// passkeyDefaults sets the flags that are not given, for a server that listens
// at an address, such as http://127.0.0.1:8000.
func (f *serveFlags) passkeyDefaults(address string) {
	id, origin := passkey.DefaultID(cmp.Or(f.BaseURL, atLocalhost(address)))
	if f.RPID == "" {
		f.RPID = id
	}
	if f.RPID == "" || len(f.RPOrigins) > 0 {
		return
	}
	for _, candidate := range append([]string{origin}, f.CORSOrigins...) {
		rp, err := passkey.New(passkey.Settings{ID: f.RPID, Origins: []string{candidate}})
		if err == nil && rp.RelatedOrigins() == nil {
			f.RPOrigins = append(f.RPOrigins, candidate)
		}
	}
}

// browserBase returns baseOf as a browser on this machine opens it: over http at
// localhost, because browsers refuse passkeys at an IP address. Over https the
// certificate decides which name is right.
func (f *serveFlags) browserBase(listener net.Listener) string {
	base := f.baseOf(listener)
	if strings.HasPrefix(base, "https:") {
		return base
	}
	return cmp.Or(atLocalhost(base), base)
}

// atLocalhost returns a URL with the name localhost in place of 127.0.0.1 or
// [::1], the addresses of that name, or "" if its host is another one.
func atLocalhost(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	switch u.Hostname() {
	case "localhost":
	case "127.0.0.1", "::1":
		u.Host = strings.TrimSuffix("localhost:"+u.Port(), ":")
	default:
		return ""
	}
	return u.String()
}
