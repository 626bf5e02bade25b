// How many methods a type may have.

package arch

import (
	"cmp"
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestMethods(t *testing.T) {
	for _, p := range loaded(t) {
		counts := methods(p)
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			if len(counts[name]) >= maxMethods {
				t.Logf("%s.%s has %d exported methods", p.path, name, len(counts[name]))
			}
		}
		t.Logf("package %s exports %d names", p.path, len(exported(p)))
		report(t, checkMethods(p))
	}
}

// checkMethods counts what a caller is offered after the dot: the exported
// methods of a type, those of the types it embeds included.
func checkMethods(p *pkg) (findings []string) {
	counts := methods(p)
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		key := name
		if p.path != "." {
			key = p.path + "." + name
		}
		limit := cmp.Or(maxMethodsOf[key], maxMethods)
		if n := len(counts[name]); n > limit {
			findings = append(findings, fmt.Sprintf("%s has %d exported methods, the limit is %d: group them by noun "+
				"in separate types, as in gate.Sessions() (%s)", key, n, limit, strings.Join(counts[name], " ")))
		}
	}
	return findings
}

// methods lists the exported methods of each exported type, sorted.
func methods(p *pkg) map[string][]string {
	own, embedded := map[string][]string{}, map[string][]string{}
	for _, f := range p.code() {
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && d.Name.IsExported() {
					name := typeName(d.Recv.List[0].Type)
					own[name] = append(own[name], d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok {
						own[s.Name.Name] = append(own[s.Name.Name], interfaceMethods(s.Type)...)
						embedded[s.Name.Name] = embeds(s.Type)
					}
				}
			}
		}
	}
	counts := map[string][]string{}
	for name := range own {
		if ast.IsExported(name) {
			all := promoted(name, own, embedded, map[string]bool{})
			slices.Sort(all)
			counts[name] = slices.Compact(all)
		}
	}
	return counts
}

// promoted returns the methods of a type and of what it embeds.
func promoted(name string, own, embedded map[string][]string, seen map[string]bool) []string {
	if seen[name] {
		return nil
	}
	seen[name] = true
	all := slices.Clone(own[name])
	for _, inner := range embedded[name] {
		all = append(all, promoted(inner, own, embedded, seen)...)
	}
	return all
}

func interfaceMethods(e ast.Expr) (names []string) {
	if i, ok := e.(*ast.InterfaceType); ok {
		for _, m := range i.Methods.List {
			for _, name := range m.Names {
				if name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// embeds names the types of the package that a struct or interface embeds.
func embeds(e ast.Expr) (names []string) {
	var fields *ast.FieldList
	switch t := e.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return nil
	}
	for _, f := range fields.List {
		if len(f.Names) == 0 {
			names = append(names, typeName(f.Type))
		}
	}
	return names
}

// typeName is the name of a type of the package: without pointer and type
// parameters. It is empty for a type of another package.
func typeName(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.StarExpr:
		return typeName(t.X)
	case *ast.IndexExpr:
		return typeName(t.X)
	case *ast.IndexListExpr:
		return typeName(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

func TestCheckMethodsCatches(t *testing.T) {
	make := func(n int, receiver string) (text string) {
		for i := range n {
			text += fmt.Sprintf("func (%s) M%d() {}\n", receiver, i)
		}
		return text
	}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"at the limit", "type T int\n" + make(maxMethods, "T"), nil},
		{"one too many", "type T int\n" + make(maxMethods+1, "T"), []string{"mail.T has 21 exported methods"}},
		{"of a pointer", "type T int\n" + make(maxMethods+1, "t *T"), []string{"mail.T has 21"}},
		{"of a generic type", "type T[A, B any] struct{}\n" + make(maxMethods+1, "t *T[A, B]"), []string{"mail.T has 21"}},
		{"lower case", "type T int\n" + strings.ReplaceAll(make(maxMethods+1, "T"), "M", "m"), nil},
		{"of a lower-case type", "type t int\n" + make(maxMethods+1, "t"), nil},
		{"promoted", "type t int\ntype T struct { *t }\nfunc (T) Own() {}\n" + make(maxMethods, "t"), []string{"mail.T has 21"}},
		{"promoted and shadowed", "type t int\ntype T struct { t }\nfunc (T) M0() {}\n" + make(maxMethods, "t"), nil},
		{"interface", "type T interface {\n" + strings.ReplaceAll(strings.ReplaceAll(make(maxMethods+1, "T"), "func (T) ", ""), " {}", "") + "}\n", []string{"mail.T has 21"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, checkMethods(snippet(t, "mail", "x.go", "package mail\n"+c.text)), c.want...)
		})
	}
}
