package main

import (
	"net/http"
	"slices"
	"strconv"
	"testing"

	"github.com/jotgate/jotgate/bench/binary"
	"github.com/jotgate/jotgate/internal/wait"
)

// The short form: 200 clients log in until one is refused. Every login is answered or
// refused, those in the hash pool at that moment are answered, the reader is answered all
// the while, and the memory is within the limit for hashes and what the rest needs.
func TestFlood(t *testing.T) {
	const queue = 16
	busy := &binary.Patient{Transport: http.Transport{MaxIdleConnsPerHost: users}, Busy: true}
	s := &server{
		client: &http.Client{Timeout: wait.Limit, Transport: &binary.Patient{Transport: http.Transport{MaxConnsPerHost: 1}}},
		flood:  &http.Client{Timeout: wait.Limit, Transport: busy},
	}
	var err error
	s.Server, err = binary.BuildAndServe(slices.Concat(flags, binary.Limits,
		[]string{"--hash-concurrency", "1", "--hash-queue", strconv.Itoa(queue), "--access-token-lifetime", "1h"})...)
	defer func() { _ = s.Stop() }()
	if err == nil {
		err = s.populate()
	}
	if err != nil {
		t.Fatal(err)
	}
	busy.Busy = false // 503 is what the flood counts
	flood := s.startFlood(200)
	wait.Until(t, "a login is refused", func() bool {
		if err := s.check(); err != nil {
			t.Fatal(err)
		}
		return flood.refused.Load() > 0
	})
	answered, refused, err := flood.stop()
	if err != nil || answered < queue+1 {
		t.Errorf("%d logins were answered, %d refused, %v", answered, refused, err)
	}
	if most, err := s.Memory("VmHWM"); err != nil || most > (256+64)<<10 {
		t.Errorf("%d KiB of memory were needed, %v", most, err)
	}
}
