package pgtest

// The programs and files of the server, and a shell that removes them if the test process crashes.

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/internal/wait"
)

// debianPrograms matches the folders of Debian's server programs, one for each major version. They are not in PATH.
const debianPrograms = "/usr/lib/postgresql/*/bin"

var errNotInstalled = errors.New("pgtest: PostgreSQL is not installed (no initdb in PATH or in " + debianPrograms +
	"): run tools/setup as root, or apt-get install postgresql")

// programs is the folder of initdb and pg_ctl, and the user that runs them: PostgreSQL refuses to run as root.
type programs struct {
	folder string
	owner  *syscall.Credential // nil for the user of the test process
}

func findPrograms() (programs, error) {
	folder, err := programFolder(debianPrograms)
	if err != nil || os.Getuid() != 0 {
		return programs{folder: folder}, err
	}
	owner, err := unprivileged()
	return programs{folder: folder, owner: owner}, err
}

// programFolder returns the newest version's folder that matches pattern, or else a folder in PATH.
func programFolder(pattern string) (string, error) {
	found, _ := filepath.Glob(filepath.Join(pattern, "initdb"))
	if len(found) > 0 {
		newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
		return filepath.Dir(newest), nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", errNotInstalled
	}
	return filepath.Dir(initdb), nil
}

// version returns the major version in a path, which is 15 for /usr/lib/postgresql/15/bin/initdb.
func version(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return n
}

// unprivileged returns the user that runs PostgreSQL if the test process belongs to root.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("pgtest: root cannot run PostgreSQL, and there is neither a user postgres nor a user nobody")
}

// parent returns the folder for a cluster's files: in memory, if no test needs a disk. A database has 300 files, and
// creating and dropping one in memory takes a fifth of the processor time.
func parent(options Options) string {
	if options.Durable {
		return ""
	}
	return tempdir.Parent()
}

// Folder creates a folder for the files and sockets of a server that a test starts itself, and returns the user that
// runs it, who owns the folder: nil for the user of the test process. The folder is removed when tb ends.
func Folder(tb testing.TB) (folder string, owner *syscall.Credential) {
	tb.Helper()
	programs, err := findPrograms()
	if err != nil {
		tb.Fatal(err)
	}
	if folder, err = programs.tempFolder(""); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder, programs.owner
}

// tempFolder creates a folder that belongs to the server's user, in parent or, if that user cannot enter it, in /tmp:
// root's temporary folder may be private. Its path is short enough for a Unix socket.
func (p programs) tempFolder(parent string) (string, error) {
	parent = tempdir.SocketParent(parent)
	if !p.mayEnter(cmp.Or(parent, os.TempDir())) {
		parent = "/tmp"
	}
	folder, err := os.MkdirTemp(parent, "jotgate-pg")
	if err != nil {
		return "", fmt.Errorf("pgtest: %w", err)
	}
	return folder, p.give(folder)
}

// write creates a file that belongs to the server's user, who alone can read it.
func (p programs) write(file, text string) error {
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	return p.give(file)
}

// give makes the server's user the owner.
func (p programs) give(path string) error {
	if p.owner == nil {
		return nil
	}
	return os.Chown(path, int(p.owner.Uid), int(p.owner.Gid))
}

// mayEnter reports whether the server's user reaches what is in the folder.
func (p programs) mayEnter(folder string) bool {
	if p.owner == nil {
		return true
	}
	info, err := os.Stat(folder)
	if err != nil || info.Mode()&1 == 0 {
		return false
	}
	parent := filepath.Dir(folder)
	return parent == folder || p.mayEnter(parent)
}

// command returns a command that runs one of PostgreSQL's programs as the server's user. It runs in a new session, so
// that Ctrl-C in the terminal reaches the test only; the end of the test then stops the server.
func (p programs) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: p.owner}
	cmd.Env = []string{"PATH=" + p.folder + ":/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	return cmd
}

// A guard is a shell that waits until its standard input ends, then stops the server and removes its folder. The
// input ends with this process, so that it works even if the test times out, panics or is killed.
type guard struct {
	cmd   *exec.Cmd
	input io.Closer // referenced, so that it is not garbage collected and closed
}

