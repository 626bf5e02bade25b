package main

// `version`: of the module, or of the checkout it was built from.

import (
	"runtime"
	"runtime/debug"
)

type versionCommand struct{}

// Help is shown below the usage line.
func (versionCommand) Help() string { return `    jotgate version` }

// Run prints one line.
func (versionCommand) Run(a *app) error {
	a.printf("jotgate %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// release is the version that `make release` gives the program (-X main.release=…).
var release string

// version is that of the release or the module, or "devel" with the commit.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	facts := map[string]string{}
	for _, s := range info.Settings {
		facts[s.Key] = s.Value
	}
	v := "devel"
	if commit := facts["vcs.revision"]; len(commit) >= 12 {
		v += " " + commit[:12]
	}
	if facts["vcs.modified"] == "true" {
		v += " modified"
	}
	return v
}
