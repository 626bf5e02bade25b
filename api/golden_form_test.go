package api

// What the replay says of recordings that it does not understand: strangers run
// it on theirs.

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// small is a recording that jotgate does not differ from.
const small = `{
 "group": "small", "stack": {"name": "mine", "django": "5.0.1"},
 "settings": {"SECRET_KEY": "golden-secret-key-golden-secret-key-golden-secret-key-0123456789", "over_base": {"SIMPLE_JWT": {"LEEWAY": 0}}},
 "cases": [{"name": "good", "steps": [
  {"op": "set_password", "username": "alice", "value": "another fine password 9"},
  {"op": "mint", "save": "tok", "header": {"alg": "HS256", "typ": "JWT"}, "claims": {"token_type": "access", "exp": "{{now+300}}", "iat": "{{now}}", "jti": "0123456789abcdef0123456789abcdef", "user_id": 1}, "alg": "HS256", "key": "SECRET_KEY"},
  {"op": "http", "request": {"method": "GET", "path": "/api/me/", "headers": {"Host": "testserver", "Authorization": "Bearer {{tok}}"}, "body": null},
   "response": {"status": 200, "headers": {"Content-Type": "application/json", "Allow": "GET, HEAD, OPTIONS", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}, "body": "{\"id\":1,\"username\":\"{{name}}\",\"email\":\"alice@example.com\",\"user_class\":\"{{class}}\",\"auth_class\":\"{{Auth_1}}\"}"}},
  {"op": "row_counts", "result": {"auth_user": 6}},
  {"op": "reset_token", "username": "alice", "save": "rtok", "save_uid": "ruid", "uid_value": "MQ"}
 ]}]}`

// said replays the one case of a group as GOLDEN would, and returns what is said
// of it; "" when it passes.
func said(t *testing.T, content string) string {
	folder := t.TempDir()
	file := filepath.Join(folder, "small.json")
	write(t, file, content)
	g, err := readGroup(file)
	if err != nil {
		return err.Error()
	}
	return replay(t, g, &g.Cases[0], newTemplate(t, folder), &differences{})
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReplayNamesWhatItDoesNotUnderstand(t *testing.T) {
	if diff := said(t, small); diff != "" {
		t.Fatalf("the recording to begin with: %s", diff)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"no JSON", `"cases"`, `cases`, "invalid character"},
		{"no cases", `"cases"`, `"kases"`, "a group without cases"},
		{"stack", `"5.0.1"`, `5`, "Stack"},
		{"setting", `"LEEWAY": 0`, `"NEWEST_SETTING": 0`, `unknown field "NEWEST_SETTING"`},
		{"setting of Django", `"SIMPLE_JWT": {`, `"SESSION_ENGINE": 1, "SIMPLE_JWT": {`, `unknown field "SESSION_ENGINE"`},
		{"type of a setting", `"LEEWAY": 0`, `"LEEWAY": "ten"`, "SIMPLE_JWT.LEEWAY"},
		{"algorithm of a setting", `"LEEWAY": 0`, `"ALGORITHM": "XS1", "SIGNING_KEY": "x"`, "before the first step: this is not understood: "},
		{"throttle", `"SIMPLE_JWT"`, `"_throttle": {"DEFAULT_THROTTLE_RATES": {"burst": "3/min"}}, "SIMPLE_JWT"`, `a throttle "burst"`},
		{"step", `"op": "set_password"`, `"op": "set_password_hint"`, "step 1, set_password_hint: this step is not understood"},
		{"value", `"another fine password 9"`, `9`, "step 1, set_password: this is not understood: "},
		{"tamper", `"save": "tok"`, `"save": "tok", "tamper": "twist"`, "step 2, mint: this is not understood: tamper twist"},
		{"algorithm", `"alg": "HS256", "key"`, `"alg": "XS256", "key"`, "step 2, mint: this is not understood: the algorithm XS256"},
		{"short algorithm", `"alg": "HS256", "key"`, `"alg": "H", "key"`, "step 2, mint: this is not understood: the algorithm H"},
		{"key", `"alg": "HS256", "key"`, `"alg": "RS256", "key"`, "step 2, mint: this is not understood: a key for RS256 that is not PEM"},
		{"time", `{{now+300}}`, `{{now+5m}}`, "step 2, mint: this is not understood: "},
		{"no status", `"status": 200, `, ``, "step 3, http: GET /api/me/: status 200, Django 0"},
		{"body", `alice@example.com`, `bob@example.com`, "step 3, http: GET /api/me/: body"},
		{"table", `"auth_user": 6`, `"auth_user": "six"`, "step 4, row_counts: this is not understood: "},
		{"nobody", `"op": "reset_token", "username": "alice"`, `"op": "reset_token", "username": "zoe"`, "step 5, reset_token: this is not understood: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := strings.Replace(small, c.old, c.new, 1)
			if got := said(t, content); content == small || !strings.Contains(got, c.want) {
				t.Errorf("%q is said, want %q", got, c.want)
			}
		})
	}
}

func TestStacksInAFolder(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		want  string // the folders, or the error
	}{
		{"all", []string{"http/fixtures.json", "http/a/small.json", "http/b/rs256.json", "data/hashes_a.json"}, "[http/a http/b]"},
		{"only http", []string{"fixtures.json", "a/small.json"}, "[a]"},
		{"one stack", []string{"small.json"}, "[.]"},
		{"only data", []string{"data/auth_x.json"}, "[]"},
		{"data itself", []string{"schema_sqlite_x.sql"}, "[]"},
		{"nothing", []string{"http/readme.txt", "other.json"}, "no recordings here"},
	} {
		folder := t.TempDir()
		for _, file := range c.files {
			content := "{}"
			if strings.HasSuffix(file, "small.json") || strings.HasSuffix(file, "rs256.json") {
				content = small
			}
			write(t, filepath.Join(folder, file), content)
		}
		stacks, err := stacksIn(folder)
		names := []string{}
		for _, stack := range stacks {
			name, _ := filepath.Rel(folder, stack)
			names = append(names, name)
		}
		got, _ := json.Marshal(names)
		text := strings.NewReplacer(`"`, "", ",", " ").Replace(string(got))
		if err != nil {
			text = err.Error()
		}
		if text != c.want && (err == nil || !strings.Contains(text, c.want)) {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}

func TestRowsOfOlderVersions(t *testing.T) {
	for _, c := range []struct {
		before, version string
		want            bool
	}{
		{"", "", true},
		{"simplejwt 5.5", "5.4.0", true},
		{"simplejwt 5.5", "5.5.0", false},
		{"simplejwt 5.10", "5.9", true},
		{"simplejwt 5.5", "6.0", false},
		{"simplejwt 5.5", "git 998eb63 (5.4 + unreleased)", false},
		{"simplejwt 5.5", "", false},
		{"pyjwt 2.10", "5.4.0", false},
	} {
		row := difference{Before: c.before}
		if got := row.of(map[string]string{"simplejwt": c.version}); got != c.want {
			t.Errorf("before %q, %q: %v", c.before, c.version, got)
		}
	}
}
