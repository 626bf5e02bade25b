package main

// `doctor --django`: compares what must be equal on both sides with a dump of
// the site's settings. The facts and defaults are from
// django/conf/global_settings.py, rest_framework_simplejwt/settings.py and
// djoser/conf.py.

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/store"
)

// rule compares one setting. path is its path in the dump; absent is Django's
// default.
type rule struct {
	path   string
	absent string
	ours   func(c *doctorCommand) string
	flag   string
}

// rules are the settings that both sides must share so that tokens and links
// of one are valid for the other.
var rules = []rule{
	{"SIMPLE_JWT.ISSUER", "", func(c *doctorCommand) string { return c.Issuer }, "--issuer"},
	{"SIMPLE_JWT.AUDIENCE", "", func(c *doctorCommand) string { return strings.Join(c.Audience, ", ") }, "--audience"},
	{"SIMPLE_JWT.LEEWAY", "0s", func(c *doctorCommand) string { return c.Leeway.String() }, "--leeway"},
	{"SIMPLE_JWT.ACCESS_TOKEN_LIFETIME", "5m0s", func(c *doctorCommand) string { return c.AccessTokenLifetime.String() }, "--access-token-lifetime"},
	{"SIMPLE_JWT.REFRESH_TOKEN_LIFETIME", "24h0m0s", func(c *doctorCommand) string { return c.RefreshTokenLifetime.String() }, "--refresh-token-lifetime"},
	{"SIMPLE_JWT.USER_ID_CLAIM", "user_id", func(c *doctorCommand) string { return c.UserIDClaim }, "--user-id-claim"},
	{"SIMPLE_JWT.USER_ID_FIELD", "id", func(c *doctorCommand) string { return c.UserIDField }, "--user-id-field"},
	{"SIMPLE_JWT.CHECK_REVOKE_TOKEN", "false", func(c *doctorCommand) string { return strconv.FormatBool(c.CheckRevokeToken) }, "--check-revoke-token"},
	{"SIMPLE_JWT.REVOKE_TOKEN_CLAIM", "hash_password", func(c *doctorCommand) string { return c.RevokeTokenClaim }, "--revoke-token-claim"},
	{"SIMPLE_JWT.UPDATE_LAST_LOGIN", "false", func(c *doctorCommand) string { return strconv.FormatBool(c.UpdateLastLogin) }, "--update-last-login"},
	{"SIMPLE_JWT.JTI_CLAIM", "jti", func(*doctorCommand) string { return "jti" }, ""},
	{"SIMPLE_JWT.TOKEN_TYPE_CLAIM", "token_type", func(*doctorCommand) string { return "token_type" }, ""},
	{"TIME_ZONE", "America/Chicago", func(c *doctorCommand) string { return c.TimeZone }, "--time-zone"},
	{"PASSWORD_RESET_TIMEOUT", "72h0m0s", func(c *doctorCommand) string { return c.PasswordResetTimeout.String() }, "--password-reset-timeout"},
}

// djangoFacts compares with the dump; without one it lists what to compare.
func (c *doctorCommand) djangoFacts(a *app, dump map[string]any) (facts []store.Fact) {
	if dump == nil {
		return []store.Fact{{OK: true, About: "Django's settings", Found: "not given", Mend: "--django-settings FILE compares them; jotgate doctor --help says how to make the file"}}
	}
	facts = append(facts, c.secretsAgree(a, dump), c.algorithmsAgree(dump), c.headersAgree(dump), c.hashersAgree(dump), c.modelsAgree(dump))
	for _, r := range rules {
		theirs, ours := shownValue(dump, r), r.ours(c)
		f := store.Fact{OK: theirs == ours, About: r.path, Found: quoted(theirs)}
		if !f.OK {
			f.Mend = "jotgate has " + quoted(ours)
			if r.flag != "" {
				f.Mend += ": start it with " + r.flag + "=" + theirs
			} else {
				f.Mend += " and no other"
			}
		}
		facts = append(facts, f)
	}
	return append(facts, strangers(dump)...)
}

// secretsAgree compares the secrets without showing them.
func (c *doctorCommand) secretsAgree(a *app, dump map[string]any) store.Fact {
	f := store.Fact{OK: true, About: "SECRET_KEY", Found: "the same on both sides"}
	ours, err := c.read(a, c.folder(), false)
	theirs, _ := setting(dump, "SECRET_KEY").(string)
	switch signing, own := setting(dump, "SIMPLE_JWT.SIGNING_KEY").(string); {
	case err != nil:
		f.OK, f.Found, f.Mend = false, "jotgate has none", "give jotgate the site's: SECRET_KEY in the environment"
	case theirs != string(ours):
		f.OK, f.Found, f.Mend = false, "another one than jotgate's", "give both the same: tokens, reset links and signing keys depend on it"
	case own && signing != theirs && strings.HasPrefix(algorithm(dump), "HS"):
		f.OK, f.Found, f.Mend = false, "the same, but tokens are signed with SIMPLE_JWT SIGNING_KEY", "start jotgate with --signing-key and --verifying-keys, a JWK of kty oct with that key"
	}
	return f
}

func algorithm(dump map[string]any) string {
	if alg, ok := setting(dump, "SIMPLE_JWT.ALGORITHM").(string); ok {
		return alg
	}
	return "HS256"
}

func (c *doctorCommand) algorithmsAgree(dump map[string]any) store.Fact {
	f := store.Fact{OK: true, About: "SIMPLE_JWT.ALGORITHM", Found: algorithm(dump)}
	if f.Found != "HS256" && c.SigningKey == "" {
		f.OK, f.Mend = false, "start jotgate with --signing-key FILE, the private key that SIMPLE_JWT SIGNING_KEY holds"
	}
	return f
}

