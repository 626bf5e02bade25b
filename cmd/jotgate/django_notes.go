package main

// Settings of a site without an equivalent flag: what is different here if they
// do not have their default.

import (
	"maps"
	"slices"
	"strings"

	"github.com/jotgate/jotgate/store"
)

// siteNote is a sentence about some settings.
type siteNote struct {
	// settings are their paths in the dump, separated by spaces. PATH=VALUE has the
	// library's default; without it, every value that is empty or false is one.
	settings string
	why      string
}

const (
	noSerializer = "serializers are not run: --claims and --user-fields say what tokens and responses have; more is Go code (Settings.CustomClaims)"
	noSliding    = "jotgate issues access and refresh tokens only: sliding and other tokens are rejected"
	ownCookie    = "jotgate's cookies are HttpOnly, Secure and for its host alone; --refresh-cookie-same-site is for pages on another site"
	ownFields    = "what a sign-up takes is in --user-fields and --user-create-password-retype"
	notCreated   = "jotgate creates neither sessions of Django nor tokens of rest_framework.authtoken"
	othersEnd    = "here the other sessions end in any case (--keep-sessions-on-password-change)"
	ownLifetimes = "jotgate's sessions end after --refresh-token-lifetime without use and after --session-lifetime"
	ownLinks     = "--mail-site and --mail-base-url name the site in e-mails"
	inCode       = "code of the site is not run; in Go there are Settings.Users, OnEvent and OnError"
)

