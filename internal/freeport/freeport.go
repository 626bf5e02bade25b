// Package freeport finds ports for the programs that tests start. The system may
// assign a port that it has chosen itself (":0") again, also to an outgoing
// connection, before the program listens on it. The ports of this package are below
// the range from which systems choose, and on Linux no other process that uses this
// package gets a port until the process that found it ends.
package freeport

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"runtime"
	"strconv"
	"sync"
	"testing"
)

// Linux chooses ports from 32768 up, others from 49152 (RFC 6335 section 6).
const first, beyond = 10_000, 32_000

// Browsers and Node's fetch send no request to this port (Fetch Standard, "bad port").
const amanda = 10_080

// reserved keeps the reservations until the process ends.
var reserved = struct {
	sync.Mutex
	listeners []net.Listener
}{}

// Find returns a port of 127.0.0.1 on which no program listens and that no other call has
// returned while its process runs.
func Find() (int, error) {
	err := errors.New("no attempt")
	for range 100 {
		var random [2]byte
		_, _ = rand.Read(random[:]) // never fails
		port := first + int(binary.BigEndian.Uint16(random[:]))%(beyond-first)
		if port == amanda {
			continue
		}
		if err = reserve(port); err == nil {
			return port, nil
		}
	}
	return 0, err
}

func reserve(port int) error {
	listener, err := net.Listen("tcp", address(port))
	if err != nil {
		return err
	}
	if err := listener.Close(); err != nil || runtime.GOOS != "linux" {
		return err
	}
	// A name that begins with @ is of no file (unix(7), abstract sockets).
	name, err := net.Listen("unix", "@jotgate-port-"+strconv.Itoa(port))
	if err != nil {
		return err
	}
	reserved.Lock()
	defer reserved.Unlock()
	reserved.listeners = append(reserved.listeners, name)
	return nil
}

// Address returns a host and port as Find does. It fails the test if there is none.
func Address(tb testing.TB) string {
	tb.Helper()
	port, err := Find()
	if err != nil {
		tb.Fatal(err)
	}
	return address(port)
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
