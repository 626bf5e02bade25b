package main

// `client`: creates, lists, changes and disables OAuth clients, which are programs
// with service accounts.

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// newOAuth makes the endpoints of clients, unless they are off.
func (f *serveFlags) newOAuth(gate *jotgate.Gate) *oauth.Server {
	if f.OAuth == "off" {
		return nil
	}
	var clients oauth.Store // nil in a rehearsal
	if db, ok := gate.Store().(*store.Store); ok {
		clients = db.Clients()
	}
	return oauth.New(gate, clients)
}

// resourceDefaults announces the metadata of the API in WWW-Authenticate if it is served.
// Another fault of the URL is reported as that of --base-url.
func (f *serveFlags) resourceDefaults() {
	if f.OAuth != "off" && isWebURL(f.BaseURL) && (f.Issuer == "" || isWebURL(f.Issuer)) {
		f.resource = f.BaseURL
	}
}

func isWebURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && u.RawQuery == "" && u.Fragment == ""
}

type clientCommands struct {
	Create  clientCreate  `cmd:"" help:"Create a client and its service account, and print its secret once."`
	List    clientList    `cmd:"" help:"List all clients."`
	Rotate  clientRotate  `cmd:"" help:"Give a client another secret, and print it once."`
	Set     clientSet     `cmd:"" help:"Change the scopes or the keys of a client."`
	Disable clientDisable `cmd:"" help:"Disable a client; its tokens are refused within a second."`
	Enable  clientEnable  `cmd:"" help:"Enable a client again."`
}

// clientArg names a client.
type clientArg struct {
	databaseFlags
	Client string `arg:"" help:"The client_id, or the name of the service account."`
}

// withClient calls do with the client.
func (f *clientArg) withClient(a *app, do func(db *store.Store, c *oauth.Client) error) error {
	return f.with(a, func(db *store.Store) error {
		c, err := db.Clients().Find(a.ctx, f.Client)
		if err == nil {
			return do(db, c)
		}
		if !errors.Is(err, jotgate.ErrNotFound) {
			return err
		}
		list, err := db.Clients().List(a.ctx)
		for i := range list {
			if list[i].Name == f.Client {
				return do(db, &list[i])
			}
		}
		return cmp.Or(err, fmt.Errorf("there is no client %s", f.Client))
	})
}

type clientCreate struct {
	databaseFlags
	listFlags
	Name  string   `arg:"" help:"The name of the client and username of its service account."`
	Scope []string `required:"" placeholder:"SCOPE" help:"What its tokens may be used for, such as orders:read; several are separated by commas or spaces."`
	Keys  string   `type:"existingfile" placeholder:"FILE" help:"The public keys that verify its assertions, a JWK Set or PEM. Default: a secret."`
}

// Help is shown below the usage line.
func (clientCreate) Help() string {
	return `    jotgate client create billing --scope orders:read
    jotgate client create reports --scope orders:read --keys reports.pem
    jotgate user add-to-group billing accounting

Standard output is the client_id and the secret, which is not stored and cannot be
shown again.`
}

// Run creates the client.
func (c *clientCreate) Run(a *app) error {
	r := oauth.Request{Name: c.Name, Scopes: scopesOf(c.Scope)}
	if c.Keys != "" {
		var err error
		if r.Keys, err = os.ReadFile(c.Keys); err != nil {
			return err
		}
	}
	return c.withNew(a, func(db *store.Store) error {
		created, err := oauth.NewClient(r, time.Now())
		if err != nil {
			return err
		}
		if _, err := c.freeName(a, db, created.Name); err != nil {
			return err
		}
		ctx := a.recording(record.Event{Name: "client", Detail: "created " + created.ID})
		if err := db.Clients().Create(ctx, &created.Client, created.Account()); err != nil {
			return err
		}
		return c.printClient(a, created)
	})
}

