//go:build !race

// The command line is read by one goroutine: nothing for the race detector to find.

package main

// Every setting of the library can be set in the binary, or there is a reason why not.

import (
	"io"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/claimhook"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/proxy"
	"github.com/jotgate/jotgate/webhook"
)

// notSettable are the fields without a flag.
var notSettable = map[string]string{
	"claimhook.Settings.TLS": "a Go value; the system's authorities are used, SSL_CERT_FILE adds to them", "claimhook.Settings.Now": "the clock of tests",
	"jotgate.Settings.OnError": "a Go function", "jotgate.Settings.OnEvent": "a Go function",
	"jotgate.Settings.NewAccount": "a Go function; --new-user sets columns", "jotgate.Settings.Now": "the clock of tests", "jotgate.Settings.Users": "a Go interface; --user-table and the columns name other tables",
	"api.Settings.Now": "the clock of tests", "mail.Settings.Now": "the clock of tests", "mail.Settings.TLS": "a Go value; the system's authorities are used, SSL_CERT_FILE adds to them",
	"api.Settings.APIKeys": "a Go value; --api-keys makes it", "webhook.Settings.TLS": "a Go value; the system's authorities are used, SSL_CERT_FILE adds to them", "mail.Settings.LinkLifetime": "--password-reset-timeout is stated", "proxy.Settings.Logger": "the server's own",
}

// flagsOf are the flags that set a field, where their names differ.
var flagsOf = map[string]string{
	"jotgate.Settings.RPID": "rp-id", "jotgate.Settings.CustomClaims": "claim-hook", "claimhook.Settings.URL": "claim-hook", "claimhook.Settings.Secret": "claim-hook-secret", "claimhook.Settings.Networks": "claim-hook-networks", "claimhook.Settings.Timeout": "claim-hook-timeout", "claimhook.Settings.Optional": "claim-hook-optional", "claimhook.Settings.Logger": "log-level", "jotgate.Settings.Resource": "base-url", "jotgate.Settings.Metrics": "metrics-addr", "mail.Settings.Metrics": "metrics-addr",
	"apikey.Settings.Lifetime": "api-key-lifetime", "apikey.Settings.MaxLifetime": "api-key-max-lifetime", "apikey.Settings.Imported": "imported-api-keys",
	"jotgate.Settings.LoginField": "username-column", "jotgate.Settings.PasswordRules": "password-min-length", "jotgate.Settings.Logger": "log-level",
	"api.Settings.Rates": "rate", "api.Settings.Lockout": "lockout-free", "api.Settings.Timeout": "request-timeout", "api.Settings.InsecureShowUsers": "insecure-show-users",
	"mail.Settings.Server": "mail-server", "mail.Settings.From": "mail-from", "mail.Settings.Site": "mail-site", "mail.Settings.BaseURL": "mail-base-url",
	"mail.Settings.Templates": "mail-templates", "mail.Settings.Language": "mail-language", "mail.Settings.Timeout": "mail-timeout", "mail.Settings.MaxAge": "mail-max-age",
	"mail.Settings.Output": "print-emails", "mail.Settings.Discard": "mail-server", "mail.Settings.Logger": "log-level",
	"webhook.Settings.Networks": "webhook-networks", "webhook.Settings.Timeout": "webhook-timeout", "webhook.Settings.DisableAfter": "webhook-disable-after", "webhook.Settings.Retention": "webhook-retention",
	"proxy.Settings.Timeout": "upstream-timeout", "proxy.Settings.Browsers": "login-pages",
}

