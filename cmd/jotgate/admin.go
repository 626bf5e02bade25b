package main

// `admin`: the actions and lists of the administration, with the same
// implementation as its pages.

import (
	"errors"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/store"
)

type adminCommands struct {
	Actions adminActions `cmd:"" help:"List the actions and their fields."`
	Do      adminDo      `cmd:"" help:"Do an action to a user, a group, a session, …"`
	Show    adminShow    `cmd:"" help:"Show users, groups, permissions, sessions, keys, emails, events, throttles, jobs or health, as JSON."`
	Export  adminExport  `cmd:"" help:"Write users or the audit trail as CSV or JSON lines."`
}

// actorFlags say whose rights an action needs.
type actorFlags struct {
	gateFlags
	As string `placeholder:"USER" help:"Act with the rights of this member of staff, whom the audit trail then names. Default: as an operator, who may do everything."`
}

// act calls do with the administration and the actor.
func (f *actorFlags) act(a *app, do func(adm *admin.Admin, who admin.Actor) error) error {
	gate, db, err := f.gate(a, slog.New(slog.DiscardHandler), false)
	if err != nil {
		return err
	}
	return errors.Join(f.with(a, gate, db, do), db.Close())
}

func (f *actorFlags) with(a *app, gate *jotgate.Gate, db *store.Store, do func(adm *admin.Admin, who admin.Actor) error) error {
	adm, err := admin.NewActions(gate, admin.Options{SetPasswords: true})
	if err != nil {
		return err
	}
	if f.As == "" {
		return do(adm, adm.Operator())
	}
	account, err := db.Accounts().ByLogin(a.ctx, f.As)
	if err != nil {
		return notFound(err, "user", f.As)
	}
	who, err := adm.OperatorAs(a.ctx, account)
	if err != nil {
		return err
	}
	return do(adm, who)
}

// notFound names what was not found.
func notFound(err error, what, name string) error {
	if errors.Is(err, jotgate.ErrNotFound) {
		return errors.New("there is no " + what + " " + name)
	}
	return err
}

type adminActions struct{ actorFlags }

// Help is shown below the usage line.
func (adminActions) Help() string { return `    jotgate admin actions` }

// Run lists the actions.
func (c *adminActions) Run(a *app) error {
	return c.act(a, func(adm *admin.Admin, _ admin.Actor) error {
		var rows [][]string
		for _, act := range adm.Actions() {
			rows = append(rows, []string{act.Name, act.About, strings.Join(act.Fields, " ")})
		}
		a.table("there are no actions", "ACTION ABOUT FIELDS", rows)
		return nil
	})
}

type adminDo struct {
	actorFlags
	Action string   `arg:"" help:"The action, such as user.deactivate."`
	Target string   `arg:"" optional:"" help:"The id of the user, group, …; for a user also @USERNAME. None for an action that creates something."`
	Fields []string `arg:"" optional:"" help:"FIELD=VALUE; a field with several values is named several times."`
}

// Help is shown below the usage line.
func (adminDo) Help() string {
	return `Each action is one entry in the audit trail, with the values before and after.

    jotgate admin do user.deactivate @alice --as bob
    jotgate admin do user.change 7 email=alice@example.org is_staff=true
    jotgate admin do group.add name=editors
    jotgate admin do job.start action=user.deactivate all=true q=example.org`
}

// Run does the action. A job is done before the command ends.
func (c *adminDo) Run(a *app) error {
	if strings.Contains(c.Target, "=") { // of an action without a target
		c.Target, c.Fields = "", append([]string{c.Target}, c.Fields...)
	}
	in, err := assigned(c.Fields, "FIELD=VALUE")
	if err != nil {
		return err
	}
	gate, db, err := c.gate(a, slog.New(slog.DiscardHandler), false)
	if err != nil {
		return err
	}
	target, err := c.target(a, db)
	if err == nil {
		err = c.with(a, gate, db, func(adm *admin.Admin, who admin.Actor) error {
			result, err := adm.Act(a.ctx, who, c.Action, target, in)
			if err != nil {
				return notFound(err, "action or target", strings.TrimSpace(c.Action+" "+c.Target))
			}
			adm.Work(a.ctx)
			return a.json(result)
		})
	}
	return errors.Join(err, db.Close())
}

