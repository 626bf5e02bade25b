package main

// The settings of a Django site about e-mail, the gateway before it, and
// dj-rest-auth.

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/provider"
)

// mailRules translate settings that have another form here.
var mailRules = []siteRule{
	{path: "EMAIL_HOST", absent: "localhost", flag: "mail-server", read: mailServer},
	{path: "EMAIL_BACKEND", absent: smtpBackend, read: mailBackend},
	{path: "DEFAULT_FROM_EMAIL", absent: djangoSender, flag: "mail-from", read: unless(djangoSender)},
	{path: "EMAIL_TIMEOUT", flag: "mail-timeout", read: func(v any, _ dump) (any, string) { return pythonValue(v), "" }},
	{path: "MAILERS", read: mailers},
	{path: "DOMAIN", flag: "mail-base-url", only: func(d dump) bool { return hasDjoser(d) && d.get("DJOSER.EMAIL_FRONTEND_DOMAIN") == nil }, read: frontEnd},
	{path: "SITE_NAME", flag: "mail-site", only: func(d dump) bool { return hasDjoser(d) && d.get("DJOSER.EMAIL_FRONTEND_SITE_NAME") == nil }},
	djoser("EMAIL_FRONTEND_SITE_NAME", nil, "mail-site"),
	{path: "DJOSER.EMAIL_FRONTEND_DOMAIN", flag: "mail-base-url", read: frontEnd},
	{path: "DJOSER.EMAIL_FRONTEND_PROTOCOL", read: func(_ any, d dump) (any, string) {
		if d.get("DJOSER.EMAIL_FRONTEND_DOMAIN") != nil {
			return nil, "" // read with it
		}
		return nil, "it belongs in --mail-base-url, with the front end's host"
	}},
	{path: "SECURE_PROXY_SSL_HEADER", read: proxyHeader},
	{path: "FORCE_SCRIPT_NAME", read: func(v any, _ dump) (any, string) {
		path := strings.TrimRight(fmt.Sprint(v), "/")
		if path == "" {
			return nil, ""
		}
		return nil, "if the gateway removes this path, give --base-url https://HOST" + path + "; if it does not, --prefix " + path
	}},
	{path: "PASSWORD_RESET_TIMEOUT_DAYS", absent: float64(3), flag: "password-reset-timeout", only: func(d dump) bool { return d.get("PASSWORD_RESET_TIMEOUT") == nil }, read: daysOf},
	{path: "MIDDLEWARE", names: true, read: middleware},
	{path: "INSTALLED_APPS", names: true, read: func(_ any, d dump) (any, string) {
		if !d.installed("dj_rest_auth") {
			return nil, ""
		}
		return nil, "dj_rest_auth: its paths (login/, registration/, password/change/) are not here: clients use those of SimpleJWT and djoser (docs/moving.md has a table), and without REST_AUTH USE_JWT they have been using other tokens"
	}},
	{path: "REST_AUTH.USE_JWT", read: tokensOf},
	{path: "REST_USE_JWT", read: tokensOf},
	{path: "REST_AUTH.JWT_AUTH_REFRESH_COOKIE", flag: "refresh-cookie", read: refreshCookie},
	{path: "JWT_AUTH_REFRESH_COOKIE", flag: "refresh-cookie", read: refreshCookie},
	{path: "REST_AUTH.JWT_AUTH_SAMESITE", absent: "Lax", flag: "refresh-cookie-same-site", read: sameSite, only: hasRefreshCookie},
	{path: "JWT_AUTH_SAMESITE", flag: "refresh-cookie-same-site", read: sameSite, only: hasRefreshCookie},
	{path: "SOCIALACCOUNT_PROVIDERS", names: true, read: providers},
	{path: "MFA_TOTP_ISSUER", flag: "mfa-issuer", read: unless("")},
	{path: "MFA_TRUST_ENABLED", flag: "trusted-browser", read: func(v any, d dump) (any, string) {
		if v != true {
			return nil, ""
		}
		return pythonValue(d.or("MFA_TRUST_COOKIE_AGE", "14 days, 0:00:00")), ""
	}},
	{path: "REST_FRAMEWORK.DEFAULT_RENDERER_CLASSES", read: formats},
	{path: "REST_FRAMEWORK.DEFAULT_PARSER_CLASSES", read: formats},
}

