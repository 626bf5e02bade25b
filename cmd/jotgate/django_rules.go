package main

// The settings of Django, Django REST framework, SimpleJWT, djoser,
// django-cors-headers and allauth, and what stands for each here. The names and
// defaults are from django/conf/global_settings.py,
// rest_framework_simplejwt/settings.py, djoser/conf.py and corsheaders/conf.py.

import (
	"fmt"
	"slices"
	"strings"
)

// siteRule is one setting of a site.
type siteRule struct {
	path   string // in the dump
	absent any    // the library's default
	flag   string // the flag of serve that stands for it; "" for none
	// read returns the flag's value, or says what differs here; nil takes the
	// value as it is.
	read func(v any, d dump) (value any, differs string)
	// names reports that what differs begins with the elements that it is about
	// and a colon.
	names bool
	only  func(d dump) bool // whether the setting has a meaning; nil: always
}

// same returns a rule for a setting whose value is the flag's.
func same(path string, absent any, flag string) siteRule {
	return siteRule{path: path, absent: absent, flag: flag}
}

// lasting returns a rule for a duration.
func lasting(path, absent, flag string) siteRule {
	return siteRule{path: path, absent: absent, flag: flag, read: func(v any, _ dump) (any, string) {
		return pythonValue(v), ""
	}}
}

// djoser returns a rule that applies only if the site has djoser.
func djoser(path string, absent any, flag string) siteRule {
	return siteRule{path: "DJOSER." + path, absent: absent, flag: flag, only: hasDjoser}
}

func hasDjoser(d dump) bool { return d.get("DJOSER") != nil || d.installed("djoser") }

func hasCORS(d dump) bool { return d.installed("corsheaders") }

var siteRules = slices.Concat(jwtRules, djoserRules, djangoRules, mailRules, restRules, corsRules)

var jwtRules = []siteRule{
	same("SIMPLE_JWT.ISSUER", "", "issuer"),
	{path: "SIMPLE_JWT.AUDIENCE", flag: "audience", read: func(v any, _ dump) (any, string) { return listOf(v), "" }},
	lasting("SIMPLE_JWT.LEEWAY", "0s", "leeway"),
	lasting("SIMPLE_JWT.ACCESS_TOKEN_LIFETIME", "5m", "access-token-lifetime"),
	{path: "SIMPLE_JWT.REFRESH_TOKEN_LIFETIME", absent: "1d", flag: "refresh-token-lifetime", read: refreshLifetime},
	{path: "SIMPLE_JWT.ROTATE_REFRESH_TOKENS", absent: false, flag: "keep-refresh-tokens", read: func(v any, _ dump) (any, string) { return v != true, "" }},
	{path: "SIMPLE_JWT.BLACKLIST_AFTER_ROTATION", absent: false, read: func(v any, d dump) (any, string) {
		if v == true || d.get("SIMPLE_JWT.ROTATE_REFRESH_TOKENS") != true {
			return nil, ""
		}
		return nil, "there a refresh token that was replaced stays valid; here using one again ends the session: clients must store the new one"
	}},
	same("SIMPLE_JWT.USER_ID_CLAIM", "user_id", "user-id-claim"),
	{path: "SIMPLE_JWT.USER_ID_FIELD", absent: "id", flag: "user-id-field", read: userIDField},
	same("SIMPLE_JWT.CHECK_REVOKE_TOKEN", false, "check-revoke-token"),
	same("SIMPLE_JWT.REVOKE_TOKEN_CLAIM", "hash_password", "revoke-token-claim"),
	same("SIMPLE_JWT.UPDATE_LAST_LOGIN", false, "update-last-login"),
	{path: "SIMPLE_JWT.AUTH_HEADER_TYPES", absent: "Bearer", flag: "header-types", read: func(v any, _ dump) (any, string) { return listOf(v), "" }},
	{path: "SIMPLE_JWT.AUTH_HEADER_NAME", absent: "HTTP_AUTHORIZATION", flag: "header-name", read: headerName},
}

func refreshLifetime(v any, d dump) (any, string) {
	refresh, access := pythonValue(v), pythonValue(d.or("SIMPLE_JWT.ACCESS_TOKEN_LIFETIME", "5m"))
	r, errR := parseDuration(refresh)
	a, errA := parseDuration(access)
	if errR == nil && errA == nil && r < a {
		return access, "it is shorter than ACCESS_TOKEN_LIFETIME; here a session lives as long as its access tokens"
	}
	return refresh, ""
}

