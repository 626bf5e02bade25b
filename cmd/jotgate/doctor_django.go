package main

// `doctor --django`: compares the settings of serve with a dump of the site's,
// and writes those that make jotgate behave as the site does.

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/jotgate/jotgate/store"
)

// proposal is a flag of serve with the value that a setting of the site asks
// for.
type proposal struct {
	flag  string
	value any // a string, a bool, a list or a map, as in the config file
	from  string
	found string // the setting, as the dump has it
	apart string // what differs although the flag is set
}

// read returns what the site's settings ask for, and what has no equal here.
func (d dump) read() (wanted []proposal, facts []store.Fact) {
	known := map[string]bool{"SIMPLE_JWT.SIGNING_KEY": true, "SIMPLE_JWT.ALGORITHM": true, "SIMPLE_JWT.VERIFYING_KEY": true}
	for _, r := range siteRules {
		known[r.path] = true
		v := d.or(r.path, r.absent)
		if v == nil || r.only != nil && !r.only(d) {
			continue
		}
		value, apart := v, ""
		if r.read != nil {
			value, apart = r.read(v, d)
		}
		switch {
		case r.flag != "" && value != nil:
			wanted = append(wanted, proposal{r.flag, value, r.path, shownSetting(r.path, v), apart})
		case apart != "":
			facts = append(facts, r.note(v, apart))
		}
	}
	facts = append(facts, d.apart(known)...)
	return wanted, append(facts, d.unread(known)...)
}

// note returns the fact about a setting without an equal.
func (r *siteRule) note(v any, apart string) store.Fact {
	f := store.Fact{OK: true, About: r.path, Found: shownSetting(r.path, v), Fix: apart}
	if found, rest, ok := strings.Cut(apart, ": "); ok && r.names {
		f.Found, f.Fix = found, rest
	}
	return f
}

// unread lists the settings of the libraries that no rule and no note reads.
func (d dump) unread(known map[string]bool) (facts []store.Fact) {
	for _, group := range []string{"SIMPLE_JWT", "DJOSER", "REST_AUTH"} {
		settings, _ := d[group].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			if path := group + "." + name; !known[path] && settings[name] != nil {
				facts = append(facts, store.Fact{OK: true, About: path, Found: shownSetting(path, settings[name]), Fix: "jotgate has no such setting"})
			}
		}
	}
	return facts
}

// djangoFacts compares with the dump; without one it lists what to compare.
func (c *doctorCommand) djangoFacts(a *app, d dump) (facts []store.Fact, err error) {
	if d == nil {
		return []store.Fact{{OK: true, About: "Django's settings", Found: "not given", Fix: "--django-settings FILE compares them; jotgate doctor --help says how to make the file"}}, nil
	}
	wanted, facts := d.read()
	key, files, unusable := d.signingKey(c.Write)
	wanted = append(wanted, key...)
	facts = append(unusable, facts...)
	accepted, refused, err := c.divide(a, wanted, files)
	if err != nil {
		return nil, err
	}
	compared := []store.Fact{c.secretsAgree(a, d)}
	for _, p := range accepted {
		f, last := c.compare(p), compared[len(compared)-1]
		if !f.OK || f.Fix != "" || f.About != last.About { // one setting may have two flags
			compared = append(compared, f)
		}
	}
	for _, r := range refused {
		compared = append(compared, store.Fact{About: r.from, Found: r.found, Fix: "serve cannot follow it: " + r.apart})
	}
	if c.Write != "" {
		err = c.write(a, accepted, files)
	}
	return append(compared, facts...), err
}

// compare returns the fact about a flag of which serve accepts the value.
func (c *doctorCommand) compare(p proposal) store.Fact {
	ours, theirs := flagText(flagField(&c.serveFlags, p.flag)), valueText(p.value)
	f := store.Fact{OK: sameSetting(p.flag, ours, theirs), About: p.from, Found: p.found, Fix: p.apart}
	if !f.OK {
		f.Fix = "jotgate has " + quoted(ours) + ": start it with --" + p.flag + "=" + theirs
		if on, is := p.value.(bool); is { // the flag may be the opposite of the setting
			f.Fix = "start jotgate with --" + strings.TrimSuffix(p.flag+"="+strconv.FormatBool(on), "=true")
		}
		if p.apart != "" {
			f.Fix += "; " + p.apart
		}
	}
	return f
}

// sameSetting reports whether jotgate's value does what the site's asks for.
func sameSetting(flag, ours, theirs string) bool {
	switch flag {
	case "hasher": // ,keep leaves the other side's hashes alone
		return ours == theirs || strings.HasSuffix(ours, ",keep")
	case "header-types": // accepting further schemes harms no one
		have := strings.Split(ours, ",")
		return !slices.ContainsFunc(strings.Split(theirs, ","), func(word string) bool { return !slices.Contains(have, word) })
	}
	return ours == theirs
}

