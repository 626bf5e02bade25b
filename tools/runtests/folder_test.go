package main

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// Two runs at the same time have a folder each; the next one takes the same path, empty.
func TestFolder(t *testing.T) {
	parent := t.TempDir()
	begin := func() folder {
		t.Helper()
		f, err := newFolder(parent, "/checkout")
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	defer syscall.Umask(syscall.Umask(0o077)) // PostgreSQL enters the folder of the packages all the same
	first := begin()
	if info, err := os.Stat(first.shared()); err != nil || info.Mode().Perm() != 0o711 {
		t.Errorf("the shared folder: %v %v", info.Mode(), err)
	}
	if second := begin(); second.path == first.path {
		t.Errorf("both runs use %s", first.path)
	}
	if err := os.MkdirAll(filepath.Join(first.path, "left", "behind"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := first.left(); !slices.Equal(got, []string{"left"}) {
		t.Errorf("left behind: %q", got)
	}
	first.lock.Close() // the run is killed
	again := begin()
	if again.path != first.path || len(again.left()) != 0 {
		t.Errorf("%s after %s, with %q", again.path, first.path, again.left())
	}
	again.remove()
	if _, err := os.Stat(again.path); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
}

func TestParent(t *testing.T) {
	for temporary, want := range map[string]string{"/var/tmp": "/var/tmp", "/srv/my projects": "/tmp"} {
		if got := parent(temporary); got != want {
			t.Errorf("%s: %s, want %s", temporary, got, want)
		}
	}
}

func TestOrder(t *testing.T) {
	got := ordered([]string{modulePath, modulePath + "/admin", modulePath + "/apikey", modulePath + "/cmd/jotgate", modulePath + "/jwt"})
	want := []string{modulePath + "/cmd/jotgate", modulePath, modulePath + "/admin", modulePath + "/apikey", modulePath + "/jwt"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
