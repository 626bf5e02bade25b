// Runtests runs the tests of several modules, two at a time, says what it is
// doing, and ends with one summary of what failed and how to run it alone.
//
//	go run -C tools ./runtests [-setup COMMAND] [-flags "GO TEST FLAGS"] MODULE...
//
// MODULE is a folder relative to the repository, "." for the main module. The
// closing lines of go test ("ok  package  1.2s") are printed as they are. All
// modules are run, whatever fails; the status is then 1. Temporary files are in
// one folder, which is removed at the end.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
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
	temporary, err := newFolder(parent(os.TempDir()), root)
	if err != nil {
		fmt.Fprintln(os.Stderr, "runtests:", err)
		os.Exit(2)
	}
	r := &run{root: root, flags: strings.Fields(*flags), start: time.Now(), out: os.Stdout, temporary: temporary}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range signals {
			r.stop(s)
		}
	}()
	good := (*setup == "" || r.setup(strings.Fields(*setup))) && r.all(flag.Args())
	temporary.remove()
	if !good {
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
	root      string
	flags     []string
	start     time.Time
	temporary folder
	parallel  int // modules that run at the same time

	mu       sync.Mutex // guards what follows, and what the streams print and add
	out      io.Writer
	commands []*exec.Cmd // that are running
	stopped  bool        // by a signal
	times    []packageTime
	failed   []failure
}

type packageTime struct {
	pkg     string
	seconds float64
}

// failure is a test or, with an empty test, a package that failed.
type failure struct {
	module, pkg, test string
	said              []string // the first lines of its output
}

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

// all runs the modules, two at a time, so that no processor waits for the last package of one. It
// reports whether everything passed.
func (r *run) all(modules []string) bool {
	r.parallel = min(2, len(modules))
	if r.parallel > 1 { // what both compile, once
		_ = r.command(exec.Command("go", "build", "./..."), "", func() string { return "go build" }, r.print)
	}
	queue := make(chan string, len(modules))
	for _, module := range modules {
		queue <- module
	}
	close(queue)
	var workers sync.WaitGroup
	for range r.parallel {
		workers.Go(func() {
			for module := range queue {
				r.module(module)
			}
		})
	}
	workers.Wait()
	return r.summary()
}

func (r *run) print(line string) { fmt.Fprintln(r.out, line) }

// module runs the tests of one module.
func (r *run) module(module string) {
	// The limit of go test, 10 minutes for a package, would be a verdict on a slow machine.
	// Many tests wait for programs that they start, so that three times as many packages as processors run at the same time.
	arguments := append([]string{"test", "-json", "-timeout=60m", fmt.Sprintf("-p=%d", 3*runtime.NumCPU()/r.parallel)}, r.flags...)
	if module != "." {
		arguments = append(arguments, "-count=1") // what the judges are is not in the key of the cache
	}
	s := newStream(r, module)
	r.mu.Lock()
	r.say("== %s: go test %s ./...", module, strings.Join(arguments[2:], " "))
	r.mu.Unlock()
	err := r.command(exec.Command("go", append(arguments, r.packages(module)...)...), module, s.running, s.line)
	r.mu.Lock()
	defer r.mu.Unlock()
	s.end()
	if err != nil && !s.anyFailed {
		r.failed = append(r.failed, failure{module: module})
		r.say("go test in %s: %v", module, err)
	}
}

// quiet is how long nothing may be printed before a line says what is running.
const quiet = 20 * time.Second

// command runs a command in a folder of the repository, passes on each line of
// its output, and says what is running while there is none. It calls both functions with r locked.
func (r *run) command(cmd *exec.Cmd, folder string, running func() string, line func(string)) error {
	cmd.Dir = filepath.Join(r.root, folder)
	cmd.Env = append(environment(os.Environ()), "TMPDIR="+r.temporary.path, "TESTS_SHARED="+r.temporary.shared())
	pipe, in, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = in, in
	err = r.begin(cmd)
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
				return r.ended(cmd)
			}
			r.locked(func() { line(text) })
			tick.Reset(quiet)
		case <-tick.C:
			r.locked(func() { r.say("… running: %s", running()) })
		}
	}
}

func (r *run) locked(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

var errStopped = errors.New("stopped by a signal")

// begin starts a command, unless a signal has come.
func (r *run) begin(cmd *exec.Cmd) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return errStopped
	}
	err := cmd.Start()
	if err == nil {
		r.commands = append(r.commands, cmd)
	}
	return err
}

// ended waits for the end of a command whose output has ended.
func (r *run) ended(cmd *exec.Cmd) error {
	err := cmd.Wait()
	r.locked(func() {
		r.commands = slices.DeleteFunc(r.commands, func(c *exec.Cmd) bool { return c == cmd })
	})
	return err
}

// stop passes a signal to the commands, and lets no other begin. From the
// terminal they get it as well.
func (r *run) stop(s os.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	for _, cmd := range r.commands {
		_ = cmd.Process.Signal(s)
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
