package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/internal/wait"
)

// systemd is told again and again that the process is alive, and no longer after it
// has stopped.
func TestWatchdog(t *testing.T) {
	path := filepath.Join(tempdir.ForSockets(t), "notify")
	states, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer states.Close()
	_ = states.SetReadDeadline(wait.Deadline())
	ctx, stop := context.WithCancel(t.Context())
	a := &app{env: map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000", "WATCHDOG_PID": strconv.Itoa(os.Getpid())}}
	ended := make(chan bool)
	go func() { a.watchdog(ctx); close(ended) }()
	for range 3 {
		state := make([]byte, 100)
		if n, err := states.Read(state); err != nil || string(state[:n]) != "WATCHDOG=1" {
			t.Fatalf("%q, %v", state[:n], err)
		}
	}
	go func() { // the last ones, so that the socket is not full
		for b := make([]byte, 100); ; {
			if _, err := states.Read(b); err != nil {
				return
			}
		}
	}()
	stop()
	wait.For(t, "the watchdog ends", ended)
}

func TestWatchdogInterval(t *testing.T) {
	for _, c := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"30000000", "", 30 * time.Second},
		{"30000000", strconv.Itoa(os.Getpid()), 30 * time.Second},
		{"30000000", "1", 0}, // of another process
		{"", "", 0},
		{"x", "", 0},
		{"99999999999999999999", "", 0},
	} {
		a := &app{env: map[string]string{"WATCHDOG_USEC": c.usec, "WATCHDOG_PID": c.pid}}
		if got := a.watchdogInterval(); got != c.want {
			t.Error(fmt.Sprint(c, got))
		}
	}
}