// target returns the id of the target.
func (c *adminDo) target(a *app, db *store.Store) (string, error) {
	name, ok := strings.CutPrefix(c.Target, "@")
	if !ok {
		return c.Target, nil
	}
	account, err := db.Accounts().ByLogin(a.ctx, name)
	if err != nil {
		return "", notFound(err, "user", name)
	}
	return string(account.ID), nil
}

// assigned reads arguments of this form.
func assigned(arguments []string, form string) (admin.Fields, error) {
	in := admin.Fields{}
	for _, text := range arguments {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, usage("%q is not of the form %s", text, form)
		}
		in[name] = append(in[name], value)
	}
	return in, nil
}

type adminShow struct {
	actorFlags
	List       string   `arg:"" enum:"users,groups,permissions,sessions,keys,emails,events,throttles,jobs,health" help:"What to show."`
	ID         string   `arg:"" optional:"" help:"The id of one user, group, permission or job."`
	Parameters []string `arg:"" optional:"" help:"NAME=VALUE, as in the address of the page: q, staff, superuser, active, mfa, never, group, provider, sort, after, limit; event, user, actor, since."`
}

// Help is shown below the usage line.
func (adminShow) Help() string {
	return `    jotgate admin show users q=ada staff=true
    jotgate admin show users 7
    jotgate admin show events actor=1 since=2026-01-31`
}

// Run shows a list, or one of its rows.
func (c *adminShow) Run(a *app) error {
	if strings.Contains(c.ID, "=") {
		c.ID, c.Parameters = "", append([]string{c.ID}, c.Parameters...)
	}
	values, err := assigned(c.Parameters, "NAME=VALUE")
	if err != nil {
		return err
	}
	return c.act(a, func(adm *admin.Admin, who admin.Actor) error {
		shown, err := adm.Read(a.ctx, who, c.List, c.ID, url.Values(values))
		if err != nil {
			return notFound(err, "row", c.ID)
		}
		return a.json(shown)
	})
}

type adminExport struct {
	actorFlags
	Format  string   `default:"csv" enum:"csv,jsonl" placeholder:"FORM" help:"csv or jsonl."`
	Search  string   `placeholder:"TEXT" help:"Only users that this search finds. Default: all."`
	Output  string   `placeholder:"FILE" help:"Where to write. Default: standard output."`
	List    string   `arg:"" optional:"" default:"users" enum:"users,events" help:"What to write. Default: users."`
	Filters []string `arg:"" optional:"" help:"NAME=VALUE, as in the address of the page: staff, superuser, active, mfa, never, group, provider; of events: event, user, actor, since."`
}

// Help is shown below the usage line.
func (adminExport) Help() string {
	return `No cell of the file is a formula for a spreadsheet. For a copy that can be imported
again, with the hashes of the passwords, use user export.

    jotgate admin export --output users.csv
    jotgate admin export users provider=google
    jotgate admin export events event=login_failed since=2026-01-31 --format jsonl`
}

// Run writes the file.
func (c *adminExport) Run(a *app) error {
	if c.List == "events" && c.Search != "" {
		return usage("--search is for users")
	}
	in, err := assigned(c.Filters, "NAME=VALUE")
	if err != nil {
		return err
	}
	in["format"] = []string{c.Format}
	if c.Search != "" {
		in["q"] = []string{c.Search}
	}
	return c.act(a, func(adm *admin.Admin, who admin.Actor) error {
		export := adm.Export
		if c.List == "events" {
			export = adm.ExportEvents
		}
		if c.Output == "" {
			return export(a.ctx, who, in, a.stdout)
		}
		file, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		return errors.Join(export(a.ctx, who, in, file), file.Close())
	})
}
