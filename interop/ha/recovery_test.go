package ha

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/serve"
)

// recovery is a PostgreSQL whose commands are those of docs/operations.md.
type recovery struct {
	*testing.T
	folder string
	owner  *syscall.Credential // nil for the user of the test
	port   int
}

func newRecovery(t *testing.T) *recovery {
	t.Helper()
	folder, owner := pgtest.Folder(t)
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	r := &recovery{T: t, folder: folder, owner: owner, port: port}
	t.Cleanup(func() { r.shell("pg_ctl stop -w -m immediate") })
	r.shell(fmt.Sprintf(`initdb -A trust -U postgres > initdb.log
cat >> "$PGDATA/postgresql.conf" <<EOF
port = %d
listen_addresses = '127.0.0.1'
unix_socket_directories = '%s'
EOF
pg_ctl start -w -l log`, r.port, folder))
	return r
}

// shell runs commands in the folder and returns what they print.
func (r *recovery) shell(script string) string {
	r.Helper()
	cmd := exec.Command("bash", "-euc", script)
	programs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	cmd.Env = append(os.Environ(), "PATH="+strings.Join(append(programs, os.Getenv("PATH")), ":"),
		"PGDATA="+r.folder+"/data", "PGHOST=127.0.0.1", "PGUSER=postgres", "PGPORT="+strconv.Itoa(r.port), "PGCTLTIMEOUT=600")
	cmd.Dir, cmd.SysProcAttr = r.folder, &syscall.SysProcAttr{Credential: r.owner}
	printed, err := os.CreateTemp("", "printed") // a pipe would stay open in the server
	if err != nil {
		r.Fatal(err)
	}
	defer os.Remove(printed.Name())
	cmd.Stdout, cmd.Stderr = printed, printed
	err = cmd.Run()
	out, _ := os.ReadFile(printed.Name())
	if err != nil {
		r.Fatalf("%s\n%v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// block returns a block of commands of docs/operations.md, with folders of the test.
func (r *recovery) block(number int) string {
	r.Helper()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		r.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "### PostgreSQL: recovery to a point in time")
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) != 2 {
		r.Fatalf("docs/operations.md has %d blocks of commands, want 2", len(blocks))
	}
	return strings.NewReplacer("/var/backups/jotgate", r.folder+"/backups", "pg_ctl start", "pg_ctl -l log start",
		"pg_ctl restart", "pg_ctl -l log restart").Replace(blocks[number][1])
}

// The commands of docs/operations.md bring a PostgreSQL back to a moment. What happened since is undone, and no session
// that was ended since lives.
func TestRecoveryToAPointInTime(t *testing.T) {
	const password = "correct horse battery"
	r := newRecovery(t)
	r.shell(r.block(0))
	r.shell("createdb jotgate")
	database := (&url.URL{Scheme: "postgres", User: url.User("postgres"), Host: "127.0.0.1:" + strconv.Itoa(r.port), Path: "/jotgate", RawQuery: "sslmode=disable"}).String()
	settings := serve.Options{Database: database, SecretKey: strings.Repeat("a secret of the test ", 4)}
	jotgate := func(args ...string) {
		t.Helper()
		cmd := serve.Command(t, t.TempDir(), []string{"JOTGATE_DATABASE=" + database, "JOTGATE_SECRET_KEY=" + settings.SecretKey, "JOTGATE_USER_PASSWORD=" + password}, args...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	server := serve.Start(t, settings)
	login := func(url, name string) client.Answer {
		return client.Post(t, url+"/api/token/", "username", name, "password", password)
	}
	jotgate("user", "create", "alice")
	stays, ended := login(server.URL, "alice"), login(server.URL, "alice")
	when := r.shell("psql -d postgres -Atc 'SELECT clock_timestamp()'")

	jotgate("user", "create", "mallory")
	if got := client.Post(t, server.URL+"/api/token/blacklist/", "refresh", ended.Text("refresh")); got.Status != 200 {
		t.Fatalf("logout: %+v", got)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	r.shell("export WHEN='" + when + "'\n" + r.block(1))
	jotgate("session", "end-all", "--yes")

	server = serve.Start(t, settings)
	if got := login(server.URL, "mallory"); got.Status != 401 {
		t.Errorf("an account that was created later: %+v", got)
	}
	for name, tokens := range map[string]client.Answer{"live": stays, "ended": ended} {
		if got := client.Post(t, server.URL+"/api/token/refresh/", "refresh", tokens.Text("refresh")); got.Status != 401 {
			t.Errorf("the session that was %s at the moment: %+v", name, got)
		}
		if got := client.Get(t, server.URL+"/auth/users/me/", "Bearer "+tokens.Text("access")); got.Status != 401 {
			t.Errorf("the access token of a session that was %s: %+v", name, got)
		}
	}
	if got := login(server.URL, "alice"); got.Status != 200 {
		t.Errorf("login after the recovery: %+v", got)
	}
}
