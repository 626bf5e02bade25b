package main

// `user export` and `user import`: accounts as JSON lines with their hashes,
// so that all passwords continue to work in the other database.

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/store"
)

type userExport struct {
	databaseFlags
}

// Help is shown below the usage line.
func (userExport) Help() string {
	return `One account a line, in the order of their ids, with groups, permissions,
connected accounts at providers and the hash of the password: keep the file as safe as the database.

    jotgate user export > users.jsonl`
}

// Run writes every account.
func (c *userExport) Run(a *app) error {
	return c.with(a, func(db *store.Store) error {
		out := bufio.NewWriter(a.stdout)
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		if err := db.Transfer().Stream(a.ctx, func(r store.Record) error { return encoder.Encode(r) }); err != nil {
			return err
		}
		return out.Flush()
	})
}

type userImport struct {
	databaseFlags
	hashLimitFlags
	File   string `arg:"" help:"The file; - reads standard input."`
	DryRun bool   `help:"Change nothing: only count the users, by kind of hash."`
}

// Help is shown below the usage line.
func (userImport) Help() string {
	return `Reads what user export writes, or any lines with the members username, email,
first_name, last_name, password (encoded as Django stores it), is_active,
is_staff, is_superuser, date_joined, groups, permissions, email_verified and
providers (accounts at providers, such as {"google": ["1082…"]}). Users whose
name exists are left as they are, so an import may be repeated. Ids are not kept.
Hashes above --hash-limits are imported with a warning: their owners cannot log
in before a password reset, or until the limit is raised.

    jotgate user import --dry-run users.jsonl
    jotgate user import users.jsonl`
}

// importBatch is how many accounts one transaction inserts.
const importBatch = 200

// Run imports the file.
func (c *userImport) Run(a *app) error {
	hasher, err := c.hasher("")
	if err != nil {
		return err
	}
	in := a.stdin
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return usage("%w", err)
		}
		defer file.Close()
		in = file
	}
	return c.withNew(a, func(db *store.Store) error {
		counts := &imported{hasher: hasher, kinds: map[string]int{}}
		err := eachBatch(in, counts, func(batch []store.Record) (err error) {
			made := 0
			if c.DryRun {
				made, err = countNew(a, db, batch)
			} else {
				made, err = db.Transfer().Import(a.ctx, batch)
			}
			counts.created += made
			return err
		})
		counts.report(a, c.DryRun)
		return err
	})
}

// imported counts what an import read and did.
type imported struct {
	read, created int
	kinds         map[string]int // by algorithm
	hasher        *passwd.Hasher // knows the limits
	costly        int            // hashes above them
	examples      []string       // some of those users, at most maxExamples
}

// maxExamples limits the number of users that a warning names.
const maxExamples = 10

// add counts the hash of a record.
func (n *imported) add(line int, r store.Record) {
	kind := passwd.Identify(r.Password).String()
	n.kinds[kind]++
	if !n.hasher.TooCostly(r.Password) {
		return
	}
	if n.costly++; n.costly <= maxExamples {
		n.examples = append(n.examples, fmt.Sprintf("  line %d: %s, %s", line, visible(r.Username), visible(kind)))
	}
}

func (n *imported) report(a *app, dry bool) {
	for _, kind := range slices.Sorted(maps.Keys(n.kinds)) {
		a.printf("%8d  %s\n", n.kinds[kind], kind)
	}
	if n.costly > 0 {
		a.warn("warning: %d password hashes are above --hash-limits; their owners cannot log in before a password reset:\n%s",
			n.costly, strings.Join(n.examples, "\n"))
	}
	what := "created"
	if dry {
		what = "would be created"
	}
	a.printf("%d read, %d %s, %d exist already\n", n.read, n.created, what, n.read-n.created)
}

// eachBatch reads records line by line.
func eachBatch(in io.Reader, n *imported, do func([]store.Record) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxInput)
	var batch []store.Record
	flush := func(line int) error {
		if err := do(batch); err != nil {
			return fmt.Errorf("line %d or up to %d before: %w", line, len(batch), err)
		}
		n.read += len(batch)
		batch = batch[:0]
		return nil
	}
	line := 0
	for lines.Scan() {
		line++
		record, err := readRecord(lines.Bytes())
		if err != nil {
			return errors.Join(fmt.Errorf("line %d: %w", line, err), flush(line))
		}
		n.add(line, record)
		if batch = append(batch, record); len(batch) == importBatch {
			if err := flush(line); err != nil {
				return err
			}
		}
	}
	return errors.Join(lines.Err(), flush(line))
}

// readRecord parses one line. Unknown members are an error: with a misspelt
// is_active, an inactive user could log in.
func readRecord(line []byte) (store.Record, error) {
	// The id is not kept, and in Django's files it is a number.
	r := struct {
		store.Record
		ID json.RawMessage `json:"id"`
	}{Record: store.Record{IsActive: true}}
	if err := strictly(line, &r); err != nil {
		return r.Record, err
	}
	if r.Username == "" {
		return r.Record, errors.New("no username")
	}
	if r.Password == "" {
		r.Password = passwd.Unusable()
	}
	return r.Record, nil
}

// countNew counts the records whose name is not taken.
func countNew(a *app, db *store.Store, batch []store.Record) (free int, err error) {
	for _, r := range batch {
		switch _, err := db.Accounts().ByLogin(a.ctx, r.Username); {
		case errors.Is(err, jotgate.ErrNotFound):
			free++
		case err != nil:
			return free, err
		}
	}
	return free, nil
}
