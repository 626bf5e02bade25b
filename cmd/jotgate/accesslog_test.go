package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/wait"
)

// visitor sends requests and remembers what must not be logged.
type visitor struct {
	*testing.T
	base    string
	secrets []string
}

const visitorTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

// send sends a JSON body and returns the members of the response.
func (v *visitor) send(method, path, token, body string) map[string]any {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), method, v.base+path, strings.NewReader(body))
	if err != nil {
		v.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Traceparent", "00-"+visitorTrace+"-00f067aa0ba902b7-01")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := (&http.Client{}).Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	out := map[string]any{}
	_ = json.Unmarshal(text, &out)
	for _, name := range []string{"access", "refresh"} {
		if token, ok := out[name].(string); ok {
			v.secrets = append(v.secrets, token, token[strings.LastIndexByte(token, '.')+1:])
		}
	}
	return out
}

func (v *visitor) login(body string) (access, refresh string) {
	v.Helper()
	out := v.send("POST", "/api/token/", "", body)
	access, _ = out["access"].(string)
	refresh, _ = out["refresh"].(string)
	if access == "" || refresh == "" {
		v.Fatal(out)
	}
	return access, refresh
}

// Neither the log, with all of its levels and --access-log, nor the metrics have a
// token, a password, a link or an e-mail address; each line that a request caused has
// its ids.
func TestLogsHaveNoSecrets(t *testing.T) {
	addr := freeport.Address(t)
	s := startServer(t, t.TempDir(), nil, "--metrics-addr", addr, "--access-log", "--log-level", "debug", "--rate", "login=;email=;register=;links=",
		"--mail-server", "smtp://mailer:smtp-passphrase@127.0.0.1:1", "--mail-from", "site@example.com", "--hasher", "pbkdf2_sha256:1")
	wait.Until(t, "serve is ready", func() bool { code, _ := get(t, s.base+"/readyz"); return code == 200 })
	v := &visitor{T: t, base: s.base, secrets: []string{
		"smtp-passphrase", "right-passphrase-1", "wrong-passphrase-2", "third-passphrase-3", "private@mail.example", "other@mail.example",
		"link-token-4", "query-token-5", "header-token-6", "path-token-7",
	}}
	v.send("POST", "/auth/users/", "", `{"username":"alice","email":"private@mail.example","password":"right-passphrase-1"}`)
	v.send("POST", "/api/token/", "", `{"username":"alice","password":"wrong-passphrase-2"}`)
	v.send("POST", "/api/token/", "", `{"username":"private@mail.example","password":"wrong-passphrase-2"}`)
	access, refresh := v.login(`{"username":"alice","password":"right-passphrase-1"}`)
	v.send("GET", "/auth/users/me/", access, "")
	v.send("GET", "/auth/check?access_token=query-token-5", access, "")
	v.send("GET", "/auth/check", access+"x", "")
	v.send("GET", "/auth/users/me/", "header-token-6", "")
	v.send("GET", "/account/reset/MQ/path-token-7", "", "")
	v.send("GET", "/path-token-7/private@mail.example", "", "")
	v.send("PATCH", "/auth/users/me/", access, `{"email":"other@mail.example"}`)
	v.send("POST", "/auth/users/set_password/", access, `{"current_password":"wrong-passphrase-2","new_password":"third-passphrase-3"}`)
	v.send("POST", "/auth/users/reset_password/", "", `{"email":"private@mail.example"}`)
	v.send("POST", "/auth/users/reset_password_confirm/", "", `{"uid":"MQ","token":"link-token-4","new_password":"third-passphrase-3"}`)
	v.send("POST", "/api/token/refresh/", "", fmt.Sprintf(`{"refresh":%q}`, refresh))
	v.send("POST", "/api/token/verify/", "", fmt.Sprintf(`{"token":%q}`, access))
	v.send("POST", "/api/token/blacklist/", "", fmt.Sprintf(`{"refresh":%q}`, refresh))
	v.send("path-token-7", "/livez", "", "")
	_, figures := get(t, "http://"+addr+"/metrics")
	if s.end(t) != 0 {
		t.Error(s.stderr.String())
	}
	for place, text := range map[string]string{"the log": s.stderr.String(), "standard output": s.stdout.String(), "the metrics": figures} {
		for _, secret := range v.secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s has %q", place, secret)
			}
		}
	}
	ids := regexp.MustCompile(` trace_id=[0-9a-f]{32} span_id=[0-9a-f]{16}`)
	lines := 0
	for line := range strings.Lines(s.stderr.String()) {
		if strings.Contains(line, " msg=request ") || strings.Contains(line, " outcome=") {
			if lines++; !ids.MatchString(line) {
				t.Errorf("without ids: %s", line)
			}
		}
	}
	for _, want := range []string{
		`msg=request method=POST route=/api/token status=401 `, `msg=request method=other route=other status=405 `, `msg=request method=GET route=other status=404 `,
		"msg=login outcome=success ", "msg=login_failed ", "trace_id=" + visitorTrace,
	} {
		if !strings.Contains(s.stderr.String(), want) {
			t.Errorf("the log has no %q", want)
		}
	}
	if lines < 15 {
		t.Errorf("%d lines\n%s", lines, s.stderr.String())
	}
	// The lines of one request have one request id.
	login := regexp.MustCompile(`msg=login outcome=success .* request=(\S+) `).FindStringSubmatch(s.stderr.String())
	if login == nil || !regexp.MustCompile(`msg=request method=POST route=/api/token status=200 .*request=`+login[1]).MatchString(s.stderr.String()) {
		t.Errorf("%v", login)
	}
}
