package api

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every row of testdata/attacks.json has a test here named by its id, or a row
// in attacks_elsewhere.json: the test of another package, or why there is none.
func TestAttackRows(t *testing.T) {
	var attacks struct {
		Rows []struct{ ID, Attack, Severity string }
	}
	load(t, filepath.Join("testdata", "attacks.json"), &attacks)
	var elsewhere map[string]struct{ File, Test, Not string }
	load(t, filepath.Join("testdata", "attacks_elsewhere.json"), &elsewhere)
	files, _ := filepath.Glob("*_test.go")
	var here strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		here.Write(text)
	}
	if len(attacks.Rows) != 130 {
		t.Fatalf("%d rows", len(attacks.Rows))
	}
	for _, row := range attacks.Rows {
		tested := regexp.MustCompile("(?m)^func Test" + row.ID + "[A-Z]").MatchString(here.String())
		other, listed := elsewhere[row.ID]
		switch {
		case tested && listed:
			t.Errorf("%s is tested here: delete it from attacks_elsewhere.json", row.ID)
		case tested:
		case !listed:
			t.Errorf("%s (%s, %s) is neither tested nor listed", row.ID, row.Severity, row.Attack)
		case other.Test != "":
			text, err := os.ReadFile(filepath.Join("..", other.File))
			if err != nil || !strings.Contains(string(text), "\nfunc "+other.Test+"(") {
				t.Errorf("%s: there is no %s in %s", row.ID, other.Test, other.File)
			}
		case other.Not == "":
			t.Errorf("%s: no reason is given", row.ID)
		}
		delete(elsewhere, row.ID)
	}
	for id := range elsewhere {
		t.Errorf("%s is no row", id)
	}
}

// TestH128 is a short run of FuzzAPI: whatever is sent, no answer is 500, and
// nothing panics.
func TestH128NoPanics(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	for _, r := range s.routes() {
		path := strings.NewReplacer("{id}", "1", "{file}", "x").Replace(r.path)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "X"} {
			for _, body := range []string{"", "{", "[]", "null", `{"a":1}`, `"x"`, "\xff", strings.Repeat(`{"a":`, 100)} {
				for _, headers := range [][]string{nil, alice.header(), {"Authorization", "Bearer x"}, {"Content-Type", "multipart/form-data; boundary=x"}, {"Accept", "text/html"}} {
					if a := s.ask(method, path, body, headers...); a.Status >= 500 {
						t.Fatalf("%s %s %q: %d %s", method, path, body, a.Status, a.Body)
					}
					if r.path == "/auth/logout/" || r.path == "/auth/sessions/" {
						alice = s.login("alice")
					}
				}
			}
		}
	}
	if strings.Contains(s.logs.String(), "msg=panic") {
		t.Error("something panicked")
	}
}

func FuzzAPI(f *testing.F) {
	s := newSite(f, change{})
	for _, r := range s.routes() {
		f.Add("POST", r.path, asJSONText, object("username", "alice", "password", "x", "refresh", "x", "email", "a@b.de", "uid", "MQ", "token", "x-y"), "Bearer x")
	}
	f.Fuzz(func(t *testing.T, method, path, contentType, body, authorization string) {
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL.Path = method, "/"+strings.TrimPrefix(path, "/")
		r.Header["Content-Type"], r.Header["Authorization"] = []string{contentType}, []string{authorization}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 || strings.Contains(s.logs.String(), "msg=panic") {
			t.Fatal(fmt.Sprint(w.Code, w.Body))
		}
	})
}

const asJSONText = "application/json"
