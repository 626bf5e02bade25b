// Every exported name is documented, and every file begins with what it does.

package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"testing"
)

func TestDocs(t *testing.T) {
	for _, p := range loaded(t) {
		report(t, checkDocs(p))
	}
}

func checkDocs(p *pkg) (findings []string) {
	files, story := p.code(), false
	for _, f := range files {
		story = story || f.ast.Doc != nil
		d := docs{f: f}
		d.opening()
		if f.ast.Name.Name != "main" {
			d.declarations()
		}
		findings = append(findings, d.findings...)
	}
	if len(files) > 0 && !story {
		findings = append(findings, fmt.Sprintf("package %s has no package comment: say in it what the package is for, "+
			"which calls to make first and what it promises", p.path))
	}
	return findings
}

// docs collects what is undocumented in one file.
type docs struct {
	f        *source
	findings []string
}

func (d *docs) missing(n ast.Node, name string) {
	d.findings = append(d.findings, fmt.Sprintf("%s: %s is exported and has no comment: say what it means, with unit, range, "+
		"default and errors if there are any", d.f.at(n), name))
}

// opening requires a comment above the package clause, or before or on the first
// declaration, that says what the file is for.
func (d *docs) opening() {
	limit := d.f.ast.FileEnd
	for _, decl := range d.f.ast.Decls {
		if g, ok := decl.(*ast.GenDecl); !ok || g.Tok != token.IMPORT {
			limit = decl.Pos()
			break
		}
	}
	for _, c := range d.f.ast.Comments {
		if c.Pos() < limit {
			return
		}
	}
	d.findings = append(d.findings, fmt.Sprintf("%s: the file does not begin with what it does: add a line of comment "+
		"above the package clause, with a blank line between", d.f.name))
}

func (d *docs) declarations() {
	for _, decl := range d.f.ast.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Name.IsExported() && decl.Doc == nil && receiverExported(decl) {
				d.missing(decl, decl.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				d.spec(spec, decl.Doc != nil)
			}
		}
	}
}

// receiverExported is true for functions and for methods of exported types.
func receiverExported(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return true
	}
	e := fn.Recv.List[0].Type
	for {
		switch t := e.(type) {
		case *ast.StarExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.IndexListExpr:
			e = t.X
		default:
			id, ok := t.(*ast.Ident)
			return ok && id.IsExported()
		}
	}
}

// spec checks a type, or constants and variables. A comment above a group applies to
// all of it.
func (d *docs) spec(spec ast.Spec, grouped bool) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if !s.Name.IsExported() {
			return
		}
		if s.Doc == nil && !grouped {
			d.missing(s, s.Name.Name)
		}
		d.members(s)
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && s.Doc == nil && s.Comment == nil && !grouped {
				d.missing(s, name.Name)
			}
		}
	}
}

// members checks the fields of a struct and the methods of an interface.
// Fields on neighbouring lines may share the comment above the first, or that of
// the type if it is in one line with them.
func (d *docs) members(s *ast.TypeSpec) {
	var fields *ast.FieldList
	switch t := s.Type.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return
	}
	covered := d.line(s.Pos()) // the last line that a comment applies to
	for _, field := range fields.List {
		ok := field.Doc != nil || field.Comment != nil || d.line(field.Pos()) <= covered+1
		if ok {
			covered = d.line(field.End())
		}
		for _, name := range field.Names {
			if name.IsExported() && !ok {
				d.missing(field, s.Name.Name+"."+name.Name)
			}
		}
	}
}

func (d *docs) line(p token.Pos) int { return d.f.fset.Position(p).Line }

func TestCheckDocsCatches(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"function", "// F does.\nfunc F() {}", nil},
		{"bare function", "func F() {}", []string{"x.go:4: F is exported"}},
		{"lower case", "func f() {}", nil},
		{"method", "// T is.\ntype T int\n\n// M does.\nfunc (t *T) M() {}", nil},
		{"bare method", "// T is.\ntype T int\n\nfunc (t *T) M() {}", []string{"M is exported"}},
		{"bare generic method", "// T is.\ntype T[K any] struct{}\n\nfunc (t *T[K]) M() {}", []string{"M is exported"}},
		{"method of a lower-case type", "type t int\n\nfunc (t) M() {}", nil},
		{"bare type", "type T int", []string{"T is exported"}},
		{"bare variable", "var V int", []string{"V is exported"}},
		{"group", "// These are.\nvar (\n\tV int\n\tW int\n)", nil},
		{"line comment", "var (\n\tV int // V is.\n\tW int\n)", []string{"W is exported"}},
		{"field", "// T is.\ntype T struct {\n\t// F is.\n\tF int\n\n\t// G is.\n\tG int\n}", nil},
		{"bare field", "// T is.\ntype T struct {\n\t// F is.\n\tF int\n\n\tG int\n}", []string{"T.G is exported"}},
		{"neighbours", "// T is.\ntype T struct {\n\tF int\n\tG int\n}", nil},
		{"bare interface method", "// T is.\ntype T interface {\n\t// F does.\n\tF()\n\n\tG()\n}", []string{"T.G is exported"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "// Package x is.\npackage x\n\n" + c.text + "\n"
			expect(t, checkDocs(snippet(t, "mail", "x.go", text)), c.want...)
		})
	}
	expect(t, checkDocs(snippet(t, "mail", "x.go", "package x\n\nfunc f() {}\n")), "does not begin with", "no package comment")
	expect(t, checkDocs(snippet(t, "mail", "x.go", "package x\n\nimport \"fmt\"\n\n// f does.\nfunc f() {}\n")), "no package comment")
	expect(t, checkDocs(snippet(t, "mail", "x_test.go", "package x\n\nfunc F() {}\n")))
}
