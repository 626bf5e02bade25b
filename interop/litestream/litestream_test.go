// Package litestream runs Litestream beside jotgate on SQLite with the configuration and the commands of
// docs/operations.md.
package litestream

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

const (
	programs = "node_modules/@flydotio/litestream-linux-*/litestream" // npm has it for x64
	secret   = "litestream-secret-key-litestream-secret-key-litestream-0123456789"
	password = "correct horse battery"
)

// machine is a folder with the database, its replica, and the configuration of docs/operations.md.
type machine struct {
	*testing.T
	folder, bin string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{T: t, folder: t.TempDir()}
	m.bin = filepath.Join(m.folder, "bin")
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	config := regexp.MustCompile("(?s)```yaml\n(dbs:.*?)```").FindSubmatch(page)
	if config == nil {
		t.Fatal("docs/operations.md has no configuration of Litestream")
	}
	for _, folder := range []string{"bin", "etc", "var/lib/jotgate", "var/backups"} {
		if err := os.MkdirAll(filepath.Join(m.folder, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(m.path("/etc/litestream.yml"), []byte(m.here(string(config[1]))), 0o600); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(programs)
	if len(found) != 1 {
		t.Fatal("Litestream is not installed (tools/setup installs what the judges need)")
	}
	litestream, err := filepath.Abs(found[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, binary := range map[string]string{"litestream": litestream, "jotgate": serve.Command(t, "", nil).Path} {
		if err := os.Symlink(binary, filepath.Join(m.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func (m *machine) path(name string) string { return filepath.Join(m.folder, name) }

// here moves the absolute paths of a text into the folder of the machine.
func (m *machine) here(text string) string {
	return regexp.MustCompile(`/(etc|var)/`).ReplaceAllString(text, m.folder+"/$1/")
}

// command is the one of docs/operations.md that begins so.
func (m *machine) command(prefix string) *exec.Cmd {
	m.Helper()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		m.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^    (` + regexp.QuoteMeta(prefix) + `.*)$`).FindSubmatch(page)
	if line == nil {
		m.Fatalf("docs/operations.md has no command %s", prefix)
	}
	return m.shell("exec " + m.here(string(line[1])))
}

func (m *machine) shell(script string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Dir = m.folder
	cmd.Env = append(serve.Command(m, "", nil).Env, "PATH="+m.bin+":"+os.Getenv("PATH"), "JOTGATE_SECRET_KEY="+secret)
	return cmd
}

func (m *machine) replicate() *peer.Server {
	m.Helper()
	return peer.Serve(m, m.command("litestream replicate"))
}

func (m *machine) serve(database string) *serve.Server {
	m.Helper()
	return serve.Start(m, serve.Options{Database: "sqlite:" + m.path(database), SecretKey: secret, Args: []string{
		"--hasher=pbkdf2_sha256:1000", "--log-level=error", "--rate=login=1000000/min;register=1000000/min",
	}})
}

// replica is what litestream restore writes now; failure is not empty while there is nothing yet.
func (m *machine) replica() (failure string) {
	_ = os.Remove(m.path("copy.db"))
	if out, err := m.command("litestream restore").CombinedOutput(); err != nil {
		return string(out)
	}
	return ""
}

// query returns what a statement yields in Python's SQLite.
func (m *machine) query(database, statement string) string {
	m.Helper()
	const script = "import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])"
	out, err := exec.Command(peer.Python(), "-c", script, m.path(database), statement).CombinedOutput()
	if err != nil {
		m.Fatalf("%s: %v\n%s", statement, err, out)
	}
	return strings.TrimSpace(string(out))
}

// replicated waits until a restored copy has the account.
func (m *machine) replicated(name string) {
	m.Helper()
	wait.Until(m, "the replica has "+name, func() bool {
		return m.replica() == "" && m.query("copy.db", "SELECT count(*) FROM auth_user WHERE username = '"+name+"'") == "1"
	})
}

func register(t *testing.T, server *serve.Server, name string) {
	t.Helper()
	got := client.Post(t, server.URL+"/auth/users/", "username", name, "email", name+"@example.com", "password", password, "re_password", password)
	if got.Status != 201 {
		t.Fatalf("registering %s: %+v", name, got)
	}
}

func login(t *testing.T, server *serve.Server, name string) client.Answer {
	t.Helper()
	got := client.Post(t, server.URL+"/api/token/", "username", name, "password", password)
	if got.Status != 200 {
		t.Fatalf("logging %s in: %+v", name, got)
	}
	return got
}

func refresh(t *testing.T, server *serve.Server, token string) client.Answer {
	t.Helper()
	return client.Post(t, server.URL+"/api/token/refresh/", "refresh", token)
}

func logout(t *testing.T, server *serve.Server, token string) {
	t.Helper()
	if got := client.Post(t, server.URL+"/api/token/blacklist/", "refresh", token); got.Status != 200 {
		t.Fatalf("logging out: %+v", got)
	}
}

func want(t *testing.T, what string, got client.Answer, status int) {
	t.Helper()
	if got.Status != status {
		t.Errorf("%s: %+v, want %d", what, got, status)
	}
}

func kill(t *testing.T, s *peer.Server) {
	t.Helper()
	s.Signal(syscall.SIGKILL)
	wait.Until(t, "the program has ended", s.Ended)
}

// What was confirmed before the last copy is in it. What was revoked after it stays revoked, both on the same machine and
// on a new one, and the server runs on with Litestream beside it.
func TestLitestream(t *testing.T) {
	for name, lost := range map[string]bool{"restored": false, "new machine": true} {
		t.Run(name, func(t *testing.T) { replicateKillRestore(t, lost) })
	}
}

func replicateKillRestore(t *testing.T, lost bool) {
	const database = "var/lib/jotgate/jotgate.db"
	m := newMachine(t)
	server := m.serve(database)
	register(t, server, "alice")
	register(t, server, "bob")
	litestream := m.replicate()

	var live, gone []string
	for i := range 150 { // about 2,000 pages: checkpoints of SQLite (1,000) and of Litestream are among them
		got := refresh(t, server, login(t, server, "alice").Text("refresh"))
		want(t, "a refresh", got, 200)
		if i%10 == 0 {
			logout(t, server, got.Text("refresh"))
			gone = append(gone, got.Text("refresh"))
		} else {
			live = append(live, got.Text("refresh"))
		}
	}
	late, disabled := login(t, server, "alice"), login(t, server, "bob")
	register(t, server, "last")
	m.replicated("last")

	kill(t, litestream)
	logout(t, server, late.Text("refresh"))
	if out, err := m.shell("jotgate user deactivate bob --database sqlite:" + database).CombinedOutput(); err != nil {
		t.Fatalf("deactivating bob: %v\n%s", err, out)
	}
	kill(t, server.Server)
	if failure := m.replica(); failure != "" {
		t.Fatal(failure)
	}
	if got := m.query("copy.db", "PRAGMA integrity_check"); got != "ok" {
		t.Errorf("integrity_check of the copy: %s", got)
	}
	m.holds(live, gone, late.Text("refresh"))

	if lost {
		if err := os.RemoveAll(m.path("var/lib/jotgate")); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(m.path("var/lib/jotgate"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	out, err := m.command("jotgate restore").CombinedOutput()
	if err != nil {
		t.Fatalf("jotgate restore: %v\n%s", err, out)
	}
	t.Logf("%s", out)
	server, litestream = m.serve(database), m.replicate()
	for _, token := range append(append([]string{late.Text("refresh"), disabled.Text("refresh")}, live...), gone...) {
		want(t, "a refresh token from before the restore", refresh(t, server, token), 401)
	}
	for _, token := range []string{late.Text("access"), disabled.Text("access")} {
		want(t, "an access token from before the restore", client.Get(t, server.URL+"/auth/users/me/", "Bearer "+token), 401)
	}
	if !lost {
		want(t, "a login of the account that was deactivated", client.Post(t, server.URL+"/api/token/", "username", "bob", "password", password), 401)
	}
	want(t, "a refresh after the restore", refresh(t, server, login(t, server, "alice").Text("refresh")), 200)
	register(t, server, "afterwards")
	m.replicated("afterwards")
	if got := m.query(database, "PRAGMA integrity_check"); got != "ok" {
		t.Errorf("integrity_check of the database: %s", got)
	}
}

// holds starts a server on a copy of what litestream restore wrote, which nobody should do: the confirmed writes are
// there, and the session that was ended after the last copy is valid again.
func (m *machine) holds(live, gone []string, late string) {
	m.Helper()
	if out, err := m.shell("cp copy.db raw.db").CombinedOutput(); err != nil {
		m.Fatalf("%v\n%s", err, out)
	}
	server := m.serve("raw.db")
	for _, token := range live {
		want(m.T, "a confirmed refresh", refresh(m.T, server, token), 200)
	}
	for _, token := range gone {
		want(m.T, "a confirmed logout", refresh(m.T, server, token), 401)
	}
	want(m.T, "the session that ended later", refresh(m.T, server, late), 200)
	_ = server.Stop()
}
