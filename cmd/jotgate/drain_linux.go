package main

// Linux resets the connections that wait in a listener's queue when it is
// closed. So first the queue gets no more: a filter on the socket drops what
// arrives for it, and a client that tries meanwhile tries again by itself, a
// second later, and is refused as by any port that nobody listens on.

import (
	"net"
	"syscall"
)

// takeNoMore reports whether no new connection can get into the queue.
func takeNoMore(listener net.Listener) bool {
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	dropped := false
	err = raw.Control(func(fd uintptr) {
		// BPF: return 0, that is to keep no byte of any packet.
		dropped = syscall.AttachLsf(int(fd), []syscall.SockFilter{*syscall.LsfStmt(syscall.BPF_RET|syscall.BPF_K, 0)}) == nil
	})
	return dropped && err == nil
}
