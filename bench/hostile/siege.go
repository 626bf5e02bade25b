package main

// A load runs several attacks at the same time and records their outcomes.

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate/bench/binary"
)

type load struct {
	address  string
	patience time.Duration // see lay
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu       sync.Mutex
	outcomes map[string]*outcome // by the attack's name
	faults   []string            // forbidden outcomes, the first twenty
}

// An outcome is the result of an attack's attempts.
type outcome struct {
	statuses map[string]int
	longest  time.Duration // for which a connection was open
	most     int64         // bytes that an attempt could send
}

// lay starts the attacks on the server at address. Unless patience is 0, a connection
// may last that long, whatever the attack says, and binary.HeaderLimit may end it.
func lay(address string, all []attack, patience time.Duration) *load {
	ctx, stop := context.WithCancel(context.Background())
	s := &load{address: address, patience: patience, stop: stop, outcomes: map[string]*outcome{}}
	for _, a := range all {
		s.outcomes[a.name] = &outcome{statuses: map[string]int{}}
		for range a.clients {
			s.running.Go(func() { s.attack(ctx, a) })
		}
	}
	return s
}

// lift ends the load and returns the faults.
func (s *load) lift() []string {
	s.stop()
	s.running.Wait()
	return s.faults
}

func (s *load) attack(ctx context.Context, a attack) {
	for ctx.Err() == nil {
		status, sent, held, err := s.try(ctx, a)
		if ctx.Err() != nil {
			return // interrupted by lift
		}
		s.note(a, status, sent, held, err)
		select {
		case <-ctx.Done():
		case <-time.After(a.rest):
		}
	}
}

// complete reports whether each of these attacks has an outcome.
func (s *load) complete(all []attack) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(all, func(a attack) bool { return len(s.outcomes[a.name].statuses) == 0 })
}

// note records and checks an attempt.
func (s *load) note(a attack, status string, sent int64, held time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.outcomes[a.name]
	o.statuses[status]++
	o.longest, o.most = max(o.longest, held), max(o.most, sent)
	ok := slices.Contains(a.want, status) && held <= a.within
	if s.patience > 0 {
		ok = slices.Contains(a.want, status) || status == closed && held >= binary.HeaderLimit
	}
	if ok = ok && err == nil && (a.most == 0 || sent <= int64(a.most)); !ok && len(s.faults) < 20 {
		s.faults = append(s.faults, fmt.Sprintf("%s: %s after %v and %d bytes, want %v within %v (%v)", a.name, status, held, sent, a.want, a.within, err))
	}
}

// try makes one connection and returns how long the server kept it open: from its
// beginning or, if the client does not read responses, from when it could send no
// more. It fails if it cannot connect, or if the server does not close the connection.
func (s *load) try(ctx context.Context, a attack) (status string, sent int64, held time.Duration, err error) {
	began := time.Now()
	conn, err := (&net.Dialer{Timeout: cmp.Or(s.patience, 5*time.Second)}).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return "", 0, 0, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_ = conn.SetDeadline(began.Add(cmp.Or(s.patience, a.within+30*time.Second)))
	_ = conn.(*net.TCPConn).SetWriteBuffer(64 << 10) // or sent would mostly be what the kernel buffers
	counted := &counter{Conn: conn}
	written := make(chan error, 1)
	over, end := context.WithCancel(ctx)
	defer end()
	go func() { written <- a.write(over, counted) }()
	if a.mute {
		err = <-written // which fails when the server closes the connection
		return closed, counted.n.Load(), time.Since(counted.latest), ifTimeout(err)
	}
	status, err = answer(conn)
	held = time.Since(began)
	end()
	_ = conn.Close() // also ends the writer
	<-written
	return status, counted.n.Load(), held, err
}

// answer reads the status and waits for the end of the connection.
func answer(conn net.Conn) (string, error) {
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return closed, ifTimeout(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	_, err = io.Copy(io.Discard, r)
	return strconv.Itoa(response.StatusCode), ifTimeout(err)
}

// ifTimeout returns err if it is a timeout: the server did not close the connection.
func ifTimeout(err error) error {
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return err
	}
	return nil
}

type counter struct {
	net.Conn
	n      atomic.Int64
	latest time.Time // when the writer could last send something
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if c.n.Add(int64(n)); err == nil {
		c.latest = time.Now()
	}
	return n, err
}

// table returns the outcomes, one row for each attack.
func (s *load) table(all []attack) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	b.WriteString("| attack | clients | answers | a connection is held for at most | bytes taken at most |\n|---|--:|---|--:|--:|\n")
	for _, a := range all {
		o := s.outcomes[a.name]
		var seen []string
		for _, status := range slices.Sorted(maps.Keys(o.statuses)) {
			seen = append(seen, fmt.Sprintf("%s ×%d", status, o.statuses[status]))
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %.1f s | %d |\n", a.name, a.clients, strings.Join(seen, ", "), o.longest.Seconds(), o.most)
	}
	return b.String()
}
