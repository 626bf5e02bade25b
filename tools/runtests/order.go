package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// longest are the packages that take longest, the longest first. One that began
// last would run alone at the end.
var longest = []string{
	"cmd/jotgate", "api", "store/postgres", "", "store", "admin", "pages",
	"interop/ha", "interop/pages", "interop/together", "interop/frontend", "interop/record", "interop/gateways",
	"interop/deploy", "interop/nodes", "interop/allauth", "interop/passwords", "interop/django",
}

const modulePath = "github.com/jotgate/jotgate"

// ordered returns the packages with the longest first; the others keep their order.
func ordered(packages []string) []string {
	rank := func(pkg string) int {
		name := strings.TrimPrefix(strings.TrimPrefix(pkg, modulePath), "/")
		if i := slices.Index(longest, name); i >= 0 {
			return i
		}
		return len(longest)
	}
	sorted := slices.Clone(packages)
	slices.SortStableFunc(sorted, func(a, b string) int { return rank(a) - rank(b) })
	return sorted
}

// packages lists the packages of a module in the order of their tests. If the go
// command cannot list them, go test says why.
func (r *run) packages(module string) []string {
	list := exec.Command("go", "list", "./...")
	list.Dir = filepath.Join(r.root, module)
	out, err := list.Output()
	if err != nil {
		return []string{"./..."}
	}
	return ordered(strings.Fields(string(out)))
}
