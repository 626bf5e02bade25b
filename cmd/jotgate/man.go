package main

// `man`: prints the manual page, in the macros of man(7), from the same
// descriptions as --help.

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type manCommand struct{}

// Help is shown below the usage line.
func (manCommand) Help() string {
	return `    jotgate man | man -l -
    jotgate man > /usr/local/share/man/man1/jotgate.1`
}

// Run prints the page.
func (manCommand) Run(a *app, s *source) error {
	parser, err := newParser(&commands{}, a, s, func(int) {})
	if err != nil {
		return err
	}
	page := manPage{w: a.stdout, describe: s.describe}
	page.write(parser.Model)
	return nil
}

// manPage writes a page.
type manPage struct {
	w        io.Writer
	describe kong.HelpValueFormatter
}

func (p *manPage) write(model *kong.Application) {
	p.macro("TH", "JOTGATE", "1", "", "jotgate", "User Commands")
	p.macro("SH", "NAME")
	p.text("jotgate - accounts and JSON Web Tokens for a REST API")
	p.macro("SH", "SYNOPSIS")
	p.macro("B", "jotgate")
	p.text("COMMAND [FLAGS]")
	p.macro("SH", "DESCRIPTION")
	p.text("jotgate serves logins, tokens and users over HTTP, on SQLite or PostgreSQL, and has the commands to manage them.")
	p.macro("PP")
	p.text("Each setting of a server is a flag, an environment variable and a line in jotgate.yaml under the flag's name; a flag overrides the variable, and that overrides the file.")
	p.macro("SH", "COMMANDS")
	p.commands(model.Node)
	p.macro("SH", "EXIT STATUS")
	for _, status := range [][2]string{{"0", "Success."}, {"1", "The command failed or was refused."}, {"2", "The arguments or the settings were wrong."}} {
		p.tagged(status[0], status[1])
	}
	p.macro("SH", "FILES")
	p.tagged("jotgate.yaml", "Settings, read from the working folder unless --config names another file.")
	p.tagged("jotgate.db, jotgate.secret", "The database and the secret that serve creates if none are configured.")
}

// commands writes the commands below a node, each with its flags.
func (p *manPage) commands(node *kong.Node) {
	for _, child := range node.Children {
		if len(child.Children) > 0 {
			p.commands(child)
			continue
		}
		p.macro("SS", strings.TrimSpace(strings.TrimPrefix(child.Summary(), "jotgate ")))
		p.text(child.Help)
		if child.Detail != "" {
			p.macro("PP")
			p.detail(child.Detail)
		}
		p.flags(child)
	}
}

func (p *manPage) flags(node *kong.Node) {
	group := ""
	for _, flag := range node.Flags {
		if flag.Hidden {
			continue
		}
		if flag.Group != nil && flag.Group.Title != group {
			group = flag.Group.Title
			p.macro("PP")
			p.macro("I", group)
		}
		p.tagged("--"+strings.TrimPrefix(flag.Summary(), "--"), p.describe(flag.Value))
	}
}

// detail writes paragraphs; those that are indented are examples.
func (p *manPage) detail(text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			p.macro("PP")
		}
		if strings.HasPrefix(paragraph, " ") {
			p.macro("nf")
			p.text(paragraph)
			p.macro("fi")
			continue
		}
		p.text(paragraph)
	}
}

func (p *manPage) tagged(tag, text string) {
	p.macro("TP")
	p.macro("B", tag)
	p.text(text)
}

// macro writes a macro with its arguments.
func (p *manPage) macro(name string, arguments ...string) {
	line := "." + name
	for _, a := range arguments {
		line += ` "` + strings.ReplaceAll(escaped.Replace(a), `"`, `\(dq`) + `"`
	}
	fmt.Fprintln(p.w, line)
}

// text writes lines that are not macros.
func (p *manPage) text(text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		line = escaped.Replace(strings.TrimRight(line, "\n"))
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		fmt.Fprintln(p.w, line)
	}
}

// escaped has what troff would read as something else.
var escaped = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `…`, `...`, `~`, `\(ti`, `^`, `\(ha`)