func userIDField(v any, d dump) (any, string) {
	field := fmt.Sprint(v)
	switch field {
	case "id", "pk", fmt.Sprint(d.or("USER_MODEL.pk", "id")):
		return "id", ""
	case "username", fmt.Sprint(d.or("USER_MODEL.username", "username")):
		return "username", ""
	}
	return nil, "the claim can hold the primary key or the login name: neither side can use the other's tokens"
}

// headerName converts a name of WSGI's environment.
func headerName(v any, _ dump) (any, string) {
	name, ok := strings.CutPrefix(fmt.Sprint(v), "HTTP_")
	if !ok {
		return nil, "it is not the name of a header in WSGI's form, HTTP_…"
	}
	words := strings.Split(strings.ToLower(name), "_")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:min(1, len(w))]) + w[min(1, len(w)):]
	}
	return strings.Join(words, "-"), ""
}

var djoserRules = []siteRule{
	djoser("USER_CREATE_PASSWORD_RETYPE", false, "user-create-password-retype"),
	djoser("SET_PASSWORD_RETYPE", false, "set-password-retype"),
	djoser("PASSWORD_RESET_CONFIRM_RETYPE", false, "password-reset-confirm-retype"),
	djoser("SET_USERNAME_RETYPE", false, "set-username-retype"),
	djoser("USERNAME_RESET_CONFIRM_RETYPE", false, "username-reset-confirm-retype"),
	djoser("PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND", false, "insecure-password-reset-show-email-not-found"),
	djoser("USERNAME_RESET_SHOW_EMAIL_NOT_FOUND", false, "insecure-username-reset-show-email-not-found"),
	djoser("SEND_ACTIVATION_EMAIL", false, "send-activation-email"),
	djoser("SEND_CONFIRMATION_EMAIL", false, "send-confirmation-email"),
	djoser("PASSWORD_CHANGED_EMAIL_CONFIRMATION", false, "password-changed-email"),
	djoser("USERNAME_CHANGED_EMAIL_CONFIRMATION", false, "username-changed-email"),
	djoser("ACTIVATION_URL", nil, "activation-path"),
	djoser("PASSWORD_RESET_CONFIRM_URL", nil, "password-reset-path"),
	djoser("USERNAME_RESET_CONFIRM_URL", nil, "username-reset-path"),
	{path: "DJOSER.HIDE_USERS", absent: true, flag: "insecure-show-users", only: hasDjoser, read: func(v any, _ dump) (any, string) { return v == false, "" }},
	{path: "DJOSER.LOGIN_FIELD", absent: nil, flag: "username-column", only: func(d dump) bool { return d.get("DJOSER.LOGIN_FIELD") != nil }},
}

var corsRules = []siteRule{
	{path: "CORS_ALLOWED_ORIGINS", flag: "cors-origins", only: hasCORS, read: func(v any, _ dump) (any, string) {
		return listOf(v), ""
	}},
	{path: "CORS_ORIGIN_WHITELIST", flag: "cors-origins", only: func(d dump) bool { return hasCORS(d) && d.get("CORS_ALLOWED_ORIGINS") == nil }, read: func(v any, _ dump) (any, string) {
		return listOf(v), ""
	}},
	{path: "CORS_ALLOW_HEADERS", flag: "cors-headers", only: hasCORS, read: func(v any, _ dump) (any, string) {
		return slices.DeleteFunc(listOf(v), func(h string) bool { return slices.Contains(corsDefaultHeaders, strings.ToLower(h)) }), ""
	}},
	{path: "CORS_EXPOSE_HEADERS", flag: "cors-expose-headers", only: hasCORS, read: func(v any, _ dump) (any, string) { return listOf(v), "" }},
	{path: "CORS_ALLOW_CREDENTIALS", absent: false, flag: "cors-credentials", only: hasCORS},
}

// corsDefaultHeaders are those of django-cors-headers.
var corsDefaultHeaders = []string{
	"accept", "accept-encoding", "authorization", "content-type", "dnt", "origin", "user-agent", "x-csrftoken", "x-requested-with",
}
