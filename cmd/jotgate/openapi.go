package main

// `openapi`: the description of every endpoint, as serve offers it.

import "github.com/jotgate/jotgate/api"

type openapiCommand struct{}

// Help is shown below the usage line.
func (openapiCommand) Help() string { return `    jotgate openapi > openapi.yaml` }

// Run prints it: OpenAPI 3.1 in YAML.
func (openapiCommand) Run(a *app) error {
	_, err := a.stdout.Write(api.OpenAPI())
	return err
}
