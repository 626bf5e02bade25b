// Which files of a package depend on each other.

package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestPairs(t *testing.T) {
	for _, p := range loaded(t) {
		limit, ok := maxPairs[p.path]
		if !ok {
			continue
		}
		graph, err := fileGraph(p)
		if err != nil {
			t.Fatal(err)
		}
		pairs, files := graph.mutual(), graph.cyclic()
		t.Logf("package %s: %d mutual file pairs, %d files in cycles, of %d", p.path, len(pairs), len(files), len(p.code()))
		report(t, checkPairs(p, graph, limit))
	}
}

// checkPairs compares the pairs of files that use each other with the ceiling.
// A package whose ceiling is 0 may not have longer cycles either.
func checkPairs(p *pkg, g graph, limit int) (findings []string) {
	if pairs := g.mutual(); len(pairs) > limit {
		findings = append(findings, fmt.Sprintf("package %s has %d pairs of files that use each other, the limit is %d: "+
			"move the names that both need into a file below the two (%s)", p.path, len(pairs), limit, g.describe(pairs)))
	}
	if files := g.cyclic(); limit == 0 && len(files) > 0 {
		findings = append(findings, fmt.Sprintf("package %s has files that depend on each other in a circle: %s",
			p.path, strings.Join(files, " ")))
	}
	return findings
}

// A graph holds, for each file, the files that it uses and the names it uses
// from each. A use is any mention of a package-level name, method or field.
type graph map[string]map[string][]string

func (g graph) add(from, to, name string) {
	if g[from] == nil {
		g[from] = map[string][]string{}
	}
	if !slices.Contains(g[from][to], name) {
		g[from][to] = append(g[from][to], name)
	}
}

// mutual returns the pairs of files that use each other, sorted.
func (g graph) mutual() (pairs [][2]string) {
	for _, from := range slices.Sorted(maps.Keys(g)) {
		for _, to := range slices.Sorted(maps.Keys(g[from])) {
			if from < to && g[to][from] != nil {
				pairs = append(pairs, [2]string{from, to})
			}
		}
	}
	return pairs
}

// cyclic returns the files that are in a cycle or between two cycles, sorted:
// what is left after removing, as long as there is one, a file that uses no
// other or is used by no other.
func (g graph) cyclic() []string {
	left := map[string]bool{}
	for from, uses := range g {
		left[from] = true
		for to := range uses {
			left[to] = true
		}
	}
	for removed := true; removed; {
		removed = false
		for file := range left {
			uses, used := false, false
			for other := range left {
				uses = uses || g[file][other] != nil
				used = used || g[other][file] != nil
			}
			if !uses || !used {
				delete(left, file)
				removed = true
			}
		}
	}
	return slices.Sorted(maps.Keys(left))
}

func (g graph) describe(pairs [][2]string) string {
	var lines []string
	for _, p := range pairs {
		names := func(list []string) string { return strings.Join(slices.Sorted(slices.Values(list)), " ") }
		lines = append(lines, fmt.Sprintf("%s uses %s; %s uses %s", p[0], names(g[p[0]][p[1]]), p[1], names(g[p[1]][p[0]])))
	}
	return strings.Join(lines, ". ")
}

// fileGraph resolves every name in the package's code with go/types.
func fileGraph(p *pkg) (graph, error) {
	lookup, err := exportData(p.path)
	if err != nil {
		return nil, err
	}
	return graphOf(p, importer.ForCompiler(token.NewFileSet(), "gc", lookup))
}

func graphOf(p *pkg, from types.Importer) (graph, error) {
	var trees []*ast.File
	for _, f := range p.code() {
		trees = append(trees, f.ast)
	}
	fset := p.files[0].fset
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	checked, err := (&types.Config{Importer: from}).Check(p.path, fset, trees, info)
	if err != nil {
		return nil, err
	}
	file := func(pos token.Pos) string { return path.Base(fset.Position(pos).Filename) }
	g := graph{}
	for id, obj := range info.Uses {
		if obj.Pkg() == checked && shared(obj) && file(id.Pos()) != file(obj.Pos()) {
			g.add(file(id.Pos()), file(obj.Pos()), obj.Name())
		}
	}
	return g, nil
}

// shared reports whether obj is a package-level name, a method or a field.
func shared(obj types.Object) bool {
	switch obj := obj.(type) {
	case *types.Func:
		return true
	case *types.Var:
		return obj.IsField() || obj.Parent() == obj.Pkg().Scope()
	}
	return obj.Parent() == obj.Pkg().Scope()
}

// exportData finds the compiled form of what the package imports.
func exportData(where string) (func(string) (io.ReadCloser, error), error) {
	dir, err := root()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export", "./"+where)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l struct{ ImportPath, Export string }
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		files[l.ImportPath] = l.Export
	}
	return func(name string) (io.ReadCloser, error) { return os.Open(files[name]) }, nil
}

func TestCheckPairsCatches(t *testing.T) {
	const (
		base   = "package x\ntype T struct{ field int }\nfunc (T) method() {}\nconst C = 1\n"
		above  = "package x\nfunc f(t T) int { t.method(); return t.field + C }\n"
		circle = "package x\nvar V = f(T{})\n"
	)
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"one way", map[string]string{"a.go": base, "b.go": above}, nil},
		{"type both ways", map[string]string{"a.go": base + "var v B\n", "b.go": above + "type B int\n"}, []string{"1 pairs", "circle: a.go b.go"}},
		{"method both ways", map[string]string{"a.go": base + "func (t T) up() { t.extra() }\n", "b.go": "package x\nfunc (t T) extra() { t.method() }\n"}, []string{"a.go uses extra; b.go uses", "circle"}},
		{"field both ways", map[string]string{"a.go": "package x\nvar b B\nvar v = b.f\n", "b.go": "package x\ntype B struct { f int }\nvar w = v\n"}, []string{"1 pairs", "circle"}},
		{"a name of another scope", map[string]string{"a.go": base, "b.go": above + "func g() { C := 2; _ = C }\n"}, nil},
		{"circle of three", map[string]string{"a.go": base + "func g() int { return V }\n", "b.go": "package x\nfunc f(t T) int { return g() }\n", "c.go": "package x\nvar V int\nfunc h() { f(T{}) }\n"}, []string{"1 pairs", "circle"}},
		{"longer circle", map[string]string{"a.go": "package x\nfunc a() { b() }\n", "b.go": "package x\nfunc b() { c() }\n", "c.go": "package x\nfunc c() { a() }\n", "d.go": "package x\nfunc d() { a() }\n"}, []string{"circle: a.go b.go c.go"}},
		{"three one way", map[string]string{"a.go": base, "b.go": above, "c.go": circle}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := snippets(t, "jwt", c.files)
			g, err := graphOf(p, nil)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, checkPairs(p, g, 0), c.want...)
			if pairs := len(g.mutual()); pairs > 0 {
				expect(t, checkPairs(p, g, pairs))
			}
		})
	}
}
