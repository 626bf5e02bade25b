package main

// What --help promises of every command and every setting.

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// leaves are the commands that do something.
func leaves(t *testing.T) []*kong.Node {
	t.Helper()
	parser, err := newParser(&commands{}, &app{}, &source{}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Leaves(false)
}

func TestEveryCommandHasAnExample(t *testing.T) {
	for _, leaf := range leaves(t) {
		if name, _, _ := strings.Cut(leaf.Path(), " ("); !strings.Contains(leaf.Detail, " jotgate "+name) {
			t.Errorf("jotgate %s --help shows no example: %q", name, leaf.Detail)
		}
	}
}

func TestEveryFlagStatesItsVariableUnitAndDefault(t *testing.T) {
	for _, leaf := range leaves(t) {
		name, _, _ := strings.Cut(leaf.Path(), " (")
		status, stdout, stderr := try(t, nil, "", append(strings.Fields(name), "--help")...)
		if status != 0 || stderr != "" {
			t.Fatalf("%s: %d %s", name, status, stderr)
		}
		text := strings.Join(strings.Fields(stdout), " ")
		for _, flag := range leaf.Flags {
			if flag.Name == "help" {
				continue
			}
			for _, alias := range flag.Aliases {
				if strings.Contains(text, "--"+alias+" ") || strings.Contains(text, "--"+alias+"=") {
					t.Errorf("%s: --%s makes the help longer", name, alias)
				}
			}
			if !strings.Contains(text, "$JOTGATE_") || !strings.Contains(strings.ReplaceAll(text, "[no-]", ""), "--"+flag.Name) {
				t.Errorf("%s: --%s is not shown", name, flag.Name)
			}
			if flag.Group == nil || flag.IsBool() {
				continue
			}
			if help := flag.Help; flag.Default == "" && !strings.Contains(help, "Default:") && flag.Name != "secret-key" && flag.Name != "secret-key-fallbacks" && flag.Name != "mail-from" {
				t.Errorf("%s: --%s does not say its default: %q", name, flag.Name, help)
			}
		}
	}
}
