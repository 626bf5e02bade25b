package pgtest

// PgBouncer between the tests and the server.

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/wait"
)

var errNoBouncer = errors.New("pgtest: PgBouncer is not installed: run tools/setup as root, or apt-get install pgbouncer")

// A Bouncer is a PgBouncer in front of the server of one address, with the configuration of the Debian package except
// for its mode, and its limits, which are longer.
type Bouncer struct {
	folder string
	port   int
	server *url.URL
	shell  *exec.Cmd
	input  io.Closer     // PgBouncer ends when it is closed, which also happens when the test process ends
	ended  chan struct{} // closed when PgBouncer has ended
}

// Bounce starts PgBouncer in front of the server at dsn, in a pool mode such as "transaction", with at most size
// connections to each database and more lines of configuration. It ends when tb ends.
func Bounce(tb testing.TB, dsn, mode string, size int, more ...string) *Bouncer {
	tb.Helper()
	server, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	programs, err := findPrograms()
	if err != nil {
		tb.Fatal(err)
	}
	b := &Bouncer{server: server}
	tb.Cleanup(func() { b.stop(tb) })
	for try := 1; ; try++ {
		if err = b.start(tb, programs, mode, size, more); err == nil {
			return b
		}
		if b.remove(tb); try == 5 || errors.Is(err, errNoBouncer) {
			tb.Fatal(err)
		}
	}
}

// DSN returns the address of a database, given directly, through PgBouncer.
func (b *Bouncer) DSN(direct string) string {
	return At(direct, net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)))
}

// At returns the address of a database with other hosts, each with its port, that are tried in turn.
func At(dsn string, hosts ...string) string {
	front, rest, _ := strings.Cut(dsn, "@")
	_, path, _ := strings.Cut(rest, "/")
	return front + "@" + strings.Join(hosts, ",") + "/" + path
}

const bouncerConfig = `[databases]
* = host=%s port=%s user=%s password=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
admin_users = %[3]s
pool_mode = %[6]s
default_pool_size = %[7]d
server_login_retry = 0.2
server_connect_timeout = 600
client_login_timeout = 600
query_wait_timeout = 600
logfile = %[8]s
max_client_conn = 500
`

func (b *Bouncer) start(tb testing.TB, programs programs, mode string, size int, more []string) (err error) {
	tb.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			return errNoBouncer
		}
	}
	if b.port, err = freeport.Find(); err != nil {
		return err
	}
	folder, err := programs.tempFolder("")
	if err != nil {
		return err
	}
	password, _ := b.server.User.Password()
	file, log := filepath.Join(folder, "pgbouncer.ini"), filepath.Join(folder, "log")
	text := fmt.Sprintf(bouncerConfig, b.server.Hostname(), b.server.Port(), b.server.User.Username(), password, b.port, mode, size, log) + strings.Join(more, "\n") + "\n"
	if err := programs.write(file, text); err != nil {
		return err
	}
	const script = `"$1" "$2" 2>/dev/null & pid=$!; exec >/dev/null; cat; kill -TERM "$pid"; wait "$pid"; rm -rf "$3"`
	shell := programs.command("sh", "-c", script, "sh", program, file, folder)
	input, err := shell.StdinPipe()
	if err != nil {
		return err
	}
	output, err := shell.StdoutPipe() // of PgBouncer alone
	if err != nil {
		return err
	}
	if err := shell.Start(); err != nil {
		return err
	}
	b.folder, b.shell, b.input, b.ended = folder, shell, input, make(chan struct{})
	go func() {
		defer close(b.ended)
		_, _ = io.Copy(io.Discard, output)
	}()
	wait.Until(tb, "PgBouncer listens or has ended", func() bool {
		var conn net.Conn
		if conn, err = net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port))); err == nil {
			_ = conn.Close()
			return true
		}
		select {
		case <-b.ended:
			return true
		default:
			return false
		}
	})
	if err != nil {
		return fmt.Errorf("pgtest: PgBouncer does not listen: %w\n%s", err, tail(log, 20))
	}
	return nil
}

// stop ends PgBouncer, and fails the test if it has ended before.
func (b *Bouncer) stop(tb testing.TB) {
	tb.Helper()
	if b.shell == nil {
		return
	}
	select {
	case <-b.ended:
		tb.Errorf("pgtest: PgBouncer has ended:\n%s", tail(filepath.Join(b.folder, "log"), 20))
	default:
	}
	b.remove(tb)
}

// remove ends PgBouncer and removes its files.
func (b *Bouncer) remove(tb testing.TB) {
	tb.Helper()
	if b.shell == nil {
		return
	}
	_ = b.input.Close()
	<-b.ended
	_ = b.shell.Wait()
	b.shell = nil
	if err := os.RemoveAll(b.folder); err != nil {
		tb.Errorf("pgtest: %v", err)
	}
}
