// Package timezone loads time zones, on machines without zone files also.
package timezone

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"io"
	"strings"
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
	file := embedded(name)
	if file == nil {
		return nil, err
	}
	return time.LoadLocationFromTZData(name, file)
}

// embedded returns the file of the zone, or nil.
func embedded(name string) []byte {
	unpacked, err := gzip.NewReader(bytes.NewReader(zones))
	if err != nil {
		return nil
	}
	for records := bufio.NewReader(unpacked); ; {
		zone, file, err := next(records)
		if err != nil {
			return nil
		}
		if zone == name {
			return file
		}
	}
}

// next reads a record.
func next(records *bufio.Reader) (name string, file []byte, err error) {
	if name, err = records.ReadString('\t'); err != nil {
		return "", nil, err
	}
	var size uint16
	if err := binary.Read(records, binary.BigEndian, &size); err != nil {
		return "", nil, err
	}
	file = make([]byte, size)
	_, err = io.ReadFull(records, file)
	return strings.TrimSuffix(name, "\t"), file, err
}
