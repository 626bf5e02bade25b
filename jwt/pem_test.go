package jwt_test

// PEM documents as other programs write them.

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

// openssl runs the real OpenSSL in a folder.
func openssl(t *testing.T, folder string, args ...string) {
	t.Helper()
	command := exec.Command("openssl", args...)
	command.Dir = folder
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, out)
	}
}

func TestPEMOfOpenSSL(t *testing.T) {
	folder := t.TempDir()
	run := func(line string) { openssl(t, folder, strings.Fields(line)...) }
	run("ecparam -name prime256v1 -genkey -out ec.pem") // EC PARAMETERS, EC PRIVATE KEY
	run("ec -in ec.pem -pubout -out ec.pub")
	run("req -x509 -new -key ec.pem -subj /CN=ca -days 1 -out ca.pem")
	run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem")
	run("req -new -key rsa.pem -subj /CN=leaf -out leaf.csr")
	run("x509 -req -in leaf.csr -CA ca.pem -CAkey ec.pem -set_serial 2 -days 1 -text -out leaf.pem") // with text before it
	run("pkcs12 -export -inkey rsa.pem -in leaf.pem -certfile ca.pem -passout pass:x -out all.p12")
	run("pkcs12 -in all.p12 -passin pass:x -nodes -out bag.pem") // bag attributes, chain, key
	run("pkcs12 -in all.p12 -passin pass:x -nokeys -out chain.pem")
	run("pkcs8 -topk8 -in rsa.pem -passout pass:x -out encrypted.pem")
	run("rsa -in rsa.pem -aes128 -traditional -passout pass:x -out traditional.pem")
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	crlf := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) }
	bom := func(b []byte) []byte { return append([]byte("\ufeff"), b...) }
	oneLine := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte(`\n`)) }
	for name, c := range map[string]struct {
		document []byte
		alg      jwt.Algorithm
		signs    bool
	}{
		"EC parameters":            {read("ec.pem"), jwt.ES256, true},
		"EC parameters, CRLF":      {crlf(read("ec.pem")), jwt.ES256, true},
		"byte order mark":          {bom(read("rsa.pem")), jwt.RS256, true},
		"byte order mark and CRLF": {bom(crlf(read("ec.pub"))), jwt.ES256, false},
		"one line":                 {oneLine(read("rsa.pem")), jwt.RS256, true},
		"certificate with text":    {read("leaf.pem"), jwt.RS256, false},
		"self-signed certificate":  {read("ca.pem"), jwt.ES256, false},
		"bag attributes":           {read("bag.pem"), jwt.RS256, true},
		"chain":                    {read("chain.pem"), jwt.RS256, false},
		"private and public":       {append(read("ec.pub"), read("ec.pem")...), jwt.ES256, true},
		"the same twice":           {append(read("ec.pub"), read("ec.pub")...), jwt.ES256, false},
		"text around":              {append(append([]byte("# our key\n\n"), read("ec.pub")...), "\nthe end\n"...), jwt.ES256, false},
	} {
		k, err := jwt.ParseKey(c.document, "")
		if err != nil || k.Algorithm() != c.alg || k.CanSign() != c.signs {
			t.Errorf("%s: %v %v", name, k, err)
		}
		set, err := jwt.ParseKeySet(c.document)
		if (err == nil) == c.signs || err == nil && len(set.Keys()) != 1 {
			t.Errorf("%s as keys to verify with: %v %v", name, set, err)
		}
	}
	for name, c := range map[string]struct {
		document []byte
		text     string
	}{
		"encrypted":                {read("encrypted.pem"), "is encrypted"},
		"encrypted, traditional":   {read("traditional.pem"), "is encrypted"},
		"two keys":                 {append(read("ec.pem"), read("rsa.pem")...), "2 keys"},
		"a request":                {read("leaf.csr"), "CERTIFICATE REQUEST"},
		"cut":                      {read("rsa.pem")[:500], "damaged"},
		"a damaged one in between": {append(append(read("ec.pub"), read("rsa.pem")[:500]...), read("ec.pub")...), "damaged"},
		"parameters alone":         {read("ec.pem")[:bytes.Index(read("ec.pem"), []byte("-----BEGIN EC PRIVATE"))], "no key"},
		"UTF-16":                   {[]byte("\xff\xfe-\x00-\x00"), "UTF-16"},
		"OpenSSH":                  {[]byte("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"), "ssh-keygen"},
	} {
		if k, err := jwt.ParseKey(c.document, ""); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v %v, want %q", name, k, err, c.text)
		}
	}
}
