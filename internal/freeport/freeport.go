// Package freeport finds ports for the programs that tests start. The system may
// assign a port that it has chosen itself (":0") again, also to an outgoing
// connection, before the program listens on it. The ports of this package are below
// the range from which systems choose.
package freeport

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"strconv"
	"testing"
)

// Linux chooses ports from 32768 up, others from 49152 (RFC 6335 section 6).
const first, beyond = 10_000, 32_000

// Find returns a port of 127.0.0.1 on which no program listens.
func Find() (int, error) {
	err := errors.New("no attempt")
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
