// What must not be written: paths of one machine, and reminders without a number.

package arch

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// elsewhere are folders whose text is not ours, or is data with its own origin.
var elsewhere = []string{".git", "testdata", "node_modules", "vendor", "results", "bin"}

// phrase forbids a pattern in every text file. The patterns are put together
// from parts, so that this file passes its own test.
type phrase struct {
	pattern *regexp.Regexp
	instead string
}

var phrases = []phrase{
	{
		regexp.MustCompile(`(?:^|[^\w./-])/(?:` + `work|root|home)/[\w.-]+`),
		"a path of one machine: make it relative, or take it from the environment",
	},
	{
		regexp.MustCompile(`(?:^|[^\w./-])/tmp/` + `brief\b`),
		"a path of one machine: make it relative, or take it from the environment",
	},
	{
		regexp.MustCompile(`\b(?:TO` + `DO|FIX` + `ME)\b(?:[^(]|\([^#)]|\(#\D|$)`),
		"a reminder without a number: do it, or open an issue and write its number behind as (#12)",
	},
}

func TestWords(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && slices.Contains(elsewhere, d.Name()) {
				return fs.SkipDir
			}
			return err
		}
		files++
		return checkFile(t, dir, name, d)
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Errorf("only %d files looked at", files)
	}
}

// checkFile reads one file, unless it is too large or too odd to be text.
func checkFile(t *testing.T, dir, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if os.IsNotExist(err) || err == nil && (!info.Mode().IsRegular() || info.Size() > 1<<20) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(name)
	if os.IsNotExist(err) { // a temporary file that is gone
		return nil
	}
	where, _ := filepath.Rel(dir, name)
	report(t, checkWords(filepath.ToSlash(where), text))
	return err
}

func checkWords(name string, text []byte) (findings []string) {
	if bytes.IndexByte(text, 0) >= 0 { // no text
		return nil
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		for _, p := range phrases {
			if hit := p.pattern.Find(line); hit != nil {
				findings = append(findings, fmt.Sprintf("%s:%d: %q is %s", name, i+1, bytes.TrimSpace(hit), p.instead))
			}
		}
	}
	return findings
}

func TestCheckWordsCatches(t *testing.T) {
	for text, want := range map[string][]string{
		"see /work" + "/main/x":            {"x:1: \"/work" + "/main\" is a path of one machine"},
		"\n\"/root" + "/.cache\"":          {"x:2"},
		"cd /home" + "/alice":              {"of one machine"},
		"cat /tmp" + "/brief/x":            {"of one machine"},
		"https://example.com/home/alice":   nil,
		"./work/main":                      nil,
		"GET /home":                        nil,
		"/tmp/briefcase":                   nil,
		"// TO" + "DO later":               {"without a number"},
		"// TO" + "DO":                     {"without a number"},
		"// FIX" + "ME(alice): x":          {"without a number"},
		"// TO" + "DO(#12): x":             nil,
		"TODOS":                            nil,
		"\x00 binary // TO" + "DO at last": nil,
	} {
		expect(t, checkWords("x", []byte(text)), want...)
	}
}
