package deploy

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/serve"
)

// jotgate gets a certificate from a real ACME server, Caddy's, answers https with it,
// redirects http, and gets none for a name that is not listed.
func TestCertificateByACME(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"acme.Caddyfile", "acme.sh"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, folder+"/"+name, string(text))
	}
	jotgate := serve.Command(t, folder, nil)
	ctx, cancel := context.WithDeadline(t.Context(), wait.Deadline())
	defer cancel()
	command := exec.CommandContext(ctx, "unshare", "--user", "--map-root-user", "--net", "--mount", "--kill-child", "bash", "acme.sh", jotgate.Path)
	command.Dir, command.Env = folder, jotgate.Env
	found, err := command.CombinedOutput()
	const want = "livez: ok\nredirect: 308 https://api.example.test/account/?x=1\nother name: 000\nkept: acme_account+key api.example.test\n"
	if err != nil || string(found) != want {
		logs, _ := exec.Command("tail", "-n", "20", folder+"/jotgate.log", folder+"/caddy.log").Output()
		t.Errorf("%v\n%s\nwant\n%s\nlogs:\n%s", err, found, want, logs)
	}
}
