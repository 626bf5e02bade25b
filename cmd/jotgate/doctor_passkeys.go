package main

// What doctor reports about passkeys: the site they belong to, and whether the pages
// can use them.

import (
	"cmp"
	"errors"
	"net/url"
	"strings"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// passkeyFacts compares the RP ID and the origins of serve with its address, and
// with the RP ID that passkeys of this database were registered for.
func (c *doctorCommand) passkeyFacts(a *app, migrated bool) []store.Fact {
	f := c.serveFlags
	f.passkeyDefaults("http://" + c.Addr)
	pinned := ""
	if migrated {
		var err error
		if pinned, err = c.pinnedRPID(a); err != nil {
			return []store.Fact{{About: "passkeys", Found: sentence(err), Fix: "serve reads it at its start"}}
		}
	}
	site := store.Fact{OK: true, About: "--rp-id", Found: f.RPID}
	switch {
	case f.RPID == "" && pinned != "":
		site.OK, site.Found = false, "none, but there are passkeys of "+pinned
		site.Fix = "nobody can use them: set --rp-id=" + pinned + ", and --base-url to an https address"
	case f.RPID == "":
		site.Found, site.Fix = "none: passkeys are off", "set --base-url to an https address with a host name; browsers refuse passkeys at an IP address"
	case pinned == "":
		site.Fix = "the first passkey fixes it: choose the domain that will stay"
	case pinned != f.RPID:
		site.Fatal, site.OK, site.Found = true, false, f.RPID+", but the passkeys of this database are of "+pinned
		site.Fix = "set --rp-id=" + pinned + " and list the addresses of the pages in --rp-origins; browsers do not offer them for another"
	default:
		site.Found += ", that of the passkeys of this database"
	}
	if f.RPID == "" {
		return []store.Fact{site}
	}
	return []store.Fact{site, f.originFact()}
}

// pinnedRPID reads the RP ID of the passkeys of the database, or "".
func (c *doctorCommand) pinnedRPID(a *app) (id string, err error) {
	db, err := c.open(a, inspecting)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Factors().Setting(a.ctx, record.PinnedRPID)
}

// originFact says whether the pages at --base-url can use passkeys.
func (f *serveFlags) originFact() store.Fact {
	fact := store.Fact{OK: true, About: "--rp-origins", Found: cmp.Or(strings.Join(f.RPOrigins, ", "), "https://"+f.RPID)}
	u, err := url.Parse(f.BaseURL)
	if err != nil || f.BaseURL == "" {
		return fact
	}
	origin := u.Scheme + "://" + strings.ToLower(u.Host)
	for allowed := range strings.SplitSeq(fact.Found, ", ") {
		if allowed == origin {
			return fact
		}
	}
	fact.OK = false
	fact.Fix = "the pages at --base-url cannot use passkeys: add " + origin + " to --rp-origins; one outside --rp-id is listed in /.well-known/webauthn of " + f.RPID
	return fact
}
