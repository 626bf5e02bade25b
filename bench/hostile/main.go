// Command hostile asks what bad clients do to good ones: two thousand that send
// a byte of a header now and then, bodies of a gigabyte, ten thousand headers,
// deep JSON, compressed bombs, answers that nobody reads, all at once. The
// server is the binary, a process of its own, started as an operator would. One
// good client logs in and asks with its token, in turn with and without the bad
// ones, and the shares are taken within each round.
//
//	go run ./hostile    # in bench/; some 5 min
//
// It fails when an attack is not refused as it should be within its time, a good
// request is not answered, memory or files are not given back. Only 127.0.0.1 is
// talked to.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 3, "rounds of peace and siege for each attack; at most 20")
	slice := flag.Duration("slice", 3*time.Second, "how long each lasts; at most 60s")
	slow := flag.Int("slow", 2000, "connections that drip a header; at most 8000")
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

// times are what the good client saw: how long its requests took, sorted.
type times struct{ check, login []time.Duration }

func p99(sorted []time.Duration) time.Duration { return sorted[len(sorted)*99/100] }

// goodClient asks for so long: twenty checks, then a login. An error is a request
// that was not answered as in peace.
func (s *server) goodClient(duration time.Duration) (t times, err error) {
	timed := func(into *[]time.Duration, ask func() error) {
		began := time.Now()
		if err == nil {
			err = ask()
		}
		*into = append(*into, time.Since(began))
	}
	for end := time.Now().Add(duration); err == nil && time.Now().Before(end); {
		for range 20 {
			timed(&t.check, s.check)
		}
		timed(&t.login, s.login)
	}
	slices.Sort(t.check)
	slices.Sort(t.login)
	return t, err
}

// shares is what a siege did to the good client: its p99 as a multiple of the
// quiet one, a round each.
type shares struct{ check, login []float64 }

func (s *shares) String() string {
	slices.Sort(s.check)
	slices.Sort(s.login)
	n := len(s.check)
	return fmt.Sprintf("%.2f (%.2f – %.2f) | %.2f (%.2f – %.2f)", s.check[n/2], s.check[0], s.check[n-1], s.login[n/2], s.login[0], s.login[n-1])
}

// round is one time of peace and one of siege, for the good client.
func (s *server) round(slice time.Duration, all []attack, into *shares) (peace, war times, faults []string, err error) {
	if peace, err = s.goodClient(slice); err != nil {
		return peace, war, nil, err
	}
	end := lay(s.Address, all)
	time.Sleep(2 * time.Second) // until all are there
	war, err = s.goodClient(slice)
	faults = end.lift()
	if err == nil {
		into.check = append(into.check, float64(p99(war.check))/float64(p99(peace.check)))
		into.login = append(into.login, float64(p99(war.login))/float64(p99(peace.login)))
	}
	return peace, war, faults, err
}

// run prints the tables: each attack by itself, then all at once.
func run(s *server, rounds int, slice time.Duration, all []attack) error {
	files, err := s.Files()
	if err != nil {
		return err
	}
	before, err := s.Memory("VmRSS")
	if err != nil {
		return err
	}
	fmt.Println("| attack | checks: p99 as a multiple of the quiet one | logins: the same |\n|---|--:|--:|")
	var foul []string
	for i := range all {
		var part shares
		for range rounds {
			_, _, faults, err := s.round(slice, all[i:i+1], &part)
			if err != nil {
				return fmt.Errorf("%s: %w", all[i].name, err)
			}
			foul = append(foul, faults...)
		}
		fmt.Printf("| %s | %s |\n", all[i].name, &part)
	}
	end := lay(s.Address, all)
	_, err = s.goodClient(time.Minute + 10*time.Second) // what is slowest is let go after a minute
	foul = append(foul, end.lift()...)
	most, unread := s.Memory("VmHWM")
	fmt.Printf("\nMemory: %d MiB before, never more than %d MiB. All at once:\n\n%s", before>>10, most>>10, end.table(all))
	if err != nil || unread != nil || len(foul) > 0 {
		return fmt.Errorf("the good client: %v; memory: %v; what must not happen: %q", err, unread, foul)
	}
	return s.settled(files+4, 15*time.Second)
}