const (
	smtpBackend  = "django.core.mail.backends.smtp.EmailBackend"
	djangoSender = "webmaster@localhost"
)

// unless returns a rule's function for a setting that has no meaning with its
// default.
func unless(absent string) func(any, dump) (any, string) {
	return func(v any, _ dump) (any, string) {
		if v == absent {
			return nil, ""
		}
		return v, ""
	}
}

// mailOption returns an option of Django's default mailer: since Django 6.1 of
// MAILERS, before that of a separate setting.
func (d dump) mailOption(option, setting string) any {
	return first(d.get("MAILERS.default.OPTIONS."+option), d.get(setting))
}

// mailServer makes the URL of --mail-server. A password is not repeated: it
// would be in the config file.
func mailServer(_ any, d dump) (any, string) {
	host := fmt.Sprint(first(d.mailOption("host", "EMAIL_HOST"), "localhost"))
	port := strings.Join(listOf(first(d.mailOption("port", "EMAIL_PORT"), "25")), "")
	ssl, startTLS := d.mailOption("use_ssl", "EMAIL_USE_SSL") == true, d.mailOption("use_tls", "EMAIL_USE_TLS") == true
	user, _ := d.mailOption("username", "EMAIL_HOST_USER").(string)
	if d.backend() != smtpBackend || host == "localhost" && port == "25" && !ssl && !startTLS {
		return nil, "" // nothing is sent by SMTP, or the setting is Django's default
	}
	server := url.URL{Scheme: "smtp", Host: net.JoinHostPort(host, port)}
	if ssl {
		server.Scheme = "smtps"
	}
	switch {
	case user != "" && !ssl && !startTLS:
		return nil, "jotgate sends a password over TLS only: give a port of the server with TLS, as EMAIL_URL=smtp://USER:PASSWORD@HOST:587 in jotgate's environment"
	case user != "":
		server.User = url.UserPassword(user, "PASSWORD")
		return nil, "set EMAIL_URL=" + server.String() + " in jotgate's environment, with the password of EMAIL_HOST_PASSWORD: it is not written into a file"
	case !ssl && !startTLS:
		server.RawQuery = "tls=insecure-off"
		return server.String(), "without TLS, as Django sends"
	}
	return server.String(), ""
}

func (d dump) backend() string {
	return fmt.Sprint(first(d.get("MAILERS.default.BACKEND"), d.or("EMAIL_BACKEND", smtpBackend)))
}

func mailBackend(_ any, d dump) (any, string) {
	switch backend := d.backend(); {
	case backend == smtpBackend:
		return nil, ""
	case strings.Contains(backend, ".console."):
		return nil, "jotgate prints e-mails with --print-emails"
	default:
		return nil, "jotgate sends by SMTP only (--mail-server), not by " + backend
	}
}

// mailers names what is left of MAILERS: jotgate has one mail server.
func mailers(v any, _ dump) (any, string) {
	all, _ := v.(map[string]any)
	if len(all) < 2 {
		return nil, ""
	}
	return nil, "jotgate sends every e-mail through the mailer named default"
}

// frontEnd makes a URL of a host to which links in e-mails lead.
func frontEnd(v any, d dump) (any, string) {
	scheme := fmt.Sprint(d.or("DJOSER.EMAIL_FRONTEND_PROTOCOL", "https"))
	return scheme + "://" + strings.TrimRight(fmt.Sprint(v), "/"), ""
}

