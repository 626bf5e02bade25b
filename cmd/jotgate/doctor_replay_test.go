//go:build !race

// The replay of the same recordings under the race detector is TestGolden of package api.

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

// conversation is a recorded case of api/testdata/golden.
type conversation struct {
	Name  string
	Steps []struct {
		Op, Alg, Key, Tamper string
		Save                 any // of a token: its name; of a request: members of the response by the name to keep them by
		Claims               json.RawMessage
		Request              struct {
			Method, Path string
			Headers      map[string]string
			Body         *string
		}
		Response struct {
			Status int
			Body   string
		}
	}
}

// replayed says whether a case consists of requests and tokens alone, and no
// token's validity depends on seconds.
func (c *conversation) replayed() bool {
	for _, s := range c.Steps {
		if s.Op != "http" && s.Op != "mint" || s.Tamper != "" || closeTime.Match(s.Claims) {
			return false
		}
	}
	return true
}

var closeTime = regexp.MustCompile(`\{\{now(-[1-9]\d?|\+[1-9]\d?)\}\}`)

// readGroup reads the recorded cases of a group, without those in which
// jotgate differs on purpose.
func readGroup(t *testing.T, file string) (cases []conversation) {
	t.Helper()
	golden := filepath.Join("..", "..", "api", "testdata")
	var group struct{ Cases []conversation }
	var differences struct {
		Cases []struct{ Group, Case string }
	}
	for name, into := range map[string]any{filepath.Join("golden", file): &group, "differences.json": &differences} {
		text, err := os.ReadFile(filepath.Join(golden, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range group.Cases {
		differs := slices.ContainsFunc(differences.Cases, func(d struct{ Group, Case string }) bool {
			own, _ := filepath.Match(d.Group, strings.TrimSuffix(filepath.Base(file), ".json"))
			this, _ := filepath.Match(d.Case, c.Name)
			return own && this && d.Case != "*"
		})
		if c.replayed() && !differs {
			cases = append(cases, c)
		}
	}
	return cases
}

// goldenUsers makes a database with the users that every case begins with.
func goldenUsers(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "api", "testdata", "golden", "fixtures.json"))
	if err != nil {
		t.Fatal(err)
	}
	var people struct {
		Users []struct {
			record.Account
			Password *string `json:"password"`
		}
	}
	if err := json.Unmarshal(text, &people); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	hasher, err := passwd.New("pbkdf2_sha256:100")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range people.Users {
		a := u.Account
		a.ID, a.Password, a.DateJoined = "", passwd.Unusable(), time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
		if u.Password != nil {
			if a.Password, err = hasher.Make(*u.Password); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Accounts().Create(t.Context(), &a); err != nil {
			t.Fatal(err)
		}
	}
}

var timeMark = regexp.MustCompile(`"\{\{now([+-]\d+)\}\}"`)

// replay plays a case against a server.
func (c *conversation) replay(t *testing.T, base, secret string) {
	saved := map[string]string{}
	fill := func(text string) string {
		for name, value := range saved {
			text = strings.ReplaceAll(text, "{{"+name+"}}", value)
		}
		return text
	}
	for i, s := range c.Steps {
		if s.Op == "mint" {
			text := timeMark.ReplaceAllStringFunc(string(s.Claims), func(mark string) string {
				n, _ := strconv.ParseInt(timeMark.FindStringSubmatch(mark)[1], 10, 64)
				return strconv.FormatInt(time.Now().Unix()+n, 10)
			})
			key := mintKey(secret, s.Key, s.Alg)
			if key == nil {
				return // the algorithm none, or a key for another one
			}
			token, err := jwt.Sign(key, jwt.Raw(text))
			if err != nil {
				t.Fatal(err)
			}
			saved[s.Save.(string)] = token
			continue
		}
		body := ""
		if s.Request.Body != nil {
			body = fill(*s.Request.Body)
		}
		path := strings.Replace(fill(s.Request.Path), "/api/me/", "/auth/users/me/", 1) // the recorded site's own view
		r, err := http.NewRequestWithContext(t.Context(), s.Request.Method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range s.Request.Headers {
			if name != "Host" {
				r.Header.Set(name, fill(value))
			}
		}
		r.Close = true // the server ends sooner without idle connections
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		where := s.Request.Method + " " + s.Request.Path + " (step " + strconv.Itoa(i) + ")"
		if response.StatusCode != s.Response.Status {
			t.Errorf("%s: status %d, Django %d: %s", where, response.StatusCode, s.Response.Status, got)
			return
		}
		sameBody(t, where, s.Request.Path, s.Response.Body, got, saved)
		var members map[string]any
		_ = json.Unmarshal(got, &members) // not every body is an object
		if names, ok := s.Save.(map[string]any); ok {
			for name, member := range names {
				saved[name], _ = members[member.(string)].(string)
			}
		}
	}
}

// sameBody compares a body with the recorded one. Tokens in it are saved under
// the name that the recording gives them.
func sameBody(t *testing.T, where, path, recorded string, got []byte, saved map[string]string) {
	t.Helper()
	var theirs, ours map[string]any
	if json.Unmarshal([]byte(recorded), &theirs) != nil || json.Unmarshal(got, &ours) != nil {
		if recorded != "" && !strings.HasPrefix(recorded, "<") && !bytes.HasPrefix(got, []byte("[")) {
			t.Errorf("%s: %s, Django %s", where, got, recorded)
		}
		return
	}
	for name, want := range theirs {
		text, _ := want.(string)
		switch mark, ok := strings.CutPrefix(text, "{{"); {
		case ok:
			saved[strings.TrimSuffix(mark, "}}")], _ = ours[name].(string)
			if ours[name] == nil {
				t.Errorf("%s: no %s in %s", where, name, got)
			}
		case path == "/api/me/" && ours["detail"] == nil: // another view
		case name == "messages", strings.HasPrefix(text, "Token is "), strings.Contains(text, "Expected available in"):
			// older texts and seconds
		default:
			a, _ := json.Marshal(want)
			b, _ := json.Marshal(ours[name])
			if !bytes.Equal(a, b) && name != "id" {
				t.Errorf("%s: %s is %s, Django %s", where, name, b, a)
			}
		}
	}
}

// The configuration that doctor writes from the settings of a recorded site
// makes serve hold that site's recorded conversations.
func TestDjangoConfigReplays(t *testing.T) {
	for name, group := range map[string]string{
		"audience": "newest/aud_iss_leeway.json", "header": "newest/protected_x_header.json", "username": "newest/username_claim.json",
		"retype": "newest/djoser_retype.json", "throttle": "newest/throttle.json", "rs256": "debian12/rs256.json",
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			dump, config, template := filepath.Join("testdata", "django", name+".json"), filepath.Join(folder, "jotgate.yaml"), filepath.Join(folder, "users.db")
			goldenUsers(t, template)
			text, err := os.ReadFile(dump)
			if err != nil {
				t.Fatal(err)
			}
			var site struct {
				SecretKey string `json:"SECRET_KEY"`
			}
			if err := json.Unmarshal(text, &site); err != nil {
				t.Fatal(err)
			}
			env := []string{"SECRET_KEY=" + site.SecretKey}
			status, stdout, stderr := try(t, env, "", "doctor", "--django-settings", dump, "--write", config, "--database", "sqlite:"+template)
			if status != statusDone || strings.Contains(stdout, "serve cannot follow") {
				t.Fatalf("doctor: status %d\n%s%s", status, stdout, stderr)
			}
			cases := readGroup(t, group)
			if len(cases) == 0 {
				t.Fatal("no case is replayed")
			}
			users, err := os.ReadFile(template)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				t.Run(c.Name, func(t *testing.T) {
					file := filepath.Join(t.TempDir(), "site.db")
					if err := os.WriteFile(file, users, 0o600); err != nil {
						t.Fatal(err)
					}
					s := startServer(t, "", env, "--config", config, "--database", "sqlite:"+file, "--hasher", "pbkdf2_sha256:100,keep") // cheap
					c.replay(t, s.base, site.SecretKey)
					s.end(t)
				})
			}
		})
	}
}

// mintKey returns the recorder's key, or nil if its algorithm is not one that
// the key is for.
func mintKey(secret, key, alg string) *jwt.Key {
	if key == "SECRET_KEY" {
		made, _ := jwt.NewKey(jwt.Algorithm(alg), []byte(secret))
		return made
	}
	made, _ := jwt.ParseKey([]byte(key), jwt.Algorithm(alg))
	return made
}
