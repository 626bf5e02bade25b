package main

// Linux resets the connections that wait in a listener's queue when it is
// closed. So first nobody new gets into the queue, then it is emptied, then
// closed; whom it held is served.

import (
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patient is a listener whose Close leaves nobody standing.
type patient struct {
	*net.TCPListener
	closing sync.Mutex    // held while Close takes who waits
	waited  chan net.Conn // taken by Close
}

// waitingRoom is how many Close takes; the kernel's queue is not longer unless
// somebody made it so.
const waitingRoom = 4096

// leaveNobody makes a listener patient.
func leaveNobody(l net.Listener) net.Listener {
	if tcp, ok := l.(*net.TCPListener); ok {
		return &patient{TCPListener: tcp, waited: make(chan net.Conn, waitingRoom)}
	}
	return l
}

// Accept gives those who waited at the end before it says that it is closed.
func (p *patient) Accept() (net.Conn, error) {
	conn, err := p.TCPListener.Accept()
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

// Close takes those who wait and refuses the next ones.
func (p *patient) Close() error {
	p.closing.Lock()
	defer p.closing.Unlock()
	if raw, err := p.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			// Where there are no filters (MPTCP), a moment stays in which somebody
			// may come between emptying and closing.
			_ = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, nobodyNew())
			taken := takeWaiting(int(fd), nil)
			time.Sleep(handshake)
			taken = takeWaiting(int(fd), taken)
			_ = syscall.Shutdown(int(fd), syscall.SHUT_RD) // from now on refused
			for _, fd := range taken {
				p.admit(fd)
			}
		})
	}
	return p.TCPListener.Close()
}

// nobodyNew is a filter that drops the first packet of a connection (SYN
// without ACK, RFC 9293 section 3.1) and lets handshakes end that have begun.
// Who is dropped asks again after a second and is refused then; that is better
// than a reset, after which a client cannot know whether its request was done.
func nobodyNew() *unix.SockFprog {
	const flags, syn, ack = 13, 0x02, 0x10 // the filter sees the packet from the TCP header on
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: syn | ack},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: syn, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16},
	}
	return &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
}

// handshake is how long one that has begun is waited for.
const handshake = 10 * time.Millisecond

// takeWaiting empties the queue into taken. The socket does not block, being Go's.
func takeWaiting(listener int, taken []int) []int {
	for len(taken) < waitingRoom {
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

// admit makes a connection of a socket.
func (p *patient) admit(fd int) {
	file := os.NewFile(uintptr(fd), "connection")
	defer file.Close()
	conn, err := net.FileConn(file) // a copy
	if err != nil {
		return
	}
	select {
	case p.waited <- conn:
	default: // Close was called twice; the room is for one queue
		_ = conn.Close()
	}
}
