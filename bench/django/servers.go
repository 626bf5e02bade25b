package main

// The servers: Django under gunicorn, jotgate twice, and a private PostgreSQL.

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
)

const (
	secret  = "0123456789abcdefghijklmnopqrstuvwxyz-django"
	python  = "/usr/bin/python3" // Debian's, which has the packages
	project = "../interop/django/project"
)

// server is one process that listens.
type server struct {
	base    string
	process *exec.Cmd
	access  string // a token of user0
}

// site is everything that runs on one kind of database.
type site struct {
	folder  string
	servers map[string]*server
	lent    lent
}

// start starts the servers of one kind of database. What it returns must be
// stopped in any case.
func start(kind string, o options) (*site, error) {
	s := &site{servers: map[string]*server{}}
	var err error
	if s.folder, err = os.MkdirTemp("", "jotgate-django"); err != nil {
		return s, err
	}
	database := func(name string) string { return "sqlite:" + filepath.Join(s.folder, name+".db") }
	if kind == "postgres" {
		cluster := pgtest.Start(&s.lent, pgtest.Options{Durable: true})
		database = func(string) string { return cluster.Database(&s.lent) }
	}
	if err := s.startDjango(database("django"), o); err != nil {
		return s, err
	}
	binary := filepath.Join(s.folder, "jotgate")
	build := exec.Command("go", "build", "-o", binary, "./cmd/jotgate")
	build.Dir = ".." // of bench
	if out, err := build.CombinedOutput(); err != nil {
		return s, fmt.Errorf("building jotgate: %w\n%s", err, out)
	}
	for name, lanes := range map[string]int{"jotgate": 0, "wide": runtime.NumCPU()} {
		if err := s.startJotgate(binary, name, database(name), lanes); err != nil {
			return s, err
		}
	}
	return s, nil
}

// startJotgate starts it as an operator does, but for the rates; clients name
// their own addresses.
func (s *site) startJotgate(binary, name, database string, lanes int) error {
	args := []string{
		"serve", "--addr", "127.0.0.1:0", "--hasher", "django-3.2", "--access-token-lifetime", "1h", "--log-level", "error",
		"--trusted-proxies", "127.0.0.1/32", "--rate", "login=1000000/min;register=1000000/min",
	}
	if lanes > 0 {
		args = append(args, "--hash-lanes", strconv.Itoa(lanes))
	}
	command := exec.Command(binary, args...)
	command.Env = append(os.Environ(), "JOTGATE_SECRET_KEY="+secret, "JOTGATE_DATABASE="+database)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	return s.run(name, command, out, regexp.MustCompile(`listening on (http://[0-9.:]+)`))
}

// startDjango makes the tables and starts gunicorn.
func (s *site) startDjango(database string, o options) error {
	site, err := filepath.Abs("django/site")
	if err != nil {
		return err
	}
	settings, err := json.Marshal(map[string]any{
		"database": database, "secret_key": secret, "time_zone": "UTC", "mail_folder": filepath.Join(s.folder, "mail"),
		"djoser": map[string]any{}, "hashers": nil, "blacklist": true, "email_user": false,
		"simple_jwt": map[string]any{"ROTATE_REFRESH_TOKENS": true, "BLACKLIST_AFTER_ROTATION": true, "ACCESS_TOKEN_LIFETIME": 3600},
	})
	if err != nil {
		return err
	}
	env := append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH="+site, "DJANGO_SETTINGS_MODULE=bench_settings", "DJANGO_OPTIONS="+string(settings))
	migrate := exec.Command(python, "manage.py", "migrate", "--verbosity=0")
	migrate.Dir, migrate.Env = project, env
	if out, err := migrate.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w\n%s", err, out)
	}
	serve := exec.Command(python, "-m", "gunicorn", "--bind=127.0.0.1:0", "--preload", "--graceful-timeout=1", "--worker-tmp-dir="+s.folder,
		"--workers="+strconv.Itoa(o.workers), "--threads="+strconv.Itoa(o.threads), "project.wsgi")
	serve.Dir, serve.Env = project, env
	out, err := serve.StderrPipe()
	if err != nil {
		return err
	}
	return s.run("django", serve, out, regexp.MustCompile(`Listening at: (http://[0-9.:]+)`))
}

// run starts a server, waits until it says where it listens, and makes its
// users.
func (s *site) run(name string, command *exec.Cmd, out io.Reader, listening *regexp.Regexp) error {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := command.Start(); err != nil {
		return err
	}
	started := &server{process: command}
	s.servers[name] = started
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); said.WriteString(lines.Text() + "\n") {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			started.base = found[1]
			go func() { _, _ = io.Copy(io.Discard, out) }()
			if err := started.populate(); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		}
	}
	return fmt.Errorf("%s did not listen: %s", name, said.String())
}

// stop ends every server and takes the folder away.
func (s *site) stop() {
	for _, server := range s.servers {
		_ = server.process.Process.Signal(syscall.SIGTERM)
	}
	for _, server := range s.servers {
		_ = server.process.Wait()
	}
	s.lent.end()
	_ = os.RemoveAll(s.folder)
}

// spent is the processor time that a process and its children have used so far,
// from /proc/PID/stat (proc(5): ppid is the 4th field, utime and stime the 14th
// and 15th, in hundredths of a second).
func spent(pid int) (total time.Duration) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	fail(err)
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ") // the name before may hold blanks
		fields := strings.Fields(rest)
		if own := filepath.Base(filepath.Dir(file)); own != strconv.Itoa(pid) && fields[1] != strconv.Itoa(pid) {
			continue
		}
		for _, field := range fields[11:13] {
			n, err := strconv.ParseInt(field, 10, 64)
			fail(err)
			total += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return total
}

// lent stands in for a test, to which pgtest gives a PostgreSQL.
type lent struct {
	testing.TB
	after []func()
}

// Helper implements testing.TB.
func (*lent) Helper() {}

// Cleanup implements testing.TB.
func (l *lent) Cleanup(f func()) { l.after = append(l.after, f) }

// Error implements testing.TB.
func (*lent) Error(args ...any) { fmt.Fprintln(os.Stderr, args...) }

// Errorf implements testing.TB.
func (*lent) Errorf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// Fatal implements testing.TB.
func (*lent) Fatal(args ...any) { fail(errors.New(fmt.Sprint(args...))) }

// Fatalf implements testing.TB.
func (*lent) Fatalf(format string, args ...any) { fail(fmt.Errorf(format, args...)) }

// end does what was put off, the last first.
func (l *lent) end() {
	for i := len(l.after) - 1; i >= 0; i-- {
		l.after[i]()
	}
}
