package main

// `config`: show prints the value of every setting of serve and where it is
// from; check builds everything as serve does, without a database or a network.

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

type configCommands struct {
	Show  configShow  `cmd:"" help:"Print the value of each setting of serve, and where it is from."`
	Check configCheck `cmd:"" help:"Report what is wrong with the settings, without opening the database."`
}

type configShow struct {
	serveFlags
	listFlags
	All bool `help:"Also print the settings that have their default."`
}

// Help is shown below the usage line.
func (configShow) Help() string {
	return `A value is from the command line, a variable of the environment, or the config
file, in this order. Secrets are not shown.

    jotgate config show
    jotgate config show --config /etc/jotgate/jotgate.yaml --all`
}

// settingOrigin is a setting in the output.
type settingOrigin struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// fromDefault is the source of a setting that is set nowhere.
const fromDefault = "default"

// Run prints the settings in the order of --help.
func (c *configShow) Run(a *app, line *kong.Context, s *source) error {
	settings := []settingOrigin{}
	for _, flag := range line.Selected().Flags {
		if flag.Group == nil {
			continue
		}
		from, err := originOf(line, s, flag)
		if err != nil {
			return err
		}
		if from != fromDefault || c.All {
			settings = append(settings, settingOrigin{Name: flag.Name, Value: shownValue(flag), Source: from})
		}
	}
	var rows [][]string
	for _, setting := range settings {
		rows = append(rows, []string{setting.Name, setting.Value, setting.Source})
	}
	return c.show(a, settings, "every setting has its default; --all prints them", "SETTING VALUE SOURCE", rows)
}

// originOf returns where the value of a flag is from.
func originOf(line *kong.Context, s *source, flag *kong.Flag) (string, error) {
	given := slices.ContainsFunc(line.Path, func(p *kong.Path) bool { return p.Flag == flag && !p.Resolved })
	if given {
		return "--" + flag.Name, nil
	}
	_, from, err := s.find(flag)
	if from == "" {
		from = fromDefault
	}
	return from, err
}

// shownValue returns the value as text, without secrets. A flag that holds one has
// the tag secret: "all", or "url" if it is the password of a URL.
func shownValue(flag *kong.Flag) string {
	target := flag.Target
	if target.Kind() == reflect.Pointer {
		if target.IsNil() {
			return ""
		}
		target = target.Elem()
	}
	text := fmt.Sprint(target.Interface())
	switch v := target.Interface().(type) {
	case time.Duration:
		text = formatDuration(v)
	case []string:
		text = strings.Join(v, ",")
	case map[string]string:
		words := make([]string, 0, len(v))
		for name, value := range v {
			words = append(words, name+"="+value)
		}
		slices.Sort(words)
		text = strings.Join(words, ";")
	}
	switch {
	case flag.Tag.Get("secret") == "" || text == "":
		return text
	case flag.Tag.Get("secret") == "url":
		return withoutPassword(text)
	}
	return "(hidden)"
}

// withoutPassword hides what stands between the user and the last @ of a URL, and
// all of a text that may hold a password elsewhere.
func withoutPassword(text string) string {
	at := strings.LastIndex(text, "@")
	place, query, _ := strings.Cut(text[at+1:], "?")
	scheme, user, isURL := strings.Cut(text[:max(at, 0)], "://")
	switch {
	case strings.Contains(strings.ToLower(query), "pass"), !places().MatchString(place):
		return "(hidden)"
	case at < 0:
		return text
	case !isURL:
		return "(hidden)"
	}
	user, _, hasPassword := strings.Cut(user, ":")
	if hasPassword {
		user += ":(hidden)"
	}
	return scheme + "://" + user + text[at:]
}

type configCheck struct{ serveFlags }

// Help is shown below the usage line.
func (configCheck) Help() string {
	return `Nothing is opened, connected to or changed; jotgate doctor also tries the database,
the mail server and the upstream. The status is 1 if serve would not start.

    jotgate config check --config jotgate.yaml`
}

// Run prints each error on a line.
func (c *configCheck) Run(a *app) error {
	faults := c.dryRun(a)
	for _, fault := range faults {
		a.printf("%s: %s\n", visible(fault.about), visible(sentence(fault.err)))
	}
	if len(faults) > 0 {
		return errors.New("serve does not start with these settings")
	}
	a.print("serve starts with these settings")
	return nil
}
