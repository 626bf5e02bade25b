// Which tests read a clock, sleep, set a deadline or measure the memory of their
// process. Each stands in clocks.txt with its reason, because a test that compares
// durations passes on one machine and fails on another, and one that compares
// memory passes after some tests and fails after others.

package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// clocks are the functions that depend on the time that passes, or on what else
// runs in the process, by their import path. A hang guard of internal/wait is not among them: it fits all tests.
var clocks = map[string][]string{
	"time":                  {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"},
	"context":               {"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause"},
	"net":                   {"DialTimeout"},
	"runtime":               {"ReadMemStats"},
	"runtime/metrics":       {"Read"},
	"testing":               {"AllocsPerRun"},
	"syscall":               {"Getrusage"},
	"golang.org/x/sys/unix": {"Getrusage", "ClockGettime"},
}

// clockKinds are the reasons that are accepted, explained in clocks.txt.
var clockKinds = []string{"date", "fake", "pause", "least", "guard", "prints", "statistics", "long run", "alone", "again"}

// clockUse is a function of a test that uses clocks.
type clockUse struct {
	function string // "file name", as a line of clocks.txt begins
	at, call string // of the first use
}

func TestClocks(t *testing.T) {
	table, err := os.ReadFile("clocks.txt")
	if err != nil {
		t.Fatal(err)
	}
	var uses []clockUse
	eachGoFile(t, func(name string, text []byte) error {
		if !isTestCode(name) {
			return nil
		}
		s, err := parse(name, text)
		if err == nil {
			uses = append(uses, clockUses(s)...)
		}
		return err
	})
	report(t, checkClocks(uses, string(table)))
}

// isTestCode reports whether a file holds tests or what only tests import.
func isTestCode(name string) bool {
	r, ok := rowOf(filepath.ToSlash(filepath.Dir(name)))
	return strings.HasSuffix(name, ".go") && (strings.HasSuffix(name, "_test.go") || ok && r.kind == testOnly || strings.HasPrefix(name, "interop/"))
}

// checkClocks compares the uses with the table.
func checkClocks(uses []clockUse, table string) (findings []string) {
	listed := map[string]bool{} // false until used
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		function, reason, _ := strings.Cut(line, ": ")
		kind, why, _ := strings.Cut(reason, ": ")
		if !slices.Contains(clockKinds, kind) || strings.TrimSpace(why) == "" {
			findings = append(findings, fmt.Sprintf("clocks.txt: %q: write FILE FUNCTION: KIND: REASON, the kind is one of %s", line, strings.Join(clockKinds, ", ")))
		}
		listed[function] = false
	}
	for _, use := range uses {
		if _, ok := listed[use.function]; !ok {
			findings = append(findings, fmt.Sprintf("%s: %s in test code. Wait for the event with internal/wait, or use testing/synctest or an "+
				"injected clock. If the verdict cannot depend on it, add this line to internal/arch/clocks.txt, in order:\n\t%s: KIND: REASON\n"+
				"(KIND is one of %s)", use.at, use.call, use.function, strings.Join(clockKinds, ", ")))
		}
		listed[use.function] = true
	}
	for function, used := range listed {
		if !used {
			findings = append(findings, fmt.Sprintf("clocks.txt: %q uses no clock any more: delete its line", function))
		}
	}
	slices.Sort(findings)
	return findings
}

// clockUses lists the top-level functions of a file that use clocks.
func clockUses(s *source) (uses []clockUse) {
	names := importNames(s.ast)
	for _, d := range s.ast.Decls {
		called := clockCalls(s, d, names)
		if len(called) == 0 {
			continue
		}
		use := called[0]
		use.function = s.name + " " + nameOf(d)
		if i := slices.IndexFunc(uses, func(u clockUse) bool { return u.function == use.function }); i < 0 {
			uses = append(uses, use)
		}
	}
	return uses
}

// nameOf is the name of a function or method, or "var".
func nameOf(d ast.Decl) string {
	f, ok := d.(*ast.FuncDecl)
	if !ok {
		return "var"
	}
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if id, ok := receiver.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// clockCalls finds the uses in a declaration, except those in a bubble of
// testing/synctest, whose clock is not real, and the hang guards of
// internal/wait.
func clockCalls(s *source, d ast.Decl, names map[string]string) (uses []clockUse) {
	ast.Inspect(d, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && (selects(call.Fun, names["testing/synctest"], "Test") || guarded(call, names[module+"/internal/wait"])) {
			return false
		}
		if call, ok := n.(*ast.CallExpr); ok && setsDeadline(call) {
			uses = append(uses, clockUse{at: s.at(n), call: call.Fun.(*ast.SelectorExpr).Sel.Name})
		}
		if call, ok := n.(*ast.CallExpr); ok && selects(call.Fun, names[module+"/internal/postgrestest"], "Limits") {
			return false
		}
		if name := limits(n, names[module+"/internal/wait"]); name != "" {
			uses = append(uses, clockUse{at: s.at(n), call: name})
		}
		for path, functions := range clocks {
			for _, name := range functions {
				if e, ok := n.(*ast.SelectorExpr); ok && names[path] != "" && selects(e, names[path], name) {
					uses = append(uses, clockUse{at: s.at(n), call: path + "." + name})
				}
			}
		}
		return true
	})
	return uses
}

