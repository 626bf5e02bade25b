package main

import (
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/testcert"
	"github.com/jotgate/jotgate/internal/wait"
)

// SIGHUP reads each file that the config file names again, although that stays the same.
func TestReloadOfFiles(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fill := func(word string) {
		_, key := testcert.SelfSigned(t, &x509.Certificate{})
		file("signing.pem", string(key))
		file("theme/theme.css", ".jotgate-"+word+" { color: red }\n")
		file("locale/en.txt", "login.title = Come in, "+word+"\n")
		file("logo.svg", `<svg xmlns="http://www.w3.org/2000/svg"><title>`+word+`</title></svg>`)
		file("mails/en/password_reset.txt", "Subject: A link\n\nFor "+word+": {{.Link}}\n")
		file("list.txt", "correct-horse-"+word+"\n")
		if status, _, stderr := try(t, nil, "", "breached", "build", "--plain", filepath.Join(folder, "breached.bin"), filepath.Join(folder, "list.txt")); status != statusDone {
			t.Fatal(stderr)
		}
	}
	fill("elder")
	file("secret", goodSecret)
	s := startReloading(t, strings.ReplaceAll(`secret-key-file: FOLDER/secret
signing-key: FOLDER/signing.pem
theme: FOLDER/theme
locale: FOLDER/locale
logo: FOLDER/logo.svg
mail-templates: FOLDER/mails
breached-passwords: FOLDER/breached.bin
print-emails: true
rate: "login=;register=;email="
`, "FOLDER", folder))
	client := &http.Client{}
	get := func(path string) string {
		t.Helper()
		status, text := ask(t, client, "GET", s.base+path, "")
		if status != 200 {
			t.Fatalf("%s: %d %s", path, status, text)
		}
		return text
	}
	linked := func(page, name string) string {
		t.Helper()
		path := regexp.MustCompile(`/account/static/` + name + `-\w+\.\w+`).FindString(page)
		if path == "" {
			t.Fatalf("no %s in %s", name, page)
		}
		return get(path)
	}
	visible := func(word, other string) {
		t.Helper()
		page := get("/account/login")
		for what, text := range map[string]string{"locale": page, "theme": linked(page, "style"), "logo": linked(page, "logo")} {
			if !strings.Contains(text, word) || strings.Contains(text, other) {
				t.Errorf("the %s is not that of %s: %s", what, word, text)
			}
		}
		for password, want := range map[string]int{"correct-horse-" + word: 400, "correct-horse-" + other: 201} {
			status, text := ask(t, client, "POST", s.base+"/auth/users/", `{"username":"`+word[:2]+`-1","email":"`+word+`@example.com","password":"`+password+`"}`)
			if status != want {
				t.Errorf("%s after %s: %d %s", password, word, status, text)
			}
		}
		ask(t, client, "POST", s.base+"/auth/users/reset_password/", `{"email":"`+word+`@example.com"}`)
		wait.Until(t, "the e-mail is printed", func() bool { return strings.Contains(s.stderr.String(), "For "+word+": ") })
	}
	visible("elder", "newer")
	access, keys := signedIn(t, client, s.base), get("/.well-known/jwks.json")

	fill("newer")
	if !s.reload(t) {
		t.Fatal(s.stderr.String())
	}
	visible("newer", "elder")
	if get("/.well-known/jwks.json") == keys {
		t.Error("the signing key is the former one")
	}
	if status, text := ask(t, client, "GET", s.base+"/auth/users/me/", "", "Authorization", "Bearer "+access); status != 401 {
		t.Errorf("a token of the former key: %d %s", status, text)
	}
	confirm := func(word string) int {
		t.Helper()
		found := regexp.MustCompile("For " + word + `: \S+uid=(\w+)&token=([\w-]+)`).FindStringSubmatch(s.stderr.String())
		if found == nil {
			t.Fatalf("no link: %s%s", s.stdout.String(), s.stderr.String())
		}
		status, _ := ask(t, client, "POST", s.base+"/auth/users/reset_password_confirm/", `{"uid":"`+found[1]+`","token":"`+found[2]+`","new_password":"correct-horse-3"}`)
		return status
	}
	if status := confirm("elder"); status != 204 {
		t.Errorf("a link of the same secret: %d", status)
	}
	file("secret", strings.Repeat("another secret ", 4))
	if !s.reload(t) {
		t.Fatal(s.stderr.String())
	}
	if status := confirm("newer"); status != 400 {
		t.Errorf("a link of the former secret: %d", status)
	}
}
