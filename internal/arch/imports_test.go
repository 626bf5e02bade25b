// Who may import whom.

package arch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestImports(t *testing.T) { report(t, checkImports(loaded(t))) }

// rowOf finds the row of a package.
func rowOf(path string) (row, bool) {
	for _, r := range rows {
		if below, ok := strings.CutSuffix(r.path, "/..."); r.path == path || ok && strings.HasPrefix(path, below+"/") {
			return r, true
		}
	}
	return row{}, false
}

func checkImports(all []*pkg) (findings []string) {
	for _, p := range all {
		r, ok := rowOf(p.path)
		if !ok {
			findings = append(findings, fmt.Sprintf("package %s has no row: add one to rows in internal/arch/table_test.go "+
				"that says which packages it may import, or move its code into a package that has one", p.path))
			continue
		}
		for _, path := range p.imports {
			findings = append(findings, r.checkImport(path)...)
		}
		findings = append(findings, r.checkTests(p)...)
		findings = append(findings, r.checkLinked(p)...)
	}
	return findings
}

// checkImport checks one import of the row's package.
func (r row) checkImport(path string) []string {
	target, ours := relative(path)
	if !ours {
		return r.checkForeign(path)
	}
	other, known := rowOf(target)
	switch {
	case !known: // its own finding
	case other.kind == testOnly && r.kind != testOnly:
		return []string{fmt.Sprintf("package %s imports %s, which is for tests: move the import into a _test.go file", r.path, target)}
	case !slices.Contains(r.may, target):
		return []string{fmt.Sprintf("package %s may not import %s (it may import: %s). Imports go downward only, see "+
			"\"Imports\" in table_test.go: pass in what you need from above, or move the code to where both can reach it",
			r.path, target, list(r.may))}
	}
	return nil
}

// checkForeign checks an import from outside the module.
func (r row) checkForeign(path string) []string {
	if standard(path) || r.libraries == anything || strings.HasPrefix(path, r.libraries) {
		return nil
	}
	return []string{fmt.Sprintf("package %s may not import %s (libraries allowed: %s): write it with the standard library, "+
		"or do this work in a package above", r.path, path, r.libraries)}
}

// family is the top folder of a package of the module.
func family(path string) string {
	top, _, _ := strings.Cut(path, "/")
	return top
}

// checkTests keeps the tests of pure packages pure.
func (r row) checkTests(p *pkg) (findings []string) {
	for _, path := range p.testImports {
		if target, ours := relative(path); r.kind == pure && ours && family(target) != family(p.path) {
			findings = append(findings, fmt.Sprintf("the tests of package %s import %s, but %s is independent: "+
				"test the two together in the package above", p.path, target, p.path))
		}
	}
	return findings
}

// checkLinked checks all direct and indirect dependencies of the package.
func (r row) checkLinked(p *pkg) (findings []string) {
	for _, dep := range p.deps {
		driver := slices.ContainsFunc(drivers, func(d string) bool { return strings.HasPrefix(dep, d) })
		switch target, ours := relative(dep); {
		case p.path == "." && driver:
			findings = append(findings, fmt.Sprintf("package %s links the database driver %s: "+
				"drivers belong to store/sqlite and store/postgres, so that a program links only what it uses", p.path, dep))
		case r.kind == pure && ours && family(target) != family(p.path):
			findings = append(findings, fmt.Sprintf("package %s links %s, but it must know nothing of jotgate", p.path, dep))
		case r.libraries == none && !ours && !standard(dep):
			findings = append(findings, fmt.Sprintf("package %s links %s, but it must do with the standard library", p.path, dep))
		}
	}
	return findings
}

// standard recognizes the standard library by the absence of a dot in the first
// element of the path, as the go command does.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing of the module"
	}
	return strings.Join(names, ", ")
}

// The check finds each bad case and accepts the similar good one.
func TestCheckImportsCatches(t *testing.T) {
	for _, c := range []struct {
		name string
		p    pkg
		want []string
	}{
		{"downward", pkg{path: "store", imports: []string{"fmt", module}}, nil},
		{"upward", pkg{path: "store", imports: []string{module + "/api"}}, []string{"store may not import api"}},
		{"sibling", pkg{path: "store/sqlite", imports: []string{module + "/store/postgres"}}, []string{"store/sqlite may not import store/postgres"}},
		{"unknown", pkg{path: "nosuch"}, []string{"package nosuch has no row"}},
		{"below a row", pkg{path: "examples/hello", imports: []string{module + "/api"}}, nil},
		{"jwt, foreign", pkg{path: "jwt", imports: []string{"golang.org/x/crypto/argon2"}}, []string{"jwt may not import golang.org/x"}},
		{"passwd, foreign", pkg{path: "passwd", imports: []string{"golang.org/x/crypto/argon2"}}, nil},
		{"passwd, other foreign", pkg{path: "passwd", imports: []string{"github.com/a/b"}}, []string{"passwd may not import github.com/a/b"}},
		{"test-only", pkg{path: "cmd/jotgate", imports: []string{module + "/internal/pgtest"}}, []string{"which is for tests"}},
		{"test-only in tests", pkg{path: "cmd/jotgate", testImports: []string{module + "/internal/pgtest"}}, nil},
		{"pure tests", pkg{path: "jwt", testImports: []string{module + "/jwt", "github.com/google/go-cmp/cmp"}}, nil},
		{"impure tests", pkg{path: "jwt", testImports: []string{module}}, []string{"is independent"}},
		{"pure family", pkg{path: "passwd/names", deps: []string{module + "/passwd/internal/python"}}, nil},
		{"pure upward in the family", pkg{path: "passwd/names", imports: []string{module + "/passwd"}}, []string{"passwd/names may not import passwd"}},
		{"linked driver", pkg{path: ".", deps: []string{"fmt", "modernc.org/sqlite"}}, []string{"links the database driver"}},
		{"linked elsewhere", pkg{path: "store/sqlite", deps: []string{"fmt", "modernc.org/sqlite"}}, nil},
		{"linked by jwt", pkg{path: "jwt", deps: []string{"fmt", "golang.org/x/text"}}, []string{"do with the standard library"}},
		{"linked by pure", pkg{path: "passwd", deps: []string{"fmt", module}}, []string{"know nothing of jotgate"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, checkImports([]*pkg{&c.p}), c.want...) })
	}
}

// The table is consistent.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.path] {
			t.Errorf("rows has %s twice", r.path)
		}
		seen[r.path] = true
		for _, target := range r.may {
			if other, ok := rowOf(target); !ok || other.kind == testOnly && r.kind != testOnly {
				t.Errorf("the row of %s allows %s, which has no row or is for tests", r.path, target)
			}
		}
		for _, target := range r.may {
			if r.kind == pure && family(target) != family(r.path) {
				t.Errorf("the row of %s is pure and yet allows %s", r.path, target)
			}
		}
	}
}