// guarded reports whether a call has wait.Limit or wait.Deadline() as an argument.
func guarded(call *ast.CallExpr, local string) bool {
	return local != "" && slices.ContainsFunc(call.Args, func(arg ast.Expr) bool {
		inner, ok := arg.(*ast.CallExpr)
		return selects(arg, local, "Limit") || ok && selects(inner.Fun, local, "Deadline")
	})
}

// limits returns the limit of time that is set here and is not wait.Limit: in a field whose name says so,
// in a text, by the command timeout, or of a database that is opened with the limits of the program.
func limits(n ast.Node, local string) string {
	switch n := n.(type) {
	case *ast.CompositeLit:
		for _, database := range []struct{ driver, limit string }{{"sqlite", "BusyTimeout"}, {"postgres", "StatementTimeout"}} {
			if selects(n.Type, database.driver, "Options") && !slices.ContainsFunc(n.Elts, func(e ast.Expr) bool {
				set, ok := e.(*ast.KeyValueExpr)
				return ok && isNamed(set.Key, database.limit) && selects(set.Value, local, "Limit")
			}) {
				return database.driver + ".Options without " + database.limit + ": wait.Limit (see internal/" + database.driver + "test)"
			}
		}
	case *ast.KeyValueExpr:
		if field, ok := n.Key.(*ast.Ident); ok && isLimit(field.Name, n.Value, local) {
			return field.Name
		}
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			if to, ok := to.(*ast.SelectorExpr); ok && len(n.Lhs) == len(n.Rhs) && isLimit(to.Sel.Name, n.Rhs[i], local) {
				return to.Sel.Name
			}
		}
	case *ast.BasicLit:
		for _, found := range limitInText.FindAllStringSubmatch(n.Value, -1) {
			if !slices.Contains(longInText, found[1]) {
				return strings.TrimSpace(found[0])
			}
		}
	case *ast.CallExpr:
		if slices.ContainsFunc(n.Args, func(arg ast.Expr) bool {
			text, ok := arg.(*ast.BasicLit)
			return ok && text.Value == `"timeout"`
		}) && (selects(n.Fun, "exec", "Command") || selects(n.Fun, "exec", "CommandContext")) {
			return "the command timeout"
		}
	}
	return ""
}

// isLimit reports whether a field of this name, which gets this value, is a limit of time other than wait.Limit.
func isLimit(field string, value ast.Expr, local string) bool {
	if number, ok := value.(*ast.BasicLit); ok && number.Value == "0" { // the default
		return false
	}
	if product, ok := value.(*ast.BinaryExpr); ok && product.Op == token.MUL {
		value = product.Y
	}
	return (field == "WaitDelay" || strings.HasSuffix(field, "Timeout")) && !selects(value, local, "Limit")
}

// limitInText is a limit of time in arguments, in a configuration, or in the address of a database.
var limitInText = regexp.MustCompile(`--[a-z-]*timeout["\x60]$|(?:--[a-z-]*timeout[= ]|\b[a-z]+_timeout[ =(:"]+|\btimeout[ =:]+)(\d+[a-z]*)`)

// longInText are limits that end only what hangs: three and ten minutes, in seconds and milliseconds, and none.
var longInText = []string{"3m", "10m", "180000", "600", "0"}

func isNamed(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// setsDeadline reports whether a call limits a connection; with time.Time{} it
// takes the limit off.
func setsDeadline(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) != 1 || !slices.Contains([]string{"SetDeadline", "SetReadDeadline", "SetWriteDeadline"}, f.Sel.Name) {
		return false
	}
	_, off := call.Args[0].(*ast.CompositeLit)
	return !off
}

