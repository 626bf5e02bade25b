package strength

// The rule against common passwords and its list.

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/jotgate/jotgate/passwd/internal/python"
)

// commonList holds 19,640 passwords in lower case, one a line: the list of Django
// 5.2 to 6.1, by Royce Williams. See COMMON for its origin and licence.
//
//go:embed common.txt.gz
var commonList []byte

// Common rejects the 19,640 passwords that Django 5.2 to 6.1 rejects as common. It
// ignores case and surrounding blanks. The list is decompressed at the first check.
func Common() Rule { return common{builtin} }

// CommonFrom returns the rule Common with another list, which has one password in
// lower case on each line. It reads the whole list; the error is that of reading it.
func CommonFrom(list io.Reader) (Rule, error) {
	passwords, err := readList(list)
	if err != nil {
		return nil, fmt.Errorf("list of common passwords: %w", err)
	}
	return common{func() []string { return passwords }}, nil
}

// common holds a sorted list.
type common struct{ list func() []string }

func (c common) Check(password string, _ []Attribute) *Problem {
	if _, found := slices.BinarySearch(c.list(), python.Strip(python.Lower(password))); !found {
		return nil
	}
	return &Problem{Code: "password_too_common", Message: "This password is too common."}
}

func (common) Help() string { return "Your password can’t be a commonly used password." }

var builtin = sync.OnceValue(func() []string {
	unpacked, err := gzip.NewReader(bytes.NewReader(commonList))
	if err != nil {
		return nil // the file is part of the program; a test reads it
	}
	passwords, err := readList(unpacked)
	if err != nil {
		return nil
	}
	return passwords
})

func readList(list io.Reader) ([]string, error) {
	var passwords []string
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		passwords = append(passwords, python.Strip(lines.Text()))
	}
	slices.Sort(passwords)
	return slices.Compact(passwords), lines.Err()
}
