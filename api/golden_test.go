package api

// The judge: recordings of the real Django stack, replayed request by request
// against jotgate over TCP, on a database in a file.
//
// A group is a file {group, variant, stack, settings, cases: [{name, steps}]}.
// Every case starts from the users of fixtures.json. A step has an op: "mint"
// signs a token, "http" sends a request and expects a response (status,
// headers, body), "set_*", "delete_user", "add_group" and "reset_token" change
// the database or make a link, "show_user", "row_counts", "rows" and "outbox"
// look. {{name}} stands for a value that a step before has saved, {{now+300}}
// for seconds since the epoch.
//
// Where jotgate differs on purpose, testdata/differences.json says why; a
// difference that is not in it fails, and so does a row that is not needed.
//
// GOLDEN=folder replays others of the same form: of any versions, as a row says
// what it shows and, where that is not enough, before which version. A step or a
// setting that the replay does not understand fails, with the case's name.

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

type (
	group struct {
		Group, About, Variant string
		Stack                 map[string]string // its name, and versions by package
		Settings              struct {
			SecretKey string          `json:"SECRET_KEY"`
			OverBase  json.RawMessage `json:"over_base"`
		}
		Cases []goldenCase

		file      string // its name without .json
		base      base   // OverBase, understood
		immediate bool   // whether to replay with ImmediateEmailChange
	}
	goldenCase struct {
		Name  string
		Steps []step
	}
	step struct {
		Op string
		// mint
		Header, Claims   json.RawMessage
		Alg, Key, Tamper string
		// http
		Request  request
		Response response
		// the others
		Username, Table string
		Value           any
		Age             int64
		UIDValue        string          `json:"uid_value"`
		SaveUID         string          `json:"save_uid"`
		Columns         []string        `json:"columns"`
		Result          json.RawMessage `json:"result"`
		Mails           []struct {
			Subject, From string
			To            []string
		}
		Save json.RawMessage // a name, or names by what they name
	}
	request struct {
		Method, Path string
		Headers      map[string]string
		Body         *string
	}
	response struct {
		Status  int
		Headers map[string]string
		Body    string
		Tokens  map[string]struct{ Header, Claims json.RawMessage }
	}
)

// differences is testdata/differences.json.
type differences struct {
	// Reasons by name.
	Reasons map[string]string
	// Groups that are not offered, by file, with the name of a reason.
	Groups map[string]string
	// Cases that differ. Group and Case are patterns of path.Match; the
	// difference must be the one that Shows tells. Before limits the row to
	// recordings of older versions: "pyjwt 2.10".
	Cases []*difference
	// Texts of older versions, and what newer ones and jotgate say instead.
	Texts []text

	mu  sync.Mutex
	all map[string]bool // the reasons named all-… that were met

	keep func(exchanged)
}

type text struct{ Recorded, Ours, Reason string }

type difference struct {
	Group, Case, Reason, Shows, Before string

	mu   sync.Mutex
	used bool
}

// note keeps that a difference which all answers have was met.
func (d *differences) note(reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = map[string]bool{}
	}
	d.all[reason] = true
}

func (d *differences) find(g *group, name, diff string) *difference {
	for _, row := range d.Cases {
		inGroup, _ := path.Match(row.Group, g.file)
		inCase, _ := path.Match(row.Case, name)
		if inGroup && inCase && strings.Contains(diff, row.Shows) && row.of(g.Stack) {
			return row
		}
	}
	return nil
}

// stacks are the recordings in testdata: the newest, the oldest, and what two
// between them answer otherwise than the newest. What the oldest answers as the newest does is not
// replayed again.
var stacks = []string{"newest", "debian12", "django52", "trixie"}

var newest = filepath.Join("testdata", "golden", stacks[0])

