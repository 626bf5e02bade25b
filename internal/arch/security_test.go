package arch

// docs/security.md is held to the source: every requirement that it calls met
// names tests that exist, its sums are right, and its inventory of cryptography
// is the imports.

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// leastMet is the share of the requirements, in per cent, that must be met by
// default or by a setting.
const leastMet = 85

const securityPage = "../../docs/security.md"

// cellsOf returns the cells of the rows of a Markdown table with this many
// columns.
func cellsOf(text string, columns int) (rows [][]string) {
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != columns+2 || strings.HasPrefix(cells[1], "---") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells[1:columns+1])
	}
	return rows
}

var quoted = regexp.MustCompile("`([^`]+)`")

func TestSecurityScorecard(t *testing.T) {
	text, err := os.ReadFile(securityPage)
	if err != nil {
		t.Fatal(err)
	}
	tests := testsInTree(t)
	count := map[string]int{}
	for _, row := range cellsOf(string(text), 4) {
		number, verdict, shown := row[0], row[2], row[3]
		switch verdict {
		case "met", "setting":
			if testsNamed(t, tests, number, shown) == 0 {
				t.Errorf("%s is %s, but no test shows it", number, verdict)
			}
		case "part", "not":
			if len(shown) < 10 {
				t.Errorf("%s is %s, without a reason", number, verdict)
			}
		default:
			continue // the head of a table
		}
		count[verdict]++
	}
	met, all := count["met"]+count["setting"], count["met"]+count["setting"]+count["part"]+count["not"]
	if all == 0 || met*100 < leastMet*all {
		t.Errorf("%d of %d requirements are met, fewer than %d %%", met, all, leastMet)
	}
	sum := fmt.Sprintf("%d met, %d by setting, %d in part, %d not, of %d: %.1f %%", count["met"], count["setting"], count["part"], count["not"], all, float64(met)*100/float64(all))
	if !strings.Contains(string(text), sum) {
		t.Errorf("docs/security.md should say: %s", sum)
	}
}

// Every requirement of the chapters about authentication and sessions is in the table, or
// named among those that do not apply.
func TestSecurityChaptersAreComplete(t *testing.T) {
	text, err := os.ReadFile(securityPage)
	if err != nil {
		t.Fatal(err)
	}
	for section, n := range map[string]int{
		"6.1": 3, "6.2": 12, "6.3": 8, "6.4": 6, "6.5": 8, "6.6": 4, "6.7": 2, "6.8": 4,
		"7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2,
	} {
		for i := 1; i <= n; i++ {
			if number := fmt.Sprintf("%s.%d", section, i); !regexp.MustCompile(`\| ` + number + ` \||[( ]` + number + `[,)]`).Match(text) {
				t.Errorf("%s is neither in the table nor among those that do not apply", number)
			}
		}
	}
}

// Each finding of the audit has at least three tests: one of the finding, and
// two of its siblings.
func TestSecurityFindings(t *testing.T) { eachHasTests(t, securityPage, "A", 18) }

// So has each fault that was reported about similar systems.
func TestFieldReports(t *testing.T) {
	const page = "../../docs/field-reports.md"
	eachHasTests(t, page, "S", 11)
	eachHasTests(t, page, "N", 13)
	eachHasTests(t, page, "D", 10)
}

// eachHasTests checks the rows of a page whose first cells are the letter and 1 to
// last, in order: each names three tests or more in its third cell, all of which
// exist.
func eachHasTests(t *testing.T, page, letter string, last int) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const atLeast = 3
	tests, next := testsInTree(t), 1
	for _, row := range cellsOf(string(text), 3) {
		if row[0] != fmt.Sprint(letter, next) {
			continue // another table
		}
		next++
		if n := testsNamed(t, tests, row[0], row[2]); n < atLeast {
			t.Errorf("%s has %d tests, fewer than %d", row[0], n, atLeast)
		}
	}
	if next != last+1 {
		t.Errorf("%s%d is missing in %s, or not in order", letter, next, page)
	}
}

// testsNamed checks that the tests that a cell names exist, and counts them.
func testsNamed(t *testing.T, tests map[string]bool, about, cell string) int {
	t.Helper()
	names := quoted.FindAllStringSubmatch(cell, -1)
	for _, name := range names {
		if !tests[name[1]] {
			t.Errorf("%s names the test %s, which does not exist", about, name[1])
		}
	}
	return len(names)
}

// testsInTree are the names of all test functions, in every module.
func testsInTree(t *testing.T) map[string]bool {
	names, declared := map[string]bool{}, regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	eachGoFile(t, func(name string, text []byte) error {
		if strings.HasSuffix(name, "_test.go") {
			for _, m := range declared.FindAllSubmatch(text, -1) {
				names[string(m[1])] = true
			}
		}
		return nil
	})
	return names
}

func TestSecurityInventory(t *testing.T) {
	text, err := os.ReadFile(securityPage)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string][]string{}
	for _, row := range cellsOf(string(text), 3) {
		for _, name := range quoted.FindAllStringSubmatch(row[1], -1) {
			if isCryptography(name[1]) {
				listed[strings.Trim(row[0], "`")] = append(listed[strings.Trim(row[0], "`")], name[1])
			}
		}
	}
	used := cryptographyInTree(t)
	for folder, imports := range used {
		if slices.Sort(imports); !slices.Equal(imports, listed[folder]) {
			t.Errorf("docs/security.md lists %v for %s, which imports %v", listed[folder], folder, imports)
		}
	}
	for folder := range listed {
		if used[folder] == nil {
			t.Errorf("docs/security.md lists cryptography of %s, which imports none", folder)
		}
	}
}

func isCryptography(path string) bool {
	return path == "crypto" || strings.HasPrefix(path, "crypto/") || strings.HasPrefix(path, "golang.org/x/crypto/")
}

// cryptographyInTree are the cryptographic imports of each package of the
// program, by its folder.
func cryptographyInTree(t *testing.T) map[string][]string {
	used := map[string][]string{}
	for _, p := range loaded(t) {
		if r, _ := rowOf(p.path); r.kind == testOnly || strings.HasPrefix(p.path, "examples/") {
			continue
		}
		for _, name := range p.imports {
			if isCryptography(name) {
				used[p.path] = append(used[p.path], name)
			}
		}
	}
	return used
}
