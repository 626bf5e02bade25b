// What go.mod requires, and why.

package arch

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testsOnly is the comment above the block of go.mod for tests.
const testsOnly = "// Tests only"

// dependenciesPage gives the reason for each module that programs link.
const dependenciesPage = "docs/decisions/0010-dependencies.md"

func TestDependencies(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, dependenciesPage))
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkDependencies(string(file), string(page), loaded(t)))
}

// checkDependencies compares the direct requirements of go.mod with the imports,
// and those that programs link with the rows of the page.
func checkDependencies(file, page string, all []*pkg) (findings []string) {
	linked, tests := requirements(file)
	for _, module := range linked {
		if !importedBy(module, all) {
			findings = append(findings, fmt.Sprintf("go.mod: only tests import %s: move it to the block %q", module, testsOnly))
		}
		if !strings.Contains(page, "\n| `"+module+"` | ") {
			findings = append(findings, fmt.Sprintf("%s has no row for %s: say in a line what it is for", dependenciesPage, module))
		}
	}
	for _, module := range tests {
		if importedBy(module, all) {
			findings = append(findings, fmt.Sprintf("go.mod: %s is in the block %q, but a package imports it: move it to the first block", module, testsOnly))
		}
	}
	for _, row := range cellsOf(page, 2) {
		if module := strings.Trim(row[0], "`"); module != row[0] && !slices.Contains(linked, module) {
			findings = append(findings, fmt.Sprintf("%s has a row for %s, which go.mod does not require", dependenciesPage, module))
		}
	}
	return findings
}

// requirements returns the modules of go.mod's blocks with direct requirements.
func requirements(file string) (linked, tests []string) {
	forTests, before := false, ""
	for line := range strings.Lines(file) {
		line = strings.TrimSpace(line)
		module, _, _ := strings.Cut(line, " ")
		switch {
		case line == "require (":
			forTests = strings.HasPrefix(before, testsOnly)
		case !strings.Contains(module, ".") || strings.HasSuffix(line, "// indirect") || strings.HasPrefix(line, "//"):
		case forTests:
			tests = append(tests, module)
		default:
			linked = append(linked, module)
		}
		before = line
	}
	return linked, tests
}

// importedBy reports whether a package that is not for tests imports the module.
func importedBy(module string, all []*pkg) bool {
	return slices.ContainsFunc(all, func(p *pkg) bool {
		r, _ := rowOf(p.path)
		return r.kind != testOnly && slices.ContainsFunc(p.imports, func(path string) bool {
			return path == module || strings.HasPrefix(path, module+"/")
		})
	})
}

func TestCheckDependenciesCatches(t *testing.T) {
	const page = "\n| module | what for |\n|---|---|\n| `a.example/x` | codes |\n"
	block := func(modules ...string) string {
		return "require (\n\t" + strings.Join(modules, " v1.0.0\n\t") + " v1.0.0\n)\n"
	}
	all := []*pkg{
		{path: "mail", imports: []string{"a.example/x/sub"}, testImports: []string{"b.example/y"}},
		{path: "internal/wait", imports: []string{"c.example/z"}},
	}
	both := block("a.example/x") + testsOnly + ".\n" + block("b.example/y", "c.example/z")
	cases := map[string]struct {
		file, page string
		want       []string
	}{
		"good":                  {both, page, nil},
		"indirect":              {both + "require (\n\td.example/w v1.0.0 // indirect\n)\n", page, nil},
		"a test's, linked":      {block("a.example/x", "b.example/y"), page + "| `b.example/y` | y |\n", []string{"only tests import b.example/y"}},
		"of a package of tests": {block("a.example/x", "c.example/z"), page + "| `c.example/z` | z |\n", []string{"only tests import c.example/z"}},
		"linked, as a test's":   {testsOnly + "\n" + block("a.example/x"), "", []string{"a package imports it"}},
		"without a reason":      {both, "", []string{"no row for a.example/x"}},
		"a reason too many":     {both, page + "| `e.example/v` | v |\n", []string{"does not require"}},
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			expect(t, checkDependencies(cases[name].file, cases[name].page, all), cases[name].want...)
		})
	}
}
