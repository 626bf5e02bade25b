package main

// Passwords at a terminal: the test types into a pseudo terminal of Linux.

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jotgate/jotgate/internal/wait"
)

// terminal is the user's end of a pseudo terminal.
type terminal struct {
	t    *testing.T
	keys *os.File // typed into, and what is shown comes out
	line *os.File // the program's standard input
	mu   sync.Mutex
	seen bytes.Buffer // on the terminal: the echo
	said bytes.Buffer // the program's standard error: the prompts
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, keys: keys, line: line}
	go term.watch()
	t.Cleanup(func() { _ = line.Close(); _ = keys.Close() })
	return term
}

// watch collects what the terminal shows.
func (term *terminal) watch() {
	buf := make([]byte, 1024)
	for {
		n, err := term.keys.Read(buf)
		term.mu.Lock()
		term.seen.Write(buf[:n])
		term.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (term *terminal) shown() (echo, prompts string) {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.seen.String(), term.said.String()
}

// prompted reports whether the program waits for an answer to the prompt.
func (term *terminal) prompted(prompt string) bool {
	_, prompts := term.shown()
	return strings.HasSuffix(prompts, prompt)
}

// Write takes what the program writes elsewhere: its standard error.
func (term *terminal) Write(text []byte) (int, error) {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.said.Write(text)
}

// enter types a line after the prompt, when the echo is as expected.
func (term *terminal) enter(prompt, text string, echo bool) {
	term.t.Helper()
	wait.Until(term.t, fmt.Sprintf("the prompt %q with echo %v", prompt, echo), func() bool { return term.prompted(prompt) && term.echoing() == echo })
	if _, err := term.keys.WriteString(text + "\n"); err != nil {
		term.t.Fatal(err)
	}
}

func (term *terminal) echoing() bool {
	state, err := unix.IoctlGetTermios(int(term.line.Fd()), unix.TCGETS)
	return err == nil && state.Lflag&unix.ECHO != 0
}

func TestPasswordIsNotShown(t *testing.T) {
	term := newTerminal(t)
	folder := t.TempDir()
	var stdout bytes.Buffer
	status := make(chan int)
	go func() {
		status <- run(t.Context(), []string{"createsuperuser", "--database", "sqlite:" + folder + "/a.db", "--email", "a@example.com"}, nil, term.line, &stdout, term)
	}()
	term.enter("Username: ", "gatekeeper", true)
	term.enter("Password: ", "correct-horse-1", false)
	term.enter("Password (again): ", "correct-horse-1", false)
	got := <-status
	echoed, prompts := term.shown()
	if got != 0 {
		t.Fatalf("status %d: %s", got, prompts)
	}
	if !strings.Contains(echoed, "gatekeeper") {
		t.Errorf("the username was not shown: %q", echoed)
	}
	if strings.Contains(echoed+prompts+stdout.String(), "horse") {
		t.Errorf("the password was shown: %q", echoed)
	}
	if !term.echoing() {
		t.Error("the echo was left off")
	}
}

// At a terminal a bar moves, and is gone at the end.
func TestBenchShowsABar(t *testing.T) {
	term := newTerminal(t)
	emptyTemp(t)
	var stdout bytes.Buffer
	if status := run(t.Context(), []string{"bench", "--time", "1s", "--hasher", "pbkdf2_sha256:20000"}, nil, term.line, &stdout, term.line); status != 0 {
		t.Fatalf("status %d", status)
	}
	const wiped = "\r\x1b[K"
	wait.Until(t, "the bar is gone", func() bool {
		shown, _ := term.shown()
		return strings.HasSuffix(shown, wiped)
	})
	shown, _ := term.shown()
	for _, want := range []string{" % hashing passwords" + wiped, wiped + "[####", " % refreshing sessions"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q was not shown: %q", want, shown)
		}
	}
	before := 0
	for _, found := range regexp.MustCompile(`(\d+) %`).FindAllStringSubmatch(shown, -1) {
		now, _ := strconv.Atoi(found[1])
		if now < before {
			t.Errorf("the bar went back from %d to %d %%", before, now)
		}
		before = now
	}
	if strings.Contains(shown, "\n") {
		t.Errorf("more than one line: %q", shown)
	}
}
