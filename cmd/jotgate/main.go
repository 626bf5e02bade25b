// Command jotgate gives a REST API accounts and JSON Web Token
// authentication: it serves logins, refreshes and users over HTTP, and has
// the tools to manage them.
//
//	jotgate serve --demo        serve, with a user to try
//	jotgate createsuperuser     make an administrator
//	jotgate token verify -      check a token
//	jotgate --help              the rest
//
// Each subcommand is in the file that is named after it. A command gets an
// *app with everything outside the program that it may use; main only
// connects that to the process. Flags, environment and config file are read
// in config.go.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/metrics"
)

// The exit statuses of a command.
const (
	statusDone    = 0
	statusRefused = 1 // the operation failed, or the token was refused
	statusUsage   = 2 // wrong usage, or a setting or key that cannot be used
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program immediately
	release := heapFloor()       // before anything is allocated: the start of a server collects nothing
	status := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	release()
	os.Exit(status)
}

// run is the whole program; it returns the exit status.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{ctx: ctx, args: args, env: environment(env), stdin: stdin, stdout: stdout, stderr: stderr}
	err := a.run(args)
	if err == nil {
		return statusDone
	}
	fmt.Fprintln(stderr, "jotgate: "+sentence(err))
	var failed *failure
	if errors.As(err, &failed) {
		return failed.status
	}
	return statusRefused
}

// sentence returns an error as one line for the operator: for a database that
// cannot be used the cause, for any other refusal what is wrong with the
// request.
func sentence(err error) string {
	text := strings.TrimPrefix(err.Error(), "jotgate: ")
	var e *jotgate.Error
	if errors.As(err, &e) && e.Unwrap() != nil {
		said := e.Unwrap().Error()
		if e.Status < http.StatusInternalServerError && !errors.Is(e, jotgate.ErrSignupClosed) {
			said = strings.TrimSuffix(e.Error(), ": "+said)
		}
		text = strings.Replace(text, e.Error(), said, 1)
	}
	return withDays(strings.Join(strings.Fields(text), " "))
}

// app holds everything outside the program that a command may use.
type app struct {
	ctx    context.Context
	args   []string // the command line
	env    map[string]string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	lines  *bufio.Reader // standard input, if it is read line by line
	// files are read in place of files of those names that do not exist yet.
	files    map[string][]byte
	log      *slog.Logger      // of serve; see logger
	logLevel *slog.LevelVar    // of log; of serve
	jsonLog  *slog.Logger      // takes what warn writes, if standard error is a JSON log
	doing    func(string)      // of serve; see progress
	metrics  *metrics.Registry // of serve
}

// progress notes what opening the database does, for /readyz.
func (a *app) progress(doing string) {
	if a.doing != nil {
		a.doing(doing)
	}
}

// logger returns the logger for what happens to the database: serve's, or for
// other commands one that writes warnings to standard error.
func (a *app) logger() *slog.Logger {
	if a.log != nil {
		return a.log
	}
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// environment turns NAME=value lines into a map.
func environment(lines []string) map[string]string {
	env := make(map[string]string, len(lines))
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env
}

// print writes to standard output.
func (a *app) print(lines ...any) { fmt.Fprintln(a.stdout, lines...) }

// printf writes to standard output.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.stdout, format, args...) }

// warn writes to standard error what does not belong to the result.
func (a *app) warn(format string, args ...any) {
	if a.jsonLog != nil {
		a.jsonLog.InfoContext(a.ctx, strings.TrimPrefix(fmt.Sprintf(format, args...), "jotgate: "))
		return
	}
	fmt.Fprintf(a.stderr, format+"\n", args...)
}

// failure is an error with an exit status.
type failure struct {
	status int
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usage returns an error that the caller of the command can fix: status 2.
func usage(format string, args ...any) error {
	return &failure{statusUsage, fmt.Errorf(format, args...)}
}
