package main

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/jotgate/jotgate/bench/binary"
	"github.com/jotgate/jotgate/internal/wait"
)

// The short form: a tenth of the connections, cheap hashes and no limits of time. All
// attacks are on one server, which must answer every request of the good client; its own
// limits are not reached. Another server loses requestTimeout soon: the attacks that only
// such limits end are on it as well. It goes on until every attack has come to its end.
func TestSiege(t *testing.T) {
	const requestTimeout = 2 * time.Second
	program, err := binary.Build(t.TempDir())
	check(t, err)
	usual, short := serve(t, program, binary.Limits...), serve(t, program, "--database-timeout", "3m", "--request-timeout", requestTimeout.String())
	check(t, usual.enter())
	_, err = usual.goodClient(time.Second) // warm
	check(t, err)
	before, beforeShort := sockets(t, usual), sockets(t, short)
	all := attacks(200, requestTimeout)
	limited, others := all[:0:0], all[:0:0]
	for _, a := range all {
		if a.flags {
			limited = append(limited, a)
		} else {
			others = append(others, a)
		}
	}
	both, ends := lay(usual.Address, all, wait.Limit), lay(short.Address, limited, wait.Limit)
	defer func() { t.Logf("\n%s\n%s", both.table(all), ends.table(limited)) }()
	wait.Until(t, "every attack has come to its end", func() bool {
		_, err := usual.goodClient(0)
		check(t, err)
		return both.complete(others) && ends.complete(limited)
	})
	for _, fault := range slices.Concat(both.lift(), ends.lift()) {
		t.Error(fault)
	}
	wait.Until(t, "the servers have closed the connections", func() bool {
		return sockets(t, usual) <= before && sockets(t, short) <= beforeShort
	})
	if most, err := usual.Memory("VmHWM"); err != nil || most > 160<<10 {
		t.Errorf("%d KiB of memory were needed, %v", most, err)
	}
}

// serve starts a server, without a user, that the test stops.
func serve(t *testing.T, program string, args ...string) *server {
	t.Helper()
	s := &server{good: &http.Client{Timeout: wait.Limit, Transport: &binary.Patient{}}}
	var err error
	s.Server, err = binary.Serve(program, t.TempDir(), slices.Concat(flags, []string{"--hasher", "pbkdf2_sha256:1000"}, args)...)
	check(t, err)
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func sockets(t *testing.T, s *server) int {
	t.Helper()
	n, err := s.Sockets()
	check(t, err)
	return n
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