// siteNotes are looked at after siteRules. In a path, * matches the rest of
// the name.
var siteNotes = []siteNote{
	{"SIMPLE_JWT.JTI_CLAIM=jti SIMPLE_JWT.TOKEN_TYPE_CLAIM=token_type", "jotgate has jti and token_type and no others"},
	{"SIMPLE_JWT.AUTH_TOKEN_CLASSES=rest_framework_simplejwt.tokens.AccessToken SIMPLE_JWT.SLIDING_*", noSliding},
	{"SIMPLE_JWT.USER_AUTHENTICATION_RULE=rest_framework_simplejwt.authentication.default_user_authentication_rule SIMPLE_JWT.ON_LOGIN_*", inCode},
	{"SIMPLE_JWT.CHECK_USER_IS_ACTIVE=true", "here tokens of inactive accounts are always rejected"},
	{"SIMPLE_JWT.TOKEN_OBTAIN_SERIALIZER=rest_framework_simplejwt.serializers.TokenObtainPairSerializer SIMPLE_JWT.TOKEN_* DJOSER.SERIALIZERS DJOSER.CONSTANTS " +
		"REST_AUTH.*_SERIALIZER REST_AUTH.JWT_SERIALIZER_* REST_AUTH_SERIALIZERS REST_AUTH_REGISTER_SERIALIZERS", noSerializer},
	{"SIMPLE_JWT.JWK_URL", "Django verifies with the keys published there: it may be jotgate's /.well-known/jwks.json"},
	{"DJOSER.USER_ID_FIELD=id", "users are named by their primary key here"},
	{"DJOSER.PERMISSIONS", "permissions are djoser's defaults here: a user's own row, or any for staff"},
	{"DJOSER.EMAIL ACCOUNT_EMAIL_SUBJECT_PREFIX", "texts of e-mails are in --mail-templates"},
	{"DJOSER.LOGOUT_ON_PASSWORD_CHANGE REST_AUTH.LOGOUT_ON_* LOGOUT_ON_PASSWORD_CHANGE ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE", othersEnd},
	{"SOCIALACCOUNT_EMAIL_AUTHENTICATION SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT", "--link-verified-emails connects an account at a provider to the one here that has the same verified address"},
	{"SOCIALACCOUNT_STORE_TOKENS", "tokens of providers are not kept here"},
	{"DJOSER.SOCIAL_AUTH_* SOCIAL_AUTH_*_KEY SOCIAL_AUTH_*_SECRET", "logins with other providers are set by --providers (docs/providers.md) and begin on the login page, not at auth/o/; connections of social_django are not read: users connect again on the page Security"},
	{"SOCIALACCOUNT_ONLY", "a login by password stays possible here: --providers adds buttons to it"},
	{"DJOSER.CREATE_SESSION_ON_LOGIN DJOSER.TOKEN_MODEL=rest_framework.authtoken.models.Token REST_AUTH.TOKEN_* REST_AUTH.SESSION_LOGIN REST_AUTH_TOKEN_* REST_SESSION_LOGIN", notCreated},
	{"DJOSER.WEBAUTHN", "passkeys are set up anew, with --rp-id and --rp-origins"},
	{"CORS_ALLOW_ALL_ORIGINS CORS_ORIGIN_ALLOW_ALL CORS_ALLOWED_ORIGIN_REGEXES CORS_ORIGIN_REGEX_WHITELIST", "name the origins in --cors-origins"},
	{"CORS_URLS_REGEX=^.*$ CORS_ALLOW_METHODS=DELETE,GET,OPTIONS,PATCH,POST,PUT", "every endpoint answers the origins of --cors-origins, with its own methods"},
	{"SECRET_KEY_FALLBACKS", "give them as --secret-key-fallbacks or SECRET_KEY_FALLBACKS"},
	{"USE_X_FORWARDED_HOST REST_FRAMEWORK.NUM_PROXIES ALLAUTH_TRUSTED_*", "jotgate reads X-Forwarded-For, -Proto and -Host of the proxies in --trusted-proxies only: name their addresses"},
	{"USE_X_FORWARDED_PORT", "jotgate does not read X-Forwarded-Port: the port belongs in --base-url"},
	{"EMAIL_SSL_CERTFILE EMAIL_SSL_KEYFILE", "jotgate shows no certificate to a mail server: name one that takes a password"},
	{"SESSION_COOKIE_AGE=1209600 SESSION_EXPIRE_AT_BROWSER_CLOSE SESSION_SAVE_EVERY_REQUEST ACCOUNT_SESSION_*", ownLifetimes},
	{"SESSION_COOKIE_DOMAIN SESSION_COOKIE_SAMESITE=Lax CSRF_COOKIE_DOMAIN CSRF_COOKIE_SAMESITE=Lax REST_AUTH.JWT_AUTH_REFRESH_COOKIE_PATH=/ REST_AUTH.JWT_AUTH_COOKIE_DOMAIN " +
		"REST_AUTH.JWT_AUTH_HTTPONLY=true JWT_AUTH_HTTPONLY=true JWT_AUTH_REFRESH_COOKIE_PATH=/", ownCookie},
	{"CSRF_TRUSTED_ORIGINS", "jotgate asks for no CSRF token, but for an Origin that is its own (--base-url, --trusted-proxies) or in --cors-origins"},
	{"SECURE_SSL_REDIRECT SECURE_SSL_HOST", "the gateway redirects to https; without one, --tls-redirect does"},
	{"SECURE_HSTS_*=0", "the gateway sends Strict-Transport-Security; without one, --hsts does"},
	{"LOGIN_REDIRECT_URL=/accounts/profile/ LOGOUT_REDIRECT_URL LOGIN_URL=/accounts/login/", "jotgate's pages are under --pages-path and lead to --home-url"},
	{"APPEND_SLASH=true PREPEND_WWW DISALLOWED_USER_AGENTS", "jotgate does not do so: the gateway must"},
	{"DATABASE_ROUTERS", "jotgate has one --database: the user tables and those that refer to them must be in it"},
	{"DEFAULT_HASHING_ALGORITHM=sha256", "with sha1 the links of each side are not valid at the other: remove the setting"},
	{"SITE_ID REST_AUTH.PASSWORD_RESET_USE_SITES_DOMAIN", ownLinks},
	{"REST_FRAMEWORK.DEFAULT_PAGINATION_CLASS", "the list of users has no pages of {count, next, results}: it is a list, with a Link header after a thousand"},
	{"REST_FRAMEWORK.EXCEPTION_HANDLER=rest_framework.views.exception_handler", inCode},
	{"REST_FRAMEWORK.NON_FIELD_ERRORS_KEY=non_field_errors", "the key is non_field_errors here"},
	{"REST_FRAMEWORK.DATETIME_FORMAT=iso-8601 REST_FRAMEWORK.DATE_FORMAT=iso-8601 REST_FRAMEWORK.COERCE_DECIMAL_TO_STRING=true", "times are in ISO 8601 here, and decimals are strings"},
	{"REST_FRAMEWORK.DEFAULT_VERSIONING_CLASS", "jotgate's paths have no version; --prefix puts them under one"},
	{"REST_AUTH.REGISTER_PERMISSION_CLASSES REST_AUTH_REGISTER_PERMISSION_CLASSES", "the sign-up is open to all here; --no-signup closes it"},
	{"REST_AUTH.JWT_AUTH_COOKIE JWT_AUTH_COOKIE", "the access token is in bodies and in a header here, never in a cookie"},
	{"REST_AUTH.JWT_AUTH_RETURN_EXPIRATION JWT_AUTH_RETURN_EXPIRATION", "there is no access_expiration: the claim exp of each token has it"},
	{"REST_AUTH.OLD_PASSWORD_FIELD_ENABLED=true OLD_PASSWORD_FIELD_ENABLED=true", "here a change of password always needs current_password"},
	{"ACCOUNT_ADAPTER=allauth.account.adapter.DefaultAccountAdapter SOCIALACCOUNT_ADAPTER MFA_ADAPTER=allauth.mfa.adapter.DefaultMFAAdapter", "an adapter's code is not run: close the sign-up with --no-signup"},
	{"ACCOUNT_RATE_LIMITS ACCOUNT_LOGIN_ATTEMPTS_*", "the limits are --rate, --email-limit and the delays after failed logins"},
	{"ACCOUNT_AUTHENTICATION_METHOD=username ACCOUNT_LOGIN_METHODS=username ACCOUNT_USER_MODEL_*", "users log in by the column of --username-column"},
	{"ACCOUNT_SIGNUP_FIELDS ACCOUNT_EMAIL_REQUIRED ACCOUNT_USERNAME_REQUIRED=true ACCOUNT_SIGNUP_FORM_CLASS ACCOUNT_SIGNUP_*", ownFields},
	{"ACCOUNT_PASSWORD_MIN_LENGTH", "the minimum is --password-min-length"},
	{"ACCOUNT_USERNAME_BLACKLIST ACCOUNT_USERNAME_MIN_LENGTH=1 ACCOUNT_USERNAME_VALIDATORS ACCOUNT_PRESERVE_USERNAME_CASING=true ACCOUNT_UNIQUE_EMAIL=true", "the rules for names and addresses are Django's, those of the columns and --similar-names"},
	{"ACCOUNT_EMAIL_NOTIFICATIONS", "those e-mails are --password-changed-email, --email-changed-email, --username-changed-email and --new-sign-in-email"},
	{"ACCOUNT_LOGIN_BY_CODE_* ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED ACCOUNT_PHONE_*", "codes in messages are not offered here, but links in e-mails"},
	{"ACCOUNT_REAUTHENTICATION_*", "how recent a login must be is --step-up-lifetime"},
	{"MFA_SUPPORTED_TYPES=recovery_codes,totp MFA_PASSKEY_LOGIN_ENABLED", "here users set up apps, recovery codes and passkeys; --require-mfa says who must"},
	{"MFA_TOTP_PERIOD=30 MFA_TOTP_DIGITS=6", "here codes have 6 digits and change every 30 seconds: apps set up at Django do not work"},
	{"MFA_TOTP_TOLERANCE=0", "how long an earlier code is accepted is --totp-grace"},
	{"MFA_TOTP_INSECURE_BYPASS_CODE", "jotgate accepts no code without an app"},
	{"HEADLESS_*", "clients of allauth.headless stay at Django: the paths here are SimpleJWT's and djoser's"},
}

