package main

// `openapi`: the description of every endpoint, as served by serve.

import (
	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/record"
)

type openapiCommand struct{ serveFlags }

// Help is shown below the usage line.
func (openapiCommand) Help() string {
	return `Prints what serve with the same settings answers at /api/schema/.

    jotgate openapi > openapi.yaml

It takes the flags of serve and describes what they change: the header, the fields,
the path, and which endpoints there are.`
}

// Run prints the description: OpenAPI 3.1 in YAML.
func (c *openapiCommand) Run(a *app) error {
	fields, err := c.described(a)
	if err != nil {
		return err
	}
	c.passkeyDefaults("http://" + c.Addr)
	settings := c.requestFlags.settings(&c.mailFlags)
	if c.APIKeys != "off" {
		settings.APIKeys = new(apikey.Keys)
	}
	if c.OAuth != "off" {
		settings.OAuth = new(oauth.Server)
	}
	_, err = a.stdout.Write(api.OpenAPI(jotgate.Settings{
		LoginField: c.UsernameColumn, HeaderName: c.HeaderName, HeaderTypes: c.HeaderTypes,
		KeepRefreshTokens: c.KeepRefreshTokens, ServeRevocations: c.ServeRevocations,
		RPID: c.RPID, RPOrigins: c.RPOrigins,
	}, settings, fields...))
	return err
}

// described returns the further fields of users. Their types are those of the
// user table.
func (c *openapiCommand) described(a *app) (fields []record.UserField, err error) {
	if len(c.UserFields) == 0 {
		return nil, nil
	}
	db, err := c.open(a, inspecting)
	if err != nil {
		return nil, err
	}
	return db.Model().Fields, db.Close()
}
