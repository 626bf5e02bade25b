package main

// Suggestions for unknown names: flags and commands of other programs, and
// similar spellings of settings.

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// flagsElsewhere maps flags of other programs to the flag that does the same
// here. Kong suggests similar spellings itself.
var flagsElsewhere = map[string]string{
	"--address": "addr", "--bind": "addr", "--host": "addr", "--listen": "addr", "--port": "addr", "-p": "addr", "-b": "addr",
	"--db": "database", "--dsn": "database", "--database-url": "database",
	"-c": "config", "--settings": "config",
	"--secret": "secret-key", "--key": "secret-key",
	"--log": "log-level", "--cors": "cors-origins", "--origins": "cors-origins", "--proxies": "trusted-proxies",
	"--smtp": "mail-server", "--email-host": "mail-server", "--from": "mail-from",
	"--cert": "tls-cert", "--certfile": "tls-cert", "--ssl-cert": "tls-cert", "--keyfile": "tls-key", "--ssl-key": "tls-key", "--domain": "tls-acme",
	"--signup": "no-signup", "--sign-up": "no-signup", "--registration": "no-signup", "--register": "no-signup", "--allow-signup": "no-signup", "--disable-signup": "no-signup", "--close-signup": "no-signup",
	"--url": "base-url", "--hosts": "allowed-hosts", "--proxy": "upstream", "--backend": "upstream",
}

// advice explains what to do instead of flags of other programs that have no
// counterpart here.
var advice = map[string]string{
	"--debug": "did you mean --log-level debug?", "--verbose": "did you mean --log-level debug?", "-v": "did you mean --log-level debug?",
	"--quiet": "did you mean --log-level error?",
	"--ssl":   httpsHere, "--tls": httpsHere, "--https": httpsHere,
	"--workers": oneProcess, "--threads": oneProcess, "-w": oneProcess,
	"--reload": "settings are read at the start: restart after a change", "--daemon": "run it under systemd or another supervisor", "-d": "run it under systemd or another supervisor",
}

const (
	httpsHere  = "--tls-acme NAME gets a certificate, --tls-cert FILE reads one; or a reverse proxy terminates TLS: see docs/server.md"
	oneProcess = "one process uses every processor; --hash-concurrency limits password hashing"
)

// commandsElsewhere maps commands of other programs to those that do the same
// here.
var commandsElsewhere = map[string]string{
	"runserver": "serve", "server": "serve", "run": "serve", "start": "serve", "up": "serve",
	"init": "migrate", "setup": "migrate", "check": "doctor", "status": "doctor", "test": "doctor",
	"createuser": "user create", "adduser": "user create", "useradd": "user create", "signup": "user create", "register": "user create",
	"users": "user list", "groups": "group list", "sessions": "session list", "keys": "key list", "tokens": "token decode",
	"passwd": "changepassword", "password": "changepassword", "set-password": "changepassword",
	"superuser": "createsuperuser", "create-superuser": "createsuperuser", "admin": "createsuperuser",
	"login": "token encode", "decode": "token decode", "verify": "token verify", "encode": "token encode",
	"logout": "session end", "events": "event list", "audit": "event list", "log": "event list", "logs": "event list",
	"sendtestemail": "email test", "mail": "email test", "schema": "openapi", "dump": "backup", "export": "user export", "import": "user import",

	"user add": "user create", "user new": "user create", "user make": "user create", "user rm": "user delete", "user remove": "user delete", "user del": "user delete",
	"user ls": "user list", "user get": "user show", "user view": "user show", "user info": "user show", "user update": "user set", "user edit": "user set",
	"user disable": "user deactivate", "user lock": "user deactivate", "user ban": "user deactivate", "user enable": "user activate", "user unlock": "user activate",
	"user passwd": "changepassword", "user password": "changepassword",
	"group add": "group create", "group new": "group create", "group rm": "group delete", "group remove": "group delete", "group ls": "group list",
	"session ls": "session list", "session show": "session list", "session delete": "session end", "session kill": "session end", "session revoke": "session end",
	"key new": "key add", "key create": "key add", "key generate": "key add", "key ls": "key list", "key show": "key list", "key delete": "key retire", "key remove": "key retire",
	"token create": "token encode", "token sign": "token encode", "token inspect": "token decode", "token check": "token verify",
}

