// Command revisions compares the benchmarks of this tree with those of an older
// revision: a request through the middleware, verifying, and refreshing. It builds the
// test programs of both, runs each benchmark of one after the other in every round, the
// first one in turn, and prints the median of the ratios within the rounds. Databases
// are in memory where that is possible: a disk's time differs more from round to round
// than the programs do.
//
//	go run ./revisions    # in bench/; about a minute on an idle machine
//
// The older revision is the one before the rules about identity; -before names another.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/jotgate/jotgate/bench/rounds"
	"github.com/jotgate/jotgate/internal/tempdir"
)

// A suite is a benchmark and where it is. times is how many operations one sample has.
type suite struct {
	folder, bench string
	times         int
}

var suites = []suite{
	{".", "^BenchmarkRequire$", 100_000},
	{"store", "^BenchmarkRotate$/^sqlite$", 500},
}

func main() {
	before := flag.String("before", "76bd02f", "the older revision")
	count := flag.Int("rounds", 30, "number of rounds; at most 200")
	flag.Parse()
	if *count < 1 || *count > 200 {
		fail(fmt.Errorf("-rounds must be between 1 and 200"))
	}
	folder, err := os.MkdirTemp(tempdir.Parent(), "revisions")
	fail(err)
	err = run(folder, *before, *count)
	_ = os.RemoveAll(folder)
	fail(err)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "revisions:", err)
		os.Exit(1)
	}
}

func run(folder, before string, count int) error {
	old := filepath.Join(folder, "before")
	if err := command("..", "git", "worktree", "add", "--detach", old, before).Run(); err != nil {
		return err
	}
	defer func() { _ = command("..", "git", "worktree", "remove", "--force", old).Run() }()
	trees := [2]string{old, ".."}
	fmt.Print("| benchmark | before, median ns | after, median ns | after/before |\n|---|--:|--:|--:|\n")
	for i, s := range suites {
		var programs [2]string
		for k, tree := range trees {
			programs[k] = filepath.Join(folder, fmt.Sprintf("%d-%d.test", i, k))
			if err := command(filepath.Join(tree, s.folder), "go", "test", "-c", "-o", programs[k], ".").Run(); err != nil {
				return err
			}
		}
		if err := s.compare(programs, trees, count); err != nil {
			return err
		}
	}
	return nil
}

// command prepares a program whose messages are shown.
func command(folder string, words ...string) *exec.Cmd {
	c := exec.Command(words[0], words[1:]...)
	c.Dir, c.Stderr = folder, os.Stderr
	return c
}

// compare runs the two programs in turn and prints a line for each benchmark that both
// have.
func (s suite) compare(programs, trees [2]string, count int) error {
	var samples [2]map[string][]float64 // ns per operation, in the order of the rounds
	for round := range count {
		for k := range programs {
			k = (k + round) % 2
			found, err := s.sample(programs[k], filepath.Join(trees[k], s.folder))
			if err != nil {
				return err
			}
			if samples[k] == nil {
				samples[k] = map[string][]float64{}
			}
			for name, ns := range found {
				samples[k][name] = append(samples[k][name], ns)
			}
		}
	}
	names := []string{}
	for name := range samples[1] {
		if len(samples[0][name]) == count && len(samples[1][name]) == count {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("%s: the two revisions have no benchmark of one name", s.bench)
	}
	slices.SortFunc(names, cmp.Compare[string])
	for _, name := range names {
		ratios := make([]float64, count)
		for i := range ratios {
			ratios[i] = samples[1][name][i] / samples[0][name][i]
		}
		fmt.Printf("| %s | %.0f | %.0f | %.3f |\n", name, rounds.Median(samples[0][name]), rounds.Median(samples[1][name]), rounds.Median(ratios))
	}
	return nil
}

// line is a result of go test: name, number of operations, ns per operation.
var line = regexp.MustCompile(`(?m)^(Benchmark\S+)\s+\d+\s+([0-9.]+) ns/op`)

// sample runs the benchmark once, on one processor.
func (s suite) sample(program, folder string) (map[string]float64, error) {
	c := command(folder, program, "-test.run", "^$", "-test.bench", s.bench, "-test.benchtime", strconv.Itoa(s.times)+"x")
	c.Env = append(os.Environ(), "GOMAXPROCS=1", "TMPDIR="+filepath.Dir(program))
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", s.bench, err, out)
	}
	found := map[string]float64{}
	for _, m := range line.FindAllStringSubmatch(string(out), -1) {
		if found[m[1]], err = strconv.ParseFloat(m[2], 64); err != nil {
			return nil, err
		}
	}
	return found, nil
}