const guardScript = `cat
if read -r pid < data/postmaster.pid && kill -QUIT "$pid"; then
	while kill -0 "$pid"; do sleep 0.05; done
fi 2>/dev/null
cd / && rm -rf "$1"`

func (p programs) startGuard(folder string) (*guard, error) {
	cmd := p.command("/bin/sh", "-c", guardScript, "sh", folder)
	cmd.Dir = folder
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	return &guard{cmd, input}, nil
}

// release makes the guard do its work and waits for it.
func (g *guard) release() error {
	return errors.Join(g.input.Close(), g.cmd.Wait())
}

// initialise creates the cluster: if the packages of this run share a folder, as a copy of the one there, which takes
// a tenth of the processor time of initdb. Copies have the same system identifier and password.
func (c *Cluster) initialise(options Options) (err error) {
	if shared := tempdir.Shared(); shared == "" || !c.programs.mayEnter(shared) {
		err = c.programs.initdb(c.folder)
	} else {
		err = c.copyFrom(filepath.Join(shared, "postgresql"))
	}
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	password, err := os.ReadFile(filepath.Join(c.folder, "password"))
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	c.password = string(password)
	return c.configure(options)
}

// initdb creates a cluster in the subfolder data of a folder, and the file password. The cluster requires it over TCP,
// but not for the socket, whose folder is private.
func (p programs) initdb(folder string) error {
	file := filepath.Join(folder, "password")
	if err := p.write(file, rand.Text()); err != nil {
		return err
	}
	return p.run(filepath.Join(p.folder, "initdb"), "--no-sync", "--no-locale", "--encoding=UTF8",
		"--auth-local=trust", "--auth-host=scram-sha-256", "--username="+superuser, "--pwfile="+file, filepath.Join(folder, "data"))
}

// copyFrom copies the cluster in the folder original, which the first of all processes creates.
func (c *Cluster) copyFrom(original string) error {
	if err := c.programs.create(original); err != nil {
		return err
	}
	return c.programs.run("cp", "-R", filepath.Join(original, "data"), filepath.Join(original, "password"), c.folder)
}

// create calls initdb for a folder that does not exist.
func (p programs) create(folder string) error {
	unlock, err := tempdir.Lock(folder + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	complete, err := p.tempFolder(filepath.Dir(folder))
	if err != nil {
		return err
	}
	if err := p.initdb(complete); err != nil {
		return err
	}
	return os.Rename(complete, folder)
}

// run runs a program as the server's user.
func (p programs) run(name string, args ...string) error {
	if out, err := p.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, out)
	}
	return nil
}

func (c *Cluster) configure(options Options) error {
	file, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	fmt.Fprintf(file, "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '%s'\n", c.folder)
	fmt.Fprint(file, "max_connections = 200\nshared_buffers = 32MB\ntimezone = 'UTC'\n")
	if !options.Durable {
		fmt.Fprint(file, "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_size = 128MB\n")
	}
	return file.Close()
}

// findPortAndRun tries again if another program has taken the port.
func (c *Cluster) findPortAndRun() error {
	var err error
	for range 5 {
		if c.port, err = freeport.Find(); err != nil {
			return fmt.Errorf("pgtest: %w", err)
		}
		if err = c.run(); err == nil {
			return nil
		}
	}
	return err
}

// run starts the server and waits until it accepts connections.
func (c *Cluster) run() error {
	err := c.control("start", "-l", c.log(), "-o", "-p "+strconv.Itoa(c.port))
	c.running.Store(err == nil)
	return err
}

// control runs pg_ctl, which waits at most wait.Limit. The server logs to a file, because it would inherit a pipe and keep it
// open while it runs.
func (c *Cluster) control(action string, args ...string) error {
	args = append([]string{action, "-D", c.data(), "-s", "-w", "-t", strconv.Itoa(int(wait.Limit.Seconds()))}, args...)
	cmd := c.programs.command(filepath.Join(c.programs.folder, "pg_ctl"), args...)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("pgtest: pg_ctl %s: %w\n%s", action, err, tail(c.log(), 20))
	}
	return nil
}

func (c *Cluster) log() string { return filepath.Join(c.folder, "log") }

// tail returns the last lines of a file, for an error message.
func tail(path string, lines int) string {
	data, _ := os.ReadFile(path)
	all := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
