//go:build !race

// The command line is read by one goroutine: nothing for the race detector to find.

package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"testing"
)

// config show names the source that won, for each of the three.
func TestConfigShowNamesTheSource(t *testing.T) {
	file := write(t, "jotgate.yaml", "addr: 127.0.0.1:1\nlog-level: warn\nrate: {login: 30/min, anon: 5/hour}\nclaims: [username, email]\n")
	env := []string{"JOTGATE_CONFIG=" + file, "JOTGATE_ADDR=127.0.0.1:2", "JOTGATE_ISSUER=me", "SECRET_KEY=" + goodSecret}
	status, stdout, stderr := try(t, env, "", "config", "show", "--json", "--addr", "127.0.0.1:3", "--session-lifetime", "0s")
	if status != 0 || stderr != "" {
		t.Fatalf("status %d, %s", status, stderr)
	}
	var list []settingOrigin
	if err := json.Unmarshal([]byte(stdout), &list); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, s := range list {
		found[s.Name] = s.Value + " from " + s.Source
	}
	want := map[string]string{
		"addr": "127.0.0.1:3 from --addr", "issuer": "me from $JOTGATE_ISSUER", "log-level": "warn from " + file + ": log-level",
		"rate": "anon=5/hour;login=30/min from " + file + ": rate", "claims": "username,email from " + file + ": claims",
		"session-lifetime": "0s from --session-lifetime", "secret-key": "(hidden) from $SECRET_KEY",
	}
	if !maps.Equal(found, want) {
		t.Errorf("found %v\nwant %v", found, want)
	}
}

// Without settings nothing but a hint is printed; --all prints all with their defaults.
func TestConfigShowDefaults(t *testing.T) {
	if status, stdout, stderr := try(t, nil, "", "config", "show"); status != 0 || stdout != "" || !strings.Contains(stderr, "--all") {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
	status, stdout, _ := try(t, nil, "", "config", "show", "--all")
	if status != 0 || !regexp.MustCompile(`(?m)^drain-timeout +20s +default$`).MatchString(stdout) {
		t.Errorf("status %d, %s", status, stdout)
	}
}

// No secret is printed, whatever form its setting has and wherever it is from.
func TestConfigShowHidesSecrets(t *testing.T) {
	const hidden = "s3cretWord"
	for flag, values := range map[string][]string{
		"secret-key":           {hidden, "x@" + hidden, "https://" + hidden},
		"secret-key-fallbacks": {hidden, hidden + "," + hidden},
		"database": {
			"postgres://u:" + hidden + "@h/db", "postgres://h/db?user=u&password=" + hidden, "host=h password=" + hidden,
			"host=h password = '" + hidden + "'", "postgres://u:" + hidden + "@h:bad/db", "postgres://u:" + hidden + "%zz@h/db",
			"postgres://u:12#" + hidden + "@h/db", "postgres://u:12/" + hidden + "@h/db", "postgres://u:12?" + hidden + "@h/db",
			"postgres://h/db?sslpassword=" + hidden, "postgres://u:1@h/db?PASSWORD=" + hidden, "postgres://u:a@" + hidden + "@h/db",
		},
		"mail-server": {"smtp://u:" + hidden + "@h:587", "smtp://u:" + hidden + "@h:x", "u:" + hidden + "@h"},
		"upstream":    {"http://u:" + hidden + "@h", "//u:" + hidden + "@h"},
	} {
		for _, value := range values {
			for name, run := range map[string]func() (int, string, string){
				"flag": func() (int, string, string) { return try(t, nil, "", "config", "show", "--"+flag, value) },
				"variable": func() (int, string, string) {
					return try(t, []string{variableOf(flag) + "=" + value}, "", "config", "show")
				},
				"json": func() (int, string, string) {
					return try(t, []string{variableOf(flag) + "=" + value}, "", "config", "show", "--json")
				},
			} {
				status, stdout, stderr := run()
				if status != 0 || !strings.Contains(stdout, flag) || strings.Contains(stdout+stderr, hidden) {
					t.Errorf("--%s %s by %s: status %d, %s%s", flag, value, name, status, stdout, stderr)
				}
			}
		}
	}
}

func variableOf(flag string) string {
	return "JOTGATE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// A setting whose name or help is about a secret or a URL says whether it is shown.
func TestEverySecretSettingIsMarked(t *testing.T) {
	shown := map[string]bool{ // without a secret in the value
		"secret-key-file": true, "base-url": true, "mail-base-url": true, "insecure-short-secret": true, "rp-origins": true,
		"cors-credentials": true, "remember-credentials": true, "home-url": true, "tls-acme-url": true,
	}
	secret := regexp.MustCompile(`secret|credential|URL|[a-z]://\S*:\S*@`)
	for _, leaf := range leaves(t) {
		for _, flag := range leaf.Flags {
			about := flag.Name + " " + flag.PlaceHolder
			if flag.Group == nil || shown[flag.Name] || !secret.MatchString(about) {
				continue
			}
			if flag.Tag.Get("secret") == "" {
				t.Errorf("--%s: has no tag secret, so that config show prints its value", flag.Name)
			}
		}
	}
}

// config check reports each fault that keeps serve from starting, and changes nothing.
func TestConfigCheck(t *testing.T) {
	t.Chdir(t.TempDir())
	if status, stdout, stderr := try(t, nil, "", "config", "check"); status != 0 || stdout != "serve starts with these settings\n" || stderr != "" {
		t.Errorf("status %d, %s%s", status, stdout, stderr)
	}
	status, stdout, _ := try(t, nil, "", "config", "check", "--cors-origins", "app", "--addr", "x:y:z", "--mail-server", "ftp://h")
	for _, flag := range []string{"--cors-origins", "--addr", "--mail-server"} {
		if status != statusRefused || !strings.Contains(stdout, flag) {
			t.Errorf("%s: status %d, %s", flag, status, stdout)
		}
	}
	if status, _, stderr := try(t, []string{"JOTGATE_CONFIG=" + write(t, "c.yaml", "acces-token-lifetime: 1m\n")}, "", "config", "check"); status != statusUsage || !strings.Contains(stderr, "did you mean access-token-lifetime?") {
		t.Errorf("status %d, %s", status, stderr)
	}
}
