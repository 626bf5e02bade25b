// Package gateways puts the real nginx and Caddy, with the configuration files
// of examples/gateways, and jotgate's own proxy before an API, and tries to get
// past them. Envoy and Traefik are not among Debian's packages: of their files
// only the text is checked.
package gateways
