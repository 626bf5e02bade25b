package main

// `breached`: the file of breached passwords.

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jotgate/jotgate/passwd/breached"
)

type breachedCommands struct {
	Build breachedBuild `cmd:"" help:"Make the file of breached passwords from lists."`
	Check breachedCheck `cmd:"" help:"Look for a password in the file."`
}

type breachedBuild struct {
	File     string   `arg:"" help:"The file to write, for --breached-passwords. An existing one is replaced when the new one is complete."`
	Lists    []string `arg:"" help:"The lists to read: files; folders, in which each file is a range that is named after its first five digits; or -, standard input."`
	Plain    bool     `help:"The lists have a password on each line. Default: SHA-1 digests as Have I Been Pwned publishes them."`
	MinCount int      `default:"1" placeholder:"N" help:"Leave out passwords that were seen less often."`
}

// Help is shown below the usage line.
func (breachedBuild) Help() string {
	return `The file has 6 bytes for each password and is read where it is; the whole list of Have
I Been Pwned, about a billion passwords, makes 6 GB. While it is made, its folder needs 8 more bytes for each line.

    jotgate breached build breached.bin pwned-passwords.txt
    jotgate breached build --min-count 10 breached.bin pwned-passwords/
    jotgate breached build --plain breached.bin common.txt

The program haveibeenpwned-downloader writes pwned-passwords.txt. Reload the server to use a new file.`
}

// Run makes the file.
func (c *breachedBuild) Run(a *app) error {
	var sources []breached.Source
	for _, name := range c.Lists {
		found, err := c.sources(a, name)
		if err != nil {
			return err
		}
		sources = append(sources, found...)
	}
	count, err := breached.Build(c.File, sources...)
	if err != nil {
		return err
	}
	a.printf("wrote %s with %d passwords\n", c.File, count)
	return nil
}

// sources returns the list of a name, or those of a folder.
func (c *breachedBuild) sources(a *app, name string) ([]breached.Source, error) {
	if name == "-" {
		return []breached.Source{{Name: "standard input", Lines: stoppable{a.ctx, a.stdin}, Plain: c.Plain, MinCount: c.MinCount}}, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []breached.Source{{Name: name, Lines: &lazyFile{ctx: a.ctx, name: name}, Plain: c.Plain, MinCount: c.MinCount}}, nil
	}
	files, err := os.ReadDir(name)
	if err == nil && len(files) == 0 {
		err = errors.New(name + " is empty")
	}
	var sources []breached.Source
	for _, file := range files {
		path := filepath.Join(name, file.Name())
		source := breached.Source{Name: path, Lines: &lazyFile{ctx: a.ctx, name: path}, Plain: c.Plain, MinCount: c.MinCount}
		if !c.Plain {
			source.Prefix = strings.TrimSuffix(file.Name(), filepath.Ext(file.Name()))
		}
		sources = append(sources, source)
	}
	return sources, err
}

// lazyFile is a file that is open from the first to the last read, because the
// list of Have I Been Pwned can be a million files.
type lazyFile struct {
	ctx  context.Context
	name string
	file *os.File
}

// Read reads the file. Errors have its name.
func (f *lazyFile) Read(p []byte) (n int, err error) {
	if f.file == nil {
		if f.file, err = os.Open(f.name); err != nil {
			return 0, err
		}
	}
	n, err = stoppable{f.ctx, f.file}.Read(p)
	if err != nil {
		_ = f.file.Close()
	}
	return n, err
}

// stoppable is a reader that ends with a context.
type stoppable struct {
	ctx context.Context
	in  io.Reader
}

// Read reads until the context ends.
func (s stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.in.Read(p)
}

type breachedCheck struct {
	File string `arg:"" help:"The file."`
}

// Help is shown below the usage line.
func (breachedCheck) Help() string {
	return `Asks for the password without echo; the status is 1 if it is in the file.

    jotgate breached check breached.bin`
}

// Run looks for the password.
func (c *breachedCheck) Run(a *app) error {
	list, err := breached.Open(c.File)
	if err != nil {
		return err
	}
	defer list.Close()
	password, err := a.askHidden("Password: ")
	if err != nil {
		return err
	}
	found, err := list.Contains(a.ctx, password)
	if err != nil {
		return err
	}
	if found {
		return errors.New("the password is in the file")
	}
	a.printf("the password is not one of the %d in the file\n", list.Len())
	return nil
}