// divide divides the proposals into those with which serve starts and those
// with which it does not, with its error. It is the rehearsal that serve itself
// begins with.
func (c *doctorCommand) divide(a *app, wanted []proposal, files map[string][]byte) (accepted, refused []proposal, err error) {
	if c.try(a, wanted, files) == nil {
		return wanted, nil, nil
	}
	if err := c.try(a, nil, nil); err != nil {
		return wanted, nil, nil // serve does not start in any case, as another line says
	}
	// A setting may be refused only until another one is set, such as a lifetime
	// that must not be longer than another.
	for progress := true; progress; {
		progress, refused = false, nil
		for _, p := range wanted {
			if slices.ContainsFunc(accepted, func(have proposal) bool { return have.flag == p.flag && have.from == p.from }) {
				continue
			}
			if err := c.try(a, append(slices.Clone(accepted), p), files); err != nil {
				p.apart = sentence(err)
				refused = append(refused, p)
				continue
			}
			accepted, progress = append(accepted, p), true
		}
	}
	return accepted, refused, nil
}

// try parses a config file of the proposals as serve does and rehearses its
// start.
func (c *doctorCommand) try(a *app, wanted []proposal, files map[string][]byte) error {
	settings := &source{env: a.env}
	if err := settings.use(configOf(wanted)); err != nil {
		return err
	}
	var line struct {
		Serve serveCommand `cmd:""`
	}
	silent := *a
	silent.files = files
	parser, err := newParser(&line, &silent, settings, func(int) {})
	if err != nil {
		return err
	}
	args := []string{"serve", "--database=" + c.Database, "--addr=127.0.0.1:0"}
	if c.SecretKeyFile != "" {
		args = append(args, "--secret-key-file="+c.SecretKeyFile)
	}
	if _, err := parser.Parse(args); err != nil {
		return err
	}
	return line.Serve.check(&silent)
}

// configOf returns the proposals as a tree of the config file.
func configOf(wanted []proposal) map[string]any {
	tree := map[string]any{}
	for _, p := range wanted {
		if fmt.Sprint(p.value) != "[]" && fmt.Sprint(p.value) != "map[]" {
			tree[p.flag] = p.value
		}
	}
	return tree
}

// write writes the accepted proposals to the config file --write, and the key
// files that it names beside it.
func (c *doctorCommand) write(a *app, accepted []proposal, files map[string][]byte) error {
	head, start := "# Written by jotgate doctor --django from the settings of a Django site. The secret is not in it:\n"+
		"# give it as SECRET_KEY in the environment or as secret-key-file.\n", "SECRET_KEY=… "
	own := func(flag, value string) { accepted = append(slices.Clip(accepted), proposal{flag: flag, value: value}) }
	if c.SecretKeyFile != "" {
		start = ""
		own("secret-key-file", c.SecretKeyFile)
	}
	if _, file := c.sqliteFile(); file {
		own("database", c.Database)
	} else { // the address has a password
		head += "# The database is not in it either: give its address as DATABASE_URL.\n"
		start += "DATABASE_URL=… "
	}
	text, err := yaml.Marshal(configOf(accepted))
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := createFile(name, content, 0o600); err != nil {
			return err
		}
	}
	if err := createFile(c.Write, append([]byte(head), text...), 0o644); err != nil {
		return err
	}
	a.warn("wrote %s; start with: %sjotgate serve --config %s", c.Write, start, c.Write)
	return nil
}

// createFile writes a file that must not exist yet.
func createFile(name string, content []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("--write: %w", err)
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// flagField returns the field of a flag in a struct of flags, which may embed
// others. It is the zero Value if there is none.
func flagField(flags any, name string) (found reflect.Value) {
	v := reflect.ValueOf(flags).Elem()
	for _, f := range reflect.VisibleFields(v.Type()) {
		if !f.Anonymous && cmp.Or(f.Tag.Get("name"), flagName(f.Name)) == name {
			found = v.FieldByIndex(f.Index)
		}
	}
	return found
}

var wordStart = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`) })

// flagName returns the name that kong gives to the flag of a field.
func flagName(field string) string {
	return strings.ToLower(wordStart().ReplaceAllString(field, "$1$3-$2$4"))
}

// flagText returns the value of a flag as on the command line.
func flagText(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		v = reflect.Indirect(v)
	}
	if !v.IsValid() {
		return ""
	}
	return valueText(v.Interface())
}

// valueText returns a value as on the command line.
func valueText(value any) string {
	switch v := value.(type) {
	case time.Duration:
		return formatDuration(v)
	case []string:
		return strings.Join(v, ",")
	case map[string]string:
		return fmt.Sprint(asWord(true, anyMap(v)))
	case map[string]any:
		return fmt.Sprint(asWord(true, v))
	}
	return fmt.Sprint(value)
}

func anyMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// quoted returns value, or "nothing" if it is empty.
func quoted(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}
