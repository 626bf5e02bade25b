// Package timezone loads time zones, on machines without zone files also.
package timezone

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"io"
	"time"
)

// zones is the IANA database as Go distributes it, in a seventh of the size of the
// package time/tzdata: zones with the same rules are neighbours, and compressed.
// A record is the name of a zone, a tab, the length of its file in two bytes
// (the higher first), and the file.
//
//go:generate go run -C ../../tools ./zones -o ../internal/timezone/zones.gz
//go:embed zones.gz
var zones []byte

// Load returns the time zone with an IANA name, such as Europe/Berlin: from the
// system's files or, where these are missing, from the program's own. The error for a
// name that neither knows is that of [time.LoadLocation].
func Load(name string) (*time.Location, error) {
	location, err := time.LoadLocation(name)
	if err == nil {
		return location, nil
	}
	if file := embedded(name); file != nil {
		return time.LoadLocationFromTZData(name, file)
	}
	return nil, err
}

// embedded returns the file of the zone, or nil.
func embedded(name string) []byte {
	for records := unpack(); len(records) > 0; {
		zone, rest, _ := bytes.Cut(records, []byte{'\t'})
		size := int(binary.BigEndian.Uint16(rest))
		file := rest[2 : 2+size]
		if string(zone) == name {
			return file
		}
		records = rest[2+size:]
	}
	return nil
}

func unpack() []byte {
	r, err := gzip.NewReader(bytes.NewReader(zones))
	if err != nil {
		return nil
	}
	records, _ := io.ReadAll(r) // the file is part of the program: a test reads all of it
	return records
}
