package alone

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What a test changes in its process is changed in no other one.
func TestRun(t *testing.T) {
	const name = "TESTS_ALONE_CHANGED"
	Run(t, func(t *testing.T) {
		if err := os.Setenv(name, "yes"); err != nil {
			t.Fatal(err)
		}
	})
	if os.Getenv(chosen) == "" && os.Getenv(name) != "" {
		t.Error("it ran in this process")
	}
}

// TestThatFails is run by TestRunFails.
func TestThatFails(t *testing.T) {
	how := os.Getenv("TESTS_ALONE_HOW")
	if how == "" {
		return
	}
	Run(t, func(t *testing.T) {
		switch how {
		case "fails":
			t.Error("the reason")
		case "exits":
			os.Stdout.WriteString("the reason\n")
			os.Exit(0)
		}
	})
}

func TestRunFails(t *testing.T) {
	for how, fails := range map[string]bool{"passes": false, "fails": true, "exits": true} {
		t.Run(how, func(t *testing.T) {
			tests := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestThatFails$", "-test.v")
			tests.Env = append(os.Environ(), "TESTS_ALONE_HOW="+how)
			out, err := tests.CombinedOutput()
			if (err != nil) != fails || strings.Contains(string(out), "the reason") != fails {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
