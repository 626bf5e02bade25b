package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/record"
)

// texts returns the English texts that the code of a folder can respond with: those
// of errors, and every other sentence.
func texts(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(folder, err)
	}
	found := map[string]string{}
	sentence := regexp.MustCompile(`^[A-Z][^\n]* [^\n]*\.$`)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		add := func(e ast.Expr, all bool) {
			if b, ok := e.(*ast.BasicLit); ok && b.Kind == token.STRING {
				if text, _ := strconv.Unquote(b.Value); sentence.MatchString(text) || all && strings.Contains(text, " ") {
					found[text] = set.Position(b.Pos()).String()
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				add(n, false)
			case *ast.BinaryExpr:
				if text, ok := joined(n); ok && sentence.MatchString(text) {
					found[text] = set.Position(n.Pos()).String()
					return false
				}
			case *ast.CompositeLit:
				if id, ok := n.Type.(*ast.Ident); ok && id.Name == "Error" {
					for _, e := range n.Elts {
						if pair, ok := e.(*ast.KeyValueExpr); ok && pair.Key.(*ast.Ident).Name == "Detail" {
							add(pair.Value, true)
						}
					}
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "tokenText" {
					add(n.Args[0], true)
				}
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "logUser" { // Django's history, in its language
					return false
				}
			case *ast.KeyValueExpr: // words about the API, not of an error
				if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "about" || key.Name == "HelpText") {
					return false
				}
			case *ast.FuncDecl:
				return n.Name.Name != "Help" && n.Name.Name != "help"
			}
			return true
		})
	}
	return found
}

// joined returns the text of literals and values that are joined by +, with %s for
// each value.
func joined(e ast.Expr) (text string, literal bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			break
		}
		left, one := joined(e.X)
		right, other := joined(e.Y)
		return left + right, one || other
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Quote" {
			return "%q", false
		}
	}
	return "%s", false
}

// notErrors are sentences of the code that are no error of the API.
var notErrors = regexp.MustCompile(`^(?:SELECT|COALESCE|Required\. 150 characters|No fields changed\.|An operator acts|EXISTS|UPDATE|They no longer)`)

// Every text of an error of the API is in the catalog: a new one without
// translations fails here.
func TestErrorsAreInTheCatalog(t *testing.T) {
	all, err := catalog.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	pseudo, checked := all.List[0].Pseudo(), 0
	quoted := regexp.MustCompile(`%[.0-9]*q`)
	verb := regexp.MustCompile(`%[.0-9]*[a-zA-Z]`)
	for _, folder := range []string{"..", ".", "../internal/web", "../internal/form", "../internal/lockout", "../passwd/names", "../passwd/strength", "../store", "../factor/totp", "../factor/passkey", "../apikey", "../admin", "../admin/adminstore"} {
		for text, at := range texts(t, folder) {
			if notErrors.MatchString(text) || strings.HasPrefix(at, "../admin/schema.go") { // words of the API's description
				continue
			}
			checked++
			sample := verb.ReplaceAllString(quoted.ReplaceAllString(text, `"7"`), "7")
			sample = strings.Replace(sample, "7 7", "7 seconds", 1) // of the throttle
			if got := pseudo.ErrorText(sample); got == sample {
				t.Errorf("%s: %q is not in the catalog: add it as error.… to internal/catalog/messages", at, text)
			}
		}
	}
	if checked < 60 {
		t.Errorf("%d texts", checked)
	}
}

// With TranslateErrors, errors and e-mails are in the language that the client accepts;
// codes and status stay, and caches are told.
func TestLanguages(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) {
		a.TranslateErrors, a.Locale = true, fstest.MapFS{"de.txt": {Data: []byte("error.required = Bitte ausfüllen.\n")}}
	}})
	for _, c := range []struct{ method, path, accept, body, want, language string }{
		{"GET", "/auth/users/me/", "de-AT, en;q=0.5", "", `{"detail":"Anmeldedaten fehlen."}`, "de"},
		{"GET", "/auth/users/me/", "", "", `{"detail":"Authentication credentials were not provided."}`, "en"},
		{"GET", "/auth/users/me/", "tlh", "", `{"detail":"Authentication credentials were not provided."}`, "en"},
		{"GET", "/nothing/", "fr", "", `{"detail":"Introuvable."}`, "fr"},
		{"DELETE", "/api/token/", "es", "", `{"detail":"Método \"DELETE\" no permitido."}`, "es"},
		{"POST", "/readyz", "ja", "", `{"detail":"メソッド \"POST\" は使えません。"}`, "ja"},
		{"POST", "/api/token/", "de", `{}`, `{"username":["Bitte ausfüllen."],"password":["Bitte ausfüllen."]}`, "de"},
		{"POST", "/api/token/", "ar", `{"username":"nobody","password":"x"}`, `{"detail":"لا يوجد حساب نشط بهذه البيانات"}`, "ar"},
		{"POST", "/api/token/verify/", "pt-BR", `{"token":"x"}`, `{"detail":"O token não é válido","code":"token_not_valid"}`, "pt-BR"},
		{"POST", "/auth/users/", "fr", `{"username":"a","password":"123"}`, `Ce mot de passe est trop court. Il faut au moins 8 caractères.`, "fr"},
		{"GET", "/auth/check", "de", "", `{"detail":"Anmeldedaten fehlen."}`, "de"},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept-Language", c.accept)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if got := w.Body.String(); !strings.Contains(got, c.want) || w.Header().Get("Content-Language") != c.language || !strings.Contains(strings.Join(w.Header().Values("Vary"), ", "), "Accept-Language") {
			t.Errorf("%s %s in %q: %s, %v", c.method, c.path, c.accept, got, w.Header())
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/auth/users/reset_password/", strings.NewReader(`{"email":"alice@example.com"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept-Language", "ja, en;q=0.1")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if m := lastMessage(t, s); w.Code != http.StatusNoContent || m.Language != "ja" {
		t.Errorf("%d, %+v", w.Code, m)
	}
}

// Without TranslateErrors nothing depends on Accept-Language.
func TestLanguagesAreOff(t *testing.T) {
	s := newSite(t, change{})
	r := httptest.NewRequest(http.MethodGet, "/auth/users/me/", nil)
	r.Header.Set("Accept-Language", "de")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Body.String() != `{"detail":"Authentication credentials were not provided."}` || w.Header().Get("Vary") != "" || w.Header().Get("Content-Language") != "" {
		t.Errorf("%s %v", w.Body, w.Header())
	}
	r = httptest.NewRequest(http.MethodPost, "/auth/users/reset_password/", strings.NewReader(`{"email":"alice@example.com"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept-Language", "de")
	s.ServeHTTP(httptest.NewRecorder(), r)
	if m := lastMessage(t, s); m.Language != "" {
		t.Errorf("%+v", m)
	}
}

// lastMessage returns the e-mail that waits in the outbox.
func lastMessage(t *testing.T, s *site) record.Message {
	t.Helper()
	due, err := s.db.Outbox().Due(t.Context(), s.now.Now(), 10, time.Minute)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	return due[0]
}