// apart returns the facts about the settings that do not have their default, and
// marks them as known. A setting that several notes match has the first.
func (d dump) apart(known map[string]bool) (facts []store.Fact) {
	for _, n := range siteNotes {
		for _, setting := range strings.Fields(n.settings) {
			pattern, absent, has := strings.Cut(setting, "=")
			for _, path := range d.matching(pattern) {
				if v := d.get(path); !known[path] && !isDefault(v, absent, has) {
					facts = append(facts, store.Fact{OK: true, About: path, Found: shownSetting(path, v), Fix: n.why})
				}
				known[path] = true
			}
		}
	}
	return facts
}

// matching returns the paths of the dump that match a pattern.
func (d dump) matching(pattern string) []string {
	before, after, many := strings.Cut(pattern, "*")
	if !many {
		return []string{pattern}
	}
	group, _, inner := strings.Cut(pattern, ".")
	settings, prefix := map[string]any(d), ""
	if inner {
		settings, _ = d[group].(map[string]any)
		prefix = group + "."
	}
	var paths []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if path := prefix + name; strings.HasPrefix(path, before) && strings.HasSuffix(path, after) {
			paths = append(paths, path)
		}
	}
	return paths
}

// isDefault compares a value with a default.
func isDefault(v any, absent string, has bool) bool {
	text := strings.Join(listOf(v), ",")
	if m, ok := v.(map[string]any); ok && len(m) == 0 {
		text = ""
	}
	return v == nil || has && text == absent || text == "" || !has && text == "false" || absent == "0" && text == "false"
}
