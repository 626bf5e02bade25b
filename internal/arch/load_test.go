// Loading: go list for what there is, go/parser for what it says.

package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// pkg is one package of the module.
type pkg struct {
	path        string   // relative to the module, "." for the root
	imports     []string // outside its tests
	testImports []string
	deps        []string // all that it links
	files       []*source
}

// source is one Go file.
type source struct {
	name      string // relative to the module
	fset      *token.FileSet
	ast       *ast.File
	text      []byte
	lines     int
	test      bool
	generated bool
}

// at is the place of a node, as file:line.
func (s *source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.name, s.fset.Position(n.Pos()).Line)
}

// code is the package's files without tests and generated ones.
func (p *pkg) code() (files []*source) {
	for _, f := range p.files {
		if !f.test && !f.generated {
			files = append(files, f)
		}
	}
	return files
}

// positions is shared by all files, so that packages can be type-checked.
var positions = token.NewFileSet()

func parse(name string, text []byte) (*source, error) {
	fset := positions
	tree, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	return &source{
		name: name, fset: fset, ast: tree, text: text,
		lines:     bytes.Count(text, []byte("\n")),
		test:      strings.HasSuffix(name, "_test.go"),
		generated: ast.IsGenerated(tree),
	}, nil
}

// relative turns an import path into a path of this module, or says that it is
// none of it.
func relative(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// root is the module's folder.
var root = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	return strings.TrimSpace(string(out)), err
})

// packages are the module's, loaded once.
var packages = sync.OnceValues(func() ([]*pkg, error) {
	dir, err := root()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "list", "-e", "-json", "./...")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var all []*pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		p, err := l.load()
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

// listed is what go list says about a package.
type listed struct {
	ImportPath, Dir                                    string
	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles       []string
	IgnoredGoFiles, Imports, TestImports, XTestImports []string
	Deps                                               []string
}

func (l *listed) load() (*pkg, error) {
	where, ok := relative(l.ImportPath)
	if !ok {
		return nil, fmt.Errorf("%s is not below %s: was the module renamed? Then change module in table_test.go", l.ImportPath, module)
	}
	p := &pkg{path: where, imports: l.Imports, deps: l.Deps}
	p.testImports = append(append(p.testImports, l.TestImports...), l.XTestImports...)
	for _, names := range [][]string{l.GoFiles, l.CgoFiles, l.IgnoredGoFiles, l.TestGoFiles, l.XTestGoFiles} {
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join(l.Dir, name))
			if err != nil {
				return nil, err
			}
			s, err := parse(path.Join(where, name), text)
			if err != nil {
				return nil, err
			}
			p.files = append(p.files, s)
		}
	}
	return p, nil
}

// loaded gives the packages to a test, or ends it.
func loaded(t *testing.T) []*pkg {
	t.Helper()
	all, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 2 {
		t.Fatalf("go list found %d packages; these tests must run inside the module", len(all))
	}
	return all
}

// report prints findings, one error each.
func report(t *testing.T, findings []string) {
	t.Helper()
	for _, f := range findings {
		t.Error(f)
	}
}

// snippet makes a package of one file for the tests of the checks.
func snippet(t *testing.T, where, name, text string) *pkg {
	t.Helper()
	s, err := parse(path.Join(where, name), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &pkg{path: where, files: []*source{s}}
}

// snippets is snippet for several files, by name.
func snippets(t *testing.T, where string, files map[string]string) *pkg {
	t.Helper()
	p := &pkg{path: where}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		p.files = append(p.files, snippet(t, where, name, files[name]).files...)
	}
	return p
}

// expect compares findings with the parts they must contain, in order.
func expect(t *testing.T, findings []string, want ...string) {
	t.Helper()
	if len(findings) != len(want) {
		t.Fatalf("%d findings, want %d: %q", len(findings), len(want), findings)
	}
	for i := range want {
		if !strings.Contains(findings[i], want[i]) {
			t.Errorf("finding %q does not say %q", findings[i], want[i])
		}
	}
}

// eachGoFile calls visit with every Go file of every module in the tree, by its
// name relative to the root.
func eachGoFile(t *testing.T, visit func(name string, text []byte) error) {
	t.Helper()
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "node_modules", "testdata"}, entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		where, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(where), text)
	})
	if err != nil {
		t.Fatal(err)
	}
}
