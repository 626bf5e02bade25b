// Package gateways puts the real nginx, Caddy, HAProxy, Apache and lighttpd, with
// the configuration files of examples/gateways, and jotgate's own proxy before an
// API, and tries to get past them; PHP, a CGI script and PHP over FastCGI show what
// a forged header becomes behind them. Envoy and Traefik are not among Debian's
// packages: of their files only the text is checked. Tests of an application whose users
// sign in on the pages run nginx-pages.conf, Caddyfile-pages and haproxy-pages.cfg.
package gateways
