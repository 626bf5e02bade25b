package main

// The scripts in testdata are the command line as people use it; each runs in
// an empty folder. jotgate and curl are this test program under other names.

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/tempdir"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"jotgate": main, "curl": curl})
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() { // each command starts the test binary, which takes the race detector half a second
		files = []string{"testdata/user.txt", "testdata/token.txt"}
	}
	testscript.Run(t, testscript.Params{
		WorkdirRoot:         tempdir.New(t),
		Files:               files,
		Setup:               func(env *testscript.Env) error { env.Vars = append(env.Vars, program.Limits...); return nil },
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
	})
}
