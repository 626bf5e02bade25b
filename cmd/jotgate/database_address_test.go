package main

import (
	"os"
	"strings"
	"testing"
)

// The address is understood as platforms, Django's packages and people write
// it into DATABASE_URL.
func TestDatabaseAddresses(t *testing.T) {
	for given, want := range map[string]string{
		"postgres://app@db/site":             "postgres://app@db/site",
		"postgresql://app@db/site":           "postgres://app@db/site",
		"postgis://app@db/site":              "postgres://app@db/site",
		"pgsql://app@db/site?sslmode=x":      "postgres://app@db/site?sslmode=x",
		"\"postgres://app@db/site\"":         "postgres://app@db/site",
		" 'postgres://app@db/site'\n":        "postgres://app@db/site",
		"postgres://app@db/site\r\n":         "postgres://app@db/site",
		"sqlite:site.db":                     "site.db",
		"sqlite:///site.db\n":                "site.db",
		"\"sqlite:////var/lib/site.db\"":     "/var/lib/site.db",
		"mysql://app@db/site":                "",
		"postgres:app@db/site":               "",
		"jdbc:postgresql://db/site?user=app": "",
		"sqlite:":                            "",
	} {
		f := &databaseFlags{Database: given}
		got, ok := f.sqliteFile()
		if !ok {
			got, ok = f.postgresAddress()
		}
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %t, want %q", given, got, ok, want)
		}
	}
}

// No part of a password is shown, however it was written.
func TestAddressIsShownWithoutPasswords(t *testing.T) {
	for given, want := range map[string]string{
		"postgres://app:secret@db1:5432,db2/site?sslmode=require": "postgres://db1:5432,db2/site",
		"postgres://app:secret@[::1]:5432/site":                   "postgres://[::1]:5432/site",
		"postgres://app:se@cret@db/site":                          "postgres://db/site",
		"postgres://app:se/cret@db/site":                          "postgres://db/site",
		"postgres://app:se?cret@db/site":                          "database",
		"postgres://db/site?user=app&password=se@cret":            "database",
		"postgres:///site?host=/run&password=secret":              "database",
		"app:secret": "database",
	} {
		f := &databaseFlags{Database: given}
		if got := f.shown(); got != want {
			t.Errorf("%s is shown as %s, want %s", given, got, want)
		}
		if got := f.forClients(); got != want && got != strings.Replace(want, "://", "://app@", 1) {
			t.Errorf("%s is passed on as %s", given, got)
		}
	}
	for _, password := range []string{"se@cret", "se/cret", "se?cret", "se%cret", "se cret", "@secret", "secret@", "cret@db@secret"} {
		status, _, stderr := try(t, nil, "", "migrate", "--database", "postgres://app:"+password+"@127.0.0.1:1/site")
		if status == 0 || strings.Contains(stderr, "cret") || !strings.Contains(stderr, "percent") && !strings.Contains(stderr, "%40") {
			t.Errorf("%s: %d %s", password, status, stderr)
		}
	}
}

// What only looks like the address of a file creates none of that name.
func TestSQLiteAddressesWithParameters(t *testing.T) {
	for _, address := range []string{"sqlite:x?mode=memory", "sqlite:///x?cache=shared", "sqlite:file:x", "sqlite::memory:", "sqlite:file::memory:?cache=shared"} {
		folder := t.TempDir()
		t.Chdir(folder)
		if status, _, stderr := try(t, nil, "", "migrate", "--database", address); status == 0 || !strings.Contains(stderr, "path") {
			t.Errorf("%s: %d %s", address, status, stderr)
		}
		if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
			t.Errorf("%s: it created %v %v", address, left, err)
		}
	}
}
