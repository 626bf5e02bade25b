// Command hostile measures how hostile clients affect others. All at the same time,
// they hold two thousand connections with slow headers, send bodies of a gigabyte, ten thousand headers,
// deeply nested JSON and compressed bombs, and do not read responses. The server is
// the binary, a separate process, started as an operator does. One good client logs
// in and sends requests with its token, alternately with and without the hostile
// clients, and the ratios are computed within each round.
//
//	go run ./hostile    # in bench/; some 5 min
//
// It fails if an attack is not refused as it should be and in time, if a good request
// fails, or if connections are not released. All connections are local to
// 127.0.0.1.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 3, "number of rounds without and with each attack; at most 20")
	slice := flag.Duration("slice", 3*time.Second, "duration of each; at most 60s")
	slow := flag.Int("slow", 2000, "connections that send headers slowly; at most 8000")
	flag.Parse()
	if *rounds < 1 || *rounds > 20 || *slice < time.Second || *slice > time.Minute || *slow < 10 || *slow > 8000 {
		fail(fmt.Errorf("out of bounds: see -h"))
	}
	s, err := start()
	if err == nil {
		err = run(s, *rounds, *slice, attacks(*slow, 30*time.Second))
	}
	_ = s.Stop()
	fail(err)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(1)
	}
}

// times are the durations of the good client's requests, sorted.
type times struct{ check, login []time.Duration }

func p99(sorted []time.Duration) time.Duration { return sorted[len(sorted)*99/100] }

// goodClient sends requests for the given time: twenty checks, then a login, and so
// on. It fails if a request fails.
func (s *server) goodClient(duration time.Duration) (t times, err error) {
	timed := func(into *[]time.Duration, ask func() error) {
		began := time.Now()
		if err == nil {
			err = ask()
		}
		*into = append(*into, time.Since(began))
	}
	for end := time.Now().Add(duration); err == nil && (len(t.login) == 0 || time.Now().Before(end)); {
		for range 20 {
			timed(&t.check, s.check)
		}
		timed(&t.login, s.login)
	}
	slices.Sort(t.check)
	slices.Sort(t.login)
	return t, err
}

// shares is the effect of a load on the good client: for each round, its p99 as a
// multiple of the one without attacks.
type shares struct{ check, login []float64 }

func (s *shares) String() string {
	slices.Sort(s.check)
	slices.Sort(s.login)
	n := len(s.check)
	return fmt.Sprintf("%.2f (%.2f – %.2f) | %.2f (%.2f – %.2f)", s.check[n/2], s.check[0], s.check[n-1], s.login[n/2], s.login[0], s.login[n-1])
}

// round measures the good client without and with a load.
func (s *server) round(slice time.Duration, all []attack, into *shares) (calm, attacked times, faults []string, err error) {
	if calm, err = s.goodClient(slice); err != nil {
		return calm, attacked, nil, err
	}
	end := lay(s.Address, all, 0)
	time.Sleep(2 * time.Second) // until all clients are connected
	attacked, err = s.goodClient(slice)
	faults = end.lift()
	if err == nil {
		into.check = append(into.check, float64(p99(attacked.check))/float64(p99(calm.check)))
		into.login = append(into.login, float64(p99(attacked.login))/float64(p99(calm.login)))
	}
	return calm, attacked, faults, err
}

// run prints the tables: each attack by itself, then all together.
func run(s *server, rounds int, slice time.Duration, all []attack) error {
	sockets, err := s.Sockets()
	if err != nil {
		return err
	}
	before, err := s.Memory("VmRSS")
	if err != nil {
		return err
	}
	fmt.Println("| attack | checks: p99 as a multiple of the quiet one | logins: the same |\n|---|--:|--:|")
	var faultsFound []string
	for i := range all {
		var part shares
		for range rounds {
			_, _, faults, err := s.round(slice, all[i:i+1], &part)
			if err != nil {
				return fmt.Errorf("%s: %w", all[i].name, err)
			}
			faultsFound = append(faultsFound, faults...)
		}
		fmt.Printf("| %s | %s |\n", all[i].name, &part)
	}
	end := lay(s.Address, all, 0)
	_, err = s.goodClient(time.Minute + 10*time.Second) // the slowest connection is closed after a minute
	faultsFound = append(faultsFound, end.lift()...)
	most, unread := s.Memory("VmHWM")
	fmt.Printf("\nMemory: %d MiB before, at most %d MiB during the attacks. All together:\n\n%s", before>>10, most>>10, end.table(all))
	if err != nil || unread != nil || len(faultsFound) > 0 {
		return fmt.Errorf("the good client: %v; memory: %v; faults: %q", err, unread, faultsFound)
	}
	return s.settled(sockets, 15*time.Second)
}
