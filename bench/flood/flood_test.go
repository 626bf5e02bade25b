package main

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The short form of H051: 200 logins at once. Each is answered or told to come
// back, the reader is answered all the while, and memory stays under the ceiling
// for hashes and what the rest needs.
func TestFlood(t *testing.T) {
	s, err := start()
	defer func() { _ = s.Stop() }()
	if err != nil {
		t.Fatal(err)
	}
	var over atomic.Bool
	var all sync.WaitGroup
	var hashed, refused atomic.Int64
	for client := range 200 {
		all.Go(func() {
			if s.login(client, 0) {
				hashed.Add(1)
			} else {
				refused.Add(1)
			}
		})
	}
	go func() { all.Wait(); over.Store(true) }()
	read := 0
	for limit := time.Now().Add(5 * time.Minute); !over.Load(); read++ {
		if err := s.check(); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(limit) {
			t.Fatal("not every login was answered")
		}
	}
	if hashed.Load() < 64 || refused.Load() == 0 || read == 0 {
		t.Errorf("%d logins were heard, %d told to come back, %d requests answered meanwhile", hashed.Load(), refused.Load(), read)
	}
	if most, err := s.Memory("VmHWM"); err != nil || most > (256+64)<<10 {
		t.Errorf("%d KiB of memory were needed, %v", most, err)
	}
}
