// Files for Linux alone.

package arch

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"strings"
	"testing"
)

// Every test compiles on macOS, where some of the project's users develop.
func TestPlatforms(t *testing.T) { report(t, checkPlatforms(loaded(t))) }

// checkPlatforms finds the files for every system that use a function or method declared for Linux alone. To be quick
// it compares names, as compiling the dependencies for another system would take minutes.
func checkPlatforms(all []*pkg) (findings []string) {
	for _, p := range all {
		only := onlyOnLinux(p)
		for _, user := range all {
			for _, f := range user.files {
				if len(only) == 0 || forLinux(f) || user != p && !importsPackage(f, p.path) {
					continue
				}
				ast.Inspect(f.ast, func(n ast.Node) bool {
					if name := called(n, user == p); only[name] {
						findings = append(findings, fmt.Sprintf("%s: %s is declared for Linux alone: move its caller to a file _linux.go or _linux_test.go", f.at(n), name))
					}
					return true
				})
			}
		}
	}
	return findings
}

// called returns the name of the function or exported method that a node calls, if its package can be told from the
// name: a function without a qualifier, or what another package exports.
func called(n ast.Node, within bool) string {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return ""
	}
	switch f := call.Fun.(type) {
	case *ast.Ident:
		if within {
			return f.Name
		}
	case *ast.SelectorExpr:
		if !within && f.Sel.IsExported() {
			return f.Sel.Name
		}
	}
	return ""
}

// onlyOnLinux is the set of functions and exported methods that only files for Linux declare.
func onlyOnLinux(p *pkg) map[string]bool {
	only := map[string]bool{}
	for _, linux := range []bool{true, false} {
		for _, f := range p.files {
			for _, d := range f.ast.Decls {
				if d, ok := d.(*ast.FuncDecl); ok && forLinux(f) == linux && (d.Recv == nil || d.Name.IsExported()) {
					only[d.Name.Name] = linux
				}
			}
		}
	}
	return only
}

// forLinux reports whether other systems do not compile the file.
func forLinux(f *source) bool {
	if name := strings.TrimSuffix(f.name, ".go"); strings.HasSuffix(strings.TrimSuffix(name, "_test"), "_linux") {
		return true
	}
	for line := range strings.Lines(string(f.text)) {
		if expression, err := constraint.Parse(strings.TrimSpace(line)); err == nil {
			return !expression.Eval(func(tag string) bool { return tag == "darwin" || tag == "unix" })
		}
		if strings.HasPrefix(line, "package ") {
			break
		}
	}
	return false
}

func importsPackage(f *source, where string) bool {
	for _, i := range f.ast.Imports {
		if got, ok := relative(strings.Trim(i.Path.Value, `"`)); ok && got == where {
			return true
		}
	}
	return false
}

func TestCheckPlatformsCatches(t *testing.T) {
	helper := snippets(t, "internal/helper", map[string]string{
		"linux.go":        "//go:build linux\n\npackage helper\n\nfunc (c *C) Freeze() {}\nfunc both() {}\nfunc own() {}\n",
		"other.go":        "//go:build !linux\n\npackage helper\n\nfunc both() {}\n",
		"race.go":         "//go:build !race\n\npackage helper\n\nfunc (c *C) Thaw() {}\n",
		"used.go":         "package helper\n\nfunc use(c *C) { both(); own(); c.Freeze() }\n",
		"used_linux.go":   "package helper\n\nfunc useToo() { own() }\n",
		"a_linux_test.go": "package helper\n\nfunc a() { own() }\n",
	})
	user := snippets(t, "user", map[string]string{
		"a_test.go": "package user\n\nimport \"" + module + "/internal/helper\"\n\nfunc a(c *helper.C) { c.Freeze(); c.Thaw() }\n",
		"b_test.go": "package user\n\nfunc b(c *C) { c.Freeze() }\n",
	})
	expect(t, checkPlatforms([]*pkg{helper, user}), "used.go:3: own is declared", "a_test.go:5: Freeze is declared")
}
