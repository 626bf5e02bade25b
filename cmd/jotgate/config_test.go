//go:build !race

// The command line is read by one goroutine: nothing for the race detector to find.

package main

import (
	"math"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// Every command reads the same config file alike, whichever form a map has.
func TestOneConfigFileForEveryCommand(t *testing.T) {
	for name, text := range map[string]string{
		"map":                "rate:\n  login: 30/min\n  anon: 1000/hour\n",
		"line":               "rate: login=30/min;anon=1000/hour\n",
		"list":               "rate: [login=30/min, anon=1000/hour]\n",
		"settings of serve":  "mail_server: smtp://mail.example.com\nmail_from: a@example.com\ncors-origins: [https://app.example.com]\nkey-rotation: 30d\naddr: 8000\n",
		"a command's own":    "token:\n  leeway: 1m\nuser:\n  limit: 10\n",
		"nothing but a name": "rate:\nmail-server:\n",
	} {
		t.Run(name, func(t *testing.T) {
			env := []string{
				"JOTGATE_CONFIG=" + write(t, "jotgate.yaml", text), "JOTGATE_SUPERUSER_PASSWORD=correct-horse-1",
				"SECRET_KEY=" + goodSecret, "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "jotgate.db"),
			}
			for _, line := range []string{
				"migrate", "createsuperuser --noinput --username alice", "user list", "user show alice", "group list", "session list alice",
				"key list", "event list", "openapi", "purge", "version", "token decode " + goodToken,
			} {
				if status, _, stderr := try(t, env, "", strings.Fields(line)...); status != 0 {
					t.Errorf("%s: status %d, %s", line, status, stderr)
				}
			}
			if status, stdout, _ := try(t, env, "", "doctor"); status != 0 && strings.Contains(stdout, "BAD") {
				t.Errorf("doctor: status %d, %s", status, stdout)
			}
		})
	}
}

// A setting that does not exist is refused by every command, with the nearest name.
func TestMisspeltSettingInTheConfigFile(t *testing.T) {
	for text, says := range map[string]string{
		"mail-sever: x\n":             "did you mean mail-server?",
		"port: 8000\n":                "did you mean addr?",
		"sign-up: false\n":            "did you mean no-signup?",
		"signup: false\n":             "did you mean no-signup?",
		"registration: false\n":       "did you mean no-signup?",
		"rates:\n  login: 30/min\n":   `no setting "rates.login"`,
		"addr: a:1\nfoo: b\n":         `no setting "foo"`,
		"base-url: a\nbase_url: b\n":  "base-url is given twice",
		"token:\n  leeeway: 1m\n":     "did you mean token.leeway?",
		"claims:\n  username: true\n": `no setting "claims.username"`,
	} {
		for _, command := range []string{"serve", "migrate", "version", "doctor", "user list"} {
			status, stdout, stderr := try(t, []string{"JOTGATE_CONFIG=" + write(t, "c.yaml", text)}, "", strings.Fields(command)...)
			if status != statusUsage || stdout != "" || !strings.Contains(stderr, says) {
				t.Errorf("%s with %q: status %d, %s", command, text, status, stderr)
			}
		}
	}
}

func TestUnknownVariables(t *testing.T) {
	for variable, says := range map[string]string{
		"JOTGATE_ADR=:8000":                        "did you mean JOTGATE_ADDR?",
		"JOTGATE_PORT=8000":                        "did you mean JOTGATE_ADDR?",
		"JOTGATE_MAILSERVER=smtp://a":              "did you mean JOTGATE_MAIL_SERVER?",
		"JOTGATE_ALOWED_HOSTS=a":                   "did you mean JOTGATE_ALLOWED_HOSTS?",
		"JOTGATE_TOKEN_LEWAY=1m":                   "did you mean JOTGATE_TOKEN_LEEWAY?",
		"JOTGATE_SOMETHING_OF_MY_OWN=1":            "JOTGATE_SOMETHING_OF_MY_OWN\n",
		"JOTGATE_PORT=tcp://10.0.0.1:8000":         "",
		"JOTGATE_PORT_8000_TCP_ADDR=10.0.0.1":      "",
		"JOTGATE_SERVICE_HOST=10.0.0.1":            "",
		"JOTGATE_HASH_LANES=2":                     "",
		"JOTGATE_SUPERUSER_PASSWORD=correct-horse": "",
		"OTHER_JOTGATE_ADR=1":                      "",
	} {
		status, _, stderr := try(t, []string{variable}, "", "version")
		if status != 0 || says == "" && stderr != "" || !strings.Contains(stderr, says) {
			t.Errorf("%s: status %d, %q, want …%s…", variable, status, stderr, says)
		}
		if _, value, _ := strings.Cut(variable, "="); len(value) > 3 && strings.Contains(stderr, value) {
			t.Errorf("%s: the value was printed: %s", variable, stderr)
		}
	}
}

func TestParseDuration(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "90s": 90 * time.Second, "1d": day, "30d": 30 * day, "1d12h": 36 * time.Hour, "1d30m": day + 30*time.Minute, "106751d": 106751 * day, "-1s": -time.Second,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "1", "10", "1.5d", "-1d", "1d-1h", "1d+1h", "1d1", "1h1d", "1D", "106752d", "999999d", "106751d24h", "9999999d", "1 d", "1w"} {
		if got, err := parseDuration(text); err == nil || got > math.MaxInt64/2 {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Durations are printed as they are set, in one way: by config show, by help and in
// errors.
func TestDurationsAreWrittenOneWay(t *testing.T) {
	day := 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0: "0s", 90 * time.Second: "1m30s", 5 * time.Minute: "5m", time.Hour: "1h", 90 * time.Minute: "1h30m", day: "1d", 30 * day: "30d", 36 * time.Hour: "1d12h",
		day + time.Second: "1d1s", 10 * time.Minute: "10m", time.Hour + 10*time.Second: "1h0m10s", 1500 * time.Millisecond: "1.5s", -time.Hour: "-1h", math.MaxInt64: "106751d23h47m16.854775807s",
	} {
		got := formatDuration(d)
		if got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
		if back, err := parseDuration(got); d >= 0 && (err != nil || back != d) {
			t.Errorf("%s is read as %v, %v", got, back, err)
		}
	}
	if got := withDays("--x: 1h0m0s is not between 96h0m0s and 8784h0m0s or 30s; 5m, 1m2s"); got != "--x: 1h is not between 4d and 366d or 30s; 5m, 1m2s" {
		t.Error(got)
	}
	duration := regexp.MustCompile(`\b[0-9]+(d|h|m|s)[0-9dhms]*\b`)
	for _, leaf := range leaves(t) {
		for _, flag := range leaf.Flags {
			texts := duration.FindAllString(flag.Help, -1)
			if kind := flag.Target.Type().String(); kind == "time.Duration" || kind == "*time.Duration" {
				texts = append(texts, flag.Default)
			}
			for _, text := range texts {
				if d, err := parseDuration(text); err == nil && formatDuration(d) != text && text != "0" {
					t.Errorf("%s --%s: %s, not %s", leaf.Path(), flag.Name, text, formatDuration(d))
				}
			}
		}
	}
	_, stdout, _ := try(t, nil, "", "config", "show", "--all")
	if strings.Contains(stdout, "0m0s") || !strings.Contains(stdout, " 30d ") {
		t.Error(stdout)
	}
}

// Each flag that is a duration takes days, in every place a setting comes from.
func TestDaysInEveryDuration(t *testing.T) {
	checked := 0
	for _, leaf := range leaves(t) {
		name, _, _ := strings.Cut(leaf.Path(), " (")
		ran := false
		for _, flag := range leaf.Flags {
			if kind := flag.Target.Type().String(); kind != "time.Duration" && kind != "*time.Duration" {
				continue
			}
			checked++
			if err := flag.Parse(kong.Scan("1dx"), reflect.New(flag.Target.Type()).Elem()); err == nil || !strings.Contains(err.Error(), `"1dx" is not a duration with a unit`) {
				t.Errorf("%s --%s: %v", name, flag.Name, err)
			}
			if ran { // making a parser takes longer than the rest
				continue
			}
			ran = true
			status, _, stderr := try(t, nil, "", append(strings.Fields(name), "--"+flag.Name+"=1dx")...)
			if status != statusUsage || !strings.Contains(stderr, `"1dx" is not a duration with a unit`) {
				t.Errorf("%s --%s: %d, %s", name, flag.Name, status, stderr)
			}
		}
	}
	if checked < 15 {
		t.Errorf("%d durations found", checked)
	}
	for _, env := range []map[string]string{{"JOTGATE_REFRESH_TOKEN_LIFETIME": "7d"}, {"JOTGATE_CONFIG": write(t, "c.yaml", "refresh-token-lifetime: 7d")}} {
		if got := parsed(t, "refresh-token-lifetime", env, nil); got != "7d" {
			t.Errorf("%v: %s", env, got)
		}
	}
}

func TestAddresses(t *testing.T) {
	for given, want := range map[string]string{
		"8000": "127.0.0.1:8000", "0": "127.0.0.1:0", ":8000": ":8000", "127.0.0.1:8000": "127.0.0.1:8000", "[::1]:8000": "[::1]:8000", "localhost:http": "localhost:http",
	} {
		if got, err := (&serverFlags{Addr: given}).address(); err != nil || got != want {
			t.Errorf("%s: %s, %v", given, got, err)
		}
	}
	for _, given := range []string{"", "127.0.0.1", "localhost", "65536", ":65536", "::1:80", "127.0.0.1:", "a:b:c", "-1"} {
		if got, err := (&serverFlags{Addr: given}).address(); err == nil {
			t.Errorf("%s: %s", given, got)
		}
	}
}

func TestSuggestions(t *testing.T) {
	for line, says := range map[string]string{
		"user add bob":           "did you mean jotgate user create?",
		"user rm bob":            "did you mean jotgate user delete?",
		"key new":                "did you mean jotgate key add?",
		"createuser bob":         "did you mean jotgate user create?",
		"login":                  "did you mean jotgate token encode?",
		"runserver":              "did you mean jotgate serve?",
		"events":                 "did you mean jotgate event list?",
		"serve -p 8000":          "did you mean --addr HOST:PORT?",
		"serve --ssl-cert x":     "did you mean --tls-cert FILE?",
		"serve --certfile=x":     "did you mean --tls-cert FILE?",
		"serve --https":          "--tls-acme NAME",
		"serve --workers 4":      "one process uses every processor",
		"serve --debug":          "did you mean --log-level debug?",
		"doctor -v":              "did you mean --log-level debug?",
		"serve --smtp x":         "did you mean --mail-server URL?",
		"serve --disable-signup": "did you mean --no-signup",
		"user list --db x":       "did you mean --database URL?",
		"serve --settings a.yml": "did you mean --config FILE?",
	} {
		if status, _, stderr := try(t, nil, "", strings.Fields(line)...); status != statusUsage || !strings.Contains(stderr, says) {
			t.Errorf("%s: status %d, %s", line, status, stderr)
		}
	}
}