// didYouMean adds to an error the flag or command that was probably meant.
func didYouMean(node *kong.Node, err error) error {
	if said, found := strings.CutPrefix(err.Error(), "unknown flag "); found {
		unknown, _, _ := strings.Cut(said, ",") // kong's own suggestion is cut off
		return flagMeant(node, unknown, err)
	}
	said, found := strings.CutPrefix(err.Error(), "unexpected argument ")
	if !found {
		return err
	}
	unknown, _, _ := strings.Cut(said, ",")
	path, _, _ := strings.Cut(strings.TrimPrefix(node.FullPath(), "jotgate"), " (")
	command, ok := commandsElsewhere[strings.TrimSpace(path+" "+unknown)]
	if !ok {
		return err
	}
	return fmt.Errorf("unexpected argument %s, did you mean jotgate %s?", unknown, command)
}

func flagMeant(node *kong.Node, unknown string, err error) error {
	for _, flag := range node.AllFlags(false) {
		for _, f := range flag {
			if f.Name == flagsElsewhere[unknown] {
				return fmt.Errorf("unknown flag %s, did you mean --%s %s?", unknown, f.Name, f.PlaceHolder)
			}
		}
	}
	if said, ok := advice[unknown]; ok {
		return fmt.Errorf("unknown flag %s: %s", unknown, said)
	}
	return err
}

// readDirectly are the variables that no flag has.
var readDirectly = []string{
	"JOTGATE_CONFIG", "JOTGATE_USER_PASSWORD",
	"JOTGATE_SUPERUSER_USERNAME", "JOTGATE_SUPERUSER_EMAIL", "JOTGATE_SUPERUSER_PASSWORD",
}

// unknownVariables returns the variables JOTGATE_… of the environment that
// no command reads, each with the most similar name. They are only warnings:
// other programs may use the prefix. It leaves out JOTGATE_PORT and
// JOTGATE_SERVICE_…, which Kubernetes sets for a service of that name.
func (s *source) unknownVariables() (list []string, err error) {
	own := s.variables()
	var others []string
	for name := range s.env {
		if strings.HasPrefix(name, "JOTGATE_") && !own[name] && !isProviderVariable(name) && !ofKubernetes(name, s.env[name]) {
			others = append(others, name)
		}
	}
	if len(others) == 0 {
		return nil, nil
	}
	all, err := everything()
	if err != nil {
		return nil, err
	}
	known := all.variables()
	slices.Sort(others)
	for _, name := range others {
		if !known[name] {
			list = append(list, name+meant(name, slices.Collect(maps.Keys(known))))
		}
	}
	return list, nil
}

// variables returns the variables that this source's commands read.
func (s *source) variables() map[string]bool {
	known := map[string]bool{}
	for _, name := range readDirectly {
		known[name] = true
	}
	for _, names := range s.names {
		for _, name := range slices.Concat(names.env, names.formerEnv) {
			known[name] = true
		}
	}
	return known
}

// ofKubernetes reports whether the variable describes a service named jotgate
// (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
func ofKubernetes(name, value string) bool {
	return strings.HasPrefix(name, "JOTGATE_SERVICE_") ||
		strings.HasPrefix(name, "JOTGATE_PORT") && (strings.Contains(value, "://") || strings.Count(name, "_") > 1)
}

// meant returns ", did you mean …?" with the most similar of the names, or
// "" if none is similar.
func meant(unknown string, names []string) string {
	slices.Sort(names)
	bare := strings.ToLower(strings.TrimPrefix(unknown, "JOTGATE_"))
	best, least := "", min(3, len(bare)/3)+1
	for _, name := range names {
		if d := distance(unknown, name); d < least {
			best, least = name, d
		}
	}
	if other := flagsElsewhere["--"+strings.ReplaceAll(bare, "_", "-")]; best == "" && other != "" {
		if best = other; bare != unknown {
			best = "JOTGATE_" + strings.ToUpper(strings.ReplaceAll(other, "-", "_"))
		}
	}
	if best == "" {
		return ""
	}
	return ", did you mean " + best + "?"
}

// distance returns the Levenshtein distance: the number of characters to
// insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
