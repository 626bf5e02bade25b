package main

// The commands and how a command line is parsed: kong does the parsing,
// config.go adds the environment and the config file, help.go writes the text
// of --help.

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// commands is the whole command line. The order is that of --help.
type commands struct {
	Config configFlag `placeholder:"FILE" help:"Read settings from a YAML or JSON file. Default: jotgate.yaml, if there is one."`

	Serve           serveCommand           `cmd:"" help:"Serve logins, tokens and users over HTTP."`
	Migrate         migrateCommand         `cmd:"" help:"Create the missing tables."`
	Doctor          doctorCommand          `cmd:"" help:"Report problems in the configuration and the database, and how to fix them."`
	Settings        configCommands         `cmd:"" name:"config" help:"Show and check the settings of serve."`
	Createsuperuser createsuperuserCommand `cmd:"" help:"Create an administrator."`
	Changepassword  changepasswordCommand  `cmd:"" help:"Set a user's password."`
	User            userCommands           `cmd:"" help:"Manage users."`
	Group           groupCommands          `cmd:"" help:"Manage groups."`
	Session         sessionCommands        `cmd:"" help:"List and end sessions."`
	Key             keyCommands            `cmd:"" help:"Manage the keys that sign tokens."`
	Apikey          apiKeyCommands         `cmd:"" help:"Manage the API keys of programs."`
	Client          clientCommands         `cmd:"" help:"Manage OAuth clients: programs with accounts of their own."`
	Webhook         webhookCommands        `cmd:"" help:"Manage webhooks: URLs that get events."`
	Breached        breachedCommands       `cmd:"" help:"Make the file of breached passwords."`
	Event           eventCommands          `cmd:"" help:"Read the audit trail."`
	Admin           adminCommands          `cmd:"" help:"Do and show what the administration's pages do and show."`
	Theme           themeCommands          `cmd:"" help:"Customize the login pages."`
	Email           emailCommands          `cmd:"" help:"Test the mail server."`
	Token           tokenCommands          `cmd:"" help:"Create, decode and verify tokens."`
	Backup          backupCommand          `cmd:"" help:"Copy the SQLite database while it is in use."`
	Restore         restoreCommand         `cmd:"" help:"Replace the database with a backup."`
	Move            moveCommand            `cmd:"" help:"Move everything to another database, such as PostgreSQL."`
	Purge           purgeCommand           `cmd:"" aliases:"flushexpiredtokens" help:"Delete expired rows."`
	Bench           benchCommand           `cmd:"" help:"Measure this machine and recommend settings."`
	Openapi         openapiCommand         `cmd:"" help:"Print the OpenAPI description of the endpoints."`
	Completion      completionCommand      `cmd:"" help:"Print the completion script of a shell."`
	Man             manCommand             `cmd:"" help:"Print the manual page."`
	Version         versionCommand         `cmd:"" help:"Print the version."`
}

// run parses the command line and runs its command.
func (a *app) run(args []string) error {
	if len(args) > 0 && args[0] == completionWord {
		return a.complete(a.env["COMP_LINE"])
	}
	shown := false
	args = asWritten(args)
	settings := &source{env: a.env}
	parser, err := newParser(grammarOf(args[0]), a, settings, func(int) { shown = true })
	if err != nil {
		return err
	}
	line, err := parser.Parse(args)
	switch {
	case shown:
		return nil
	case err != nil:
		return a.parseError(err)
	}
	unknown, err := settings.unknownVariables()
	if err != nil {
		return err
	}
	for _, variable := range unknown {
		a.warn("warning: there is no setting %s", variable)
	}
	return line.Run()
}

// newParser makes a parser of command lines. grammar points to commands, or to a
// struct with some of them; shown is called after --help was printed.
func newParser(grammar any, a *app, source *source, shown func(status int)) (*kong.Kong, error) {
	parser, err := kong.New(
		grammar,
		kong.Name("jotgate"),
		kong.Description("Accounts and JSON Web Tokens for a REST API."),
		kong.Writers(a.stdout, a.stderr),
		kong.Exit(shown),
		kong.WithHyphenPrefixedParameters(true), // a secret may begin with a hyphen
		kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(decodeDuration)),
		kong.PostBuild(source.learn),
		kong.PostBuild(introduce),
		kong.PostBuild(withoutTexts),
		kong.Resolvers(source),
		kong.ValueFormatter(source.describe),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.ExplicitGroups(groups),
		kong.Bind(a, source),
	)
	if err == nil {
		withTexts(parser)
	}
	return parser, err
}

// grammarOf returns the part of the commands that a command line beginning with
// first needs. Parsing the flags of every command takes longer than most commands
// run.
func grammarOf(first string) any {
	list := reflect.TypeFor[commands]()
	config, _ := list.FieldByName("Config")
	for field := range list.Fields() {
		if _, command := field.Tag.Lookup("cmd"); !command {
			continue
		}
		if strings.ToLower(field.Name) == first || field.Tag.Get("name") == first || field.Tag.Get("aliases") == first {
			return reflect.New(reflect.StructOf([]reflect.StructField{config, field})).Interface()
		}
	}
	return &commands{} // an error, or --help, which needs all commands
}

// asWritten translates other common spellings, such as help and --version.
func asWritten(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(append([]string{}, args[1:]...), "--help")
	case args[0] == "--version":
		return []string{"version"}
	case args[0] == "key":
		return keyIDLast(args)
	}
	return args
}

// keyIDLast moves the id of a key that begins with a hyphen, as one in 64 does, to
// the end and puts "--" before it, so that it is not read as a flag.
func keyIDLast(args []string) []string {
	i := slices.IndexFunc(args, func(arg string) bool { return len(arg) == 43 && arg[0] == '-' && arg[1] != '-' })
	if i < 0 || slices.Contains(args, "--") {
		return args
	}
	return append(slices.Delete(slices.Clone(args), i, i+1), "--", args[i])
}

// parseError returns the error for a command line that cannot be parsed.
func (a *app) parseError(err error) error {
	var parse *kong.ParseError
	if !errors.As(err, &parse) {
		return usage("%w", err)
	}
	node := parse.Context.Selected()
	if node == nil {
		node = parse.Context.Model.Node
	}
	path, _, _ := strings.Cut(node.FullPath(), " (") // without aliases
	return usage("%w (see %s --help)", didYouMean(node, err), path)
}
