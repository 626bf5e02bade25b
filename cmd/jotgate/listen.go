package main

// Where serve listens: an address, a Unix socket (--addr unix:PATH), or the
// socket that systemd passes (LISTEN_FDS, sd_listen_fds(3)).

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// firstPassed is the file descriptor of the first socket that systemd passes.
const firstPassed = 3

// listen opens the address before anything is created in the folder.
func (c *serverFlags) listen(a *app) (net.Listener, error) {
	if passed, err := passedSocket(a.env); passed != nil || err != nil {
		return passed, err
	}
	addr, err := c.address()
	if err != nil {
		return nil, err
	}
	if path, ok := socketPath(addr); ok {
		mode, err := c.socketMode()
		if err != nil {
			return nil, err
		}
		return listenUnix(a.ctx, path, mode)
	}
	var config net.ListenConfig
	config.SetMultipathTCP(false) // an MPTCP socket accepts no filter (drain_linux.go)
	listener, err := config.Listen(a.ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program: choose another address with --addr", c.Addr)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w", c.Addr, err)
	}
	return newDrainListener(listener), nil
}

// socketPath returns the path of an address such as unix:/run/jotgate.sock. A path
// that begins with @ is in Linux's abstract namespace.
func socketPath(addr string) (path string, ok bool) { return strings.CutPrefix(addr, "unix:") }

// socketMode returns --socket-mode.
func (c *serverFlags) socketMode() (fs.FileMode, error) {
	mode, err := strconv.ParseUint(c.SocketMode, 8, 32)
	if err != nil || mode > 0o777 || mode&0o600 != 0o600 {
		return 0, usage("--socket-mode: %q is not an octal mode such as 0660", c.SocketMode)
	}
	return fs.FileMode(mode), nil
}

// longestSocket is the longest path of a Unix socket on every system. The one in
// makeSocket may be four bytes longer, which Linux allows.
const longestSocket = 103

// checkSocket returns an error if the path cannot be that of a socket.
func checkSocket(path string) error {
	switch {
	case path == "" || path == "@" || strings.HasPrefix(path, "//"):
		return usage("--addr: unix: is followed by the path of the socket, such as unix:/run/jotgate/jotgate.sock")
	case len(path) > longestSocket:
		return usage("--addr: the path of a socket has at most %d bytes, this one has %d", longestSocket, len(path))
	}
	return nil
}

// unixSocket is the listener of a socket that this process made. Its Close removes
// the file, unless another process has put its own there.
type unixSocket struct {
	*net.UnixListener
	path string
	made fs.FileInfo // nil in the abstract namespace
}

// listenUnix makes a socket with this mode and listens on it. It replaces a socket
// that no process listens on any more, and nothing else.
func listenUnix(ctx context.Context, path string, mode fs.FileMode) (net.Listener, error) {
	if strings.HasPrefix(path, "@") {
		listener, err := new(net.ListenConfig).Listen(ctx, "unix", path)
		if err != nil {
			return nil, fmt.Errorf("cannot listen on unix:%s: %w", path, err)
		}
		return newDrainListener(&unixSocket{UnixListener: listener.(*net.UnixListener)}), nil
	}
	unlock, err := lockFolder(filepath.Dir(path)) // or a second start could remove the first one's socket
	if err != nil {
		return nil, fmt.Errorf("cannot listen on unix:%s: %w", path, err)
	}
	defer unlock()
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	listener, err := makeSocket(ctx, path, mode)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on unix:%s: %w", path, err)
	}
	return listener, nil
}

// makeSocket binds a socket in a new folder that only this user can enter, sets its
// mode and then moves it to the path, so that it never has another mode there. The
// caller holds the folder's lock.
func makeSocket(ctx context.Context, path string, mode fs.FileMode) (net.Listener, error) {
	folder := filepath.Join(filepath.Dir(path), ".j") // short, as the path of a socket must be
	_ = os.RemoveAll(folder)                          // of a start that crashed
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	made := filepath.Join(folder, "s")
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", made)
	if err != nil {
		return nil, err
	}
	socket := &unixSocket{UnixListener: listener.(*net.UnixListener), path: path}
	socket.SetUnlinkOnClose(false)
	err = os.Chmod(made, mode)
	if err == nil {
		socket.made, err = os.Lstat(made)
	}
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return newDrainListener(socket), nil
}

// removeStale removes a socket on which no process listens.
func removeStale(ctx context.Context, path string) error {
	found, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("cannot listen on unix:%s: %w", path, err)
	case found.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("cannot listen on unix:%s: there is a file that is not a socket", path)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("unix:%s is in use by another program: choose another address with --addr", path)
	}
	return os.Remove(path)
}

// Close closes the listener after removing the file.
func (s *unixSocket) Close() error {
	s.unlink()
	return s.UnixListener.Close()
}

func (s *unixSocket) unlink() {
	if s.made == nil {
		return
	}
	if found, err := os.Lstat(s.path); err == nil && os.SameFile(found, s.made) {
		_ = os.Remove(s.path)
	}
}

// Addr returns the path of the socket.
func (s *unixSocket) Addr() net.Addr {
	if s.path == "" {
		return s.UnixListener.Addr()
	}
	return &net.UnixAddr{Net: "unix", Name: s.path}
}

// passedSocket returns the socket that systemd passes to this process, or nil. Its
// queue stays with systemd when it is closed here, so no client is lost.
func passedSocket(env map[string]string) (net.Listener, error) {
	if pid, err := strconv.Atoi(env["LISTEN_PID"]); err != nil || pid != os.Getpid() {
		return nil, nil
	}
	n, err := strconv.Atoi(env["LISTEN_FDS"])
	if err != nil || n < 1 {
		return nil, nil
	}
	if n > 1 {
		return nil, fmt.Errorf("systemd passes %d sockets, and jotgate takes one: give the .socket unit one ListenStream", n)
	}
	file := os.NewFile(firstPassed, "LISTEN_FDS")
	defer file.Close() // FileListener has its own copy
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("the socket that systemd passes cannot be used, it must be a ListenStream: %w", err)
	}
	return listener, nil
}

// baseOf returns the URL of the endpoints as a client on this machine writes it. On
// a Unix socket the name is not looked up.
func (f *serveFlags) baseOf(listener net.Listener) string {
	scheme := "http://"
	if f.TLSCert != "" || len(f.TLSACME) > 0 {
		scheme = "https://"
	}
	base := scheme + "localhost"
	if _, socket := listener.Addr().(*net.UnixAddr); !socket {
		host, port, _ := net.SplitHostPort(listener.Addr().String())
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		if len(f.TLSACME) > 0 {
			host = f.TLSACME[0] // the name in the certificate
		}
		base = scheme + strings.TrimSuffix(net.JoinHostPort(host, port), ":"+portOf[scheme])
	}
	return base + strings.TrimRight(f.Prefix, "/")
}

// portOf has the ports that URLs leave out.
var portOf = map[string]string{"http://": "80", "https://": "443"}

// placeOf returns where the listener is, for the operator.
func (f *serveFlags) placeOf(listener net.Listener) string {
	if address, socket := listener.Addr().(*net.UnixAddr); socket {
		return "unix:" + address.Name
	}
	return f.baseOf(listener)
}

// notify informs systemd about the state of the service (sd_notify(3)), if the unit
// has Type=notify.
func (a *app) notify(state string) {
	if a.env["NOTIFY_SOCKET"] == "" {
		return
	}
	conn, err := net.Dial("unixgram", a.env["NOTIFY_SOCKET"])
	if err != nil {
		a.warn("jotgate: systemd cannot be notified: %v", err)
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state))
}