func TestEverySettingIsAFlag(t *testing.T) {
	flags := map[string]bool{}
	for _, leaf := range leaves(t) {
		if name, _, _ := strings.Cut(leaf.Path(), " "); name == "serve" {
			for _, flag := range leaf.Flags {
				flags[flag.Name] = true
			}
		}
	}
	used := map[string]bool{}
	for prefix, settings := range map[string]any{"jotgate": jotgate.Settings{}, "api": api.Settings{}, "mail": mail.Settings{}, "apikey": apikey.Settings{}, "proxy": proxy.Settings{}, "webhook": webhook.Settings{}, "claimhook": claimhook.Settings{}} {
		kind := reflect.TypeOf(settings)
		for i := range kind.NumField() {
			field := prefix + ".Settings." + kind.Field(i).Name
			flag, named := flagsOf[field]
			if !named {
				flag = kebab(kind.Field(i).Name)
			}
			_, excused := notSettable[field]
			if used[field] = true; flags[flag] == excused {
				t.Errorf("%s: the flag --%s is there: %v; a reason against it: %v", field, flag, flags[flag], excused)
			}
		}
	}
	for field := range notSettable {
		if !used[field] && !strings.HasSuffix(field, ".Now") {
			t.Errorf("%s is not a setting", field)
		}
	}
}

var (
	afterWord    = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	afterAcronym = regexp.MustCompile(`(CORS|URL|ID|MFA|TOTP|RP)([A-Z][a-z])`)
)

// kebab writes a Go name as a flag.
func kebab(name string) string {
	return strings.ToLower(afterWord.ReplaceAllString(afterAcronym.ReplaceAllString(name, "$1-$2"), "$1-$2"))
}

// Each flag of the HTTP side changes the setting of its name, in the environment and
// the config file as well.
func TestFlagsReachTheSettings(t *testing.T) {
	values := map[string]string{
		"BaseURL": "https://example.com/x", "Prefix": "/x", "AllowedHosts": "a.example", "CORSOrigins": "https://a.example", "CORSHeaders": "X-A",
		"CORSExposeHeaders": "X-B", "TrustedProxies": "unix", "RefreshCookieSameSite": "none", "Locale": "catalogs", "Rates": "login=1/min", "Lockout": "7",
	}
	kind := reflect.TypeOf(api.Settings{})
	for i := range kind.NumField() {
		field := kind.Field(i)
		if notSettable["api.Settings."+field.Name] != "" || field.Name == "SharedRates" || field.Name == "OAuth" { // made with the database: TestSharedRates, TestOAuthOff
			continue
		}
		flag := flagsOf["api.Settings."+field.Name]
		if flag == "" {
			flag = kebab(field.Name)
		}
		value := values[field.Name]
		switch field.Type.String() {
		case "bool":
			value = "true"
		case "int64":
			value = "4711"
		case "time.Duration":
			value = "47s"
		}
		usual := settingsOf(t, nil)
		for how, env := range map[string][]string{
			"a variable": {"JOTGATE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_")) + "=" + value},
			"a file":     {"JOTGATE_CONFIG=" + write(t, "jotgate.yaml", flag+": "+value+"\n")},
		} {
			got := reflect.ValueOf(settingsOf(t, env)).Field(i).Interface()
			if reflect.DeepEqual(got, reflect.ValueOf(usual).Field(i).Interface()) {
				t.Errorf("%s: --%s by %s (%s) changes nothing: %v", field.Name, flag, how, value, got)
			}
		}
	}
}

// settingsOf returns the api.Settings of serve with these variables.
func settingsOf(t *testing.T, env []string) api.Settings {
	t.Helper()
	a := &app{ctx: t.Context(), env: environment(env), stdout: io.Discard, stderr: io.Discard}
	parser, err := newParser(grammarOf("serve"), a, &source{env: a.env}, nil)
	if err != nil {
		t.Fatal(err)
	}
	line, err := parser.Parse([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	c := line.Selected().Target.Addr().Interface().(*serveCommand)
	return c.apiSettings()
}

// The zones of the program itself are tested in internal/timezone.
func TestTimeZonesAreInTheBinary(t *testing.T) {
	t.Setenv("ZONEINFO", t.TempDir())
	for _, zone := range []string{"Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu"} {
		f := gateFlags{secretFlags: secretFlags{SecretKey: goodSecret}, passwordFlags: passwordFlags{Hasher: "argon2", TimeZone: zone}}
		if s, err := f.settings(&app{ctx: t.Context()}, slog.New(slog.DiscardHandler), false); err != nil || s.TimeZone.String() != zone {
			t.Errorf("%s: %v", zone, err)
		}
	}
}
