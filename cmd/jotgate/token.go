package main

// `token`: makes, shows and checks tokens by hand. This file has what the
// three commands share: reading a secret, a key file or a token.

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jotgate/jotgate/jwt"
)

type tokenCommands struct {
	Encode tokenEncode `cmd:"" help:"Print a token with these claims."`
	Decode tokenDecode `cmd:"" help:"Decode a token without verifying it."`
	Verify tokenVerify `cmd:"" help:"Verify a token; print its claims or why it is rejected."`
}

// keyFlags name the key to sign or verify with; one of them must be given.
type keyFlags struct {
	Secret     string `placeholder:"S" help:"The shared secret, for HS256, HS384 and HS512. Other users of the machine can see it here: prefer the environment or --secret-file."`
	SecretFile string `placeholder:"FILE" aliases:"secret-key-file" help:"Read the secret from a file, or from standard input (-). A trailing newline is ignored."`
	Key        string `placeholder:"FILE" help:"Read the key from a file: a JWK, a JWK Set or PEM."`
}

// secret returns the shared secret; ok is false if there is a key file.
func (k *keyFlags) secret(a *app) (secret []byte, ok bool, err error) {
	given := 0
	for _, flag := range []string{k.Secret, k.SecretFile, k.Key} {
		if flag != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, false, usage("give one of --secret, --secret-file and --key")
	case k.Secret != "":
		return []byte(k.Secret), true, nil
	case k.Key != "":
		return nil, false, nil
	}
	text, err := a.read(k.SecretFile)
	return bytes.TrimRight(text, "\r\n"), true, err
}

// hmac makes a key from a shared secret. A weak secret is accepted for
// experiments, with a warning.
func (a *app) hmac(alg jwt.Algorithm, secret []byte) (*jwt.Key, error) {
	key, weak := jwt.NewHMAC(alg, secret)
	if weak == nil {
		return key, nil
	}
	key, err := jwt.InsecureHMAC(alg, secret)
	if err != nil {
		return nil, usage("%w", err)
	}
	a.warn("warning: %s; serve refuses it", strings.TrimPrefix(weak.Error(), "jwt: "))
	return key, nil
}

// maxInput limits what is read from a file or from standard input, in bytes.
const maxInput = 1 << 20

// read returns the content of a file, or of standard input for "-".
func (a *app) read(name string) ([]byte, error) {
	if content, ok := a.files[name]; ok {
		return content, nil
	}
	if strings.HasPrefix(name, "-----BEGIN") || strings.HasPrefix(name, "{") {
		return nil, usage("the name of a file is wanted in place of its content") // which may be secret
	}
	in := a.stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, usage("%w", err)
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = usage("%s is longer than 1 MiB", name)
	}
	return text, err
}

// argument returns an argument, or one line of standard input for "-".
func (a *app) argument(text string) (string, error) {
	if text != "-" {
		return text, nil
	}
	line, err := a.read("-")
	return strings.TrimSuffix(string(line), "\n"), err
}

// harmless replaces characters that a terminal might interpret, such as
// U+009B, with JSON escapes. Outside of strings, JSON has no such characters
// except line ends.
func harmless(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r >= 0x7f && r < 0xa0 {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
