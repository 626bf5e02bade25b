package main

// What the operator sees for a wrong setting: its flag, never a Go field,
// with status 2 and before anything is created.

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// badSettings are lines of serve, each with one setting at fault, and what must
// be said of it.
var badSettings = []struct{ args, says string }{
	{"--mail-server smtp.example.com", "--mail-server must have the form smtp://"},
	{"--mail-server smtp://mail.example.com", "--mail-from is needed with --mail-server"},
	{"--mail-server smtp://mail.example.com --mail-from nobody", `--mail-from: "nobody" is not an address`},
	{"--mail-base-url app.example.com", "--mail-base-url must be an absolute address"},
	{"--activation-path x", "activation"},
	{"--cors-origins app.example.com", `--cors-origins: "app.example.com" is not an origin such as https://app.example.com`},
	{"--cors-origins https://app.example.com/", "--cors-origins"},
	{"--base-url api.example.com", "--base-url must be an absolute URL such as https://api.example.com"},
	{"--rate login=10", `--rate: login: rate "10" is not of the form 5/min`},
	{"--rate logins=10/min", "--rate: unknown scope"},
	{"--trusted-proxies 10.0.0.1/8", "--trusted-proxies"},
	{"--access-token-lifetime 2d", "--refresh-token-lifetime is shorter than --access-token-lifetime"},
	{"--access-token-lifetime 10", `"10" is not a duration with a unit, such as 30s, 5m, 12h or 30d`},
	{"--session-lifetime 1s", "--session-lifetime is shorter than --access-token-lifetime"},
	{"--key-rotation 5m", "--key-rotation is under an hour"},
	{"--user-id-field email", `--user-id-field is "email"`},
	{"--claims name", `--claims contains "name"`},
	{"--leeway 1h", "leeway"},
	{"--hasher md5000", "--hasher"},
	{"--time-zone Mars/Olympus", "--time-zone"},
	{"--upstream 127.0.0.1:3000", "--upstream"},
	{"--upstream http://127.0.0.1:3000 --protect api", `--protect: the prefix "api"`},
	{"--protect /api/", "--upstream"},
	{"--step-up /pay/=aal2", "--upstream"},
	{"--upstream http://127.0.0.1:3000 --step-up pay=aal2", `--step-up: the prefix "pay"`},
	{"--upstream http://127.0.0.1:3000 --step-up /pay/=all2", `--step-up: "/pay/=all2" must be aal2, a time such as 10m, or both`},
	{"--upstream http://127.0.0.1:3000 --step-up /pay/=aal2+0s", "--step-up"},
	{"--upstream http://127.0.0.1:3000/a?b", "--upstream"},
	{"--upstream http://127.0.0.1:3000/a/../b", "--upstream"},
	{"--upstream http://127.0.0.1:3000 --protect /api//notes", `--protect: servers read the prefix "/api//notes" also as "/api/notes"`},
	{"--upstream http://127.0.0.1:3000 --protect /api/../notes/", `--protect: servers read the prefix "/api/../notes/" also as "/notes"`},
	{"--upstream http://127.0.0.1:3000 --protect /a%20b/", `--protect: servers read the prefix "/a%20b/" also as "/a b/"`},
	{"--upstream http://127.0.0.1:3000 --protect /notes?all=1", `--protect: servers read the prefix "/notes?all=1" also as "/notes"`},
	{"--upstream http://127.0.0.1:3000 --step-up /pay/.=aal2", "--step-up: servers read the prefix"},
	{"--upstream http://127.0.0.1:3000 --step-up /auth/=aal2", "--protect and --step-up are for paths of --upstream: jotgate itself serves /auth/"},
	{"--upstream http://127.0.0.1:3000 --protect /notes/,/account/", "jotgate itself serves /account/"},
	{"--upstream http://127.0.0.1:3000 --admin on --step-up /admin/=1h", "jotgate itself serves /admin/"},
	{"--pages-path /auth/", `--pages-path: "/auth/" would hide the endpoints below /auth/`},
	{"--pages-path /auth/login/", `--pages-path: "/auth/login/" would hide the endpoints below /auth/`},
	{"--pages-path /api/", `--pages-path: "/api/" would hide the endpoints below /api/token/`},
	{"--pages-path /api/token/", `--pages-path: "/api/token/" would hide the endpoints below /api/token/`},
	{"--pages-path /api-token-auth/", "below /api-token-auth/"},
	{"--pages-path /o/", `--pages-path: "/o/" would hide the endpoints below /o/`},
	{"--pages-path /.well-known/", `--pages-path: "/.well-known/" would hide the endpoints below /.well-known/`},
	{"--pages-path /livez/", "below /livez/"},
	{"--pages-path /auth/ --prefix /accounts", `--pages-path: "/accounts/auth/" would hide the endpoints below /accounts/auth/`},
	{"--pages-path /admin/", `--admin-path: "/admin/" would hide the pages below /admin/`},
	{"--pages-path /admin/account/", `--admin-path: "/admin/" would hide the pages below /admin/account/`},
	{"--admin-path /account/", `--admin-path: "/account/" would hide the pages below /account/`},
	{"--admin-path /account/admin/", `--admin-path: "/account/admin/" would hide the pages below /account/`},
	{"--admin-path /auth/", `--admin-path: "/auth/" would hide the endpoints below /auth/`},
	{"--admin-path /api/docs/", `--admin-path: "/api/docs/" would hide the endpoints below /api/docs/`},
	{"--pages-path /", `--pages-path: "/" must be a path such as /account/`},
	{"--pages-path /account", `--pages-path: "/account" must be a path such as /account/`},
	{"--pages-path account/", `--pages-path: "account/" must be a path such as /account/`},
	{"--pages-path //x/", `--pages-path: "//x/" must be a path such as /account/`},
	{"--pages-path /a/../b/", `--pages-path: "/a/../b/" must be a path such as /account/`},
	{"--pages-path /a%20b/", `--pages-path: "/a%20b/" must be a path such as /account/`},
	{"--pages-path /é/", `--pages-path: "/é/" must be a path such as /account/`},
	{"--pages-path /{x}/", `--pages-path: "/{x}/" must be a path such as /account/`},
	{"--admin-path /a?b/", `--admin-path: "/a?b/" must be a path such as /account/`},
	{"--admin-path /admin/./", `--admin-path: "/admin/./" must be a path such as /account/`},
	{"--prefix /a/../b", "--prefix"},
	{"--prefix /accounts/?x", "--prefix"},
	{"--base-url https://example.com/a//b", "--base-url"},
	{"--addr 127.0.0.1", "--addr"},
	{"--addr 127.0.0.1:http9", "--addr"},
	{"--addr 80000", "--addr"},
	{"--log-level loud", `--log-level must be debug, info, warn or error, not "loud"`},
	{"--metrics-addr 99999999", `--metrics-addr: "99999999" is not an address such as`},
	{"--metrics-addr example.com", "--metrics-addr"},
	{"--admin-addr 99999999", `--admin-addr: "99999999" is not an address such as`},
	{"--secret-key short", "--secret-key"},
}