func TestGolden(t *testing.T) {
	var table differences
	load(t, filepath.Join("testdata", "differences.json"), &table)
	if file := os.Getenv("EXCHANGES"); file != "" {
		table.keepIn(t, file)
	}
	if folder := os.Getenv("GOLDEN"); folder != "" {
		recorded, err := stacksIn(folder)
		if err != nil {
			t.Fatal(err)
		}
		if len(recorded) == 0 {
			t.Logf("nothing to replay: no HTTP exchanges in %s", folder)
		}
		for _, stack := range recorded {
			t.Run(filepath.Base(stack), func(t *testing.T) { replayFolder(t, stack, "", &table) })
		}
		return
	}
	if testing.Short() { // under the race detector a quarter of the newest is enough
		replayFolder(t, newest, "", &table)
		return
	}
	t.Run(stacks[0], func(t *testing.T) { replayFolder(t, newest, "", &table) })
	for _, stack := range stacks[1:] {
		t.Run(stack, func(t *testing.T) { replayFolder(t, filepath.Join("testdata", "golden", stack), newest, &table) })
	}
	table.check(t)
}

// stacksIn finds the folders with recordings of exchanges: the folder itself,
// those in it, and those in its http/ folder, as recordings come with other data
// beside them. A folder with nothing of a recording in it is an error.
func stacksIn(folder string) (stacks []string, err error) {
	folders, _ := filepath.Glob(filepath.Join(folder, "*"))
	deeper, _ := filepath.Glob(filepath.Join(folder, "http", "*"))
	for _, stack := range slices.Concat([]string{folder}, folders, deeper) {
		groups, _ := filepath.Glob(filepath.Join(stack, "*.json"))
		if slices.ContainsFunc(groups, isGroup) {
			stacks = append(stacks, stack)
		}
	}
	for _, data := range []string{"hashes_*.json", "auth_*.json", "tokens_*.json", "rows_*.json", "schema_*.sql"} {
		here, _ := filepath.Glob(filepath.Join(folder, data))
		there, _ := filepath.Glob(filepath.Join(folder, "data", data))
		if len(here)+len(there) > 0 {
			return stacks, nil
		}
	}
	if len(stacks) == 0 {
		return nil, fmt.Errorf("%s: no recordings here: neither http/STACK/GROUP.json nor data/hashes_STACK.json and its like", folder)
	}
	return stacks, nil
}

// isGroup reports whether a file of JSON is a group, or was meant to be one.
func isGroup(file string) bool {
	var g struct{ Group, Cases json.RawMessage }
	raw, err := os.ReadFile(file)
	return err == nil && json.Unmarshal(raw, &g) == nil && (g.Group != nil || g.Cases != nil)
}

// replayFolder replays the recordings of one stack, several groups at a time, without the cases that the folder
// replayed also has, if there is one.
func replayFolder(t *testing.T, folder, replayed string, table *differences) {
	files, _ := filepath.Glob(filepath.Join(folder, "*.json"))
	template := newTemplate(t, folder)
	n := 0
	t.Run("groups", func(t *testing.T) {
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".json")
			if name == "fixtures" {
				continue
			}
			if reason, not := table.Groups[name]; not {
				t.Logf("%s is not offered: %s", name, table.Reasons[reason])
				continue
			}
			g, err := readGroup(file)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if replayed != "" {
				g.omit(filepath.Join(replayed, filepath.Base(file)))
			}
			if testing.Short() {
				g.Cases = everyFourth(g.Cases)
			}
			n += len(g.Cases)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				replayGroup(t, g, template, table)
			})
		}
	})
	if n == 0 {
		t.Fatalf("no case in %s: these are not recordings", folder)
	}
	t.Logf("%d cases replayed", n)
}

// readGroup reads a group and understands its settings, or says what it does not.
func readGroup(file string) (*group, error) {
	g := &group{file: strings.TrimSuffix(filepath.Base(file), ".json")}
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, g)
	}
	if err == nil && len(g.Cases) == 0 {
		err = fmt.Errorf("a group without cases")
	}
	if err == nil {
		err = g.understand()
	}
	return g, err
}

