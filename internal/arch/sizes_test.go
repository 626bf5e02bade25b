// How large files, functions and packages may grow.

package arch

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestSizes(t *testing.T) { report(t, checkSizes(loaded(t))) }

func checkSizes(all []*pkg) (findings []string) {
	for _, p := range all {
		for _, f := range p.files {
			if f.lines > maxFileLines && !f.generated {
				findings = append(findings, fmt.Sprintf("%s has %d lines, the limit is %d: split it by subject "+
					"(data belongs in testdata)", f.name, f.lines, maxFileLines))
			}
		}
		findings = append(findings, checkFunctions(p)...)
		findings = append(findings, checkExported(p)...)
	}
	return findings
}

// function is a function's name, place and length in lines.
type function struct {
	name  string
	lines int
}

func functions(p *pkg) (all []function) {
	for _, f := range p.code() {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				first, last := f.fset.Position(fn.Pos()).Line, f.fset.Position(fn.End()).Line
				all = append(all, function{fn.Name.Name + " at " + f.at(fn), last - first + 1})
			}
		}
	}
	slices.SortFunc(all, func(a, b function) int { return cmp.Compare(a.lines, b.lines) })
	return all
}

// checkFunctions holds the middle and the tail of the lengths, not each one: a
// long table of cases now and then reads better whole.
func checkFunctions(p *pkg) (findings []string) {
	all := functions(p)
	if len(all) == 0 {
		return nil
	}
	longest := all[len(all)-1]
	if median := all[(len(all)-1)/2].lines; median > maxFunctionMedian {
		findings = append(findings, fmt.Sprintf("package %s: the median function has %d lines, the limit is %d: "+
			"split functions that do several things, %s (%d lines) first", p.path, median, maxFunctionMedian, longest.name, longest.lines))
	}
	if p90 := all[(len(all)*9+9)/10-1]; p90.lines > maxFunctionP90 {
		findings = append(findings, fmt.Sprintf("package %s: one function in ten has %d lines or more, the limit is %d: "+
			"split %s (%d lines) first", p.path, p90.lines, maxFunctionP90, longest.name, longest.lines))
	}
	return findings
}

func checkExported(p *pkg) []string {
	r, ok := rowOf(p.path)
	if !ok || r.kind == program {
		return nil
	}
	names, limit := exported(p), cmp.Or(r.exported, maxExported)
	if len(names) <= limit {
		return nil
	}
	return []string{fmt.Sprintf("package %s exports %d names, the limit is %d: make lower-case what no other package uses "+
		"(%s)", p.path, len(names), limit, strings.Join(names, " "))}
}

// exported lists the exported top-level names without methods, and without
// constants of one of the package's own types, which are read with that type.
// The error values of one var block, which are read as a table, count once.
func exported(p *pkg) (names []string) {
	for _, f := range p.code() {
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.IsExported() {
					names = append(names, d.Name.Name)
				}
			case *ast.GenDecl:
				names = append(names, exportedIn(d)...)
			}
		}
	}
	return names
}

func exportedIn(d *ast.GenDecl) (names []string) {
	ownType := false // carried on to the constants that repeat the line above
	errors := false  // one has been counted
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				names = append(names, s.Name.Name)
			}
		case *ast.ValueSpec:
			if s.Type != nil || len(s.Values) > 0 {
				id, ok := s.Type.(*ast.Ident)
				ownType = ok && d.Tok == token.CONST && id.IsExported()
			}
			for _, name := range s.Names {
				isError := d.Tok == token.VAR && strings.HasPrefix(name.Name, "Err")
				if name.IsExported() && !ownType && !(isError && errors) {
					names = append(names, name.Name)
				}
				errors = errors || isError
			}
		}
	}
	return names
}

func TestCheckSizesCatches(t *testing.T) {
	long := func(lines int) string { return "func f() {" + strings.Repeat("\n", lines-1) + "}\n" }
	repeat := func(n int, text string) string { return strings.Repeat(text, n) }
	names := func(n int) (text string) {
		for i := range n {
			text += fmt.Sprintf("type T%d int\n", i)
		}
		return text
	}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"full file", repeat(399, "\n"), nil},
		{"long file", repeat(400, "\n"), []string{"has 401 lines"}},
		{"median", long(10), nil},
		{"long median", long(11), []string{"median function has 11 lines"}},
		{"p90", repeat(9, long(1)) + long(400-50), nil},
		{"long p90", repeat(8, long(1)) + repeat(2, long(41)), []string{"has 41 lines or more"}},
		{"p90 at the limit", repeat(8, long(1)) + repeat(2, long(40)), nil},
		{"exported", names(15), nil},
		{"one too many", names(16), []string{"exports 16 names"}},
		{"constants of a type", names(14) + "type E int\nconst (\nA E = iota\nB\nC\n)\n", nil},
		{"other constants", names(14) + "const (\nA = iota\nB\n)\n", []string{"exports 16 names"}},
		{"errors in a block", names(14) + "var (\nErrA = 1\nErrB = 2\n)\n", nil},
		{"errors apart", names(14) + "var ErrA = 1\nvar ErrB = 2\n", []string{"exports 16 names"}},
		{"other variables", names(14) + "var (\nA = 1\nB = 2\n)\n", []string{"exports 16 names"}},
		{"method", names(15) + "func (T0) Method() {}\n", nil},
		{"function", names(15) + "func Function() {}\n", []string{"exports 16 names"}},
		{"lower case", names(15) + "func function() {}\nvar v int\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, checkSizes([]*pkg{snippet(t, "mail", "x.go", "package mail\n"+c.text)}), c.want...)
		})
	}
	expect(t, checkSizes([]*pkg{snippet(t, "cmd/jotgate", "x.go", "package main\n"+names(16))}))
	expect(t, checkSizes([]*pkg{snippet(t, "mail", "x.go", "// Code generated by x. DO NOT EDIT.\npackage mail\n"+long(1000))}))
	expect(t, checkSizes([]*pkg{snippet(t, "mail", "x_test.go", "package mail\n"+long(100))}))
}
