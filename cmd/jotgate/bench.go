package main

// `bench`: what this machine can do, and which settings suit it.
// internal/gauge measures; bench_place.go creates the database for it, and
// bench_bar.go shows the progress.

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/internal/gauge"
)

type benchCommand struct {
	Time     time.Duration `default:"25s" placeholder:"TIME" help:"Approximate total duration: 1s to 10m."`
	Database string        `placeholder:"URL" help:"Where: sqlite:FILE for the disk that FILE is on, postgres://user:password@host/name for that server. Default: SQLite in the folder for temporary files."`
	Hasher   string        `default:"argon2" placeholder:"HASHER" help:"The password hasher for logins, as in serve."`
	JSON     bool          `name:"json" help:"Print JSON, for programs."`
}

// Help is shown below the usage line.
func (benchCommand) Help() string {
	return `Measures jotgate on this machine: how long hashes take, how many logins, checks
and refreshes it serves, and how a flood of logins affects other requests. Then
it recommends settings.

    jotgate bench
    jotgate bench --database sqlite:/var/lib/jotgate/jotgate.db --time 1m
    jotgate bench --database postgres://app@db/app --json

It never touches existing data. For sqlite:FILE it creates a temporary folder
beside FILE, which need not exist and is not opened; in PostgreSQL a temporary
schema, for which its user needs the right to create one. Both are deleted at
the end, also after Ctrl-C; what a killed one leaves is named jotgate_bench_….
The load is real: a database that is in use becomes slower meanwhile.

The server and its clients are both in this process and share its processors:
with clients elsewhere a server does more.`
}

// result is what --json prints.
type result struct {
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Database string `json:"database"`
	*gauge.Report
	Advice gauge.Advice `json:"advice"`
}

// Run measures and prints.
func (c *benchCommand) Run(a *app) (err error) {
	if c.Time < time.Second || c.Time > 10*time.Minute {
		return usage("--time is %v, it must be 1s to 10m", c.Time)
	}
	hasher, err := newHasher(c.Hasher)
	if err != nil {
		return err
	}
	place, err := c.place(a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.leave()) }()
	bar := newBenchBar(a.stderr, c.Time)
	report, err := gauge.Measure(a.ctx, gauge.Plan{Time: c.Time, Store: place.db, Hasher: hasher, Progress: bar.step})
	bar.end()
	if err != nil {
		if a.ctx.Err() != nil {
			return errors.New("interrupted; the data for measuring was deleted")
		}
		return err
	}
	r := result{runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, place.name, report, report.Advise()}
	if c.JSON {
		return a.json(r)
	}
	return r.print(a)
}

// print prints the tables and the advice.
func (r *result) print(a *app) error {
	a.printf("%s %s, %s, database: %s\n\n", r.Go, r.Platform, plural(r.Processors, "processor"), r.Database)
	rows := [][]string{}
	for _, h := range r.Hashes {
		rows = append(rows, []string{h.Hasher, number(h.Quickest), number(h.Median), number(h.Memory), yes(h.Fits)})
	}
	if err := a.table("", "HASHER QUICKEST-MS MEDIAN-MS MIB 50-TO-250-MS", rows); err != nil {
		return err
	}
	a.print()
	rows = [][]string{
		loadRow("verify a token, in process", r.Verify), loadRow("GET /auth/check", r.Checks),
		loadRow("refresh with rotation", r.Refreshes), loadRow("GET /auth/users/me/", r.Reads),
	}
	for _, f := range r.Floods {
		beside := fmt.Sprintf("GET /auth/users/me/ in a flood, concurrency %d", f.Concurrency)
		rows = append(rows, loadRow(beside, f.Reader),
			[]string{fmt.Sprintf("login: the flood, concurrency %d", f.Concurrency), strconv.Itoa(f.Clients), number(f.Logins), "", ""})
	}
	if err := a.table("", "WORK CLIENTS A-SECOND P50-MS P99-MS", rows); err != nil {
		return err
	}
	a.print("\nAdvice for this machine:")
	for _, words := range r.Advice.Words {
		a.print("- " + words)
	}
	return nil
}

func loadRow(what string, l gauge.Load) []string {
	return []string{what, strconv.Itoa(l.Clients), number(l.PerSecond), number(l.P50), number(l.P99)}
}

// number formats v with three significant digits.
func number(v float64) string {
	if v < 1 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	decimals := 0
	for limit := 100.0; v < limit; limit /= 10 {
		decimals++
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}
