package peer

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
)

func shell(script string) *exec.Cmd { return exec.Command("/bin/sh", "-c", script) }

func TestAsk(t *testing.T) {
	echo := Start(t, shell(`while read -r line; do echo "<$line>"; done`))
	for _, question := range []string{"one", "two three", ""} {
		if got, want := echo.Ask(t, question), "<"+question+">"; got != want {
			t.Errorf("Ask(%q) = %q, want %q", question, got, want)
		}
	}
}

func TestServe(t *testing.T) {
	s := Serve(t, shell(`trap "exit 3" TERM; echo starting >&2; sleep 0.1; echo "listening on 4711"; while :; do sleep 0.01; done`))
	if got := s.WaitFor(t, regexp.MustCompile(`listening on (\d+)`)); got[1] != "4711" {
		t.Errorf("WaitFor = %q", got)
	}
	if !strings.HasPrefix(s.Output(), "starting\n") {
		t.Errorf("Output = %q, want standard error too", s.Output())
	}
	if s.Ended() {
		t.Error("it ended by itself")
	}
	if err := s.Stop(); err == nil || err.Error() != "exit status 3" {
		t.Errorf("Stop = %v, want the status that the program chose", err)
	}
	if !s.Ended() {
		t.Error("it runs on after Stop")
	}
}

func TestServersEndWithTheirTest(t *testing.T) {
	var s *Server
	t.Run("starts one", func(t *testing.T) { s = Serve(t, shell("exec sleep 60")) })
	wait.For(t, "it ends with its test", s.ended)
}
