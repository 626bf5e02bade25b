package main

// `completion`: prints the script with which a shell completes commands and
// flags. The script runs jotgate __complete with the line so far in COMP_LINE, as
// bash's `complete -C` does, which prints the words that can follow.

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is shown below the usage line.
func (completionCommand) Help() string {
	return `    jotgate completion bash > /usr/share/bash-completion/completions/jotgate
    echo 'source <(jotgate completion zsh)' >> ~/.zshrc
    jotgate completion fish > ~/.config/fish/completions/jotgate.fish`
}

// completionWord is the command that the scripts run; it is not in --help.
const completionWord = "__complete"

// completionScripts are by the name of the shell.
var completionScripts = map[string]string{
	"bash": "complete -o default -C 'jotgate __complete' jotgate\n",
	"zsh":  "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\ncomplete -o default -C 'jotgate __complete' jotgate\n",
	"fish": `function __jotgate_complete
    set -lx COMP_LINE (commandline -cp)
    jotgate __complete
end
complete -c jotgate -a "(__jotgate_complete)"
`,
}

// Run prints the script.
func (c *completionCommand) Run(a *app) error {
	a.printf("%s", completionScripts[c.Shell])
	return nil
}

// complete prints the words that can follow a line.
func (a *app) complete(line string) error {
	parser, err := newParser(&commands{}, a, &source{env: map[string]string{}}, func(int) {})
	if err != nil {
		return err
	}
	words := strings.Fields(line)
	last := ""
	if len(words) > 0 && !strings.HasSuffix(line, " ") {
		words, last = words[:len(words)-1], words[len(words)-1]
	}
	for _, candidate := range candidates(parser.Model.Node, words, last) {
		a.print(candidate)
	}
	return nil
}

// candidates returns the words that begin with last and can follow the words, of
// which the first is the program.
func candidates(node *kong.Node, words []string, last string) (found []string) {
	var flag *kong.Flag // that waits for its value
	for i, word := range words {
		switch {
		case i == 0:
		case flag != nil:
			flag = nil
		case strings.HasPrefix(word, "-"):
			if flag = flagNamed(node, word); flag != nil && flag.IsBool() {
				flag = nil
			}
		default:
			if child := childNamed(node, word); child != nil {
				node = child
			}
		}
	}
	for _, word := range following(node, flag, last) {
		if strings.HasPrefix(word, last) {
			found = append(found, word)
		}
	}
	return found
}

// following returns the words that can follow: the values of a flag, or flags, or
// commands and the values of the next argument.
func following(node *kong.Node, flag *kong.Flag, last string) (words []string) {
	switch {
	case flag != nil:
		return values(flag.Value)
	case strings.HasPrefix(last, "-"):
		for _, group := range node.AllFlags(true) {
			for _, f := range group {
				words = append(words, "--"+f.Name)
			}
		}
		slices.Sort(words)
		return words
	}
	for _, child := range node.Children {
		words = append(words, child.Name)
	}
	for _, argument := range node.Positional {
		words = append(words, values(argument)...)
	}
	return words
}

// values returns the values that a flag or argument may have, if they are listed.
func values(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return v.EnumSlice()
}

func flagNamed(node *kong.Node, word string) *kong.Flag {
	name, _, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
	for _, group := range node.AllFlags(false) {
		for _, f := range group {
			if !given && (f.Name == name || slices.Contains(f.Aliases, name)) {
				return f
			}
		}
	}
	return nil
}

func childNamed(node *kong.Node, word string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == word || slices.Contains(child.Aliases, word) {
			return child
		}
	}
	return nil
}
