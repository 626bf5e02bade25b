package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/alone"
)

// One mapping of the program from /proc/PID/smaps, and variants that differ
// from it in one respect.
const smapsOfText = `00400000-00de5000 r-xp 00000000 fe:00 10014942                           /opt/jot gate/jotgate
Size:              10132 kB
Rss:                8528 kB
Private_Clean:      8528 kB
Anonymous:             0 kB
AnonHugePages:         0 kB
VmFlags: rd ex mr mw me sd
`

func TestUnchangedMappings(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		given          bool
	}{
		{"code", "", "", true},
		{"constants", "r-xp", "r--p", true},
		{"variables", "r-xp", "rw-p", false},
		{"relocated, then protected", "Anonymous:             0", "Anonymous:             4", false},
		{"a library", "/opt/jot gate/jotgate", "/usr/lib/libc.so.6", false},
		{"another program", "/opt/jot gate/jotgate", "/opt/jot gate/jotgate2", false},
		{"no file", "/opt/jot gate/jotgate", "", false},
		{"no addresses", "00400000-00de5000", "00400000", false},
		{"nothing known of its pages", "Anonymous:  ", "Unknown:  ", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(smapsOfText, c.old, c.new, 1)
			if c.old != "" && text == smapsOfText {
				t.Fatal("nothing was changed")
			}
			var want []mapping
			if c.given {
				want = []mapping{{0x400000, 0xde5000}}
			}
			heap := "3ec329400000-3ec329c00000 rw-p 00000000 00:00 0\nAnonymous: 0 kB\n"
			if got := unchanged(strings.NewReader(heap+text+heap), "/opt/jot gate/jotgate"); !slices.Equal(got, want) {
				t.Errorf("%x, want %x", got, want)
			}
		})
	}
}

// The program's pages are unmapped, and the program continues.
func TestUnmapProgram(t *testing.T) { alone.Run(t, unmaps) }

func unmaps(t *testing.T) {
	before := residentFile(t)
	unmapProgram()
	after := residentFile(t)
	t.Logf("%d KiB of files resident, then %d", before, after)
	if after > before*3/4 {
		t.Errorf("%d KiB of files are resident, before it were %d", after, before)
	}
}

// residentFile is the resident memory that files fill, in KiB.
func residentFile(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
