// Command zones writes internal/timezone/zones.gz from the time zone database of the
// Go installation that runs it:
//
//	go generate ./internal/timezone
package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"fmt"
	"go/build"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type zone struct {
	name string
	file []byte
}

func main() {
	file := flag.String("o", "", "the `file` to write")
	flag.Parse()
	if err := write(*file); err != nil {
		fmt.Fprintln(os.Stderr, "zones:", err)
		os.Exit(1)
	}
}

func write(file string) error {
	zones, err := read(filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip"))
	if err != nil {
		return err
	}
	// Many names are links: their files are the same, and compress to almost nothing beside each other.
	slices.SortFunc(zones, func(a, b zone) int {
		return cmp.Or(bytes.Compare(a.file, b.file), cmp.Compare(a.name, b.name))
	})
	var b bytes.Buffer
	packed, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	for _, z := range zones {
		fmt.Fprintf(packed, "%s\t%s%s", z.name, binary.BigEndian.AppendUint16(nil, uint16(len(z.file))), z.file)
	}
	if err := packed.Close(); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

func read(database string) ([]zone, error) {
	archive, err := zip.OpenReader(database)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	var zones []zone
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return nil, err
		}
		zones = append(zones, zone{f.Name, content})
	}
	return zones, nil
}
