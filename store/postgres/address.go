package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jotgate/jotgate/store"
)

// The address of a database, with the parameters that platforms add for other
// programs (Prisma, Rails, JDBC, Django, Supabase, Neon, Heroku).

// startup are the settings that may be in the startup message, because a
// pooler keeps them for each client. Every other one would be refused
// ("unsupported startup parameter").
var startup = []string{"application_name", "client_encoding", "datestyle", "standard_conforming_strings", "timezone"}

// The timeouts in Options are also PostgreSQL's settings.
const (
	statementTimeout = "statement_timeout"
	lockTimeout      = "lock_timeout"
	idleTimeout      = "idle_in_transaction_session_timeout"
)

// address is a parsed address.
type address struct {
	config *pgx.ConnConfig
	// settings are PostgreSQL's settings for each connection or transaction.
	// Some may turn out not to be known to the server: then they were meant
	// for another program.
	settings map[string]string
	// pooler is set if the address says that there is one.
	pooler bool
}

// parseAddress parses dsn and fills in the defaults of o.
func parseAddress(dsn string, o *Options) (*address, error) {
	if err := checkUser(dsn); err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(withTLS(dsn))
	if err != nil {
		return nil, fmt.Errorf("the database address cannot be read: %w", err) // pgx leaves out the password
	}
	a := &address{config: config, settings: map[string]string{}}
	// Named prepared statements are sent only if the server is known to be
	// PostgreSQL itself. The other modes exist to avoid them.
	a.pooler = config.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	given := config.RuntimeParams
	config.RuntimeParams = map[string]string{"application_name": "jotgate"}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		a.take(name, given[name], o)
	}
	a.setDefaults(o)
	return a, nil
}

// checkUser refuses a URL in which a character of the password is taken for
// the end of it. What follows would be used as the name of a host, which is
// not secret.
func checkUser(dsn string) error {
	_, rest, ok := strings.Cut(dsn, "://")
	user, query, _ := strings.Cut(rest, "?")
	host := strings.LastIndex(user, "@")
	tail, _, _ := strings.Cut(query, "=")
	if ok && (strings.Count(user, "@") > 1 || strings.Contains(user[:host+1], "/") || host < 0 && strings.Contains(tail, "@")) {
		return errors.New("the database address cannot be read: in the user and the password write %40 for @, %2F for /, %3F for ?, %23 for # and %25 for %")
	}
	return nil
}

// take interprets one parameter.
func (a *address) take(name, value string, o *Options) {
	switch strings.ToLower(name) {
	case "options":
		a.takeOptions(value)
	case "schema": // of Prisma
		a.settings["search_path"] = identifier(value)
	case "currentschema": // of JDBC, a list
		names := strings.Split(value, ",")
		for i, name := range names {
			names[i] = identifier(strings.TrimSpace(name))
		}
		a.settings["search_path"] = strings.Join(names, ", ")
	case "connection_limit": // of Prisma
		if n, err := strconv.Atoi(value); err == nil && n > 0 && o.MaxConns <= 0 {
			o.MaxConns = n
		}
	case "pgbouncer":
		a.pooler = a.pooler || value == "true"
	case "sslaccept", "ssl", "uselibpqcompat": // read by withTLS
	default:
		if slices.Contains(startup, strings.ToLower(name)) {
			a.config.RuntimeParams[strings.ToLower(name)] = value
			return
		}
		a.settings[name] = value
	}
}

// takeOptions reads libpq's "-c name=value" and "--name=value". What is left,
// such as Neon's endpoint=…, is for a proxy.
func (a *address) takeOptions(value string) {
	var rest []string
	words := strings.Fields(value)
	for i := 0; i < len(words); i++ {
		word, is := words[i], false
		switch {
		case word == "-c" && i+1 < len(words):
			i, is = i+1, true
			word = words[i]
		case strings.HasPrefix(word, "-c"), strings.HasPrefix(word, "--"):
			word, is = word[2:], true
		}
		if name, text, ok := strings.Cut(word, "="); is && ok {
			a.settings[strings.ReplaceAll(name, "-", "_")] = text
		} else {
			rest = append(rest, words[i])
		}
	}
	if len(rest) > 0 {
		a.config.RuntimeParams["options"] = strings.Join(rest, " ")
	}
}

func (a *address) setDefaults(o *Options) {
	setDefault(&o.MaxConns, 16)
	setDefault(&o.ConnectTimeout, 3*time.Second)
	setDefault(&o.StatementTimeout, store.Timeout)
	setDefault(&o.LockTimeout, 3*time.Second)
	setDefault(&o.MigrationTimeout, time.Minute)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if a.config.ConnectTimeout == 0 || a.config.ConnectTimeout > o.ConnectTimeout {
		a.config.ConnectTimeout = o.ConnectTimeout
	}
	for name, value := range map[string]time.Duration{
		statementTimeout: o.StatementTimeout, lockTimeout: o.LockTimeout, idleTimeout: 2 * o.StatementTimeout,
	} {
		if _, given := a.settings[name]; !given {
			a.settings[name] = milliseconds(value)
		}
	}
}

// withTLS replaces what other programs call the modes of TLS: Prisma's
// sslaccept=strict checks the certificate (verify-full), and sslmode=no-verify
// of node-postgres does not (require). JDBC's ssl=true is require, as in libpq.
func withTLS(dsn string) string {
	front, query, ok := strings.Cut(dsn, "?")
	if !ok || !strings.HasPrefix(front, "postgres://") && !strings.HasPrefix(front, "postgresql://") {
		return dsn
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return dsn // ParseConfig reports it
	}
	mode := values.Get("sslmode")
	switch {
	case values.Get("sslaccept") == "strict" && !slices.Contains([]string{"disable", "verify-ca", "verify-full"}, mode):
		values.Set("sslmode", "verify-full")
	case mode == "no-verify", mode == "" && values.Get("ssl") == "true":
		values.Set("sslmode", "require")
	default:
		return dsn
	}
	return front + "?" + values.Encode()
}

func setDefault[T int | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
