package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A provider is three lines of the configuration file, its secret a file, a variable or
// a line, which may have any character.
func TestProvidersInTheConfigFile(t *testing.T) {
	secret := write(t, "secret", "from a file\n")
	for name, c := range map[string]struct{ text, env, says string }{
		"Google":            {"providers:\n  google:\n    client_id: 1.apps.googleusercontent.com\n    client_secret_file: " + secret + "\n", "", ""},
		"secret with marks": {"providers:\n  google:\n    client_id: a\n    client_secret: \"a;b=c,d\\\\e\"\n", "", ""},
		"several":           {"providers:\n  google: {client_id: a}\n  github: {client-id: b, client_secret: c}\n  acme:\n    issuer: https://id.acme.example\n    client_id: d\n    scopes: [openid, email]\n    claims: {username: nick}\n", "", ""},
		"groups":            {"providers:\n  acme:\n    issuer: https://id.acme.example\n    client_id: d\n    groups: {Ed-X: The Editors}\n    staff: [it, ops]\n    claims: {groups: roles}\n", "", ""},
		"a line":            {"providers: google.client_id=a;google.client_secret=b\n", "", ""},
		"a variable":        {"providers:\n  google:\n    client_id: a\n", "JOTGATE_PROVIDERS_GOOGLE_CLIENT_SECRET=x", ""},
		"no client":         {"providers:\n  google:\n    client_secret: a\n", "", "set client_id"},
		"no issuer":         {"providers:\n  acme:\n    client_id: a\n", "", "set issuer (OpenID Connect)"},
		"misspelt key":      {"providers:\n  google:\n    client_identity: a\n", "", "there is no such key"},
		"no table":          {"providers:\n  google: yes\n", "", "must be ID.KEY"},
		"no file":           {"providers:\n  google:\n    client_id: a\n    client_secret_file: /does/not/exist\n", "", "no such file"},
		"http":              {"providers:\n  acme:\n    client_id: a\n    issuer: http://id.acme.example\n", "", "issuer must be an https URL"},
		"no boolean":        {"providers:\n  google:\n    client_id: a\n    trust_email: maybe\n", "", "trust_email"},
	} {
		t.Run(name, func(t *testing.T) {
			env := []string{"JOTGATE_CONFIG=" + write(t, "jotgate.yaml", c.text), "SECRET_KEY=" + goodSecret, "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "j.db")}
			if c.env != "" {
				env = append(env, c.env)
			}
			status, stdout, stderr := try(t, env, "", "config", "check")
			if said := stdout + stderr; (status == 0) != (c.says == "") || !strings.Contains(said, c.says) {
				t.Errorf("status %d: %s, want %q", status, said, c.says)
			}
			if _, stdout, _ := try(t, env, "", "config", "show"); strings.Contains(stdout, "googleusercontent") || strings.Contains(stdout, "id.acme.example") || !strings.Contains(stdout, "(hidden)") {
				t.Errorf("config show: %s", stdout)
			}
		})
	}
}

// Values reach the provider as they were written.
func TestProviderSettings(t *testing.T) {
	env := map[string]string{"JOTGATE_PROVIDERS_MY_ACME_NAME": "Acme; Inc"}
	f := providerFlags{Providers: map[string]string{"my-acme.issuer": "https://id.acme.example", "my-acme.client_id": "a"}}
	all, err := f.providers(&app{env: env}, nil)
	if err != nil || len(all) != 1 || all[0].ID() != "my-acme" || all[0].Name() != "Acme; Inc" {
		t.Errorf("%v, %v", all, err)
	}
	f.Providers["my-acme.groups.Ed-X.1"], f.Providers["my-acme.staff"] = "The Editors", "it,ops"
	all, err = f.providers(&app{env: env}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := all[0].Rights([]string{"Ed-X.1", "ops"}); !slices.Equal(r.Groups, []string{"The Editors"}) || r.Staff == nil || !*r.Staff || r.Superuser != nil {
		t.Errorf("%+v", r)
	}
	pairs := asPairs("", map[string]any{"google": map[string]any{"client_secret": "a;b", "scopes": []any{"x", "y"}, "claims": map[string]any{"uid": "id"}, "none": nil}})
	if got := strings.Join(slices.Sorted(slices.Values(pairs)), " | "); got != `google.claims.uid=id | google.client_secret=a\;b | google.scopes=x,y` {
		t.Error(got)
	}
	for name, want := range map[string]bool{"JOTGATE_PROVIDERS_GOOGLE_CLIENT_SECRET": true, "JOTGATE_PROVIDERS_GOOGLE_CLIENT_SECRETS": false, "JOTGATE_PROVIDERS": false, "JOTGATE_PROVIDER_GOOGLE_CLIENT_ID": false} {
		if isProviderVariable(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// Doctor names the redirect URI of the address at which jotgate listens, unless there is a base URL.
func TestCallbackURL(t *testing.T) {
	f := providerFlags{Providers: map[string]string{"google.client_id": "a"}}
	all, err := f.providers(&app{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for flags, want := range map[[2]string]string{
		{"127.0.0.1:8000", ""}:                         "http://localhost:8000/account/provider/google/callback",
		{":8123", ""}:                                  "http://localhost:8123/account/provider/google/callback",
		{"8123", ""}:                                   "http://localhost:8123/account/provider/google/callback",
		{"unix:/run/jotgate.sock", ""}:                 "https://HOST/account/provider/google/callback",
		{":8123", "https://example.com/"}:              "https://example.com/account/provider/google/callback",
		{"unix:/run/j.sock", "https://id.example.com"}: "https://id.example.com/account/provider/google/callback",
	} {
		var c doctorCommand
		c.Addr, c.BaseURL, c.PagesPath = flags[0], flags[1], "/account/"
		if got := c.callbackURL(all[0]); got != want {
			t.Errorf("%q: %s, want %s", flags, got, want)
		}
	}
}