func TestCheckClocksCatches(t *testing.T) {
	for _, c := range []struct {
		name, imports, code string
		want                string // the use, if there is one
	}{
		{"Now", `"time"`, "func TestX() { _ = time.Now() }", "TestX"},
		{"Now as a value", `"time"`, "func TestX() { s.Now = time.Now }", "TestX"},
		{"another name", `t "time"`, "func TestX() { t.Sleep(1) }", "TestX"},
		{"in a method", `"time"`, "func (s *server) wait() { <-time.After(1) }", "server.wait"},
		{"in a variable", `"time"`, "var start = time.Now()", "var"},
		{"client", `"net/http"`, "func TestX() { _ = http.Client{Timeout: 1} }", "TestX"},
		{"database", `"` + module + `/store/sqlite"`, "func TestX() { sqlite.Open(ctx, file, sqlite.Options{Now: now}) }", "TestX"},
		{"database with the guard", `"` + module + `/store/sqlite"; "` + module + `/internal/wait"`, "func TestX() { sqlite.Open(ctx, file, sqlite.Options{BusyTimeout: wait.Limit}) }", ""},
		{"client with the guard", `"net/http"; "` + module + `/internal/wait"`, "func TestX() { _ = http.Client{Timeout: wait.Limit} }", ""},
		{"process", `"os/exec"`, "func TestX() { c := exec.Command(``); c.WaitDelay = 1 }", "TestX"},
		{"command", `"os/exec"`, "func TestX() { exec.Command(`sh`, \"timeout\") }", "TestX"},
		{"timeout", `"context"`, "func TestX() { context.WithTimeout(ctx, 1) }", "TestX"},
		{"deadline", `"net"`, "func TestX() { c.SetReadDeadline(soon) }", "TestX"},
		{"deadline off", `"time"`, "func TestX() { c.SetReadDeadline(time.Time{}) }", ""},
		{"allocations", `"testing"`, "func TestX() { testing.AllocsPerRun(1, f) }", "TestX"},
		{"memory", `"runtime"`, "func TestX() { runtime.ReadMemStats(&m) }", "TestX"},
		{"processor time", `"syscall"`, "func TestX() { syscall.Getrusage(0, nil) }", "TestX"},
		{"a duration", `"time"`, "func TestX() { s.Grace = time.Second }", ""},
		{"a limit", `"time"`, "func TestX() { s.Timeout = time.Second }", "TestX"},
		{"a limit of several", `"time"`, "func TestX() { s.ReadTimeout, s.WriteTimeout = wait.Limit, time.Second }", "TestX"},
		{"a limit in a literal", `"time"`, "func TestX() { _ = settings{BodyTimeout: time.Second} }", "TestX"},
		{"a flag", `"time"`, "func TestX() { serve(t, `--body-timeout=" + "1s`) }", "TestX"},
		{"a flag and its value", `"time"`, "func TestX() { serve(t, `--body-timeout`, `1s`) }", "TestX"},
		{"a flag with a long limit", `"time"`, "func TestX() { serve(t, `--body-timeout=3m`) }", ""},
		{"a flag that is named", `"time"`, "func TestX() { t.Error(`--body-timeout is ignored`) }", ""},
		{"an address", `"time"`, "func TestX() { open(`file:x?_pragma=busy_timeout(" + "5000)`) }", "TestX"},
		{"an address with a long limit", `"time"`, "func TestX() { open(`file:x?_pragma=busy_timeout(180000)`) }", ""},
		{"in a bubble", `"time"; "testing/synctest"`, "func TestX() { synctest.Test(t, func(t *testing.T) { time.Sleep(1) }) }", ""},
		{"beside a bubble", `"time"; "testing/synctest"`, "func TestX() { synctest.Test(t, f); time.Sleep(1) }", "TestX"},
		{"hang guard", `"` + module + `/internal/wait"; "context"`, "func TestX() { context.WithTimeout(ctx, wait.Limit); c.SetDeadline(wait.Deadline()) }", ""},
	} {
		s, err := parse("x_test.go", []byte("package x\nimport ("+c.imports+")\n"+c.code+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		if c.want != "" {
			want = []string{"x_test.go " + c.want + ": KIND: REASON"}
		}
		t.Run(c.name, func(t *testing.T) { expect(t, checkClocks(clockUses(s), ""), want...) })
	}
	use := []clockUse{{"x_test.go TestX", "x_test.go:1", "time.Now"}}
	for table, want := range map[string]string{
		"# a comment\n\nx_test.go TestX: date: hours from now": "",
		"x_test.go TestX: date:":                               "write FILE FUNCTION: KIND: REASON",
		"x_test.go TestX: because: of that":                    "write FILE FUNCTION: KIND: REASON",
		"x_test.go TestX: date: a\nx_test.go TestY: date: b":   `"x_test.go TestY" uses no clock any more`,
	} {
		if want == "" {
			expect(t, checkClocks(use, table))
		} else {
			expect(t, checkClocks(use, table), want)
		}
	}
}