func everyFourth(cases []goldenCase) (some []goldenCase) {
	for i := 0; i < len(cases); i += 4 {
		some = append(some, cases[i])
	}
	return some
}

func replayGroup(t *testing.T, g *group, template *template, table *differences) {
	differ := map[string]int{}
	for _, c := range g.Cases {
		diff := replay(t, g, &c, template, table)
		row := table.find(g, c.Name, diff)
		switch {
		case diff == "":
		case row == nil:
			t.Errorf("%s/%s differs and no reason is given:\n%s", g.file, c.Name, diff)
		default:
			row.mu.Lock()
			row.used = true
			row.mu.Unlock()
			differ[row.Reason]++
			if row.Reason == "email-change" {
				replayImmediate(t, g, &c, template, table)
			}
			t.Logf("%s/%s differs: %s\n%s", g.file, c.Name, table.Reasons[row.Reason], diff)
		}
	}
	t.Logf("%s: %d cases, on purpose differ %v", g.file, len(g.Cases), slices.Sorted(maps.Keys(differ)))
}

// replayImmediate replays a case with jotgate.Settings.ImmediateEmailChange, by
// which it is as recorded, or differs for another reason.
func replayImmediate(t *testing.T, g *group, c *goldenCase, template *template, table *differences) {
	t.Helper()
	immediate := *g
	immediate.immediate = true
	diff := replay(t, &immediate, c, template, table)
	row := table.find(g, c.Name, diff)
	switch {
	case diff == "":
	case row == nil || row.Reason == "email-change":
		t.Errorf("%s/%s differs with ImmediateEmailChange, too:\n%s", g.file, c.Name, diff)
	default:
		row.mu.Lock()
		defer row.mu.Unlock()
		row.used = true
	}
}

// keepIn writes every exchange into a file, a line of JSON each.
func (d *differences) keepIn(t *testing.T, file string) {
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	enc := json.NewEncoder(out)
	d.keep = func(e exchanged) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if err := enc.Encode(e); err != nil {
			t.Error(err)
		}
	}
}

// of reports whether the row concerns recordings of this stack. Unknown versions
// and those that git names are the newest.
func (row *difference) of(stack map[string]string) bool {
	name, limit, limited := strings.Cut(row.Before, " ")
	version := numbers(stack[name])
	return !limited || version != nil && slices.CompareFunc(version, numbers(limit), cmp.Compare[int]) < 0
}

var versions = regexp.MustCompile(`^\d+(\.\d+)*`)

// numbers are those of a version, such as [5 2 18]; nil if it does not begin with one.
func numbers(version string) (list []int) {
	for part := range strings.SplitSeq(versions.FindString(version), ".") {
		if n, err := strconv.Atoi(part); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// check finds rows that nothing needs, and reasons that are missing.
func (d *differences) check(t *testing.T) {
	needed := map[string]bool{}
	for _, row := range d.Cases {
		needed[row.Reason] = true
		if d.Reasons[row.Reason] == "" || row.Shows == "" {
			t.Errorf("%s/%s has no reason, or does not say what it shows", row.Group, row.Case)
		}
		if !row.used {
			t.Errorf("%s/%s does not differ: delete its row", row.Group, row.Case)
		}
	}
	for _, text := range d.Texts {
		needed[text.Reason] = true
	}
	for reason := range d.all {
		if d.Reasons[reason] == "" {
			t.Errorf("all answers have the difference %q, for which nobody gives a reason", reason)
		}
	}
	for file, reason := range d.Groups {
		needed[reason] = true
		if there, _ := filepath.Glob(filepath.Join("testdata", "golden", "*", file+".json")); there == nil {
			t.Errorf("the group %s does not exist", file)
		}
	}
	for reason := range d.Reasons {
		if !needed[reason] && !d.all[reason] {
			t.Errorf("nothing needs the reason %q", reason)
		}
	}
}

func load(t *testing.T, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", file, err))
	}
}
