// Command flood measures how a flood of logins affects other requests. A reader
// requests GET /auth/check, or another path, over one connection, first without other load, then while
// sixteen clients log in without pause, each from a different address. Then
// sixty-four concurrent logins show how much memory the server needs.
//
//	go run ./flood                         # in bench/; some 40 s
//	go run ./flood -path /account/login    # the reader opens the login page
//
// The server runs as an operator starts it: argon2id with 19 MiB, and one concurrent
// hash less than there are processors. All connections are local to 127.0.0.1.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const clients = 16

func main() {
	rounds := flag.Int("rounds", 3, "number of rounds without and with the flood; at most 20")
	slice := flag.Duration("slice", 5*time.Second, "duration of each; at most 30s")
	path := flag.String("path", "/auth/check", "what the reader requests")
	flag.Parse()
	if *rounds < 1 || *rounds > 20 || *slice < time.Second || *slice > 30*time.Second {
		fail(fmt.Errorf("out of bounds: see -h"))
	}
	s, err := start()
	if err == nil {
		s.path = *path
		err = run(s, *rounds, *slice)
	}
	_ = s.Stop()
	fail(err)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "flood:", err)
		os.Exit(1)
	}
}

// run prints the table and the memory that was needed.
func run(s *server, rounds int, slice time.Duration) error {
	fmt.Println("| | requests/s of one reader | its p99 | logins/s | refused (503, 429)/s |")
	fmt.Println("|---|--:|--:|--:|--:|")
	var kept, slower []float64
	for range rounds {
		quiet, err := s.read(slice)
		if err != nil {
			return err
		}
		fmt.Printf("| no other load | %.0f | %v | | |\n", quiet.rate, quiet.p99)
		flood := s.startFlood(clients)
		time.Sleep(500 * time.Millisecond)
		busy, err := s.read(slice)
		answered, refused, failure := flood.stop()
		if err = errors.Join(err, failure); err != nil {
			return err
		}
		seconds := slice.Seconds() + 0.5
		fmt.Printf("| %d clients that log in | %.0f | %v | %.1f | %.0f |\n", clients, busy.rate, busy.p99, float64(answered)/seconds, float64(refused)/seconds)
		kept = append(kept, 100*busy.rate/quiet.rate)
		slower = append(slower, float64(busy.p99)/float64(quiet.p99))
	}
	slices.Sort(kept)
	slices.Sort(slower)
	fmt.Printf("\nThe reader keeps %.0f %% of its requests (median; %.0f – %.0f), its p99 is %.1f times the one without other load (%.1f – %.1f).\n",
		kept[len(kept)/2], kept[0], kept[len(kept)-1], slower[len(slower)/2], slower[0], slower[len(slower)-1])
	return s.memory()
}

// A reading is what the reader measured.
type reading struct {
	rate float64
	p99  time.Duration
}

// read sends requests over one connection for the given time, at least one.
func (s *server) read(duration time.Duration) (reading, error) {
	var took []time.Duration
	for end := time.Now().Add(duration); len(took) == 0 || time.Now().Before(end); {
		began := time.Now()
		if err := s.check(); err != nil {
			return reading{}, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return reading{float64(len(took)) / duration.Seconds(), took[len(took)*99/100]}, nil
}

// A flood is a number of clients that log in without pause.
type flood struct {
	over              atomic.Bool
	answered, refused atomic.Int64
	running           sync.WaitGroup
	once              sync.Once
	failure           error // the first
}

func (s *server) startFlood(n int) *flood {
	f := &flood{}
	for client := range n {
		f.running.Go(func() {
			for i := 0; !f.over.Load(); i++ {
				switch hashed, err := s.login(client, i); {
				case err != nil:
					f.once.Do(func() { f.failure = err })
				case hashed:
					f.answered.Add(1)
				default:
					f.refused.Add(1)
				}
			}
		})
	}
	return f
}

// stop ends the flood when each login has its response.
func (f *flood) stop() (answered, refused int64, err error) {
	f.over.Store(true)
	f.running.Wait()
	return f.answered.Load(), f.refused.Load(), f.failure
}

// memory sends sixty-four concurrent logins and prints the maximum memory of the
// server until then.
func (s *server) memory() error {
	before, err := s.Memory("VmRSS")
	if err != nil {
		return err
	}
	var wait sync.WaitGroup
	for client := range 64 {
		wait.Go(func() { _, _ = s.login(client, 0) })
	}
	wait.Wait()
	most, err := s.Memory("VmHWM")
	if err != nil {
		return err
	}
	fmt.Printf("Memory: %d MiB before 64 concurrent logins, at most %d MiB during them; the limit for hashes is 256 MiB.\n", before>>10, most>>10)
	return nil
}
