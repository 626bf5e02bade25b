package main

// The settings of Django itself, of Django REST framework and of allauth.

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

var djangoRules = []siteRule{
	same("TIME_ZONE", "America/Chicago", "time-zone"),
	{
		path: "PASSWORD_RESET_TIMEOUT", absent: "3d", flag: "password-reset-timeout", read: func(v any, _ dump) (any, string) { return pythonValue(v), "" },
		only: func(d dump) bool {
			return d.get("PASSWORD_RESET_TIMEOUT") != nil || d.get("PASSWORD_RESET_TIMEOUT_DAYS") == nil
		},
	},
	{path: "PASSWORD_HASHERS", absent: "django.contrib.auth.hashers.PBKDF2PasswordHasher", flag: "hasher", read: hasherOf},
	{path: "AUTH_USER_MODEL", absent: "auth.User", flag: "user-table", read: userTable},
	{path: "USER_MODEL.pk", flag: "id-column"},
	{path: "USER_MODEL.username", flag: "username-column", only: func(d dump) bool { return d.get("DJOSER.LOGIN_FIELD") == nil }},
	{path: "USER_MODEL.email", flag: "email-column"},
	{path: "USER_MODEL.required", flag: "user-fields", read: requiredFields},
	{path: "USER_MODEL.fields", flag: "new-user", read: modelDefaults},
	{path: "ALLOWED_HOSTS", flag: "allowed-hosts", read: func(v any, _ dump) (any, string) {
		if list := listOf(v); !slices.Contains(list, "*") {
			return list, ""
		}
		return nil, ""
	}},
	{path: "AUTH_PASSWORD_VALIDATORS", read: validators},
	{path: "AUTH_PASSWORD_VALIDATORS", flag: "password-min-length", read: minimumLength},
	{path: "AUTH_PASSWORD_VALIDATORS", flag: "numeric-passwords", read: func(v any, _ dump) (any, string) {
		return !strings.Contains(fmt.Sprint(v), "NumericPasswordValidator"), ""
	}},
	{path: "AUTHENTICATION_BACKENDS", absent: "django.contrib.auth.backends.ModelBackend", names: true, read: backends},
	{path: "USE_TZ", absent: true, read: func(v any, _ dump) (any, string) {
		if v == false {
			return nil, "jotgate writes date_joined and last_login in UTC, Django in local time: in SQLite they differ by the offset of TIME_ZONE"
		}
		return nil, ""
	}},
	{path: "LANGUAGE_CODE", absent: "en-us", read: func(v any, _ dump) (any, string) {
		if strings.HasPrefix(fmt.Sprint(v), "en") {
			return nil, ""
		}
		return nil, "responses are English here; e-mails are in the language of --mail-language with --mail-templates"
	}},
	{path: "INSTALLED_APPS", names: true, read: secondFactors},
	{path: "INSTALLED_APPS", names: true, read: func(_ any, d dump) (any, string) {
		if d.installed("rest_framework_simplejwt.token_blacklist") {
			return nil, ""
		}
		return nil, "no rest_framework_simplejwt.token_blacklist: Django does not learn of logouts, and its own do nothing: install the app and run manage.py migrate"
	}},
	{path: "ACCOUNT_EMAIL_VERIFICATION", absent: "optional", only: hasAllauth, read: func(v any, d dump) (any, string) {
		if v == "mandatory" && d.get("DJOSER.SEND_ACTIVATION_EMAIL") != true {
			return nil, "allauth refuses logins with an unverified address; --send-activation-email does so for new accounts"
		}
		return nil, ""
	}},
}

func hasAllauth(d dump) bool { return d.installed("allauth.account") }

var restRules = []siteRule{
	{path: "REST_FRAMEWORK.DEFAULT_THROTTLE_RATES", flag: "rate", read: throttleRates},
	{path: "REST_FRAMEWORK.DEFAULT_AUTHENTICATION_CLASSES", read: func(v any, _ dump) (any, string) {
		var others []string
		for _, class := range listOf(v) {
			if !strings.HasPrefix(class, "rest_framework_simplejwt.") {
				others = append(others, class)
			}
		}
		if len(others) == 0 {
			return nil, ""
		}
		return nil, "jotgate's endpoints accept access tokens only, not " + strings.Join(others, ", ")
	}},
}

// throttleRates keeps the scopes that jotgate has, if a throttle uses them.
func throttleRates(v any, d dump) (any, string) {
	rates, _ := v.(map[string]any)
	classes := fmt.Sprint(d.get("REST_FRAMEWORK.DEFAULT_THROTTLE_CLASSES"))
	found, left := map[string]any{}, []string{}
	for _, scope := range slices.Sorted(maps.Keys(rates)) {
		switch {
		case rates[scope] == nil:
		case scope == "anon" && strings.Contains(classes, "AnonRateThrottle"), scope == "user" && strings.Contains(classes, "UserRateThrottle"):
			found[scope] = rates[scope]
		default:
			left = append(left, scope)
		}
	}
	if len(left) > 0 {
		return found, "the rates of " + strings.Join(left, ", ") + " are not applied: the scopes here are anon, user, login, refresh, register, email, links"
	}
	return found, ""
}

