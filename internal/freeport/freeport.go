// Package freeport finds ports for the programs that tests start. A port that
// the system gives out (":0") may be given to somebody else, as the near end of
// a connection even, before the program listens; so these lie below the range
// that systems give out from.
package freeport

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"strconv"
	"testing"
)

// Linux gives out from 32768 on, others from 49152 (RFC 6335 section 6).
const first, beyond = 10_000, 32_000

// Find is a port of 127.0.0.1 on which nobody listens.
func Find() (int, error) {
	err := errors.New("no try")
	for range 100 {
		var random [2]byte
		_, _ = rand.Read(random[:]) // never fails
		port := first + int(binary.BigEndian.Uint16(random[:]))%(beyond-first)
		var listener net.Listener
		if listener, err = net.Listen("tcp", address(port)); err == nil {
			return port, listener.Close()
		}
	}
	return 0, err
}

// Address is Find for a test, with the host before the port.
func Address(tb testing.TB) string {
	tb.Helper()
	port, err := Find()
	if err != nil {
		tb.Fatal(err)
	}
	return address(port)
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
