package strength

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/jotgate/jotgate/passwd/internal/golden"
)

type recording struct {
	Django string
	Cases  []struct {
		Password string
		Errors   []Problem
	} `json:"password_validators"`
	User struct {
		Username, Email string
		FirstName       string `json:"first_name"`
		LastName        string `json:"last_name"`
	} `json:"password_validators_user"`
	Help   []string `json:"password_help_texts"`
	Common struct {
		Count  int
		Digest string `json:"sha256_of_sorted_lines"`
	} `json:"common_passwords"`
}

func TestGoldenStrength(t *testing.T) {
	golden.Each(t, "../testdata", "auth_*.json", func(t *testing.T, r recording) {
		about := []Attribute{
			{"username", r.User.Username},
			{"first name", r.User.FirstName},
			{"last name", r.User.LastName},
			{"email address", r.User.Email},
		}
		for _, c := range r.Cases {
			got := Default().Check(c.Password, about...)
			if diff := cmp.Diff(c.Errors, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%q (-recorded +got):\n%s", c.Password, diff)
			}
		}
		if diff := cmp.Diff(r.Help, Default().Help()); diff != "" {
			t.Errorf("help (-recorded +got):\n%s", diff)
		}
		if len(r.Cases) == 0 {
			t.Error("nothing recorded")
		}
		goldenCommon(t, r)
	})
}

// goldenCommon compares the list with that of Django 5.2 and later. Older Djangos
// have older lists; that ours differs there is meant.
func goldenCommon(t *testing.T, r recording) {
	digest := sha256.Sum256([]byte(strings.Join(builtin(), "\n")))
	got := hex.EncodeToString(digest[:])
	var major, minor int
	if _, err := fmt.Sscanf(r.Django, "%d.%d", &major, &minor); err != nil {
		t.Fatalf("version %q: %v", r.Django, err)
	}
	if major < 5 || major == 5 && minor < 2 {
		t.Logf("Django %s has an older list: %d passwords, ours %d", r.Django, r.Common.Count, len(builtin()))
		return
	}
	if len(builtin()) != r.Common.Count || got != r.Common.Digest {
		t.Errorf("%d common passwords, digest %s; Django %s has %d, %s", len(builtin()), got, r.Django, r.Common.Count, r.Common.Digest)
	}
}

func TestCommonFrom(t *testing.T) {
	rule, err := CommonFrom(strings.NewReader("zebra\n apfel \n\napfel\n"))
	if err != nil {
		t.Fatal(err)
	}
	for password, common := range map[string]bool{"zebra": true, " Apfel\x1f": true, "ZEBRA": true, "": true, "apfe": false, "password": false} {
		if got := rule.Check(password, nil) != nil; got != common {
			t.Errorf("%q: %v", password, got)
		}
	}
	broken := errors.New("broken")
	if _, err := CommonFrom(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("reading error: %v", err)
	}
}

func TestMinLength(t *testing.T) {
	for _, c := range []struct {
		least   int
		message string
	}{
		{1, "This password is too short. It must contain at least 1 character."},
		{12, "This password is too short. It must contain at least 12 characters."},
	} {
		rule := MinLength(c.least)
		if p := rule.Check(strings.Repeat("é", c.least), nil); p != nil {
			t.Errorf("%d: %+v", c.least, p)
		}
		if p := rule.Check(strings.Repeat("é", c.least-1), nil); p == nil || p.Message != c.message {
			t.Errorf("%d: %+v", c.least, p)
		}
	}
}

// TestSimilar has ratios worked out by CPython 3.11's difflib.
func TestSimilar(t *testing.T) {
	for _, c := range []struct {
		password, value string
		most            float64
		want            bool
	}{
		{"abcdefg___", "abcdefg666", 0.7, true},         // 14/20
		{"abcdef____", "abcdefg666", 0.7, false},        // 12/20
		{"gfedcba___", "abcdefg666", 0.7, true},         // order does not matter
		{"aaaaaaa", "a", 0.25, true},                    // 2/8
		{"aaaaaaaa", "a", 0.25, false},                  // 2/9
		{strings.Repeat("a", 10), "a", 0.1, true},       // 2/11; 10 times as long, but not below the bound
		{strings.Repeat("a", 21), "a", 0.1, false},      // more than 10 times
		{"correct horse", "dog-cat.correct", 0.7, true}, // 14/20 with one word
		{"", "", 0.7, false},                            // no value
		{"", "alice.", 0.7, true},                       // the empty word behind the dot
		{"ΟΔΟΣ", "οδος", 1, true},                       // the final sigma
		{"İstanbul", "i\u0307stanbul", 1, true},         // two characters
		{"ALICE", "alice", 0, true},                     // 0 counts as 0.1
	} {
		got := Similar(c.most).Check(c.password, []Attribute{{"username", c.value}}) != nil
		if got != c.want {
			t.Errorf("%q, %q, %v: %v", c.password, c.value, c.most, got)
		}
	}
}

func TestWords(t *testing.T) {
	for value, want := range map[string][]string{
		"":           {""},
		"a":          {"a"},
		"a.b@c_d":    {"a", "b", "c_d"},
		"..a":        {"", "a"},
		"a..":        {"a", ""},
		"--":         {"", ""},
		"日本 語①":      {"日本", "語①"},
		"e\u0301ric": {"e", "ric"},
	} {
		if diff := cmp.Diff(want, words(value)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", value, diff)
		}
	}
}
