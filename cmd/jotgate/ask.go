package main

// Interactive input: a line, a password without echo, and whether to accept a
// weak password. If standard input is not a terminal, the answers are read
// from it line by line.

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/jotgate/jotgate/passwd/strength"
)

// ask returns the answer to a question.
func (a *app) ask(question string) (string, error) {
	fmt.Fprint(a.stderr, question)
	if a.lines == nil {
		a.lines = bufio.NewReader(io.LimitReader(a.stdin, maxInput))
	}
	line, err := a.lines.ReadString('\n')
	if err != nil && (line == "" || !errors.Is(err, io.EOF)) {
		return "", fmt.Errorf("no input for %q: %w", strings.TrimRight(question, ": "), err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// askHidden is ask without an echo.
func (a *app) askHidden(question string) (string, error) {
	file, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return a.ask(question)
	}
	fmt.Fprint(a.stderr, question)
	// ReadPassword does not handle signals: the echo is restored here.
	before, err := term.GetState(int(file.Fd()))
	if err != nil {
		return "", err
	}
	answer := make(chan error, 1)
	var password []byte
	go func() {
		var err error
		password, err = term.ReadPassword(int(file.Fd()))
		answer <- err
	}()
	select {
	case err = <-answer:
	case <-a.ctx.Done():
		err = errors.Join(term.Restore(int(file.Fd()), before), errors.New("interrupted"))
	}
	fmt.Fprintln(a.stderr)
	return string(password), err
}

// askPassword asks for a new password until both inputs are the same, it is
// not empty, and it is strong enough or the user accepts a weak one (Django:
// createsuperuser).
func (a *app) askPassword(check func(password string) ([]strength.Problem, error)) (string, error) {
	for {
		password, err := a.askTwice()
		if err != nil {
			return "", err
		}
		if password == "" {
			continue
		}
		problems, err := check(password)
		if err != nil {
			return "", err
		}
		for _, problem := range problems {
			a.warn("%s", problem.Message)
		}
		if len(problems) == 0 {
			return password, nil
		}
		answer, err := a.ask("Bypass password validation and create user anyway? [y/N]: ")
		if err != nil || strings.EqualFold(answer, "y") {
			return password, err
		}
	}
}

// askTwice returns "" if the two inputs differ or are blank, and prints the
// reason.
func (a *app) askTwice() (string, error) {
	first, err := a.askHidden("Password: ")
	if err != nil {
		return "", err
	}
	second, err := a.askHidden("Password (again): ")
	switch {
	case err != nil:
		return "", err
	case first != second:
		a.warn("Error: Your passwords didn't match.")
		return "", nil
	case strings.TrimSpace(first) == "":
		a.warn("Error: Blank passwords aren't allowed.")
		return "", nil
	}
	return first, nil
}
