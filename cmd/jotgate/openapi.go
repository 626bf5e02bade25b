package main

// `openapi`: the description of every endpoint, as served by serve.

import "github.com/jotgate/jotgate/api"

type openapiCommand struct {
	loginFlags
	signupFlags
}

// Help is shown below the usage line.
func (openapiCommand) Help() string {
	return `Prints what serve with the same settings answers at /api/schema/.

    jotgate openapi > openapi.yaml`
}

// Run prints the description: OpenAPI 3.1 in YAML.
func (c openapiCommand) Run(a *app) error {
	_, err := a.stdout.Write(api.OpenAPI(c.UsernameColumn, api.Settings{NoSignup: c.NoSignup}))
	return err
}
