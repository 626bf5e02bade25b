package main

import (
	"strings"
	"testing"
	"time"
)

// played runs the lines of a go test -json and returns what is printed.
func played(module string, lines ...string) (r *run, printed string) {
	var out strings.Builder
	r = &run{start: time.Now(), out: &out}
	s := newStream(r, module)
	for _, line := range lines {
		s.line(line)
	}
	s.end()
	r.summary()
	return r, out.String()
}

func TestSummary(t *testing.T) {
	for _, c := range []struct {
		name, module string
		lines        []string
		want         []string // parts of the output
		not          string
	}{
		{"passed", ".", []string{
			`{"Action":"start","Package":"a"}`, `{"Action":"output","Package":"a","Test":"TestA","Output":"    noise\n"}`,
			`{"Action":"pass","Package":"a","Test":"TestA"}`, `{"Action":"output","Package":"a","Output":"ok  \ta\t1.2s\n"}`,
			`{"Action":"pass","Package":"a","Elapsed":1.2}`,
		}, []string{"ok  \ta\t1.2s\n", "1 packages", "All passed."}, "noise"},
		{"a subtest", "interop", []string{
			`{"Action":"start","Package":"a"}`, `{"Action":"output","Package":"a","Test":"TestA/of (b)","Output":"    a_test.go:1: wrong\n"}`,
			`{"Action":"fail","Package":"a","Test":"TestA/of (b)"}`, `{"Action":"fail","Package":"a","Test":"TestA"}`,
			`{"Action":"output","Package":"a","Output":"FAIL\ta\t1.2s\n"}`, `{"Action":"fail","Package":"a","Elapsed":1.2}`,
		}, []string{"a_test.go:1: wrong\n", "FAIL\ta\t1.2s\n", "\n1 failed. To run one alone:\n  (cd interop && go test -count=1 -run '^TestA$/^of \\(b\\)$' a)\n      a_test.go:1: wrong\n"}, "All passed"},
		{"a panic", ".", []string{
			`{"Action":"start","Package":"a"}`, `{"Action":"run","Package":"a","Test":"TestA"}`,
			`{"Action":"output","Package":"a","Test":"TestA","Output":"panic: oh\n"}`, `{"Action":"fail","Package":"a","Elapsed":1}`,
		}, []string{"panic: oh\n", "  go test -count=1 -run '^TestA$' a\n      panic: oh\n"}, "All passed"},
		{"a build", ".", []string{
			`{"ImportPath":"a [a.test]","Action":"build-output","Output":"./a.go:3: undefined: x\n"}`, `{"Action":"start","Package":"a"}`,
			`{"Action":"output","Package":"a","Output":"FAIL\ta [build failed]\n"}`, `{"Action":"fail","Package":"a","FailedBuild":"a [a.test]"}`,
		}, []string{"undefined: x", "FAIL\ta [build failed]", "  go test -count=1 a\n"}, "All passed"},
		{"stopped", ".", []string{`{"Action":"start","Package":"a"}`, "signal: killed"}, []string{"signal: killed\n", "  go test -count=1 a\n"}, "All passed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, printed := played(c.module, c.lines...)
			for _, want := range c.want {
				if !strings.Contains(printed, want) {
					t.Errorf("it does not print %q:\n%s", want, printed)
				}
			}
			if strings.Contains(printed, c.not) {
				t.Errorf("it prints %q:\n%s", c.not, printed)
			}
		})
	}
}
