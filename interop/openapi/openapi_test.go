package openapi

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/errors"
)

const root = "../.."

// exchanged is a line of the file that the replay writes (api, EXCHANGES).
type exchanged struct {
	Method, Path string
	Headers      map[string]string
	Body         string
	Status       int
	Header       http.Header
	Answer       string
}

// exchanges replays the recordings and returns what was sent and answered.
func exchanges(t *testing.T) (list []exchanged) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "exchanges")
	replay := exec.Command("go", "test", "-timeout=0", "-count=1", "-run=^TestGolden$", "./api")
	replay.Dir, replay.Env = root, append(os.Environ(), "EXCHANGES="+file, "GOLDEN=")
	if out, err := replay.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return list
		}
		var e exchanged
		if err == nil {
			err = json.Unmarshal(line, &e)
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
}

func load(t *testing.T) validator.Validator {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "api", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return v
}

func TestDocumentIsValid(t *testing.T) {
	if ok, errs := load(t).ValidateDocument(); !ok {
		t.Fatal(say(errs))
	}
}

// Every answer fits the document; so does every request that was accepted.
// Left out are the views of the recorded project (/api/me/ and such), what
// OPTIONS answers, and methods and paths that there are none of.
func TestExchanges(t *testing.T) {
	v := load(t)
	seen := 0
	for _, e := range exchanges(t) {
		r, w := e.http(t)
		if e.Status == http.StatusMethodNotAllowed || e.Method == "OPTIONS" || e.Method == "HEAD" || foreign(r.URL.Path) {
			continue
		}
		if bodyless := e.Answer == "" && e.Status == http.StatusBadRequest; bodyless && r.URL.Path == "/auth/users/resend_activation/" {
			continue // told in words: OpenAPI cannot say that a body is there or not
		}
		seen++
		ok, errs := v.ValidateHttpResponse(r, w)
		if ok && e.Status < 300 {
			ok, errs = v.ValidateHttpRequest(r)
		}
		if !ok {
			t.Errorf("%s %s %.200s → %d %.300s\n%s", e.Method, e.Path, e.Body, e.Status, e.Answer, say(errs))
		}
	}
	if seen < 1000 {
		t.Errorf("%d exchanges were held against the document", seen)
	}
	t.Logf("%d exchanges fit", seen)
}

// A wrong answer is noticed: each differs from a right one in one point.
func TestValidatorNotices(t *testing.T) {
	v := load(t)
	e := exchanged{Method: "GET", Path: "/auth/users/me/", Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Answer: `{"email":"a@b.de","id":1,"username":"a"}`}
	check := func(e exchanged) bool {
		r, w := e.http(t)
		ok, _ := v.ValidateHttpResponse(r, w)
		return ok
	}
	if !check(e) {
		t.Fatal("a right answer is refused")
	}
	for name, change := range map[string]func(*exchanged){
		"status": func(e *exchanged) { e.Status = 418 },
		"member": func(e *exchanged) { e.Answer = `{"email":"a@b.de","id":1}` },
		"type":   func(e *exchanged) { e.Answer = `{"email":"a@b.de","id":1.5,"username":"a"}` },
		"more":   func(e *exchanged) { e.Answer = `{"email":"a@b.de","id":1,"username":"a","password":"x"}` },
		"path":   func(e *exchanged) { e.Path = "/auth/users/nowhere/at/all/" },
	} {
		wrong := e
		change(&wrong)
		if check(wrong) {
			t.Errorf("%s: a wrong answer is accepted", name)
		}
	}
}

// http makes the request and the response of an exchange, with the slash that
// the document's paths have.
func (e exchanged) http(t *testing.T) (*http.Request, *http.Response) {
	t.Helper()
	path, query, _ := strings.Cut(e.Path, "?")
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	if query != "" {
		path += "?" + query
	}
	r, err := http.NewRequest(e.Method, "http://testserver"+path, strings.NewReader(e.Body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range e.Headers {
		r.Header.Set(name, value)
	}
	return r, &http.Response{StatusCode: e.Status, Header: e.Header, Request: r, Body: io.NopCloser(bytes.NewBufferString(e.Answer))}
}

// foreign are the paths that are no part of jotgate.
func foreign(path string) bool {
	for _, prefix := range []string{"/api/me/", "/api/open/", "/api/staff/", "/api/readonly/", "/api/nowhere/", "/api/token/sliding/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

func say(errs []*errors.ValidationError) string {
	var b strings.Builder
	for _, e := range errs {
		b.WriteString(e.Message + ": " + e.Reason + "\n")
		for _, s := range e.SchemaValidationErrors {
			b.WriteString("  " + s.Reason + " " + s.FieldPath + "\n")
		}
	}
	return b.String()
}