// printClient prints a client with its new secret.
func (f *listFlags) printClient(a *app, created oauth.Created) error {
	if f.JSON {
		return a.json(created)
	}
	a.print("client_id=" + created.ID)
	if created.Secret != "" {
		a.print("client_secret=" + created.Secret)
		a.warn("%s: scopes %s; the secret above cannot be shown again", created.Name, strings.Join(created.Scopes, " "))
	}
	return nil
}

type clientList struct {
	databaseFlags
	listFlags
}

// Help is shown below the usage line.
func (clientList) Help() string { return `    jotgate client list` }

// Run lists the clients in the order of their names.
func (c *clientList) Run(a *app) error {
	return c.with(a, func(db *store.Store) error {
		clients, err := db.Clients().List(a.ctx)
		if err != nil {
			return err
		}
		var rows [][]string
		for i := range clients {
			k := &clients[i]
			rows = append(rows, []string{k.ID, k.Name, strings.Join(k.Scopes, " "), k.Method(), when(k.Created), when(k.FormerUntil), when(k.Disabled)})
		}
		return c.show(a, append([]oauth.Client{}, clients...), "there are no clients", "CLIENT-ID NAME SCOPES METHOD CREATED FORMER-UNTIL DISABLED", rows)
	})
}

type clientRotate struct {
	clientArg
	listFlags
	Overlap time.Duration `default:"1d" placeholder:"TIME" help:"How long the former secret continues to work: 0, or 10m to 30d."`
}

// Help is shown below the usage line.
func (clientRotate) Help() string {
	return `    jotgate client rotate billing --overlap 1h

With --overlap 0 the former secret and all tokens are refused within a second.`
}

// Run rotates the secret.
func (c *clientRotate) Run(a *app) error {
	return c.withClient(a, func(db *store.Store, client *oauth.Client) error {
		ctx := a.recording(record.Event{Name: "client", User: client.User, Detail: "rotated " + client.ID})
		created, err := oauth.Rotate(ctx, db.Clients(), client.ID, c.Overlap, time.Now())
		if err != nil {
			return err
		}
		return c.printClient(a, created)
	})
}

type clientSet struct {
	clientArg
	Scope []string `placeholder:"SCOPE" help:"The scopes, which replace the former ones."`
	Keys  string   `type:"existingfile" placeholder:"FILE" help:"The public keys, which replace the former ones or the secret."`
}

// Help is shown below the usage line.
func (clientSet) Help() string {
	return `    jotgate client set billing --scope orders:read,orders:write

Tokens that were issued are refused within a second.`
}

// Run changes the client.
func (c *clientSet) Run(a *app) error {
	scopes := scopesOf(c.Scope)
	if len(scopes) == 0 && c.Keys == "" {
		return usage("give --scope or --keys")
	}
	var keys []byte
	if c.Keys != "" {
		var err error
		if keys, err = os.ReadFile(c.Keys); err != nil {
			return err
		}
	}
	return c.change(a, scopes, keys, nil, "changed")
}

// change changes the client, and says so.
func (f *clientArg) change(a *app, scopes []string, keys []byte, disabled *bool, done string) error {
	return f.withClient(a, func(db *store.Store, client *oauth.Client) error {
		change, err := oauth.NewChange(scopes, keys, disabled, time.Now())
		if err == nil {
			ctx := a.recording(record.Event{Name: "client", User: client.User, Detail: oauth.Describe(client.ID, change)})
			err = db.Clients().Change(ctx, client.ID, change)
		}
		if err != nil {
			return err
		}
		a.print(done + " client " + client.Name)
		return nil
	})
}

type clientDisable struct{ clientArg }

// Help is shown below the usage line.
func (clientDisable) Help() string { return `    jotgate client disable billing` }

// Run disables the client.
func (c *clientDisable) Run(a *app) error { return c.change(a, nil, nil, new(true), "disabled") }

type clientEnable struct{ clientArg }

// Help is shown below the usage line.
func (clientEnable) Help() string {
	return `    jotgate client enable billing

Its secrets work again; the tokens that were issued before do not.`
}

// Run enables the client.
func (c *clientEnable) Run(a *app) error { return c.change(a, nil, nil, new(false), "enabled") }
