// Runtests runs the tests of several modules one after the other, says what it
// is doing, and ends with one summary of what failed and how to run it alone.
//
//	go run -C tools ./runtests [-setup COMMAND] [-flags "GO TEST FLAGS"] MODULE...
//
// MODULE is a folder relative to the repository, "." for the main module. The
// closing lines of go test ("ok  package  1.2s") are printed as they are. All
// modules are run, whatever fails; the status is then 1.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func main() {
	setup := flag.String("setup", "", "a command that installs what the tests need, run first")
	flags := flag.String("flags", "", "flags for go test")
	flag.Parse()
	root, err := repository()
	if err != nil {
		fmt.Fprintln(os.Stderr, "runtests:", err)
		os.Exit(2)
	}
	signals := make(chan os.Signal, 1) // the children get it as well, from the terminal
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	r := &run{root: root, flags: strings.Fields(*flags), start: time.Now(), out: os.Stdout, signals: signals}
	if *setup != "" && !r.setup(strings.Fields(*setup)) {
		os.Exit(1)
	}
	for _, module := range flag.Args() {
		r.module(module)
	}
	if !r.summary() {
		os.Exit(1)
	}
}

// repository is the folder of the module that the tools belong to: the parent of
// the working directory, which go run -C sets.
func repository() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(folder, "runtests", "main.go")); err != nil {
		return "", fmt.Errorf("run it with: go run -C tools ./runtests")
	}
	return filepath.Dir(folder), nil
}

// run is one run of several modules.
type run struct {
	root    string
	flags   []string
	start   time.Time
	out     io.Writer
	signals <-chan os.Signal
	times   []packageTime
	failed  []failure
}

type packageTime struct {
	pkg     string
	seconds float64
}

// failure is a test or, with an empty test, a package that failed.
type failure struct{ module, pkg, test string }

// say prints a line with the time since the start.
func (r *run) say(format string, args ...any) {
	fmt.Fprintf(r.out, "[%4.0fs] %s\n", time.Since(r.start).Seconds(), fmt.Sprintf(format, args...))
}

// setup runs the command and repeats its last line while nothing is printed.
func (r *run) setup(command []string) bool {
	r.say("setup: looking for what the tests need")
	last := "setup"
	err := r.command(exec.Command(command[0], command[1:]...), "", func() string { return last }, func(line string) {
		last = line
		r.say("%s", line)
	})
	if err != nil {
		r.say("setup failed: %v", err)
	}
	return err == nil
}

// module runs the tests of one module.
func (r *run) module(module string) {
	// The limit of go test, 10 minutes for a package, would be a verdict on a slow machine.
	// Many tests wait for programs that they start, so that twice as many packages as processors run at the same time.
	arguments := append([]string{"test", "-json", "-timeout=60m", fmt.Sprintf("-p=%d", 2*runtime.NumCPU())}, r.flags...)
	if module != "." {
		arguments = append(arguments, "-count=1") // what the judges are is not in the key of the cache
	}
	r.say("== %s: go test %s", module, strings.Join(append(arguments[2:], "./..."), " "))
	s := newStream(r, module)
	err := r.command(exec.Command("go", append(arguments, "./...")...), module, s.running, s.line)
	s.end()
	if err != nil && !s.anyFailed {
		r.failed = append(r.failed, failure{module: module})
		r.say("go test in %s: %v", module, err)
	}
}

// quiet is how long nothing may be printed before a line says what is running.
const quiet = 20 * time.Second

// command runs a command in a folder of the repository, passes on each line of
// its output, and says what is running while there is none.
func (r *run) command(cmd *exec.Cmd, folder string, running func() string, line func(string)) error {
	cmd.Dir = filepath.Join(r.root, folder)
	pipe, in, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = in, in
	err = cmd.Start()
	in.Close()
	if err != nil {
		return err
	}
	lines := make(chan string)
	go read(pipe, lines)
	tick := time.NewTicker(quiet)
	defer tick.Stop()
	for {
		select {
		case text, more := <-lines:
			if !more {
				return cmd.Wait()
			}
			line(text)
			tick.Reset(quiet)
		case <-tick.C:
			r.say("… running: %s", running())
		case s := <-r.signals:
			_ = cmd.Process.Signal(s)
		}
	}
}

// read sends the lines of a pipe until it ends.
func read(pipe io.Reader, lines chan<- string) {
	defer close(lines)
	b := bufio.NewReader(pipe)
	for {
		text, err := b.ReadString('\n')
		if text = strings.TrimRight(text, "\r\n"); text != "" || err == nil {
			lines <- text
		}
		if err != nil {
			return
		}
	}
}

// event is what go test -json prints (go doc test2json), also for a build
// (go help buildjson).
type event struct {
	Action, Package, Test, Output, ImportPath, FailedBuild string
	Elapsed                                                float64
}

func parse(line string) (e event, ok bool) {
	return e, strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &e) == nil && e.Action != ""
}
