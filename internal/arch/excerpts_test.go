// What a document shows of a file in examples is in that file, and configuration of
// another program is shown from such a file only, because tests run those.

package arch

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ofExamples are the languages of blocks that must be parts of a file.
var ofExamples = []string{"apache", "caddyfile", "haproxy", "lighttpd", "nginx"}

func TestExcerpts(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	files := documents(t)
	read := func(name string) (string, error) {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		return string(text), err
	}
	total := 0
	for _, name := range slices.Sorted(maps.Keys(files)) {
		n, findings := checkExcerpts(name, files[name], read)
		total += n
		report(t, findings)
	}
	if total < 40 {
		t.Errorf("only %d excerpts looked at", total)
	}
}

// titled is a block of code with a language, and the line above it if it is only a link
// to a file of examples.
var titled = regexp.MustCompile("(?m)(?:^\\[examples/[^]]+\\]\\(([^)]+)\\)\n\n)?^```([a-z]+)\n((?s:.*?))^```$")

// checkExcerpts returns how many excerpts a document has, and what is wrong with them.
func checkExcerpts(name, text string, read func(file string) (string, error)) (n int, findings []string) {
	for _, m := range titled.FindAllStringSubmatch(text, -1) {
		file, language, block := m[1], m[2], m[3]
		first, _, _ := strings.Cut(block, "\n")
		switch {
		case file != "":
			n++
			file = path.Join(path.Dir(name), file)
			whole, err := read(file)
			if err != nil {
				findings = append(findings, fmt.Sprintf("%s: %v", name, err))
			} else if !strings.Contains(flat(whole), flat(block)) {
				findings = append(findings, fmt.Sprintf("%s: %s does not contain the block that begins with %q", name, file, first))
			}
		case slices.Contains(ofExamples, language):
			findings = append(findings, fmt.Sprintf("%s: the block that begins with %q is not from a file of examples, which a test runs", name, first))
		}
	}
	return n, findings
}

// flat is a text without the indentation of its lines.
func flat(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("\n" + strings.TrimSpace(line))
	}
	return b.String() + "\n"
}

func TestCheckExcerptsCatches(t *testing.T) {
	read := func(file string) (string, error) {
		if file != "examples/a.conf" {
			return "", os.ErrNotExist
		}
		return "one {\n    two;\n    three;\n}\n", nil
	}
	const link = "[examples/a.conf](../examples/a.conf)\n\n"
	for text, want := range map[string][]string{
		link + "```nginx\n  two;\n  three;\n```\n":                         nil,
		"```sh\nls\n```\n\n```\nplain\n```\n":                              nil,
		link + "```nginx\n  two\n```\n":                                    {`does not contain the block that begins with "  two"`},
		link + "```nginx\none {\n    three;\n```\n":                        {"does not contain"},
		"[examples/b.conf](../examples/b.conf)\n\n```nginx\n  two;\n```\n": {"file does not exist"},
		"Behind nginx:\n\n```nginx\nlocation / {}\n```\n":                  {"is not from a file of examples"},
		link + "text\n\n```caddyfile\nlocalhost\n```\n":                    {"is not from a file of examples"},
	} {
		_, findings := checkExcerpts("docs/x.md", text, read)
		expect(t, findings, want...)
	}
}
