package main

// The pages of the program that only the start needed. It runs code from all
// over the file (the parser of the command line, the migrations, SQLite's
// compiler of statements, every package's init), and the kernel maps sixteen
// pages at each touch: 17 MiB of an idle server's 21 were such pages.

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// unmapProgram unmaps the program file's pages that hold nothing of their own. They
// stay in the page cache: sixteen that are needed again cost one minor fault, a
// few microseconds. Whatever fails leaves things as they were.
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

// unchanged lists the mappings of the file at path that hold what the file
// holds and can hold nothing else: not writable, and without a single page of
// their own (Anonymous in proc_pid_smaps(5)). Those have pages that were
// relocated before they were made read-only, or where a debugger put a
// breakpoint; they would be lost.
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

// head reads the line that begins a mapping, and says whether it maps the file
// at path without the right to write.
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
