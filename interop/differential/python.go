package differential

// PyJWT, in one Python process that runs as long as the test.

import (
	"bufio"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

//go:embed verify.py
var script string

// A python is a running process. It handles one request at a time.
type python struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// startPython starts Debian's Python with Debian's PyJWT.
func startPython(k *keys) (*python, error) {
	cmd := exec.Command("/usr/bin/python3", "-c", script)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("PyJWT needs the Debian packages python3-jwt and python3-cryptography: %w", err)
	}
	p := &python{cmd, in, bufio.NewScanner(out)}
	texts := map[string]string{}
	for _, alg := range algorithms {
		texts[string(alg)] = k.text(alg)
	}
	return p, p.send(map[string]any{"keys": texts, "issuer": issuer, "audience": audience})
}

func (p *python) send(line any) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = p.in.Write(append(b, '\n'))
	return err
}

// accept verifies several tokens with one request.
func (p *python) accept(tokens []made) ([]bool, error) {
	sent := make(chan error, 1)
	go func() {
		for _, t := range tokens {
			if err := p.send([]string{string(t.alg), base64.StdEncoding.EncodeToString([]byte(t.token))}); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	answers := make([]bool, 0, len(tokens))
	for range tokens {
		if !p.out.Scan() {
			return nil, fmt.Errorf("python ended early: %w", io.ErrUnexpectedEOF)
		}
		answers = append(answers, p.out.Text() == "1")
	}
	return answers, <-sent
}

// encode returns the token that PyJWT makes of claims, or "0".
func (p *python) encode(claims string) (string, error) {
	if err := p.send([]string{"encode", base64.StdEncoding.EncodeToString([]byte(claims))}); err != nil {
		return "", err
	}
	if !p.out.Scan() {
		return "", fmt.Errorf("python ended early: %w", io.ErrUnexpectedEOF)
	}
	return p.out.Text(), nil
}

func (p *python) stop() error {
	p.in.Close()
	return p.cmd.Wait()
}
