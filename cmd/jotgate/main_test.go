package main

// The scripts in testdata are the command line as people use it; each runs in
// an empty folder. Besides testscript's own commands there are:
//
//	serve ARGS…          starts `jotgate serve ARGS…` and waits until it
//	                     answers; $URL is its address; ended with the script
//	curl-like get/post   see http_test.go

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"jotgate": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
	})
}