// hasherOf names the preset that keeps the two from rewriting each other's
// hashes at every login.
func hasherOf(v any, d dump) (any, string) {
	first := listOf(v)[0]
	parts := strings.SplitN(fmt.Sprint(d.or("DJANGO_VERSION", "")), ".", 3)
	switch name := first[strings.LastIndexByte(first, '.')+1:]; {
	case name == "PBKDF2PasswordHasher" && len(parts) > 1:
		return "django-" + parts[0] + "." + parts[1], ""
	case name == "Argon2PasswordHasher":
		return "django-argon2", ""
	}
	return "argon2,keep", ""
}

func userTable(v any, d dump) (any, string) {
	if table := d.get("USER_MODEL.table"); table != nil {
		return table, ""
	}
	return strings.ToLower(strings.Replace(fmt.Sprint(v), ".", "_", 1)), ""
}

// requiredFields returns REQUIRED_FIELDS without the address, which is always
// a field.
func requiredFields(v any, d dump) (any, string) {
	var list []string
	for _, name := range listOf(v) {
		if name != d.get("USER_MODEL.email") && name != "email" {
			list = append(list, name+":required")
		}
	}
	return list, ""
}

// modelDefaults returns what new accounts get in columns that must not be
// NULL: the defaults of the model.
func modelDefaults(v any, d dump) (any, string) {
	fields, _ := v.([]any)
	required := listOf(d.get("USER_MODEL.required"))
	found, left := map[string]any{}, []string{}
	for _, f := range fields {
		m, _ := f.(map[string]any)
		column := fmt.Sprint(m["column"])
		if m["null"] == true || slices.Contains(required, column) || djangosOwn(column, d) {
			continue
		}
		if value, ok := modelDefault(m); ok {
			found[column] = value
		} else {
			left = append(left, column)
		}
	}
	if len(left) > 0 {
		return found, "say in --new-user or --user-fields what new accounts get in " + strings.Join(left, ", ") + ": the model has no default"
	}
	return found, ""
}

// djangosOwn reports whether jotgate fills the column itself.
func djangosOwn(column string, d dump) bool {
	return slices.Contains([]any{
		d.or("USER_MODEL.pk", "id"), d.or("USER_MODEL.username", "username"), d.or("USER_MODEL.email", "email"), "username", "password",
		"is_active", "is_staff", "is_superuser", "first_name", "last_name", "date_joined", "last_login",
	}, any(column))
}

// modelDefault returns the value of --new-user for a field of the model.
func modelDefault(m map[string]any) (string, bool) {
	switch text := fmt.Sprint(m["default"]); {
	case m["auto"] == true || strings.Contains(text, "function now") || strings.Contains(text, ".now "):
		return "now", true
	case strings.Contains(text, "uuid4"):
		return "uuid4", true
	case text == "<class 'dict'>":
		return "{}", true
	case text == "<class 'list'>":
		return "[]", true
	case strings.HasPrefix(text, "<"): // another function, or none
		return "", m["blank"] == true && strings.HasPrefix(text, "<class 'django.db.models.fields.NOT_PROVIDED'")
	default:
		return text, m["default"] != nil
	}
}

func minimumLength(v any, _ dump) (any, string) {
	list, _ := v.([]any)
	for _, element := range list {
		m, _ := element.(map[string]any)
		if !strings.HasSuffix(fmt.Sprint(m["NAME"]), "MinimumLengthValidator") {
			continue
		}
		options, _ := m["OPTIONS"].(map[string]any)
		if n, ok := options["min_length"]; ok {
			return fmt.Sprint(n), ""
		}
		return "8", ""
	}
	return "1", ""
}

// validators reports rules that exist on one side only.
func validators(v any, _ dump) (any, string) {
	text := fmt.Sprint(v)
	var notes []string
	for _, name := range []string{"UserAttributeSimilarityValidator", "CommonPasswordValidator"} {
		if !strings.Contains(text, name) {
			notes = append(notes, "jotgate also applies Django's "+name)
		}
	}
	list, _ := v.([]any)
	for _, element := range list {
		m, _ := element.(map[string]any)
		if name := fmt.Sprint(m["NAME"]); !strings.HasPrefix(name, "django.contrib.auth.password_validation.") {
			notes = append(notes, name+" is not run here")
		}
	}
	return nil, strings.Join(notes, "; ")
}

func backends(v any, _ dump) (any, string) {
	var notes []string
	for _, backend := range listOf(v) {
		if backend != "django.contrib.auth.backends.ModelBackend" {
			notes = append(notes, backend)
		}
	}
	if len(notes) == 0 {
		return nil, ""
	}
	return nil, strings.Join(notes, ", ") + ": not asked by jotgate, which checks the password of the user table"
}

// factorApp matches apps that ask for a second factor, wherever the word is in
// the name: allauth.mfa, django_otp.plugins.otp_totp, allauth_2fa, wagtail_2fa.
var factorApp = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(^|[._])(django_)?(mfa[0-9]?|otp|2fa|two_factor|trench|deux|webauthn|fido2?|u2f)([._]|$)`)
})

// secondFactors warns of factors that only Django asks for. Those of allauth are in a
// table that both sides use.
func secondFactors(_ any, d dump) (any, string) {
	var apps []string
	for _, app := range listOf(d["INSTALLED_APPS"]) {
		if factorApp().MatchString(app) && app != "allauth.mfa" && !strings.HasPrefix(app, "allauth.mfa.") {
			apps = append(apps, app)
		}
	}
	if len(apps) == 0 {
		return nil, ""
	}
	return nil, strings.Join(apps, ", ") + ": these second factors exist only on Django's side: a login here asks for the password alone"
}
