package main

import (
	"slices"
	"strings"
)

// What the shell of a developer has for other programs, and the tests must not see. A
// hook of git has the variables of the repository (git rev-parse --local-env-vars).
var (
	foreign = []string{
		"SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "NOTIFY_SOCKET", "BASH_ENV", "ENV", "CDPATH", "VERSION", "LANG", "LANGUAGE",
		"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
	}
	foreignPrefixes = []string{"JOTGATE_", "DJANGO_", "PG", "PYTHON", "NODE_", "OTEL_", "LISTEN_", "WATCHDOG_", "LC_"}
)

// environment returns the environment of the tests: that of the shell without what is
// foreign, and with loopback addresses as exceptions of a proxy. The proxy itself stays,
// because modules may have to be downloaded through it.
func environment(shell []string) (list []string) {
	exceptions := "127.0.0.1,localhost,::1"
	for _, variable := range shell {
		name, value, _ := strings.Cut(variable, "=")
		begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		switch {
		case name == "no_proxy" || name == "NO_PROXY":
			exceptions += "," + value
		case !slices.Contains(foreign, name) && !slices.ContainsFunc(foreignPrefixes, begins):
			list = append(list, variable)
		}
	}
	return append(list, "no_proxy="+exceptions, "NO_PROXY="+exceptions)
}
