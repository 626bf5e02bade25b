package main

import (
	"strings"
	"testing"
)

// What doctor says of the settings of a first day is true of these settings.
func TestDoctorFollowsTheSettings(t *testing.T) {
	database := "--database=sqlite:" + t.TempDir() + "/jotgate.db"
	if status, _, stderr := try(t, nil, "", "migrate", database); status != 0 {
		t.Fatal(stderr)
	}
	for want, args := range map[string][]string{
		"note  mail server: none: no e-mail is sent\n      for production":                                                  nil,
		"note  mail server: none: e-mails are printed\n":                                                                    {"--print-emails", "--send-activation-email"},
		"fix   mail server: none: no e-mail is sent\n      set --mail-server and --mail-from: with --send-activation-email": {"--send-activation-email"},
		"the page must call this API at http://localhost:PORT":                                                              {"--refresh-cookie", "--cors-origins=http://localhost:5173"},
		"the page must call this API at https://localhost:PORT":                                                             {"--refresh-cookie", "--cors-origins=https://localhost:5173", "--base-url=https://localhost:8000"},
	} {
		_, stdout, stderr := try(t, []string{"SECRET_KEY=" + goodSecret}, "", append([]string{"doctor", database}, args...)...)
		if !strings.Contains(stdout, want) {
			t.Errorf("%q: no %q in\n%s%s", args, want, stdout, stderr)
		}
	}
}
