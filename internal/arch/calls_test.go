// What must not be called, and tests that are skipped.

package arch

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// used records the exceptions that have lifted a finding, to find stale ones.
type used map[string]bool

// lifts reports whether there is an exception for name in file.
func (u used) lifts(file, name string) bool {
	key := file + ": " + name
	_, ok := exceptions[key]
	u[key] = u[key] || ok
	return ok
}

func TestCalls(t *testing.T) {
	u := used{}
	for _, p := range loaded(t) {
		report(t, checkCalls(p, u))
		report(t, checkSkips(p, u))
	}
	for key, reason := range exceptions {
		if strings.TrimSpace(reason) == "" {
			t.Errorf("the exception %q gives no reason: write one", key)
		}
		if !u[key] {
			t.Errorf("the exception %q is no longer needed: delete it from table_test.go", key)
		}
	}
}

// concerns reports whether the ban applies to a package.
func (b ban) concerns(p *pkg) bool {
	r, _ := rowOf(p.path)
	return !slices.Contains(b.notIn, r.kind) && (b.in == nil || slices.Contains(b.in, p.path))
}

func (b ban) String() string {
	if b.name == "" {
		return b.pkg
	}
	return b.pkg + "." + b.name
}

func checkCalls(p *pkg, u used) (findings []string) {
	for _, f := range p.code() {
		names := importNames(f.ast)
		for _, b := range bans {
			if name, ok := names[b.pkg]; ok && b.concerns(p) {
				findings = append(findings, b.find(f, name, u)...)
			}
		}
	}
	return findings
}

// find returns the uses of the ban in a file that imports the package under a local name.
func (b ban) find(f *source, local string, u used) (findings []string) {
	found := func(n ast.Node) {
		if !u.lifts(f.name, b.String()) {
			findings = append(findings, fmt.Sprintf("%s: do not use %v here. %s", f.at(n), b, b.instead))
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			if b.name == "" && n.Path.Value == strconv.Quote(b.pkg) || b.name != "" && local == "." && n.Path.Value == strconv.Quote(b.pkg) {
				found(n)
			}
		case *ast.CallExpr:
			if b.callsOnly && selects(n.Fun, local, b.name) {
				found(n)
			}
		case *ast.SelectorExpr:
			if !b.callsOnly && selects(n, local, b.name) {
				found(n)
			}
		}
		return true
	})
	return findings
}

// selects reports whether e is local.name.
func selects(e ast.Expr, local, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	id, ok := s.X.(*ast.Ident)
	return ok && id.Name == local
}

// importNames maps the imported paths to their names in the file.
func importNames(f *ast.File) map[string]string {
	names := map[string]string{}
	for _, spec := range f.Imports {
		where, _ := strconv.Unquote(spec.Path.Value)
		names[where] = path.Base(where)
		if spec.Name != nil {
			names[where] = spec.Name.Name
		}
	}
	return names
}

// checkSkips finds tests that can be skipped. It ignores methods named Skip of other
// types than testing.T, B, F and TB.
func checkSkips(p *pkg, u used) (findings []string) {
	for _, f := range p.files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for _, receiver := range []string{"t", "b", "f", "tb"} {
				for _, name := range []string{"Skip", "Skipf", "SkipNow"} {
					if selects(call.Fun, receiver, name) && !u.lifts(f.name, "t."+name) {
						findings = append(findings, fmt.Sprintf("%s: a test that can be skipped hides a gap. Provide what "+
							"it needs, or fail with a message that says what to install", f.at(n)))
					}
				}
			}
			return true
		})
	}
	return findings
}

func TestCheckCallsCatches(t *testing.T) {
	for _, c := range []struct {
		name, path, imports, body string
		want                      []string
	}{
		{"Unmarshal", "api", "encoding/json", "json.Unmarshal(nil, nil)", []string{"api/x.go:5: do not use encoding/json.Unmarshal"}},
		{"Marshal", "api", "encoding/json", "json.Marshal(nil)", nil},
		{"Unmarshal elsewhere", "mail", "encoding/json", "json.Unmarshal(nil, nil)", nil},
		{"NewDecoder", "jwt", "encoding/json", "json.NewDecoder(nil)", []string{"NewDecoder"}},
		{"Unmarshal as a value", "jwt", "encoding/json", "_ = json.Unmarshal", []string{"Unmarshal"}},
		{"Now", "store", "time", "time.Now()", []string{"do not use time.Now"}},
		{"Now injected", "store", "time", "_ = time.Now", nil},
		{"Now elsewhere", "mail", "time", "time.Now()", nil},
		{"Since", ".", "time", "time.Since(x)", []string{"time.Since"}},
		{"default client", "mail", "net/http", "http.DefaultClient.Do(nil)", []string{"http.DefaultClient"}},
		{"http.Get", "cmd/jotgate", "net/http", `http.Get("")`, []string{"http.Get"}},
		{"MethodGet", "mail", "net/http", "_ = http.MethodGet", nil},
		{"rand", "mail", "math/rand/v2", "rand.Int()", []string{"math/rand/v2"}},
		{"crypto/rand", "mail", "crypto/rand", "rand.Text()", nil},
		{"unsafe", "jwt", "unsafe", "_ = unsafe.Pointer(nil)", []string{"unsafe"}},
		{"Println", "mail", "fmt", "fmt.Println()", []string{"fmt.Println"}},
		{"Println in a program", "cmd/jotgate", "fmt", "fmt.Println()", nil},
		{"Fprintln", "mail", "fmt", "fmt.Fprintln(w)", nil},
		{"log", "mail", "log", "log.Print()", []string{"do not use log here"}},
		{"slog", "mail", "log/slog", `slog.Info("")`, nil},
		{"Exit", "api", "os", "os.Exit(1)", []string{"os.Exit"}},
		{"Exit in a program", "cmd/jotgate", "os", "os.Exit(1)", nil},
		{"other package of the name", "mail", "github.com/a/fmt", "fmt.Println()", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := fmt.Sprintf("package x\nimport %q\n\nfunc f() {\n\t%s\n}\n", c.imports, c.body)
			expect(t, checkCalls(snippet(t, c.path, "x.go", text), used{}), c.want...)
			expect(t, checkCalls(snippet(t, c.path, "x_test.go", text), used{}))
		})
	}
	expect(t, checkCalls(snippet(t, "api", "x.go", "package x\nimport j \"encoding/json\"\nvar _ = j.Unmarshal\n"), used{}), "Unmarshal")
	expect(t, checkCalls(snippet(t, "api", "x.go", "package x\nimport . \"encoding/json\"\nvar _ = Marshal\n"), used{}), "Unmarshal", "NewDecoder")
}

func TestCheckSkipsCatches(t *testing.T) {
	for body, want := range map[string][]string{
		"t.Skip()":        {"x_test.go:3: a test that can be skipped"},
		`t.Skipf("")`:     {"can be skipped"},
		"tb.SkipNow()":    {"can be skipped"},
		"t.Fatal()":       nil,
		"scanner.Skip(1)": nil,
	} {
		p := snippet(t, "mail", "x_test.go", "package x\nfunc f() {\n"+body+"\n}\n")
		expect(t, checkSkips(p, used{}), want...)
	}
}
