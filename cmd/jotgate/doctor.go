package main

// `doctor`: checks the database, the secret and every setting of serve,
// changes nothing, and prints one line for each: whether it works, and
// otherwise how to fix it.

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type doctorCommand struct {
	serveFlags
	listFlags
	Django         bool   `help:"Also report whether a Django site can share the tables and the secret."`
	DjangoSettings string `placeholder:"FILE" help:"With --django: compare with the site's settings, a dump in JSON (see above); - reads standard input."`
	Write          string `placeholder:"FILE" help:"With --django-settings: write the settings that make jotgate behave as the site into a new config file, such as jotgate.yaml."`
}

// Help is shown below the usage line.
func (doctorCommand) Help() string {
	return `Checks the database, the secret and every setting of serve; also whether the
mail server and the upstream can be reached. Nothing is changed. The status is 1
if something keeps jotgate from serving. Lines begin with ok, note, fix or BAD.

    jotgate doctor
    jotgate doctor --django --django-settings settings.json
    jotgate doctor --django --django-settings settings.json --write jotgate.yaml

The dump is made where manage.py is, by:

    python manage.py shell -c "import json, django; from django.conf import settings as s; from django.contrib.auth import get_user_model; U = get_user_model(); m = U._meta; print(json.dumps({**{k: getattr(s, k) for k in dir(s) if k.isupper()}, 'DJANGO_VERSION': django.get_version(), 'USER_MODEL': {'table': m.db_table, 'pk': m.pk.column, 'username': m.get_field(U.USERNAME_FIELD).column, 'email': U.get_email_field_name(), 'required': U.REQUIRED_FIELDS, 'fields': [{'column': f.column, 'null': f.null, 'blank': f.blank, 'default': f.default, 'auto': getattr(f, 'auto_now', False) or getattr(f, 'auto_now_add', False)} for f in m.concrete_fields]}}, default=str))" > settings.json

It holds the site's secret: delete it afterwards.`
}

// Run collects the facts and prints them.
func (c *doctorCommand) Run(a *app) error {
	if c.Write != "" && c.DjangoSettings == "" {
		return usage("--write needs --django-settings FILE")
	}
	var django dump
	if c.DjangoSettings != "" {
		var err error
		if django, err = readDump(a, c.DjangoSettings); err != nil {
			return err
		}
	}
	facts, err := c.databaseFacts(a)
	if err != nil {
		return err
	}
	migrated := !slices.ContainsFunc(facts, func(f store.Fact) bool { return f.Fatal })
	secret := c.secretFact(a, facts)
	facts = append(facts, secret)
	for _, f := range c.serveFacts(a, migrated) {
		if !f.Fatal || f.Found != secret.Found { // once is enough
			facts = append(facts, f)
		}
	}
	if c.Django || django != nil {
		compared, err := c.djangoFacts(a, django)
		if err != nil {
			return err
		}
		facts = append(facts, compared...)
	}
	for i := range facts {
		if facts[i].Fix == store.FixAtStart {
			facts[i].OK, facts[i].Fatal = true, false
		}
	}
	if c.JSON {
		err = a.json(facts)
	} else {
		printFacts(a, facts)
	}
	if err == nil && slices.ContainsFunc(facts, func(f store.Fact) bool { return f.Fatal }) {
		err = errors.New("jotgate cannot serve with this configuration")
	}
	return err
}

// printFacts prints a line for each fact, followed by how to fix it.
func printFacts(a *app, facts []store.Fact) {
	for _, f := range folded(facts) {
		mark := "ok  "
		switch {
		case f.Fatal:
			mark = "BAD "
		case !f.OK:
			mark = "fix "
		case f.Fix != "":
			mark = "note"
		}
		a.printf("%s  %s: %s\n", mark, visible(f.About), withDays(visible(f.Found)))
		if f.Fix != "" {
			a.printf("      %s\n", visible(f.Fix))
		}
	}
}

// folded replaces a run of tables that are missing, as in a database that was
// not migrated, by one fact.
func folded(facts []store.Fact) (list []store.Fact) {
	for len(facts) > 0 {
		n := slices.IndexFunc(facts, func(f store.Fact) bool { return f.Found != "not there" || f.Fix != store.FixAtStart })
		if n < 0 {
			n = len(facts)
		}
		if n > 1 {
			facts[n-1].About = plural(n, "table") + " of jotgate"
		}
		n = max(n, 1)
		list, facts = append(list, facts[n-1]), facts[n:]
	}
	return list
}

// databaseFacts returns the store's facts and the counts of password hashes.
func (c *doctorCommand) databaseFacts(a *app) (facts []store.Fact, err error) {
	if path, ok := c.sqliteFile(); ok {
		_, folder := os.Stat(filepath.Dir(path))
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && folder == nil {
			return []store.Fact{{Fatal: true, About: "database " + path, Found: "not there", Fix: store.FixAtStart}}, nil
		}
	}
	db, err := c.open(a, inspecting)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if facts, err = db.Facts(a.ctx); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(facts, func(f store.Fact) bool { return f.Fatal }) {
		return facts, nil // without a user table there is nothing to count
	}
	hashes, err := c.hashFacts(a, db)
	if err != nil {
		return nil, err
	}
	hooks, err := webhookFacts(a, db)
	return slices.Concat(facts, hashes, hooks), err
}

