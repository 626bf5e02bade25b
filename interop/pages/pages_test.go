// Package pages shows the pages to a real browser (Debian's Chromium, driven by judge.mjs) and to axe and html-validate
// from npm. It has only tests. PAGES=long judges every page in every mode; PICTURES=folder writes a picture of each.
package pages

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

// verdict is what judge.mjs prints.
type verdict struct {
	Findings []string
	Counted  map[string]int
}

// judge runs judge.mjs and fails the test for each finding.
func judge(t *testing.T, args ...string) map[string]int {
	t.Helper()
	var errors bytes.Buffer
	cmd := exec.Command("node", append([]string{"judge.mjs"}, args...)...)
	cmd.Stderr, cmd.Env = &errors, serve.Command(t, t.TempDir(), nil).Env
	out, err := cmd.Output()
	var v verdict
	if err != nil || json.Unmarshal(out, &v) != nil {
		t.Fatalf("judge.mjs: %v\n%s%s", err, out, errors.Bytes())
	}
	for _, finding := range v.Findings {
		t.Error(finding)
	}
	t.Logf("%s: %v", args[0], v.Counted)
	return v.Counted
}

var address = regexp.MustCompile(`http://\S+/`)

// preview runs jotgate theme preview until the test ends and returns its address.
func preview(t *testing.T) string {
	t.Helper()
	return peer.Serve(t, serve.Command(t, t.TempDir(), nil, "theme", "preview", "--addr", "127.0.0.1:0")).WaitFor(t, address)[0]
}

// Every page in every state: no violation found by axe, valid HTML, no request to another host, no violation of the
// Content-Security-Policy, no sideways scrolling, in light, dark, at 320 pixels, right to left, in the pseudo-language, with forced colors and with text of 200 %.
func TestPagesInABrowser(t *testing.T) {
	args := []string{"samples", preview(t), "--short"}
	least := 50
	if os.Getenv("PAGES") == "long" {
		args, least = args[:2], 200
	}
	counted := judge(t, args...)
	if counted["pages"] < least || counted["axe"] < 10*least || counted["html"] < 40 {
		t.Errorf("too little was judged: %v", counted)
	}
}

// The life of an account in the browser without scripts, and at length also with them, with Back, reload, a double click and a second tab; and
// a program that scans e-mails, which presses every button behind a link.
func TestLifeInABrowser(t *testing.T) {
	args, least := []string{"life", serve.Command(t, t.TempDir(), nil).Path, t.TempDir(), "--short"}, 26
	if os.Getenv("PAGES") == "long" {
		args, least = args[:3], 52
	}
	if counted := judge(t, args...); counted["steps"] < least {
		t.Errorf("only %d steps", counted["steps"])
	}
}

// A passkey on a virtual authenticator: added, by the button, by autofill, after the challenge of an open tab has expired, to
// authenticate again, as the second step; and set up in a login that demands a second factor.
func TestPasskeysInABrowser(t *testing.T) {
	if counted := judge(t, "passkeys", serve.Command(t, t.TempDir(), nil).Path, t.TempDir(), t.TempDir()); counted["steps"] < 22 {
		t.Errorf("only %d steps", counted["steps"])
	}
}

// The life of an account with second factors: an app whose QR code zbarimg reads from the screen and whose codes oathtool
// makes, a passkey by autofill, a lost phone, a recovery code, new ones, and the removal of all.
func TestFactorsInABrowser(t *testing.T) {
	if counted := judge(t, "factors", serve.Command(t, t.TempDir(), nil).Path, t.TempDir()); counted["steps"] < 20 {
		t.Errorf("only %d steps", counted["steps"])
	}
}

// Every page of the administration, of the table of actions and with rows in every list: no violation found by axe, valid
// HTML, each element reached with the tabulator key and visibly focused; and with the keyboard alone and without scripts: search, change,
// deactivate, an action on many users and its undoing, an error at its field.
func TestAdministrationInABrowser(t *testing.T) {
	args := []string{"admin", serve.Command(t, t.TempDir(), nil).Path, t.TempDir(), "--short"}
	pages, axe, steps := 45, 400, 10
	if os.Getenv("PAGES") == "long" {
		args, pages, axe = args[:3], 225, 5000
	}
	if counted := judge(t, args...); counted["pages"] < pages || counted["axe"] < axe || counted["steps"] < steps || counted["keys"] < 300 {
		t.Errorf("too little was judged: %v", counted)
	}
}

// PICTURES names a folder for a picture of each page.
func TestPictures(t *testing.T) {
	folder := os.Getenv("PICTURES")
	if folder == "" {
		folder = t.TempDir()
		t.Log("PICTURES is not set: one picture is taken to see that it works")
		judge(t, "pictures", preview(t), folder, "login")
		if info, err := os.Stat(folder + "/login-light.png"); err != nil || info.Size() < 1000 {
			t.Error("no picture of the login page:", err)
		}
		return
	}
	judge(t, "pictures", preview(t), folder)
	judge(t, "admin-pictures", serve.Command(t, t.TempDir(), nil).Path, t.TempDir(), folder)
}