// headersAgree checks that jotgate accepts every authorization scheme that
// Django accepts.
func (c *doctorCommand) headersAgree(dump map[string]any) store.Fact {
	theirs := texts(setting(dump, "SIMPLE_JWT.AUTH_HEADER_TYPES"), "Bearer")
	f := store.Fact{OK: true, About: "SIMPLE_JWT.AUTH_HEADER_TYPES", Found: strings.Join(theirs, ", ")}
	for _, word := range theirs {
		if !slices.Contains(c.HeaderTypes, word) {
			f.OK, f.Mend = false, "jotgate takes "+strings.Join(c.HeaderTypes, ", ")+": start it with --header-types="+strings.Join(theirs, ",")
		}
	}
	if f.OK && c.HeaderTypes[0] != theirs[0] {
		f.Mend = "WWW-Authenticate names " + c.HeaderTypes[0] + " here and " + theirs[0] + " there"
	}
	return f
}

// hashersAgree names the preset that keeps the two from rewriting each
// other's hashes at every login.
func (c *doctorCommand) hashersAgree(dump map[string]any) store.Fact {
	first := texts(setting(dump, "PASSWORD_HASHERS"), "django.contrib.auth.hashers.PBKDF2PasswordHasher")[0]
	name := first[strings.LastIndexByte(first, '.')+1:]
	f := store.Fact{OK: true, About: "PASSWORD_HASHERS", Found: name}
	version, _ := setting(dump, "DJANGO_VERSION").(string)
	parts := strings.SplitN(version, ".", 3)
	want := "argon2,keep"
	switch {
	case name == "PBKDF2PasswordHasher" && len(parts) > 1:
		want = "django-" + parts[0] + "." + parts[1]
	case name == "Argon2PasswordHasher":
		want = "django-argon2"
	}
	if c.Hasher != want && !strings.HasSuffix(c.Hasher, ",keep") {
		f.OK, f.Mend = false, "each side would rewrite the other's hashes at login: start jotgate with --hasher="+want
	}
	return f
}

// modelsAgree checks AUTH_USER_MODEL.
func (c *doctorCommand) modelsAgree(dump map[string]any) store.Fact {
	model, _ := setting(dump, "AUTH_USER_MODEL").(string)
	if model == "" {
		model = "auth.User"
	}
	table := strings.ToLower(strings.Replace(model, ".", "_", 1))
	f := store.Fact{OK: table == c.UserTable, About: "AUTH_USER_MODEL", Found: model}
	if !f.OK {
		f.Mend = "jotgate uses the table " + c.UserTable + ": unless the model's Meta names another, start it with --user-table=" + table
	}
	return f
}

// strangers returns the settings that jotgate does not follow.
func strangers(dump map[string]any) (facts []store.Fact) {
	note := func(about, found, mend string) {
		facts = append(facts, store.Fact{OK: true, About: about, Found: found, Mend: mend})
	}
	for _, backend := range texts(setting(dump, "AUTHENTICATION_BACKENDS"), "django.contrib.auth.backends.ModelBackend") {
		if backend != "django.contrib.auth.backends.ModelBackend" {
			note("AUTHENTICATION_BACKENDS", backend, "not asked by jotgate, which checks the password of the user table")
		}
	}
	apps := texts(setting(dump, "INSTALLED_APPS"), "")
	if !slices.Contains(apps, "rest_framework_simplejwt.token_blacklist") {
		note("INSTALLED_APPS", "no rest_framework_simplejwt.token_blacklist", "Django does not learn of logouts, and its own do nothing: install the app and run manage.py migrate")
	}
	if url, ok := setting(dump, "SIMPLE_JWT.JWK_URL").(string); ok && url != "" {
		note("SIMPLE_JWT.JWK_URL", url, "Django verifies with the keys published there: it may be jotgate's /.well-known/jwks.json")
	}
	return facts
}

// setting returns a value by its path, or nil.
func setting(dump map[string]any, path string) any {
	first, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return dump[first]
	}
	inner, _ := dump[first].(map[string]any)
	return setting(inner, rest)
}

// shownValue formats a value of the dump as jotgate writes it.
func shownValue(dump map[string]any, r rule) string {
	switch v := setting(dump, r.path).(type) {
	case nil:
		return r.absent
	case string:
		if d, ok := pythonDuration(v); ok {
			return d.String()
		}
		return v
	case float64:
		return (time.Duration(v) * time.Second).String()
	case bool:
		return strconv.FormatBool(v)
	default:
		return strings.Join(texts(v, ""), ", ")
	}
}

// pythonDuration parses str(timedelta): "0:05:00" or "1 day, 0:00:00".
func pythonDuration(text string) (time.Duration, bool) {
	days := 0
	if before, after, found := strings.Cut(text, ", "); found {
		if _, err := fmt.Sscanf(before, "%d day", &days); err != nil {
			return 0, false
		}
		text = after
	}
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return 0, false
	}
	d, err := time.ParseDuration(parts[0] + "h" + parts[1] + "m" + parts[2] + "s")
	return d + time.Duration(days)*24*time.Hour, err == nil
}

// texts returns the elements of a list, or a list of the one text, or of
// fallback if there is neither.
func texts(value any, fallback string) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, element := range v {
			list = append(list, fmt.Sprint(element))
		}
		if len(list) > 0 {
			return list
		}
	}
	return []string{fallback}
}

// quoted returns value, or "nothing" if it is empty.
func quoted(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}
