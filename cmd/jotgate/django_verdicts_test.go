//go:build !race

// The command line is read by one goroutine: nothing for the race detector to find.

package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// verdicts reads names.txt and unneeded.txt: the settings of the libraries, and
// those of which doctor says nothing with the reason.
func verdicts(t *testing.T) (names []string, unneeded map[string]string) {
	t.Helper()
	unneeded = map[string]string{}
	for _, file := range []string{"names", "unneeded"} {
		text, err := os.ReadFile("testdata/django/" + file + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		reason := ""
		for line := range strings.Lines(string(text)) {
			switch {
			case strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "":
			case file == "names":
				names = append(names, strings.TrimSpace(line))
			case strings.HasPrefix(line, "\t"):
				for _, name := range strings.Fields(line) {
					unneeded[name] = reason
				}
			default:
				reason = strings.TrimSpace(line)
			}
		}
	}
	return names, unneeded
}

// with returns a dump in which a setting has a value, of a site with every
// library.
func with(path string, value any) dump {
	apps := []any{"corsheaders", "djoser", "dj_rest_auth", "allauth.account", "rest_framework_simplejwt.token_blacklist"}
	d := dump{"INSTALLED_APPS": apps, "JWT_AUTH_REFRESH_COOKIE": "refresh", "MAILERS": map[string]any{}}
	group, name, inner := strings.Cut(path, ".")
	if !inner {
		d[group] = value
		return d
	}
	settings := map[string]any{name: value}
	if name == "BLACKLIST_AFTER_ROTATION" {
		settings["ROTATE_REFRESH_TOKENS"] = true // without it the other has no meaning
	}
	d[group] = settings
	return d
}

// speaks reports whether doctor --django has a line about the setting, for any of
// a few values.
func speaks(path string) bool {
	for _, value := range []any{
		"other", true, false, float64(7), "9 days, 0:00:00",
		[]any{"other.Class"},
		map[string]any{"a": "5/min", "b": "x"},
		"HTTP_X_OTHER",
		[]any{"HTTP_X_FORWARDED_PROTO", "https"},
		"none", "id", "mail.example.com",
		[]any{map[string]any{"NAME": "other.Validator"}},
		[]any{"django_otp"},
		"mandatory", "https://other.example",
		[]any{"otp.Middleware"},
		[]any{},
		map[string]any{},
		"",
	} {
		d := with(path, value)
		wanted, facts := d.read()
		for _, p := range wanted {
			if p.from == path {
				return true
			}
		}
		for _, f := range facts {
			if f.About == path && f.Fix != "" && f.Fix != "jotgate has no such setting" {
				return true
			}
		}
	}
	return false
}

// Each setting of Django, Django REST framework, SimpleJWT, djoser,
// dj-rest-auth, allauth and django-cors-headers is translated, or named with a
// sentence, or listed with the reason why not.
func TestEveryDjangoSettingHasAVerdict(t *testing.T) {
	names, unneeded := verdicts(t)
	if len(names) < 400 {
		t.Fatalf("%d settings", len(names))
	}
	listed := map[string]bool{}
	for _, name := range names {
		reason := unneeded[name]
		switch spoken := speaks(name); {
		case spoken && reason != "":
			t.Errorf("%s has a line and is listed as not needed: %s", name, reason)
		case !spoken && reason == "":
			t.Errorf("%s has no verdict: write a rule, or a reason into unneeded.txt", name)
		}
		listed[name] = true
	}
	for name := range unneeded {
		if !listed[name] {
			t.Errorf("unneeded.txt has %s, which is no setting", name)
		}
	}
	for _, r := range siteRules {
		if !listed[r.path] && !strings.HasPrefix(r.path, "USER_MODEL.") {
			t.Errorf("a rule reads %s, which is no setting", r.path)
		}
	}
	for _, n := range siteNotes {
		for _, setting := range strings.Fields(n.settings) {
			pattern, _, _ := strings.Cut(setting, "=")
			before, after, _ := strings.Cut(pattern, "*")
			if !listed[pattern] && !slices.ContainsFunc(names, func(name string) bool {
				return before != pattern && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
			}) {
				t.Errorf("a note is about %s, which is no setting", pattern)
			}
		}
	}
}

// A default is not worth a line.
func TestDefaultsOfDjangoAreSilent(t *testing.T) {
	for _, n := range siteNotes {
		for _, setting := range strings.Fields(n.settings) {
			path, absent, _ := strings.Cut(setting, "=")
			var value any = absent
			if strings.Contains(absent, ",") {
				list := []any{}
				for _, element := range strings.Split(absent, ",") {
					list = append(list, element)
				}
				value = list
			}
			for _, f := range with(path, value).apart(map[string]bool{}) {
				if f.About == path {
					t.Errorf("%s with its default %q: %s", path, absent, f.Fix)
				}
			}
		}
	}
}

// What a site has is translated, or the line says what to do.
func TestDjangoTranslations(t *testing.T) {
	for _, row := range []struct{ dump, flag, value, says string }{
		{`{"EMAIL_HOST": "mail.example.com", "EMAIL_PORT": 25}`, "mail-server", "smtp://mail.example.com:25?tls=insecure-off", ""},
		{`{"EMAIL_HOST": "mail.example.com", "EMAIL_PORT": 587, "EMAIL_USE_TLS": true}`, "mail-server", "smtp://mail.example.com:587", ""},
		{`{"EMAIL_HOST": "mail.example.com", "EMAIL_PORT": 465, "EMAIL_USE_SSL": true}`, "mail-server", "smtps://mail.example.com:465", ""},
		{`{"EMAIL_HOST": "m.example", "EMAIL_PORT": 587, "EMAIL_USE_TLS": true, "EMAIL_HOST_USER": "a@b", "EMAIL_HOST_PASSWORD": "hidden"}`, "mail-server", "", "EMAIL_URL=smtp://a%40b:PASSWORD@m.example:587"},
		{`{"EMAIL_HOST": "m.example", "EMAIL_HOST_USER": "a", "EMAIL_HOST_PASSWORD": "hidden"}`, "mail-server", "", "over TLS only"},
		{`{"EMAIL_HOST": "localhost", "EMAIL_PORT": 25}`, "mail-server", "", ""},
		{`{"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend", "EMAIL_HOST": "m.example"}`, "mail-server", "", "--print-emails"},
		{`{"EMAIL_BACKEND": "anymail.backends.mailgun.EmailBackend"}`, "mail-server", "", "not by anymail.backends.mailgun.EmailBackend"},
		{`{"MAILERS": {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": {"host": "m.example", "port": 587, "use_tls": true}}}}`, "mail-server", "smtp://m.example:587", ""},
		{`{"MAILERS": {"default": {}, "bulk": {}}}`, "", "", "mailer named default"},
		{`{"DEFAULT_FROM_EMAIL": "Shop <noreply@example.com>"}`, "mail-from", "Shop <noreply@example.com>", ""},
		{`{"DEFAULT_FROM_EMAIL": "webmaster@localhost"}`, "mail-from", "", ""},
		{`{"EMAIL_TIMEOUT": 10}`, "mail-timeout", "10s", ""},
		{`{"SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"]}`, "", "", "--trusted-proxies"},
		{`{"SECURE_PROXY_SSL_HEADER": ["HTTP_X_SCHEME", "https"]}`, "", "", "does not read HTTP_X_SCHEME"},
		{`{"SECURE_PROXY_SSL_HEADER": []}`, "", "", "--base-url"},
		{`{"USE_X_FORWARDED_HOST": true}`, "", "", "-Host of the proxies in --trusted-proxies"},
		{`{"USE_X_FORWARDED_PORT": true}`, "", "", "--base-url"},
		{`{"FORCE_SCRIPT_NAME": "/shop/"}`, "", "", "--base-url https://HOST/shop; if it does not, --prefix /shop"},
		{`{"PASSWORD_RESET_TIMEOUT": 3600}`, "password-reset-timeout", "1h", ""},
		{`{"PASSWORD_RESET_TIMEOUT_DAYS": 1}`, "password-reset-timeout", "1d", ""},
		{`{"PASSWORD_RESET_TIMEOUT_DAYS": 3, "PASSWORD_RESET_TIMEOUT": 86400}`, "password-reset-timeout", "1d", ""},
		{`{"INSTALLED_APPS": ["dj_rest_auth"]}`, "", "", "its paths (login/"},
		{`{"REST_AUTH": {"JWT_AUTH_REFRESH_COOKIE": "r", "JWT_AUTH_SAMESITE": "None"}}`, "refresh-cookie-same-site", "none", ""},
		{`{"JWT_AUTH_REFRESH_COOKIE": "r"}`, "refresh-cookie", "true", ""},
		{`{"REST_AUTH": {"JWT_AUTH_SAMESITE": "None"}}`, "refresh-cookie-same-site", "", ""},
		{`{"REST_AUTH": {"NEW_SETTING": 1}}`, "", "", "jotgate has no such setting"},
		{`{"SOCIALACCOUNT_PROVIDERS": {"google": {"APP": {"secret": "hidden"}}, "github": {}}}`, "", "", "github, google put client_id and client_secret_file of each into --providers"},
		{`{"SOCIALACCOUNT_PROVIDERS": {"openid_connect": {"APPS": [{"provider_id": "acme", "secret": "hidden"}]}}}`, "", "", "name each table as the provider_id of the app"},
		{`{"SOCIALACCOUNT_PROVIDERS": {"saml": {}, "apple": {}}}`, "", "", "saml: an OAuth 2 provider works with auth_url"},
		{`{"SOCIALACCOUNT_PROVIDERS": {"telegram": {"APP": {"secret": "hidden"}}}}`, "", "", "Telegram) stay at Django"},
		{`{"SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT": true}`, "", "", "--link-verified-emails"},
		{`{"SOCIALACCOUNT_STORE_TOKENS": true}`, "", "", "tokens of providers are not kept"},
		{`{"DJOSER": {"SOCIAL_AUTH_ALLOWED_REDIRECT_URIS": ["https://app.example/"]}}`, "", "", "set by --providers"},
		{`{"SOCIAL_AUTH_GOOGLE_OAUTH2_KEY": "id", "SOCIAL_AUTH_GOOGLE_OAUTH2_SECRET": "hidden"}`, "", "", "set by --providers"},
		{`{"SESSION_COOKIE_AGE": 3600}`, "", "", "--refresh-token-lifetime"},
		{`{"CSRF_TRUSTED_ORIGINS": ["https://example.com"]}`, "", "", "--cors-origins"},
		{`{"SECRET_KEY_FALLBACKS": ["hidden"]}`, "", "", "--secret-key-fallbacks"},
		{`{"HEADLESS_JWT_PRIVATE_KEY": "hidden"}`, "", "", "clients of allauth.headless"},
		{`{"MFA_TOTP_ISSUER": "Shop"}`, "mfa-issuer", "Shop", ""},
		{`{"MFA_TRUST_ENABLED": true}`, "trusted-browser", "14d", ""},
		{`{"MIDDLEWARE": ["django.middleware.common.CommonMiddleware", "axes.middleware.AxesMiddleware"]}`, "", "", "does not run before"},
		{`{"INSTALLED_APPS": ["corsheaders"], "CORS_ORIGIN_WHITELIST": ["https://a.example"]}`, "cors-origins", "https://a.example", ""},
		{`{"DJOSER": {"EMAIL_FRONTEND_DOMAIN": "app.example", "EMAIL_FRONTEND_PROTOCOL": "http"}}`, "mail-base-url", "http://app.example", ""},
		{`{"DJOSER": {}, "DOMAIN": "app.example", "SITE_NAME": "Shop"}`, "mail-base-url", "https://app.example", ""},
		{`{"DJOSER": {}, "DOMAIN": "app.example", "SITE_NAME": "Shop"}`, "mail-site", "Shop", ""},
		{`{"DOMAIN": "app.example"}`, "mail-base-url", "", ""},
	} {
		var d dump
		if err := json.Unmarshal([]byte(row.dump), &d); err != nil {
			t.Fatal(err)
		}
		wanted, facts := d.read()
		got, said := "", ""
		for _, p := range wanted {
			if said += p.found + p.apart + "\n"; p.flag == row.flag {
				got += valueText(p.value)
			}
		}
		for _, f := range facts {
			said += f.Found + " " + f.Fix + "\n"
		}
		if row.flag != "" && got != row.value || !strings.Contains(said, row.says) {
			t.Errorf("%s: --%s=%q, want %q; says %q in\n%s", row.dump, row.flag, got, row.value, row.says, said)
		}
		if strings.Contains(said, "hidden") {
			t.Errorf("%s: a secret is shown:\n%s", row.dump, said)
		}
	}
}
