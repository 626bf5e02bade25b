package frameworks

// Every block of code in the pages on the gate is a part of the file that is
// named above it, and the programs those files belong to have tests.

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var pages = []string{"gate.md", "proxy.md", "nginx.md", "caddy.md", "envoy.md", "from-golang-jwt.md"}

var (
	block = regexp.MustCompile("(?ms)^\\[[^\\]]+\\]\\(\\.\\./([^)]+)\\)\n\n```[a-z]+\n(.*?)^```$")
	fence = regexp.MustCompile("(?m)^```[a-z]+$")
	link  = regexp.MustCompile(`\]\(([^)#:]+)\)`)
)

// plain is the text without what begins a line: indentation, and the marks of
// comments.
func plain(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		line = strings.TrimSpace(strings.TrimLeft(line, "#/"))
		if line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func TestPages(t *testing.T) {
	for _, name := range pages {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		blocks := block.FindAllStringSubmatch(string(text), -1)
		if len(blocks) == 0 || len(blocks) != len(fence.FindAllString(string(text), -1)) {
			t.Errorf("%s: a block of code does not say which file it is from", name)
		}
		for _, b := range blocks {
			file, err := os.ReadFile(filepath.Join("..", "..", b[1]))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if !strings.Contains(plain(string(file)), plain(b[2])) {
				t.Errorf("%s shows what is not in %s:\n%s", name, b[1], b[2])
			}
		}
		for _, l := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join("..", "..", "docs", l[1])); err != nil {
				t.Errorf("%s leads to %s, which is not there", name, l[1])
			}
		}
	}
}

// The tests of the examples, which are a module of their own.
func TestExamplesInFrameworks(t *testing.T) {
	cmd := exec.Command("go", "test", "-timeout=0", "./...")
	cmd.Dir = filepath.Join("..", "..", "examples", "frameworks")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
