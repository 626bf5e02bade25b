package main

// How the address of a database may be written: as platforms, Django's
// packages and people write it into DATABASE_URL.

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// schemes are those of PostgreSQL: libpq's two, and what django-environ and
// dj-database-url accept, so that jotgate can share Django's DATABASE_URL.
var schemes = []string{"postgres", "postgresql", "pgsql", "psql", "postgis", "timescale", "timescalegis"}

// address is --database without what does not belong to it: white space, and
// the quotes that some programs leave in a variable.
func (f *databaseFlags) address() string {
	text := strings.TrimSpace(f.Database)
	for _, quote := range []string{`"`, "'"} {
		if inner, ok := strings.CutPrefix(text, quote); ok && strings.HasSuffix(inner, quote) {
			return strings.TrimSpace(strings.TrimSuffix(inner, quote))
		}
	}
	return text
}

// sqliteFile returns the file of a SQLite database. In addition to
// sqlite:FILE it accepts what Django sites write into DATABASE_URL:
// sqlite:///relative and sqlite:////absolute.
func (f *databaseFlags) sqliteFile() (path string, ok bool) {
	path, ok = strings.CutPrefix(f.address(), "sqlite:")
	return strings.TrimPrefix(path, "///"), ok && path != ""
}

// postgresAddress returns the address of a PostgreSQL database.
func (f *databaseFlags) postgresAddress() (dsn string, ok bool) {
	scheme, rest, ok := strings.Cut(f.address(), "://")
	return "postgres://" + rest, ok && slices.Contains(schemes, scheme)
}

// places is what the address of servers and a database looks like. Anything
// else may be part of a password.
var places = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w.,:%/\[\]-]*$`) })

// shown returns the address without passwords.
func (f *databaseFlags) shown() string {
	if path, ok := f.sqliteFile(); ok {
		return path
	}
	address := f.address()
	before, _, _ := strings.Cut(address, "?")
	at := strings.LastIndex(address, "@")
	if at < 0 || at >= len(before) || !places().MatchString(before[at+1:]) {
		return "database"
	}
	return "postgres://" + before[at+1:]
}

// forClients returns what shown does with the name of the user, as PostgreSQL's
// programs need it.
func (f *databaseFlags) forClients() string {
	dsn, _ := f.postgresAddress()
	u, err := url.Parse(dsn)
	if err != nil || u.User.Username() == "" || "postgres://"+u.Host+u.Path != f.shown() {
		return f.shown()
	}
	return "postgres://" + url.User(u.User.Username()).String() + "@" + u.Host + u.Path
}
