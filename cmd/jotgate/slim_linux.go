package main

// The pages of the program that only the start needed. The start runs code
// from the whole file (the parser of the command line, the migrations,
// SQLite's statement compiler, every package's init), and the kernel maps
// sixteen pages at each access: of an idle server's 21 MiB, 17 MiB were such
// pages.

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// unmapProgram unmaps the pages of the program file that are the same in
// memory as in the file. They stay in the page cache: when they are needed
// again, sixteen of them cost one minor fault, a few microseconds. If
// anything fails, nothing is changed.
func unmapProgram() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer smaps.Close()
	for _, m := range unchanged(smaps, program) {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, syscall.MADV_DONTNEED)
	}
}

// A mapping is a range of addresses.
type mapping struct{ start, end uintptr }

// unchanged lists the mappings of the file at path whose memory is and stays
// the same as the file: not writable, and without private pages (Anonymous in
// proc_pid_smaps(5)). Private pages were relocated before they were made
// read-only, or hold a debugger's breakpoint, and would be lost.
func unchanged(smaps io.Reader, path string) (list []mapping) {
	var m mapping
	var ours bool
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) < 2:
		case !strings.HasSuffix(fields[0], ":"): // address perms offset dev inode path
			m, ours = head(fields, path)
		case fields[0] == "Anonymous:" && ours && fields[1] == "0":
			list = append(list, m)
		}
	}
	return list
}

// head parses the first line of a mapping, and reports whether it maps the
// file at path without write permission.
func head(fields []string, path string) (m mapping, ours bool) {
	from, to, _ := strings.Cut(fields[0], "-")
	start, err := strconv.ParseUint(from, 16, 64)
	if err != nil {
		return m, false
	}
	end, err := strconv.ParseUint(to, 16, 64)
	if err != nil || end <= start {
		return m, false
	}
	m = mapping{uintptr(start), uintptr(end)}
	return m, len(fields) > 5 && strings.Join(fields[5:], " ") == path && (fields[1] == "r-xp" || fields[1] == "r--p")
}
