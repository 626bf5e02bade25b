package gateways

// The gateways, each started as its example says, on free ports.

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/serve"
)

// secret is jotgate's SECRET_KEY in these tests.
const secret = "gateways-secret-key-gateways-secret-key-gateways-0123456789"

// A front is a gateway at work. Under /api/ it wants a token; /health is open.
type front struct {
	name    string
	address string // where everything but /health needs a token
	staff   string // where staff alone may enter; empty where there is none
	behind  string // address of the API
	api     *api   // the API, if it is the one that remembers what it saw
	jotgate *serve.Server
	options serve.Options // of jotgate, in addition to those of the example
}

// A gateway starts a front before an API.
type gateway struct {
	name  string
	start func(t testing.TB, f *front)
}

var gateways = []gateway{
	{"nginx", startNginx},
	{"caddy", startCaddy},
	{"haproxy", startHAProxy},
	{"jotgate", startJotgate},
	{"apache", startApache},
	{"lighttpd", startLighttpdFront},
}

// start starts everything that one gateway needs. It ends with t.
func (g gateway) run(t testing.TB) *front {
	t.Helper()
	api := newAPI(t)
	f := g.before(t, api.address)
	f.api = api
	return f
}

// before starts the gateway before the API at this address.
func (g gateway) before(t testing.TB, address string) *front {
	t.Helper()
	f := &front{name: g.name, behind: address}
	g.start(t, f)
	return f
}

// serve starts f.jotgate.
func (f *front) serve(t testing.TB, args ...string) {
	t.Helper()
	options := f.options
	options.SecretKey, options.Args = secret, append(args, options.Args...)
	f.jotgate = serve.Start(t, options)
}

// ask starts a jotgate for a gateway that asks it.
func (f *front) ask(t testing.TB) {
	t.Helper()
	f.serve(t, "--trusted-proxies", "127.0.0.1", "--cors-origins", page)
	f.address, f.staff = freeport.Address(t), freeport.Address(t)
}

// unhurried are the limits in the files, and longer ones in their place; and in place
// of limits that a gateway has by itself, longer ones after a line that is there.
var unhurried = []string{
	"= 5000", "= 180000", // jotgate.lua
	" 5s", " 180s", " 60s", " 180s", "    lua-load", "    tune.lua.session-timeout 180000\n    lua-load", // haproxy.cfg
	"ServerName localhost", "ServerName localhost\nTimeout 180\nKeepAliveTimeout 180", // apache.conf
	"server.port = 8080", "server.max-keep-alive-idle = 180\nserver.port = 8080", // lighttpd.conf
}

// files copies configuration files into a new folder, with this test's
// ports in place of those that are written there, and with longer limits.
func (f *front) files(t testing.TB, names ...string) string {
	t.Helper()
	folder := t.TempDir()
	slow := strings.NewReplacer(unhurried...)
	addresses := strings.NewReplacer(
		":8000", port(f.jotgate.URL), ":3000", port(f.behind), ":8080", port(f.address), ":8081", port(f.staff),
		" 8080", " "+strings.TrimPrefix(port(f.address), ":"), " 8000", " "+strings.TrimPrefix(port(f.jotgate.URL), ":"),
	)
	for _, name := range names {
		text := addresses.Replace(slow.Replace(example(t, name)))
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// port is the end of an address, with its colon; "" is a port that nothing listens on.
func port(address string) string {
	if address == "" {
		return ":1"
	}
	return address[strings.LastIndexByte(address, ':'):]
}

// example is the text of a file in examples/gateways.
func example(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", "gateways", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func startNginx(t testing.TB, f *front) {
	f.ask(t)
	folder := f.files(t, "nginx.conf", "nginx-identity.conf", "nginx-cors.conf")
	f.listens(t, peer.Serve(t, peer.Nginx(folder, "nginx.conf")))
}

func startCaddy(t testing.TB, f *front) {
	f.ask(t)
	folder := f.files(t, "Caddyfile", "caddy-strip.conf")
	f.listens(t, peer.Serve(t, peer.Caddy(folder, "Caddyfile")))
}

func startHAProxy(t testing.TB, f *front) {
	f.ask(t)
	f.listens(t, peer.Serve(t, haproxy(f.files(t, "haproxy.cfg", "jotgate.lua"), "haproxy.cfg")))
}

func startApache(t testing.TB, f *front) { startBefore(t, f, "apache.conf", apache, protected...) }

func startLighttpdFront(t testing.TB, f *front) {
	startBefore(t, f, "lighttpd.conf", lighttpd, protected...)
}

func startJotgate(t testing.TB, f *front) { startProxy(t, f, protected...) }

// protected are the flags of a jotgate that protects /api/, and only that.
var protected = []string{"--protect", "/api/", "--cors-origins", page}

// startProxy starts a jotgate that forwards to the API.
func startProxy(t testing.TB, f *front, args ...string) {
	t.Helper()
	f.serve(t, append([]string{"--upstream", "http://" + f.behind}, args...)...)
	f.address = strings.TrimPrefix(f.jotgate.URL, "http://")
}

// startBefore starts a gateway that asks nothing about a request before a jotgate that
// forwards to the API: Apache and lighttpd cannot ask.
func startBefore(t testing.TB, f *front, file string, command func(folder, file string) *exec.Cmd, args ...string) {
	t.Helper()
	startProxy(t, f, append(args, "--trusted-proxies", "127.0.0.1")...)
	f.address = freeport.Address(t)
	waitFor(t, f.address, peer.Serve(t, command(f.files(t, file), file)))
}

func apache(folder, file string) *exec.Cmd {
	return exec.Command("/usr/sbin/apache2", "-d", folder, "-f", file, "-D", "FOREGROUND")
}

func lighttpd(folder, file string) *exec.Cmd {
	command := exec.Command("/usr/sbin/lighttpd", "-D", "-f", file)
	command.Dir = folder
	return command
}

func haproxy(folder, file string) *exec.Cmd {
	command := exec.Command("/usr/sbin/haproxy", "-db", "-f", file)
	command.Dir = folder
	return command
}
