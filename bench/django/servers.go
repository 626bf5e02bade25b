package main

// The servers: Django under gunicorn, jotgate twice, and a private PostgreSQL.

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/jotgate/jotgate/bench/binary"
	"github.com/jotgate/jotgate/internal/pgtest"
)

const (
	python  = "/usr/bin/python3" // Debian's, which has the packages
	project = "../interop/django/project"
)

// A server is one of the servers that are compared.
type server struct {
	*binary.Server
	access string // a token of user0
}

// A site is the servers of one kind of database.
type site struct {
	folder  string
	servers map[string]*server
	lent    lent
}

// start starts the servers of one kind of database. Its result must be stopped, also
// after an error.
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
	path, err := binary.Build(s.folder)
	if err != nil {
		return s, err
	}
	for name, concurrency := range map[string]int{"jotgate": 0, "wide": runtime.NumCPU()} {
		if err := s.startJotgate(path, name, database(name), concurrency); err != nil {
			return s, err
		}
	}
	return s, nil
}

// startJotgate starts jotgate as an operator does, but without rate limits, and
// trusting the clients to name their addresses.
func (s *site) startJotgate(path, name, database string, concurrency int) error {
	args := []string{
		"--database", database, "--hasher", "django-3.2", "--access-token-lifetime", "1h", "--log-level", "error",
		"--trusted-proxies", "127.0.0.1/32", "--rate", "login=1000000/min;register=1000000/min",
	}
	if concurrency > 0 {
		args = append(args, "--hash-concurrency", strconv.Itoa(concurrency))
	}
	process, err := binary.Serve(path, s.folder, args...)
	return s.took(name, process, err)
}

// startDjango creates the tables and starts gunicorn.
func (s *site) startDjango(database string, o options) error {
	site, err := filepath.Abs("django/site")
	if err != nil {
		return err
	}
	settings, err := json.Marshal(map[string]any{
		"database": database, "secret_key": binary.Secret, "time_zone": "UTC", "mail_folder": filepath.Join(s.folder, "mail"),
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
	process, err := binary.Start(serve)
	return s.took("django", process, err)
}

// took adds a server that was started and creates its users.
func (s *site) took(name string, process *binary.Server, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	started := &server{Server: process}
	s.servers[name] = started
	if err := started.populate(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// stop stops all servers and removes the folder.
func (s *site) stop() {
	for _, server := range s.servers {
		_ = server.Stop()
	}
	s.lent.end()
	_ = os.RemoveAll(s.folder)
}

// lent replaces the test for which pgtest starts a PostgreSQL server.
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

// end calls the cleanup functions in reverse order.
func (l *lent) end() {
	for i := len(l.after) - 1; i >= 0; i-- {
		l.after[i]()
	}
}
