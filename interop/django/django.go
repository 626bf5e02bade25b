// Package django runs a real Django for the tests: the typical project in project/, with SimpleJWT and djoser from
// Debian's packages.
//
//	site := django.Start(t, django.Options{SecretKey: secret})
//	site.CreateUser(t, django.User{Username: "alice", Password: "correct horse battery"})
//	response, err := http.Post(site.URL+"/api/token/", …)
package django

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/interop/peer"
)

// Options change Django's defaults. The zero value is a new SQLite database, a random secret and the defaults of every
// package.
type Options struct {
	// Database is sqlite:PATH or a postgres:// URL with user, password, host and port.
	Database string
	// SecretKey is Django's SECRET_KEY.
	SecretKey string
	// TimeZone is Django's TIME_ZONE, by default UTC.
	TimeZone string
	// SimpleJWT is SIMPLE_JWT, with lifetimes in seconds.
	SimpleJWT map[string]any
	// Djoser is DJOSER.
	Djoser map[string]any
	// Hashers is PASSWORD_HASHERS, by default Django's list.
	Hashers []string
	// NoBlacklist leaves the token_blacklist app out.
	NoBlacklist bool
	// EmailUser selects the project's user model: an e-mail address as the user name, a UUID as the key, and
	// the table accounts_user.
	EmailUser bool
	// ShopUser selects the user model of the app shop: login by e-mail, required names, and columns that only the
	// model fills.
	ShopUser bool
	// Programs adds rest_framework.authtoken and djangorestframework-api-key, with a view for each.
	Programs bool
	// Unmigrated leaves the database unchanged: the test runs migrate itself.
	Unmigrated bool
}

// A Site is a Django project with its database. Its methods may be called concurrently.
type Site struct {
	URL       string // of the running server, without a slash at the end; empty before Serve
	Database  string // as in Options
	SecretKey string
	folder    string // the project's
	mail      string // folder of the e-mails that it has sent
	env       []string
	inside    *peer.Process
}

// Start calls Open and Serve.
func Start(tb testing.TB, options Options) *Site {
	tb.Helper()
	s := Open(tb, options)
	s.Serve(tb)
	return s
}

// Open creates the project's tables and starts a process inside Django that handles Ask until tb ends. It does not
// listen.
func Open(tb testing.TB, options Options) *Site {
	tb.Helper()
	s := &Site{Database: options.Database, SecretKey: options.SecretKey, folder: projectFolder(), mail: tb.TempDir()}
	file := ""
	if s.Database == "" {
		file = filepath.Join(tempdir.New(tb), "django.sqlite3")
		s.Database = "sqlite:" + file
	}
	if s.SecretKey == "" {
		s.SecretKey = rand.Text() + rand.Text()
	}
	s.env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "DJANGO_OPTIONS="+s.encode(tb, options))
	s.inside = peer.Start(tb, s.command("inside.py"))
	if !options.Unmigrated {
		s.migrate(tb, file, tables{!options.NoBlacklist, options.EmailUser, options.ShopUser, options.Programs})
	}
	return s
}

// tables are the options on which the tables depend.
type tables struct{ blacklist, emailUser, shopUser, programs bool }

// migrated are the contents of migrated SQLite databases, of those that this process has needed.
var migrated = struct {
	sync.Mutex
	contents map[tables][]byte
}{contents: map[tables][]byte{}}

// migrate creates the project's tables. A new SQLite database in the file, if it is not empty, is a copy of one that
// Django has migrated with the same options: the migrations take a second.
func (s *Site) migrate(tb testing.TB, file string, of tables) {
	tb.Helper()
	if file == "" {
		s.Manage(tb, "migrate", "--verbosity=0")
		return
	}
	migrated.Lock()
	defer migrated.Unlock()
	content := migrated.contents[of]
	if content == nil {
		s.Manage(tb, "migrate", "--verbosity=0")
		var err error
		if content, err = os.ReadFile(file); err != nil {
			tb.Fatal(err)
		}
		migrated.contents[of] = content
		return
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		tb.Fatal(err)
	}
}

func projectFolder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "project")
}

// encode returns the options in the format that settings.py reads.
func (s *Site) encode(tb testing.TB, options Options) string {
	tb.Helper()
	if options.TimeZone == "" {
		options.TimeZone = "UTC"
	}
	encoded, err := json.Marshal(map[string]any{
		"database":    s.Database,
		"secret_key":  s.SecretKey,
		"time_zone":   options.TimeZone,
		"mail_folder": s.mail,
		"simple_jwt":  orEmpty(options.SimpleJWT),
		"djoser":      orEmpty(options.Djoser),
		"hashers":     options.Hashers,
		"blacklist":   !options.NoBlacklist,
		"email_user":  options.EmailUser,
		"shop_user":   options.ShopUser,
		"programs":    options.Programs,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return string(encoded)
}

func orEmpty(settings map[string]any) map[string]any {
	if settings == nil {
		return map[string]any{}
	}
	return settings
}

// command returns a command that runs Python in the project's folder with its settings.
func (s *Site) command(args ...string) *exec.Cmd {
	cmd := exec.Command(peer.Python(), args...)
	cmd.Dir = s.folder
	cmd.Env = s.env
	return cmd
}

var listening = regexp.MustCompile(`Listening at: (http://[0-9.:]+)`)

// Serve runs the site under gunicorn, with two workers of four threads each, on a free port until tb ends.
func (s *Site) Serve(tb testing.TB) {
	tb.Helper()
	server := peer.Serve(tb, s.command("-m", "gunicorn", "--bind=127.0.0.1:0", "--workers=2", "--threads=4", "--preload",
		"--graceful-timeout=1", "--keep-alive=600", "--timeout=0", "--worker-tmp-dir="+tb.TempDir(), "project.wsgi"))
	s.URL = server.WaitFor(tb, listening)[1]
}

// Ask calls a function inside Django: action is the name of a function in project/inside.py, args its arguments by
// name. Its result is decoded into value, which is a pointer or nil. A Python exception fails the test.
func (s *Site) Ask(tb testing.TB, action string, args map[string]any, value any) {
	tb.Helper()
	if failure := s.Try(tb, action, args, value); failure != "" {
		tb.Fatalf("Django: %s: %s", action, failure)
	}
}

// Try is Ask for a function that may fail. It returns the Python exception as "Name: text", or "".
func (s *Site) Try(tb testing.TB, action string, args map[string]any, value any) (failure string) {
	tb.Helper()
	return s.inside.Call(tb, action, args, value)
}

// Manage runs manage.py with the given arguments and returns its output.
func (s *Site) Manage(tb testing.TB, args ...string) string {
	tb.Helper()
	var out string
	s.Ask(tb, "manage", map[string]any{"args": args}, &out)
	return out
}

// Mails returns the e-mails that Django has sent, in the format of SMTP and in any order.
func (s *Site) Mails(tb testing.TB) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(s.mail, "*.log"))
	if err != nil {
		tb.Fatal(err)
	}
	var mails []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		mails = append(mails, strings.TrimSpace(string(data)))
	}
	return mails
}
