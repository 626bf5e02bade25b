package main

// SIGHUP: serve reads its settings again, from the config file and the files that it
// names, and makes another generation of them. Requests in progress are finished by
// the generation that began them, and no connection is closed. If the settings cannot
// be used, nothing changes.

import (
	"context"
	"io"
	"maps"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// formerEnded is logged when no request uses the former settings any more, and their
// database is closed.
const formerEnded = "the former settings are no longer used"

// needsRestart reports whether a setting belongs to what a reload keeps: the
// listeners, the database and the form of the log.
func needsRestart(flag *kong.Flag) bool {
	group := ""
	if flag.Group != nil {
		group = flag.Group.Key
	}
	switch flag.Name {
	case "access-log", "log-level":
		return false
	case "prefix", "admin-addr":
		return true
	}
	return group == "server" || group == "tls" || group == "database"
}

// hangups returns a channel that receives from SIGHUP. If the log is a terminal, that
// signal ends the program, as it does by default: the terminal was closed.
func hangups(log io.Writer) (received <-chan os.Signal, ignore func()) {
	if file, ok := log.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return nil, func() {}
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// valuesOf returns the value of each flag of a command line.
func valuesOf(line *kong.Context) map[string]any {
	values := map[string]any{}
	for _, flag := range line.Selected().Flags {
		values[flag.Name] = flag.Target.Interface()
	}
	return values
}

// reread parses the command line again, with what the config file has now.
func (a *app) reread() (*serveCommand, *kong.Context, error) {
	var grammar struct {
		Config configFlag
		Serve  serveCommand `cmd:""`
	}
	parser, err := newParser(&grammar, a, &source{env: a.env}, func(int) {})
	if err != nil {
		return nil, nil, err
	}
	line, err := parser.Parse(asWritten(a.args))
	if err != nil {
		return nil, nil, err
	}
	return &grammar.Serve, line, nil
}

// reload replaces the generation by one with the settings as they are now. Errors are
// logged.
func (s *serving) reload(a *app, background context.Context) {
	a.notify("RELOADING=1")
	defer a.notify("READY=1")
	next, given, err := s.next(a)
	if err != nil {
		a.log.ErrorContext(a.ctx, "the settings were not reloaded", "cause", err)
		return
	}
	_ = a.logLevel.UnmarshalText([]byte(next.command.LogLevel)) // prepare has checked it
	changed := slices.DeleteFunc(slices.Sorted(maps.Keys(given)), func(name string) bool {
		return reflect.DeepEqual(given[name], s.given[name])
	})
	former := s.generation.Swap(next)
	s.given = given
	next.start(background)
	s.former.Go(func() {
		former.finish()
		former.end()
		a.log.DebugContext(a.ctx, formerEnded)
	})
	a.log.InfoContext(a.ctx, "the settings were reloaded", "changed", changed)
}

// next makes a generation of the settings as they are now. given are its settings;
// those that need a restart keep their value, with a warning.
func (s *serving) next(a *app) (g *generation, given map[string]any, err error) {
	c, line, err := a.reread()
	if err != nil {
		return nil, nil, err
	}
	for _, flag := range line.Selected().Flags {
		if !needsRestart(flag) || reflect.DeepEqual(flag.Target.Interface(), s.given[flag.Name]) {
			continue
		}
		a.log.WarnContext(a.ctx, "a setting changes with the next restart", "setting", flag.Name)
		flag.Target.Set(reflect.ValueOf(s.given[flag.Name]))
	}
	given = valuesOf(line)
	if err := c.prepare(a); err != nil {
		return nil, nil, err
	}
	g, err = c.generate(a, s, false)
	return g, given, err
}
