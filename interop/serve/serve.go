// Package serve runs jotgate itself, as an operator does: the binary, built from this checkout, on a free port.
//
//	func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }
//
//	server := serve.Start(t, serve.Options{Database: site.Database, SecretKey: site.SecretKey})
//	answer := client.Post(t, server.URL+"/api/token/", "username", "alice", "password", "…")
package serve

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/peer"
)

// Options configure a server. The zero value is jotgate serve in an empty folder.
type Options struct {
	Database  string   // sqlite:PATH or postgres://…
	SecretKey string   // Django's SECRET_KEY
	Args      []string // more flags of serve; {URL} stands for the URL of the server
	Env       []string // more environment, NAME=value
	Binary    string   // another binary than this checkout's
	Address   string   // host and port of freeport.Address; "": one of its own
}

// A Server is a running jotgate.
type Server struct {
	*peer.Server
	URL    string // without a slash at the end
	Folder string // its working folder, empty at the start
}

// binaryFolder holds the binary while Main runs the tests.
var binaryFolder string

// Main runs a package's tests and removes the binary afterwards. Call it from TestMain.
func Main(m *testing.M) int {
	folder, err := os.MkdirTemp("", "jotgate-interop")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binaryFolder = folder
	defer func() { _ = os.RemoveAll(folder) }()
	return m.Run()
}

var build = sync.OnceValues(func() (string, error) { return program.Build(binaryFolder) })

// Command returns a command that runs the binary with arguments in a folder. Of the environment variables that jotgate
// reads, it has only those in env, and program.Limits: see program.Environment.
func Command(tb testing.TB, folder string, env []string, args ...string) *exec.Cmd {
	tb.Helper()
	if binaryFolder == "" {
		tb.Fatal("serve: the package's TestMain does not call serve.Main")
	}
	binary, err := build()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = folder
	cmd.Env = program.Environment(env...)
	return cmd
}

// Start runs a server until tb ends, and returns when it is ready. Settings are passed in the environment, so that no
// secret is visible in the list of processes.
func Start(tb testing.TB, options Options) *Server {
	tb.Helper()
	env := slices.Clone(options.Env)
	if options.Database != "" {
		env = append(env, "JOTGATE_DATABASE="+options.Database)
	}
	if options.SecretKey != "" {
		env = append(env, "JOTGATE_SECRET_KEY="+options.SecretKey)
	}
	address, folder := options.Address, tb.TempDir()
	if address == "" {
		address = freeport.Address(tb)
	}
	args := []string{"serve", "--addr", address}
	for _, arg := range options.Args {
		args = append(args, strings.ReplaceAll(arg, "{URL}", "http://"+address))
	}
	s := &Server{URL: "http://" + address, Folder: folder}
	cmd := Command(tb, folder, env, args...)
	if options.Binary != "" {
		cmd.Path = options.Binary
	}
	s.Server = peer.Serve(tb, cmd)
	s.waitUntilReady(tb)
	return s
}

func (s *Server) waitUntilReady(tb testing.TB) {
	tb.Helper()
	wait.Until(tb, "jotgate serve is ready", func() bool {
		if s.Ended() {
			tb.Fatalf("jotgate serve ended before it was ready:\n%s", s.Output())
		}
		response, err := http.Get(s.URL + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}
