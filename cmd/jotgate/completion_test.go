//go:build !race

// The command line is read by one goroutine: nothing for the race detector to find.

package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func completed(t *testing.T, line string) []string {
	t.Helper()
	status, stdout, stderr := try(t, []string{"COMP_LINE=" + line}, "", completionWord, "jotgate", "", "")
	if status != 0 || stderr != "" {
		t.Fatalf("%q: status %d, %s", line, status, stderr)
	}
	return strings.Fields(stdout)
}

func TestCompletion(t *testing.T) {
	for line, want := range map[string][]string{
		"jotgate se":                              {"serve", "session"},
		"jotgate user add":                        {"add-to-group"},
		"jotgate config ":                         {"show", "check"},
		"jotgate serve --refresh-c":               {"--refresh-cookie", "--refresh-cookie-same-site"},
		"jotgate serve --log-format ":             {"text", "json"},
		"jotgate serve --addr :80 --log-format j": {"json"},
		"jotgate serve --demo --log-format ":      {"text", "json"},
		"jotgate serve --addr ":                   nil,
		"jotgate completion ":                     {"bash", "zsh", "fish"},
		"jotgate nothing --conf":                  {"--config"},
		"":                                        nil,
	} {
		if found := completed(t, line); !slices.Equal(found, want) && line != "" {
			t.Errorf("%q: %q, want %q", line, found, want)
		}
	}
	for _, leaf := range leaves(t) { // with one parser, which takes longer than the rest
		path := strings.Split(strings.TrimSpace(strings.Split(leaf.Path(), " (")[0]), " ")
		words, last := append([]string{"jotgate"}, path[:len(path)-1]...), path[len(path)-1]
		if !slices.Contains(candidates(root(leaf), words, last), last) {
			t.Errorf("%q is not completed", path)
		}
	}
}

// root is the program that a command belongs to.
func root(node *kong.Node) *kong.Node {
	for node.Parent != nil {
		node = node.Parent
	}
	return node
}

// Each script is one that its shell accepts.
func TestCompletionScripts(t *testing.T) {
	for shell := range completionScripts {
		status, stdout, stderr := try(t, nil, "", "completion", shell)
		if status != 0 || !strings.Contains(stdout, completionWord) {
			t.Fatalf("%s: status %d, %s%s", shell, status, stdout, stderr)
		}
		if shell != "bash" {
			continue
		}
		bash := exec.Command("bash", "-c", stdout+"complete -p jotgate")
		bash.Env = []string{"PATH=" + os.Getenv("PATH")} // with a locale that is not installed it warns
		shows, err := bash.CombinedOutput()
		if err != nil || string(shows) != stdout {
			t.Errorf("bash: %v, %s", err, shows)
		}
	}
}

// The manual page has every command and every flag, and no line that troff would
// read as a macro by mistake.
func TestManualPage(t *testing.T) {
	status, page, stderr := try(t, nil, "", "man")
	if status != 0 || stderr != "" {
		t.Fatalf("status %d, %s", status, stderr)
	}
	for _, leaf := range leaves(t) {
		name, _, _ := strings.Cut(leaf.Path(), " (")
		if !strings.Contains(page, `.SS "`+escaped.Replace(name)) {
			t.Errorf("the page has no section on %s", name)
		}
		for _, flag := range leaf.Flags {
			if !strings.Contains(page, `\-\-`+escaped.Replace(flag.Name)) {
				t.Errorf("the page does not have --%s", flag.Name)
			}
		}
	}
	macros := []string{"TH", "SH", "SS", "PP", "TP", "B", "I", "nf", "fi"}
	for line := range strings.Lines(page) {
		if name, ok := strings.CutPrefix(line, "."); ok && !slices.Contains(macros, strings.Fields(name)[0]) {
			t.Errorf("no macro: %q", line)
		}
		if strings.HasPrefix(line, "'") {
			t.Errorf("a control line: %q", line)
		}
	}
}
