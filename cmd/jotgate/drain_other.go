//go:build !linux

package main

// Elsewhere a listener is closed as it is.

import "net"

func leaveNobody(l net.Listener) net.Listener { return l }
