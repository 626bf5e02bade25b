package timezone

import (
	"archive/zip"
	"go/build"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each zone of Go's own database is in the program's, and has the same time of day
// through a year and at the ends of what Django's tokens can contain.
func TestEmbedded(t *testing.T) {
	database := filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip")
	archive, err := zip.OpenReader(database)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	t.Setenv("ZONEINFO", database)
	zones := 0
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		zones++
		want, err := time.LoadLocation(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := time.LoadLocationFromTZData(f.Name, embedded(f.Name))
		if err != nil {
			t.Errorf("%s: %v; run go generate ./internal/timezone", f.Name, err)
			continue
		}
		for _, at := range []time.Time{
			time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 1, 15, 12, 0, 0, 0, time.UTC), time.Date(2025, 4, 15, 12, 0, 0, 0, time.UTC),
			time.Date(2025, 7, 15, 12, 0, 0, 0, time.UTC), time.Date(2025, 10, 15, 12, 0, 0, 0, time.UTC), time.Date(2038, 7, 1, 0, 0, 0, 0, time.UTC),
		} {
			if g, w := at.In(got).Format(time.RFC1123Z), at.In(want).Format(time.RFC1123Z); g != w {
				t.Errorf("%s: %s, want %s; run go generate ./internal/timezone", f.Name, g, w)
			}
		}
	}
	if zones < 400 {
		t.Errorf("%d zones in %s", zones, database)
	}
}

func TestLoad(t *testing.T) {
	if zone, err := Load("Asia/Kathmandu"); err != nil || zone.String() != "Asia/Kathmandu" {
		t.Error(zone, err)
	}
	for _, name := range []string{"Mars/Olympus", "../Europe/Berlin", "Europe/Berlin\t", "europe/berlin\x00", "Europe"} {
		if embedded(name) != nil {
			t.Errorf("%q is found", name)
		}
		if _, err := Load(name); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
}
