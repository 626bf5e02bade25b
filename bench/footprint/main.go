// Command footprint measures the size of the binary, the time from exec to the first
// response with an existing SQLite database, and the resident memory, idle and after
// many requests.
//
//	go run ./footprint                # in bench/; needs wrk, Linux, some 60 s
//	go run ./footprint -before FILE   # only starts, alternately with another binary
//
// The binary is the one that make build builds. All connections are local to
// 127.0.0.1.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/jotgate/jotgate/bench/wrk"
)

func main() {
	starts := flag.Int("starts", 25, "number of starts; at most 200")
	requests := flag.Int("requests", 1_000_000, "requests before memory is measured; at most 5,000,000")
	binary := flag.String("binary", "", "the jotgate to run; empty: make build")
	before := flag.String("before", "", "another jotgate, to compare their starts")
	flag.Parse()
	if *starts < 1 || *starts > 200 || *requests < 1 || *requests > 5_000_000 {
		fail(fmt.Errorf("out of bounds: see -h"))
	}
	folder, err := os.MkdirTemp("", "jotgate-footprint")
	fail(err)
	err = run(folder, *binary, *before, *starts, *requests)
	_ = os.RemoveAll(folder)
	fail(err)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
}

// run prints the table.
func run(folder, binary, before string, starts, requests int) error {
	if binary == "" {
		binary = filepath.Join(folder, "jotgate")
		build := exec.Command("make", "--no-print-directory", "-C", "..", "build", "BINARY="+binary)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building jotgate: %w\n%s", err, out)
		}
	}
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	fmt.Printf("%s %s/%s, %d processors\n\n| | |\n|---|--:|\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Printf("| the program | %.1f MB |\n", float64(info.Size())/1e6)
	if before != "" {
		return startTimes(folder, []string{before, binary}, starts)
	}
	if err := startTimes(folder, []string{binary}, starts); err != nil {
		return err
	}
	return memory(folder, binary, requests)
}

// startTimes prints the median time from exec to the first response of each binary,
// which are started alternately. The first start creates the database and does not count.
func startTimes(folder string, binaries []string, starts int) error {
	took := make([][]time.Duration, len(binaries))
	for i := range starts + 1 {
		for b, binary := range binaries {
			s, err := start(folder, binary)
			if err != nil {
				return err
			}
			if i > 0 {
				took[b] = append(took[b], s.answered)
			}
			if err := s.Stop(); err != nil {
				return err
			}
		}
	}
	for _, list := range took {
		slices.Sort(list)
		fmt.Printf("| start to first response, median of %d | %.1f ms |\n| the fastest and the slowest | %.1f and %.1f ms |\n",
			starts, ms(list[len(list)/2]), ms(list[0]), ms(list[len(list)-1]))
	}
	return nil
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// settle is the time without requests before memory is measured.
const settle = 5 * time.Second

// memory prints the resident memory when idle and after the requests. Ten in eleven
// of these check a token; one reads the user from the database.
func memory(folder, binary string, requests int) (err error) {
	s, err := start(folder, binary)
	if err != nil {
		return err
	}
	defer func() {
		if ended := s.Stop(); err == nil {
			err = ended
		}
	}()
	time.Sleep(settle)
	if err := s.print("resident, idle"); err != nil {
		return err
	}
	if err := s.Register(http.DefaultClient); err != nil {
		return err
	}
	if _, err := s.Login(http.DefaultClient); err != nil {
		return err
	}
	time.Sleep(settle)
	if err := s.print("idle after a registration and a login"); err != nil {
		return err
	}
	done := 0
	for done < requests {
		token, err := s.Login(http.DefaultClient) // a token expires after five minutes
		if err != nil {
			return err
		}
		for _, ask := range []struct {
			path  string
			slice time.Duration
		}{{"/auth/check", 10 * time.Second}, {"/auth/users/me/", 2 * time.Second}} {
			got, err := wrk.Get("http://"+s.Address+ask.path, token, ask.slice, 32)
			if err != nil {
				return err
			}
			done += got.Requests
		}
	}
	if err := s.print(fmt.Sprintf("resident, right after %d requests", done)); err != nil {
		return err
	}
	time.Sleep(settle)
	return s.print("and five seconds later")
}