// goNames are what an operator never typed.
var goNames = regexp.MustCompile(`Settings\.|\b(api|apikey|mail|proxy|throttle|passwd): |\b[A-Z][a-z]+[A-Z]\w*`)

func TestRefusedSettings(t *testing.T) {
	for _, row := range badSettings {
		t.Run(row.args, func(t *testing.T) {
			folder := t.TempDir()
			args := append([]string{"serve", "--addr", "127.0.0.1:0", "--database", "sqlite:" + filepath.Join(folder, "jotgate.db")}, strings.Fields(row.args)...)
			status, stdout, stderr := try(t, nil, "", args...)
			if status != statusUsage || stdout != "" || !strings.Contains(stderr, row.says) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("status %d, %q; want 2 and …%s…", status, stderr, row.says)
			}
			if word := goNames.FindString(stderr); word != "" {
				t.Errorf("%q is not a word of the command line: %s", word, stderr)
			}
			said, _, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(stderr, "jotgate: ")), " (see jotgate")
			args[0] = "check"
			status, stdout, stderr = try(t, nil, "", append([]string{"config"}, args...)...)
			if status == statusDone || !strings.Contains(stdout+stderr, ": "+said) || strings.HasPrefix(stdout, "--") {
				t.Errorf("config check: status %d, %q; want %q after its heading", status, stdout+stderr, said)
			}
			if files, err := os.ReadDir(folder); err != nil || len(files) != 0 {
				t.Errorf("a refused start left %v, %v", files, err)
			}
		})
	}
}

// Each of these differs from a refused setting in one point.
func TestAcceptedPaths(t *testing.T) {
	for _, args := range []string{
		"--pages-path /authx/",
		"--pages-path /api/account/",
		"--pages-path /api/tokens/",
		"--pages-path /oauth/",
		"--pages-path /well-known/",
		"--pages-path /accounts/ --prefix /accounts",
		"--pages-path /Auth/",
		"--pages-path /x/auth/",
		"--pages-path /admin/ --admin off",
		"--pages-path /admin/ --upstream http://127.0.0.1:3000",
		"--pages-path /administration/",
		"--pages-path /admin/ --admin-path /staff/",
		"--admin-path /account-admin/",
		"--admin-path /api/admin/",
		"--admin-path /a/b-c_d.e~f/",
		"--upstream http://127.0.0.1:3000/a/b/",
		"--upstream http://127.0.0.1:3000 --protect / --step-up /admin/=1h",
		"--upstream http://127.0.0.1:3000 --protect /notes,/größe/,/api/,/a.b/",
		"--upstream http://127.0.0.1:3000 --upstream-only --step-up /auth/=aal2",
		"--upstream http://127.0.0.1:3000 --pages off --protect /account/",
	} {
		t.Run(args, func(t *testing.T) {
			status, stdout, stderr := try(t, nil, "", append([]string{"config", "check", "--database", "sqlite:" + filepath.Join(t.TempDir(), "jotgate.db")}, strings.Fields(args)...)...)
			if status != 0 {
				t.Errorf("status %d, %s%s", status, stdout, stderr)
			}
		})
	}
}

// A setting that serve refuses is reported by doctor, with the same text.
func TestDoctorRefusesWhatServeRefuses(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "jotgate.db")
	env := []string{"DATABASE_URL=" + database}
	if status, _, stderr := try(t, env, "", "migrate"); status != 0 {
		t.Fatal(stderr)
	}
	if status, stdout, stderr := try(t, env, "", "doctor"); status != 0 {
		t.Fatalf("a new database: %s%s", stdout, stderr)
	}
	for _, row := range badSettings {
		t.Run(row.args, func(t *testing.T) {
			status, stdout, stderr := try(t, env, "", append([]string{"doctor"}, strings.Fields(row.args)...)...)
			if status == 0 || !strings.Contains(stdout+stderr, row.says) {
				t.Errorf("status %d, %s%s", status, stdout, stderr)
			}
			if stdout != "" && !strings.Contains(stdout, "BAD  ") {
				t.Errorf("no line BAD: %s", stdout)
			}
		})
	}
}
