package main

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// stream reads the events of one go test.
type stream struct {
	r         *run
	module    string
	outputs   map[[2]string]*strings.Builder // by package and test
	began     map[string]time.Time           // packages that are running
	current   map[string]string              // the test that a package began last
	failed    map[string][]string            // tests, by package
	heads     map[[2]string][]string         // what failed tests said first, by package and test
	anyFailed bool
}

func newStream(r *run, module string) *stream {
	return &stream{
		r: r, module: module, outputs: map[[2]string]*strings.Builder{}, began: map[string]time.Time{},
		current: map[string]string{}, failed: map[string][]string{}, heads: map[[2]string][]string{},
	}
}

// line takes one line of output; what is not an event is printed.
func (s *stream) line(text string) {
	e, ok := parse(text)
	if !ok {
		fmt.Fprintln(s.r.out, text)
		return
	}
	switch e.Action {
	case "build-output":
		fmt.Fprint(s.r.out, e.Output)
	case "start":
		s.began[e.Package] = time.Now()
	case "run":
		s.current[e.Package] = e.Test
	case "output":
		s.output(e)
	case "pass", "fail", "skip":
		if e.Test != "" {
			s.test(e)
		} else {
			s.pkg(e)
		}
	}
}

// output keeps what a test prints until it has passed or failed, and prints the
// closing line of a package.
func (s *stream) output(e event) {
	if e.Test == "" {
		if isClosing(e.Output) {
			fmt.Fprint(s.r.out, e.Output)
			return
		}
	} else if strings.HasPrefix(e.Output, "=== ") {
		return
	}
	key := [2]string{e.Package, e.Test}
	if s.outputs[key] == nil {
		s.outputs[key] = &strings.Builder{}
	}
	s.outputs[key].WriteString(e.Output)
}

// isClosing reports whether a line ends the output of a package.
func isClosing(line string) bool {
	return strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "FAIL\t") || strings.HasPrefix(line, "?   \t")
}

// test prints what a failed test said, and forgets what another one did.
func (s *stream) test(e event) {
	if e.Action == "fail" {
		s.failTest(e.Package, e.Test)
	}
	delete(s.outputs, [2]string{e.Package, e.Test})
}

// pkg ends a package. A test that had begun and not ended hung or ended the
// process.
func (s *stream) pkg(e event) {
	if e.Action == "fail" {
		for key := range s.outputs {
			if key[0] == e.Package && key[1] != "" {
				s.failTest(e.Package, key[1])
			}
		}
		s.print(e.Package, "")
		s.fail(e.Package)
	}
	delete(s.outputs, [2]string{e.Package, ""})
	delete(s.began, e.Package)
	s.r.times = append(s.r.times, packageTime{e.Package, e.Elapsed})
}

// fail records the failures of a package: its tests without those that failed by
// their subtests alone, or itself.
func (s *stream) fail(pkg string) {
	s.anyFailed = true
	tests := s.failed[pkg]
	if len(tests) == 0 {
		s.r.failed = append(s.r.failed, failure{s.module, pkg, "", nil})
	}
	slices.Sort(tests)
	for i, test := range tests {
		if i+1 == len(tests) || !strings.HasPrefix(tests[i+1], test+"/") {
			s.r.failed = append(s.r.failed, failure{s.module, pkg, test, s.heads[[2]string{pkg, test}]})
		}
	}
}

// failTest prints what a test said, and keeps the first lines of it for the summary.
func (s *stream) failTest(pkg, test string) {
	s.failed[pkg] = append(s.failed[pkg], test)
	s.print(pkg, test)
	if text := s.outputs[[2]string{pkg, test}]; text != nil {
		s.heads[[2]string{pkg, test}] = head(text.String())
	}
}

// head returns the first lines that are not empty, and the beginning of long ones.
func head(text string) []string {
	const most, longest = 12, 300
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "--- ") {
			continue
		}
		if len(lines) == most {
			break
		}
		lines = append(lines, strings.ToValidUTF8(line[:min(len(line), longest)], ""))
	}
	return lines
}

func (s *stream) print(pkg, test string) {
	if text := s.outputs[[2]string{pkg, test}]; text != nil && text.Len() > 0 {
		fmt.Fprint(s.r.out, text)
	}
}

// end counts packages that began and did not end: go test itself was stopped.
func (s *stream) end() {
	for pkg := range s.began {
		s.fail(pkg)
	}
}

// running says which packages are running, the longest first, and in which test.
func (s *stream) running() string {
	var list []string
	for pkg := range s.began {
		list = append(list, pkg)
	}
	if len(list) == 0 {
		return "go build"
	}
	sort.Slice(list, func(i, j int) bool { return s.began[list[i]].Before(s.began[list[j]]) })
	for i, pkg := range list {
		list[i] = fmt.Sprintf("%s %s (%.0fs)", pkg, s.current[pkg], time.Since(s.began[pkg]).Seconds())
	}
	return strings.Join(list, ", ")
}

// summary prints the slowest packages, what failed, how to run that alone, and how its
// output began. It reports whether nothing failed.
func (r *run) summary() bool {
	sort.Slice(r.times, func(i, j int) bool { return r.times[i].seconds > r.times[j].seconds })
	fmt.Fprintf(r.out, "\n%d packages in %.0fs. The slowest:\n", len(r.times), time.Since(r.start).Seconds())
	for _, p := range r.times[:min(5, len(r.times))] {
		fmt.Fprintf(r.out, "  %6.1fs  %s\n", p.seconds, p.pkg)
	}
	if left := r.temporary.left(); len(left) > 0 {
		fmt.Fprintf(r.out, "Left in the temporary folder: %s\n", strings.Join(left, " "))
	}
	if len(r.failed) == 0 {
		fmt.Fprintln(r.out, "All passed.")
		return true
	}
	fmt.Fprintf(r.out, "\n%d failed. To run one alone:\n", len(r.failed))
	for _, f := range r.failed {
		fmt.Fprintln(r.out, "  "+f.alone(r.flags))
		for _, line := range f.said {
			fmt.Fprintln(r.out, "      "+line)
		}
	}
	return false
}

// alone is the command that runs a failure alone.
func (f failure) alone(flags []string) string {
	words := append([]string{"go", "test", "-count=1"}, flags...)
	if f.test != "" {
		parts := strings.Split(f.test, "/")
		for i := range parts {
			parts[i] = "^" + quoteMeta(parts[i]) + "$"
		}
		words = append(words, "-run", "'"+strings.Join(parts, "/")+"'")
	}
	if f.pkg == "" {
		f.pkg = "./..."
	}
	command := strings.Join(append(words, f.pkg), " ")
	if f.module != "." {
		command = "(cd " + f.module + " && " + command + ")"
	}
	return command
}

// quoteMeta escapes for a regular expression in single quotes of a shell.
func quoteMeta(text string) string {
	var b strings.Builder
	for _, c := range text {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, c) {
			b.WriteByte('\\')
		}
		if c == '\'' {
			c = '.'
		}
		b.WriteRune(c)
	}
	return b.String()
}
