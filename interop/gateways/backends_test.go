package gateways

// Real servers behind the gateways that turn headers into variables: PHP's own
// server, lighttpd with a CGI script, and lighttpd with PHP over FastCGI. What they
// make of a forged header decides whether a gateway is safe.

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/peer"
)

// A backend starts a server that responds to every request with its variables,
// NAME=VALUE in each line, and returns its address.
type backend struct {
	name  string
	start func(t testing.TB) string
}

var backends = []backend{
	{"php", startPHP},
	{"lighttpd CGI", func(t testing.TB) string {
		return startLighttpd(t, "env.sh", `cgi.assign = ( ".sh" => "/bin/sh" )`, "mod_cgi")
	}},
	{"lighttpd FastCGI PHP", func(t testing.TB) string {
		host, port, err := net.SplitHostPort(freeport.Address(t)) // the path of a socket has at most 107 bytes
		if err != nil {
			t.Fatal(err)
		}
		return startLighttpd(t, "env.php", fmt.Sprintf(`fastcgi.server = ( ".php" => (( "bin-path" => "/usr/bin/php-cgi",
			"host" => %q, "port" => %s, "max-procs" => 1, "bin-environment" => ( "PHP_FCGI_CHILDREN" => "1" ) )) )`, host, port), "mod_fastcgi")
	}},
}

func startPHP(t testing.TB) string {
	address := freeport.Address(t)
	script, err := filepath.Abs("testdata/env.php")
	if err != nil {
		t.Fatal(err)
	}
	process := peer.Serve(t, exec.Command("/usr/bin/php", "-S", address, script))
	waitFor(t, address, process)
	return address
}

func startLighttpd(t testing.TB, script, handler, module string) string {
	address, folder := freeport.Address(t), t.TempDir()
	text, err := os.ReadFile(filepath.Join("testdata", script))
	if err != nil {
		t.Fatal(err)
	}
	host, number, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`server.bind = %q
server.port = %s
server.document-root = var.CWD
server.modules = ( "mod_rewrite", %q )
url.rewrite-once = ( "" => "/%s" )
%s
`, host, number, module, script, handler)
	for name, content := range map[string]string{script: string(text), "lighttpd.conf": config} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("/usr/sbin/lighttpd", "-D", "-f", "lighttpd.conf")
	command.Dir = folder
	process := peer.Serve(t, command)
	waitFor(t, address, process)
	return address
}

// waitFor waits until a server accepts connections.
func waitFor(t testing.TB, address string, process *peer.Server) {
	t.Helper()
	for late := wait.Deadline(); time.Now().Before(late); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return
		}
		if process.Ended() {
			t.Fatalf("the server ended:\n%s", process.Output())
		}
	}
	t.Fatalf("the server does not listen:\n%s", process.Output())
}

// variables are those that a backend has printed.
func variables(text string) map[string]string {
	all := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if name, value, ok := strings.Cut(line, "="); ok {
			all[name] = value
		}
	}
	return all
}

// forgeries are header lines for each punctuation character of a header name: in
// place of each "-" and of all, before, and after the name.
func forgeries() (lines []string) {
	for _, name := range []string{
		"X-Auth-User", "X-Auth-Id", "X-Auth-Role", "X-Auth-Email", "X-Auth-Groups", "X-Auth-Session", "X-Auth-Actor",
		"X-Forwarded-For", "X-Real-IP", "Remote-User", "X-Original-URL",
	} {
		for _, c := range strings.Split("!#$%&'*+-.^_`|~", "") {
			spellings := []string{name, c + name, name + c, strings.ReplaceAll(name, "-", c)}
			for i := range name {
				if name[i] == '-' {
					spellings = append(spellings, name[:i]+c+name[i+1:])
				}
			}
			for _, s := range spellings {
				lines = append(lines, s+": forged")
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// stated are the variables that a gateway alone may set.
var stated = []string{
	"HTTP_X_AUTH_USER", "HTTP_X_AUTH_ID", "HTTP_X_AUTH_ROLE", "HTTP_X_AUTH_EMAIL", "HTTP_X_AUTH_GROUPS", "HTTP_X_AUTH_SESSION",
	"HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_REMOTE_USER", "REMOTE_USER", "HTTP_X_ORIGINAL_URL",
}

// Without a gateway each of the backends reads a forged header in these spellings.
// Otherwise the next test would show nothing.
func TestBackendsReadForgedHeaders(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			address := b.start(t)
			for _, name := range []string{"X-Auth-User", "X_Auth_User", "X.Auth.User"} {
				status, _, text := send(t, address, "GET /x HTTP/1.1\n"+name+": forged", "")
				if got := variables(text)["HTTP_X_AUTH_USER"]; status != 200 || got != "forged" {
					t.Errorf("%s: %d, the backend reads %q", name, status, got)
				}
			}
		})
	}
}

// Behind every gateway, on protected and on open paths, no backend reads anything
// that a client forged.
func TestForgedHeadersBeforeRealBackends(t *testing.T) {
	for _, g := range gateways {
		for _, b := range backends {
			t.Run(g.name+" before "+b.name, func(t *testing.T) {
				f := g.before(t, b.start(t))
				bearer := "\nAuthorization: Bearer " + token(t, nil)
				reached := 0
				for lines := range slices.Chunk(forgeries(), 50) {
					forged := "\n" + strings.Join(lines, "\n")
					for name, head := range map[string]string{
						"protected": "GET /api/x HTTP/1.1" + bearer + forged,
						"open":      "GET /health HTTP/1.1" + forged,
					} {
						status, _, text := send(t, f.address, head, "")
						if status == 400 {
							continue // refused
						}
						if status != 200 {
							t.Fatalf("%s: %d %s", name, status, text)
						}
						reached++
						checkVariables(t, name, variables(text))
					}
				}
				if reached == 0 {
					t.Error("no request reached the backend")
				}
			})
		}
	}
}

// checkVariables compares what a backend reads with alice, or with nobody on an
// open path.
func checkVariables(t *testing.T, path string, got map[string]string) {
	t.Helper()
	for _, name := range stated {
		if strings.Contains(got[name], "forged") {
			t.Errorf("%s: the backend reads %s=%s", path, name, got[name])
		}
	}
	for name, value := range alice {
		want := value
		if path == "open" {
			want = ""
		}
		if got["HTTP_X_AUTH_"+strings.ToUpper(name)] != want {
			t.Errorf("%s: the backend reads %s as %q, want %q", path, name, got["HTTP_X_AUTH_"+strings.ToUpper(name)], want)
		}
	}
}
