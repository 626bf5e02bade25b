package frameworks

// What a program outside this repository links, for what it imports.

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/jotgate/jotgate"

// outside makes a module of one program that imports these packages, with
// nothing of the repository but its exported packages.
func outside(t *testing.T, imports ...string) (folder string) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	program := "package main\n\n"
	for _, name := range imports {
		program += "import _ \"" + name + "\"\n"
	}
	for name, text := range map[string]string{
		"go.mod":  "module example.com/outside\n\ngo 1.26.0\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + strconv.Quote(root) + "\n",
		"go.sum":  string(sums),
		"main.go": program + "\nfunc main() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// linked are the packages that the program links, the standard library's left
// out, and those it brings its own copies of.
func linked(t *testing.T, imports ...string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-mod=mod", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")
	cmd.Dir = outside(t, imports...)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, problems.String())
	}
	var all []string
	for _, name := range strings.Fields(string(out)) {
		if name != "example.com/outside" {
			all = append(all, name)
		}
	}
	return all
}

// Who imports jwt alone links the standard library alone.
func TestJWTAlone(t *testing.T) {
	if got := linked(t, module+"/jwt"); len(got) != 1 || got[0] != module+"/jwt" {
		t.Errorf("a program with jwt links %v", got)
	}
}

// Who only guards links no database driver and no migrations; who opens a
// database does, which shows that the first would be noticed.
func TestGuardWithoutDrivers(t *testing.T) {
	drivers := func(imports ...string) (found []string) {
		for _, name := range linked(t, imports...) {
			for _, driver := range []string{"modernc.org/", "github.com/jackc/", "github.com/pressly/"} {
				if strings.HasPrefix(name, driver) {
					found = append(found, name)
				}
			}
		}
		return found
	}
	if got := drivers(module, module+"/jwt/jwks", module+"/proxy"); len(got) > 0 {
		t.Errorf("a guard links %v", got)
	}
	if len(drivers(module+"/store/sqlite")) == 0 {
		t.Error("a program with a database links no driver: this test looks for the wrong names")
	}
}
