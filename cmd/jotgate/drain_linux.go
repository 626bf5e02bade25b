package main

// When a listener is closed, Linux resets the connections that wait in its
// queue. So new connections are kept out of the queue first, then it is
// emptied, then the listener is closed; the connections taken from it are
// served.

import (
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// drainListener is a listener whose Close keeps the connections in its queue.
type drainListener struct {
	net.Listener
	raw     syscall.RawConn
	bar     func(fd int)  // keeps new connections out of the queue
	closing sync.Mutex    // held while Close empties the queue
	waited  chan net.Conn // accepted by Close
}

// backlog is how many connections Close accepts. It is the kernel's
// default maximum for the queue.
const backlog = 4096

// newDrainListener makes a drainListener of the listener of a socket that this
// process made. A socket that other processes have, too, must not be changed.
func newDrainListener(l net.Listener) net.Listener {
	p := &drainListener{Listener: l, waited: make(chan net.Conn, backlog)}
	var err error
	switch l := l.(type) {
	case *net.TCPListener:
		p.raw, err = l.SyscallConn()
		// If filters are not supported (MPTCP), a client may still connect
		// between emptying the queue and closing the listener.
		p.bar = func(fd int) { _ = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, dropSYN()) }
	case *unixSocket:
		p.raw, err = l.SyscallConn()
		p.bar = func(int) { l.unlink() }
	default:
		return l
	}
	if err != nil {
		return l
	}
	return p
}

// Accept returns the connections that Close took from the queue before it
// returns an error.
func (p *drainListener) Accept() (net.Conn, error) {
	conn, err := p.Listener.Accept()
	if err == nil {
		return conn, nil
	}
	p.closing.Lock()
	defer p.closing.Unlock()
	select {
	case conn := <-p.waited:
		return conn, nil
	default:
		return nil, err
	}
}

// Close takes the connections in the queue and refuses later ones.
func (p *drainListener) Close() error {
	p.closing.Lock()
	defer p.closing.Unlock()
	_ = p.raw.Control(func(fd uintptr) {
		p.bar(int(fd))
		taken := takeWaiting(int(fd), nil)
		time.Sleep(handshake)
		taken = takeWaiting(int(fd), taken)
		_ = syscall.Shutdown(int(fd), syscall.SHUT_RD) // later connections are refused
		for _, fd := range taken {
			p.admit(fd)
		}
	})
	return p.Listener.Close()
}

// dropSYN returns a filter that drops the first packet of a connection (SYN
// without ACK, RFC 9293 section 3.1), so that handshakes that have begun can
// finish. A dropped client retries after a second and is refused then. That
// is better than a reset, after which a client cannot know whether its
// request was processed.
func dropSYN() *unix.SockFprog {
	const flags, syn, ack = 13, 0x02, 0x10 // offsets from the start of the TCP header
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: syn | ack},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: syn, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16},
	}
	return &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
}

// handshake is how long to wait for handshakes that have begun.
const handshake = 10 * time.Millisecond

// takeWaiting moves the queue into taken. The socket is Go's and therefore
// does not block.
func takeWaiting(listener int, taken []int) []int {
	for len(taken) < backlog {
		fd, _, err := syscall.Accept4(listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		if err == syscall.EINTR || err == syscall.ECONNABORTED {
			continue
		}
		if err != nil {
			return taken
		}
		taken = append(taken, fd)
	}
	return taken
}

// admit turns a socket into a connection.
func (p *drainListener) admit(fd int) {
	file := os.NewFile(uintptr(fd), "connection")
	defer file.Close()
	conn, err := net.FileConn(file) // a copy
	if err != nil {
		return
	}
	select {
	case p.waited <- conn:
	default: // Close was called twice; there is room for one queue only
		_ = conn.Close()
	}
}
