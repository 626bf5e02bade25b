package main

// The pages of the documentation are correct: each ```console block is run,
// in order, in an empty folder, and must print the output below its commands.
// UPDATE_DOCS=1 updates the pages instead.
//
// A line "…" matches any lines; tokens, ids, times and passwords may
// differ. A server that a page starts is stopped by the next one, or at the
// end of the page.

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/wait"
)

func TestPages(t *testing.T) {
	paths, err := filepath.Glob(filepath.FromSlash("../../docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	run := map[string]bool{}
	for _, path := range append(paths, filepath.FromSlash("../../README.md")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		page := readPage(string(text))
		if len(page.steps) == 0 {
			continue
		}
		name := filepath.Base(path)
		run[name] = true
		if testing.Short() && name != "README.md" { // as in TestScripts
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page.run(t)
			if os.Getenv("UPDATE_DOCS") != "" {
				if err := os.WriteFile(path, []byte(page.text()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, step := range page.steps {
				if diff := step.diff(); diff != "" {
					t.Errorf("$ %s\n(-page +now)\n%s", step.command, diff)
				}
			}
		})
	}
	for _, name := range []string{"README.md", "server.md", "cli.md", "tokens.md"} {
		if !run[name] {
			t.Errorf("%s has no commands", name)
		}
	}
}

// step is a command of a page and the output below it.
type step struct {
	command string
	want    string // on the page
	got     string
	at      int // index into parts of the page, where want is
}

// page is a parsed file: the text between outputs, and the outputs.
type page struct {
	parts []string
	steps []*step
}

// diff says how the output differs from the page.
func (s *step) diff() string {
	want := normal(s.want)
	return cmp.Diff(want, fill(want, normal(s.got)))
}

func readPage(text string) *page {
	p := &page{}
	var current *step
	console := false
	for line := range strings.Lines(text) {
		bare := strings.TrimSuffix(line, "\n")
		switch {
		case !console && bare == "```console":
			console = true
		case console && bare == "```":
			console, current = false, nil
		case console && strings.HasPrefix(bare, "$ "):
			current = &step{command: bare[2:], at: len(p.parts) + 1}
			p.steps = append(p.steps, current)
			p.parts = append(p.parts, line, "")
			continue
		case console && current != nil:
			current.want += line
			continue
		}
		p.parts = append(p.parts, line)
	}
	return p
}

// text is the page with what the commands printed.
func (p *page) text() string {
	for _, step := range p.steps {
		p.parts[step.at] = step.want
		if step.diff() != "" {
			p.parts[step.at] = shortened(step.got)
		}
	}
	return strings.Join(p.parts, "")
}

// mark separates the outputs of two commands.
const mark = "@@ next @@"

// run gives all commands to one shell.
func (p *page) run(t *testing.T) {
	t.Helper()
	address := freeport.Address(t)
	var script strings.Builder
	script.WriteString("exec 2>&1\nSERVER=\nend() { [ -z \"$SERVER\" ] || { kill $SERVER 2>/dev/null; wait $SERVER 2>/dev/null; SERVER=; }; }\ntrap end EXIT\n")
	for _, step := range p.steps {
		command := strings.ReplaceAll(step.command, "go run ./cmd/jotgate", "jotgate")
		command = strings.ReplaceAll(command, "127.0.0.1:8000", address)
		if strings.Contains(command, "jotgate serve") {
			ready := "users/me"
			if strings.Contains(command, "--demo") {
				ready = "Stop with" // its last words
			}
			command = "end; rm -f server.out; " + command + " >server.out 2>&1 & SERVER=$!\n" +
				"until grep -qE '" + ready + "|^jotgate: ' server.out 2>/dev/null; do kill -0 $SERVER 2>/dev/null || break; sleep 0.05; done; cat server.out"
		}
		if strings.Contains(command, "config show") { // of the reader, who has not set them
			for _, limit := range program.Limits {
				name, _, _ := strings.Cut(limit, "=")
				command = "unset " + name + "; " + command
			}
			command = "(" + command + ")"
		}
		fmt.Fprintf(&script, "%s\necho; echo '%s'\n", command, mark)
	}
	limit := strconv.Itoa(int(10 * wait.Limit / time.Second))
	shell := exec.CommandContext(t.Context(), "timeout", limit, "sh", "-c", script.String())
	shell.WaitDelay = wait.Limit
	shell.Dir = t.TempDir()
	shell.Env = append([]string{"PATH=" + programs(t) + ":/usr/bin:/bin", "JOTGATE_ADDR=" + address, "HOME=" + shell.Dir}, program.Limits...)
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Logf("the shell ended with %v", err)
	}
	outputs := strings.Split(string(out), mark+"\n")
	if len(outputs) < len(p.steps) {
		t.Fatalf("%d of %d commands ran:\n%s", len(outputs)-1, len(p.steps), out)
	}
	for i, step := range p.steps {
		text := strings.ReplaceAll(outputs[i], address, "127.0.0.1:8000")
		text = strings.ReplaceAll(text, "localhost"+strings.TrimPrefix(address, "127.0.0.1"), "localhost:8000")
		if text = strings.TrimRight(text, "\n"); text != "" {
			step.got = text + "\n"
		}
	}
}

// programs is a folder with jotgate and curl: this test under other names.
func programs(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, name := range []string{"jotgate", "curl"} {
		if err := os.Symlink(self, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// What differs from one run to the next.
var variable = []struct {
	pattern *regexp.Regexp
	as      string
}{
	{regexp.MustCompile(`eyJ[\w-]+(\.[\w-]*)*…?`), "<token>"},
	{regexp.MustCompile(`\b[0-9a-f]{32}\b`), "<id>"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?`), "<time>"},
	{regexp.MustCompile(`"(exp|iat)": ?\d+`), `"$1":<seconds>`},
	{regexp.MustCompile(`Date: .* GMT`), "Date: <date>"},
	{regexp.MustCompile(`X-Request-Id: \w+`), "X-Request-Id: <id>"},
	{regexp.MustCompile(`(password[= ])[a-km-z2-9]{16}\b`), "$1<password>"},
	{regexp.MustCompile(`"(x|y)": "[\w-]+"`), `"$1": <number>`}, // before the next: a coordinate may begin with "-"
	{regexp.MustCompile(`(^|[^\w-])[\w-]{43}($|[^\w-])`), "$1<kid>$2"},
	{regexp.MustCompile(`jotgate (devel|v\d).* go1\S+ \w+/\w+`), "jotgate <version>"},
	{regexp.MustCompile(`[ \r]+\n`), "\n"},
	{regexp.MustCompile(` {2,}`), "  "},
}

// normal writes what may differ in one way.
func normal(text string) string {
	for _, v := range variable {
		text = v.pattern.ReplaceAllString(text, v.as)
	}
	return text
}

// shortened cuts tokens, for a page.
func shortened(text string) string {
	token := regexp.MustCompile(`(eyJ[\w-]{17})[\w.-]{20,}`)
	return token.ReplaceAllString(strings.ReplaceAll(text, "\r\n", "\n"), "$1…")
}

// fill puts the lines of got that a line "…" in want stands for back, so that
// the two can be compared.
func fill(want, got string) string {
	before, after, open := strings.Cut("\n"+want, "\n…\n")
	if !open {
		return got
	}
	before = strings.TrimPrefix(before, "\n")
	if before != "" {
		before += "\n"
	}
	if strings.HasPrefix(got, before) && strings.HasSuffix(got, after) && len(got) >= len(before)+len(after) {
		return want
	}
	return got
}

// The program on the page is the one in examples.
func TestQuickstartOnThePages(t *testing.T) {
	program, err := os.ReadFile(filepath.FromSlash("../../examples/quickstart/main.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "docs/library.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte("```go\n"+string(program)+"```\n")) {
			t.Errorf("%s does not show examples/quickstart/main.go as it is", name)
		}
	}
}
