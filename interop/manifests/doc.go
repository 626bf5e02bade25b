// Package manifests judges the files with which jotgate is deployed: Kubernetes' types read the manifests, Compose's own
// parser the Compose files, Caddy its Caddyfile, Envoy's types the file for Envoy, actionlint (of tools/go.mod) the workflow; and
// the binary starts with the arguments and the environment that they give it and responds to their probes.
package manifests
