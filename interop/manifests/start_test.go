package manifests

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/wait"
)

var folder string // of the binary

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "jotgate-manifests"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// binary builds jotgate once.
var binary = sync.OnceValues(func() (string, error) { return program.Build(folder) })

// container is how a file starts jotgate.
type container struct {
	args []string
	env  map[string]string
}

// start runs jotgate as the file says, with the container's ports, files and database replaced by those of this machine,
// and returns the address of each port. It ends with SIGTERM, with status 0.
func (c *container) start(t *testing.T) (at map[string]string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	at = map[string]string{}
	args := make([]string, len(c.args))
	for i, arg := range c.args {
		if port, found := strings.CutPrefix(arg, ":"); found {
			at[port] = freeport.Address(t)
			arg = at[port]
		}
		args[i] = arg
	}
	database, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	env := []string{"HOME=" + work, "PATH=" + os.Getenv("PATH")}
	for name, value := range c.env {
		switch name {
		case "PGPASSFILE":
			password, _ := database.User.Password()
			value = write(t, work, name, fmt.Sprintf("%s:%s:*:%s:%s\n", database.Hostname(), database.Port(), database.User.Username(), password))
		case "JOTGATE_SECRET_KEY_FILE":
			value = write(t, work, name, "a secret of a test, which is long enough, 0123456789\n")
		case "JOTGATE_DATABASE":
			if address, err := url.Parse(value); err != nil || address.Scheme != "postgres" {
				t.Fatalf("%s is %q", name, value)
			}
			if value = database.String(); c.env["PGPASSFILE"] != "" {
				without := *database
				without.User = url.User(database.User.Username())
				value = without.String()
			}
		}
		env = append(env, name+"="+value)
	}
	var log bytes.Buffer
	process := exec.Command(path, args...)
	process.Dir, process.Env, process.Stdout, process.Stderr = work, env, &log, &log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		if err := wait.For(t, "jotgate ends", ended); err != nil {
			t.Errorf("jotgate %v: %v\n%s", args, err, log.String())
		}
	})
	wait.Until(t, "jotgate listens, or ends", func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("jotgate %v ended: %v", args, err)
		default:
		}
		for _, address := range at {
			connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
			if err != nil {
				return false
			}
			_ = connection.Close()
		}
		return true
	})
	return at
}

func write(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// probe waits until the path responds with 200, whatever the Host header is.
func probe(t *testing.T, address, path string) {
	t.Helper()
	wait.Until(t, path+" responds with 200", func() bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "10.244.0.7:8000"
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// known fails the test for variables that the binary does not read: its help lists its own, and pgx reads PGPASSFILE.
func known(t *testing.T, env map[string]string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	help, err := exec.Command(path, "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range env {
		if name != "PGPASSFILE" && !bytes.Contains(help, []byte("$"+name+"]")) && !bytes.Contains(help, []byte("$"+name+",")) {
			t.Errorf("serve does not read %s", name)
		}
	}
}
