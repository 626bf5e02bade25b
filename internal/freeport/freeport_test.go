package freeport

import (
	"net"
	"testing"
)

func TestAddress(t *testing.T) {
	for range 50 {
		listener, err := net.Listen("tcp", Address(t))
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		if port := listener.Addr().(*net.TCPAddr).Port; port < first || port >= beyond {
			t.Errorf("%d is in the range from which the system chooses", port)
		}
	}
}
