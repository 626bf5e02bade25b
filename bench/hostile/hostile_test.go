package main

import (
	"testing"
	"time"
)

// The short form: a tenth of the connections, cheap hashes, and a server that
// loses requestTimeout sooner. It goes on until every attack has come to its end.
func TestSiege(t *testing.T) {
	const requestTimeout = 2 * time.Second
	s, err := start("--request-timeout", requestTimeout.String(), "--hasher", "pbkdf2_sha256:1000")
	defer func() { _ = s.Stop() }()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.goodClient(time.Second); err != nil { // warm
		t.Fatal(err)
	}
	files, err := s.Files()
	if err != nil {
		t.Fatal(err)
	}
	all := attacks(200, requestTimeout)
	end := lay(s.Address, all)
	for limit := time.Now().Add(5 * time.Minute); err == nil && time.Now().Before(limit) && !end.complete(); {
		_, err = s.goodClient(time.Second)
	}
	for _, fault := range end.lift() {
		t.Error(fault)
	}
	t.Logf("\n%s", end.table(all))
	if err != nil {
		t.Errorf("the good client: %v", err)
	}
	if !end.complete() {
		t.Error("an attack came to no end")
	}
	if err := s.settled(files+4, 15*time.Second); err != nil {
		t.Error(err)
	}
	if most, err := s.Memory("VmHWM"); err != nil || most > 160<<10 {
		t.Errorf("%d KiB of memory were needed, %v", most, err)
	}
}