// proxyHeader explains SECURE_PROXY_SSL_HEADER. Django trusts the header of
// every peer; jotgate only that of known addresses.
func proxyHeader(v any, _ dump) (any, string) {
	header := fmt.Sprint(append(listOf(v), "")[0])
	if header == "HTTP_X_FORWARDED_PROTO" {
		return nil, "jotgate reads X-Forwarded-Proto of the proxies in --trusted-proxies only: name their addresses, or set --base-url https://…"
	}
	return nil, "jotgate does not read " + header + ": have the proxy send X-Forwarded-Proto and name it in --trusted-proxies, or set --base-url https://…"
}

func daysOf(v any, _ dump) (any, string) {
	days, err := strconv.Atoi(strings.Join(listOf(v), ""))
	if err != nil || days < 1 {
		return nil, "it is not a number of days: set --password-reset-timeout"
	}
	return formatDuration(time.Duration(days) * 24 * time.Hour), ""
}

// middleware names the middleware that is not Django's: it does not run before
// jotgate's endpoints.
func middleware(v any, _ dump) (any, string) {
	list := slices.DeleteFunc(listOf(v), func(name string) bool {
		return strings.HasPrefix(name, "django.") && !strings.HasSuffix(name, ".LoginRequiredMiddleware") ||
			strings.HasPrefix(name, "corsheaders.") || strings.HasPrefix(name, "whitenoise.") || strings.HasPrefix(name, "allauth.")
	})
	if len(list) == 0 {
		return nil, ""
	}
	return nil, strings.Join(list, ", ") + ": does not run before jotgate's endpoints"
}

func tokensOf(v any, _ dump) (any, string) {
	if v == true {
		return nil, ""
	}
	return nil, "dj-rest-auth returned tokens of rest_framework.authtoken; here clients get access and refresh tokens"
}

func refreshCookie(v any, _ dump) (any, string) {
	if v == "" || v == false {
		return nil, ""
	}
	return true, "the cookie is named __Secure-jotgate-refresh here"
}

func hasRefreshCookie(d dump) bool {
	v := first(d.get("REST_AUTH.JWT_AUTH_REFRESH_COOKIE"), d.get("JWT_AUTH_REFRESH_COOKIE"))
	return v != nil && v != "" && v != false
}

func sameSite(v any, _ dump) (any, string) {
	switch mode := strings.ToLower(fmt.Sprint(v)); mode {
	case "strict", "lax", "none":
		return mode, ""
	}
	return nil, "the cookie is SameSite=Strict here, or as --refresh-cookie-same-site says"
}

// providers says how each provider of allauth.socialaccount is set up here, and
// which stay at Django.
func providers(v any, _ dump) (any, string) {
	all, _ := v.(map[string]any)
	var here, rest []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch {
		case slices.Contains(provider.Presets(), name) || name == "openid_connect":
			here = append(here, name)
		default:
			rest = append(rest, name)
		}
	}
	var says []string
	if len(here) > 0 {
		says = append(says, strings.Join(here, ", ")+": put client_id and client_secret_file of each into --providers, or under providers in the configuration file, "+
			"and enter the redirect URI that jotgate doctor prints at the provider (docs/providers.md); connected accounts are kept")
	}
	if slices.Contains(here, "openid_connect") {
		says = append(says, "openid_connect: name each table as the provider_id of the app, with its server_url as issuer")
	}
	if len(rest) > 0 {
		says = append(says, strings.Join(rest, ", ")+": an OAuth 2 provider works with auth_url, token_url and userinfo_url in --providers, named as here; "+
			"logins by other protocols (SAML, OAuth 1, OpenID 2, Telegram) stay at Django, and their users can set a password for jotgate by a reset link")
	}
	return nil, strings.Join(says, "; ")
}

// formats names renderers and parsers that change the form of JSON.
func formats(v any, _ dump) (any, string) {
	list := slices.DeleteFunc(listOf(v), func(name string) bool {
		return strings.HasPrefix(name, "rest_framework.renderers.") || strings.HasPrefix(name, "rest_framework.parsers.") || strings.HasPrefix(name, "drf_orjson_renderer.")
	})
	if len(list) == 0 {
		return nil, ""
	}
	return nil, "bodies are JSON with the names of Django REST framework here, also if " + strings.Join(list, ", ") + " changes them"
}
