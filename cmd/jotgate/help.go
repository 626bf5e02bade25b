package main

// What --help shows for a flag: its meaning and unit, its default and its
// environment variable. Its line in the config file has the flag's name.

import (
	"strings"

	"github.com/alecthomas/kong"

	"github.com/jotgate/jotgate"
)

// groups are the headings of settings. Only settings are in groups.
var groups = []kong.Group{
	{Key: "server", Title: "Server:"},
	{Key: "tls", Title: "TLS:"},
	{Key: "database", Title: "Database:"},
	{Key: "secret", Title: "Secret:"},
	{Key: "tokens", Title: "Tokens:"},
	{Key: "passwords", Title: "Passwords:"},
	{Key: "login", Title: "Second factors:"},
	{Key: "requests", Title: "Requests:"},
	{Key: "pages", Title: "Pages:"},
	{Key: "admin", Title: "Administration:"},
	{Key: "apikeys", Title: "API keys and service accounts:"},
	{Key: "webhooks", Title: "Webhooks:"},
	{Key: "mail", Title: "Mail:"},
	{Key: "upstream", Title: "In front of an API:"},
}

// describe returns the second column of --help.
func (s *source) describe(value *kong.Value) string {
	text := value.Help
	if value.Flag == nil {
		return text
	}
	var facts []string
	if value.HasDefault && value.Default != "" && !strings.Contains(text, "Default:") {
		facts = append(facts, "default "+value.Default)
	}
	for _, name := range s.names[value].env {
		facts = append(facts, "$"+name)
	}
	if value.Name == "help" || len(facts) == 0 {
		return text
	}
	return text + " [" + strings.Join(facts, ", ") + "]"
}

// withoutTexts empties the texts of every flag, in which kong would search for
// variables: that takes longer than parsing the command line. withTexts restores them.
func withoutTexts(k *kong.Kong) error {
	eachFlag(k.Model.Node, func(f *kong.Flag) { f.Help, f.Default, f.Enum, f.PlaceHolder = "", "", "", "" })
	return nil
}

// withTexts undoes withoutTexts, and fills in the names of the claims.
func withTexts(k *kong.Kong) {
	eachFlag(k.Model.Node, func(f *kong.Flag) {
		f.Help, f.Default, f.Enum, f.PlaceHolder = f.OrigHelp, f.Tag.Default, f.Tag.Enum, f.Tag.PlaceHolder
		if strings.Contains(f.Help, "${claims}") {
			f.Help = strings.ReplaceAll(f.Help, "${claims}", strings.Join(jotgate.ClaimNames(), ", "))
		}
	})
}

// eachFlag calls do for each flag of the node and of its subcommands.
func eachFlag(node *kong.Node, do func(*kong.Flag)) {
	for _, f := range node.Flags {
		do(f)
	}
	for _, child := range node.Children {
		eachFlag(child, do)
	}
}

// introduce adds a word before help that begins with an example: kong removes
// leading spaces from a text, so the first example would look like prose.
func introduce(k *kong.Kong) error {
	return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
		if n, ok := node.(*kong.Node); ok && strings.HasPrefix(n.Detail, " ") {
			n.Detail = "For example:\n\n" + n.Detail
		}
		return next(nil)
	})
}