// hashFacts counts the accounts by the algorithm of their password hash, and
// those whose hash costs too much. It reads the whole table.
func (c *doctorCommand) hashFacts(a *app, db *store.Store) ([]store.Fact, error) {
	hasher, err := c.hasher(c.Hasher)
	if err != nil {
		return []store.Fact{{Fatal: true, About: "--hasher", Found: err.Error(), Fix: "see jotgate serve --help"}}, nil
	}
	count := hashCount{algorithms: map[string]int{}}
	err = eachAccount(a.ctx, db, func(account *record.Account) error {
		count.add(hasher, account)
		return nil
	})
	return count.facts(hasher), err
}

// hashCount counts stored hashes.
type hashCount struct {
	algorithms map[string]int
	weak       []string // hashes of algorithms that do not protect a stolen password
	costly     int
	example    string // of an account with a costly hash
}

func (n *hashCount) add(hasher *passwd.Hasher, account *record.Account) {
	info, costly := passwd.Identify(account.Password), hasher.TooCostly(account.Password)
	name := info.Algorithm
	switch {
	case costly:
		if n.costly++; n.costly == 1 {
			n.example = fmt.Sprintf("user id %s, %s", account.ID, info)
		}
	case !info.Valid && passwd.IsUsable(account.Password):
		name = "other"
	}
	if n.algorithms[name]++; (info.Retired || name == "other") && !slices.Contains(n.weak, name) {
		n.weak = append(n.weak, name)
	}
}

func (n *hashCount) facts(hasher *passwd.Hasher) (facts []store.Fact) {
	for _, name := range slices.Sorted(maps.Keys(n.algorithms)) {
		facts = append(facts, n.fact(name, hasher))
	}
	if n.costly > 0 {
		facts = append(facts, n.costlyFact())
	}
	return facts
}

// fact returns the fact about the hashes of one algorithm.
func (n *hashCount) fact(name string, hasher *passwd.Hasher) store.Fact {
	f := store.Fact{OK: true, About: "passwords stored as " + name, Found: strconv.Itoa(n.algorithms[name])}
	switch {
	case name == "other":
		f.OK, f.Fix = false, "not password hashes of Django; their owners need a password reset"
	case slices.Contains(n.weak, name):
		f.OK, f.Fix = false, "weak; each is replaced when its owner logs in ("+hasher.String()+")"
	}
	return f
}

func (n *hashCount) costlyFact() store.Fact {
	return store.Fact{
		About: "passwords above --hash-limits", Found: fmt.Sprintf("%d (%s)", n.costly, n.example),
		Fix: "their owners cannot log in: reset the passwords, or raise --hash-limits",
	}
}

// secretFact checks, without showing the secret, whether it can be used and
// whether it opens the signing keys of the database.
func (c *doctorCommand) secretFact(a *app, database []store.Fact) store.Fact {
	f := store.Fact{About: "secret", Found: "usable"}
	secret, err := c.read(a, c.folder(), false)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.SecretKeyFile == "" && besideDjango(database):
		f.Fatal, f.Found, f.Fix = true, sentence(errSiteSecret(c.shown())), "with another one, each side rejects the other's tokens and links"
		return f
	case errors.Is(err, fs.ErrNotExist) && c.SecretKeyFile == "":
		f.OK, f.Found, f.Fix = true, "none yet", "serve makes one in "+filepath.Join(c.folder(), "jotgate.secret")
		return f
	case err == nil:
		_, err = jotgate.New(jotgate.Settings{SecretKey: secret, SecretKeyFallbacks: c.fallbacks(), InsecureShortSecret: c.InsecureShortSecret}, nil)
	}
	if err != nil {
		f.Fatal, f.Found, f.Fix = true, sentence(inFlags("jotgate", err)), "make a random one of 50 characters; beside a Django, change its SECRET_KEY and name the old one in SECRET_KEY_FALLBACKS on both sides"
		return f
	}
	if slices.ContainsFunc(database, func(f store.Fact) bool { return f.Fatal }) {
		f.OK = true // the table of keys may not exist yet
		return f
	}
	keys, err := c.openKeys(a, secret)
	if err != nil {
		f.Fatal, f.Found = true, sentence(err)
		f.Fix = "give jotgate the secret that made these keys, as --secret-key or among --secret-key-fallbacks; without it, delete them with jotgate key retire KID --delete"
		return f
	}
	if f.OK = true; keys > 0 {
		f.Found = fmt.Sprintf("usable, opens %s of the database", plural(keys, "signing key"))
	}
	return f
}

// besideDjango reports whether the database is that of a Django site.
func besideDjango(facts []store.Fact) bool {
	return slices.ContainsFunc(facts, func(f store.Fact) bool { return f.About == store.AboutSite })
}

// openKeys opens the signing keys of the database as serve does, and counts
// them.
func (c *doctorCommand) openKeys(a *app, secret jotgate.Secret) (n int, err error) {
	db, err := c.open(a, inspecting)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret, SecretKeyFallbacks: c.fallbacks(), InsecureShortSecret: c.InsecureShortSecret, Logger: slog.New(slog.DiscardHandler)}, db)
	if err != nil {
		return 0, err
	}
	if err := gate.Sync(a.ctx); err != nil {
		return 0, err
	}
	keys, err := gate.Keys().List(a.ctx)
	return len(keys), err
}

// readDump reads Django's settings as JSON.
func readDump(a *app, name string) (map[string]any, error) {
	text, err := a.read(name)
	if err != nil {
		return nil, err
	}
	var dump map[string]any
	if err := strictly(text, &dump); err != nil {
		return nil, usage("%s: %w", name, err)
	}
	if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o077 != 0 {
		a.warn("warning: others can read %s, which holds the site's secret", name)
	}
	return dump, nil
}
