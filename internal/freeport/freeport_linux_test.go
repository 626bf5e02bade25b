package freeport

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// A port that was returned is not returned again, in this process or in another, also before a
// program listens on it.
func TestReservation(t *testing.T) {
	if port := os.Getenv("FREEPORT_TEST"); port != "" { // the other process
		n, err := strconv.Atoi(port)
		if err != nil || reserve(n) == nil {
			t.Errorf("port %s (%v): got it, too", port, err)
		}
		return
	}
	port, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	if reserve(port) == nil {
		t.Errorf("port %d: got it twice", port)
	}
	other := exec.Command(os.Args[0], "-test.run=^TestReservation$")
	other.Env = append(os.Environ(), "FREEPORT_TEST="+strconv.Itoa(port))
	if out, err := other.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
