// Package languages verifies jotgate's tokens with other languages, and theirs with jotgate. For each language there is
// one script that verifies and signs with a popular library or only the standard library; see README.md.
package languages

import (
	"encoding/base64"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/interop/peer"
)

// A party signs and verifies tokens. A key is the text of a secret, or PEM: PKCS#8 to sign, SPKI to verify.
type party interface {
	sign(t *testing.T, alg, key, claims string) string
	verify(t *testing.T, alg, key, token string) (claims string, err error)
}

// A language is a party in another language.
type language struct {
	name string
	run  []string // the command, in the folder of its name
	algs []string
}

var languages = []language{
	{"node", []string{"node", "peer.mjs"}, everyAlgorithm},
	{"python", []string{peer.Python(), "peer.py"}, everyAlgorithm},
	{"perl", []string{"perl", "peer.pl"}, everyAlgorithm},
	{"java", []string{"java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "Peer.java"}, everyAlgorithm},
	{"ruby", []string{"ruby", "peer.rb"}, without("EdDSA")},                           // needs a gem that Debian does not have
	{"php", []string{"php", "peer.php"}, without("EdDSA", "PS256", "PS384", "PS512")}, // not in PHP's openssl
}

var everyAlgorithm = strings.Fields("HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA")

func without(algs ...string) []string {
	var left []string
	for _, alg := range everyAlgorithm {
		if !strings.Contains(strings.Join(algs, " "), alg) {
			left = append(left, alg)
		}
	}
	return left
}

// start runs the language's script for the rest of the test.
func (l language) start(t *testing.T) *foreign {
	t.Helper()
	folder, err := filepath.Abs(l.name)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(l.run[0], l.run[1:]...)
	cmd.Dir = folder
	return &foreign{peer.Start(t, cmd)}
}

// A foreign exchanges the lines that README.md describes with a script.
type foreign struct{ process *peer.Process }

func (f *foreign) sign(t *testing.T, alg, key, claims string) string {
	t.Helper()
	token, err := f.ask(t, "sign", alg, key, claims)
	if err != nil {
		t.Fatalf("%s does not sign: %v", alg, err)
	}
	return token
}

func (f *foreign) verify(t *testing.T, alg, key, token string) (string, error) {
	t.Helper()
	return f.ask(t, "verify", alg, key, token)
}

func (f *foreign) ask(t *testing.T, action, alg, key, value string) (string, error) {
	t.Helper()
	encode := base64.StdEncoding.EncodeToString
	answer := f.process.Ask(t, strings.Join([]string{action, alg, encode([]byte(key)), encode([]byte(value))}, " "))
	status, word, _ := strings.Cut(answer, " ")
	text, err := base64.StdEncoding.DecodeString(word)
	if err != nil || status != "ok" && status != "refused" {
		t.Fatalf("an answer of another form: %q", answer)
	}
	if status == "refused" {
		return "", errors.New(string(text))
	}
	return string(text), nil
}
