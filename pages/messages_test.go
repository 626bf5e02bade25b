package pages

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/record"
)

var usedInTemplate = regexp.MustCompile(`\.T "([^"]+)"|WithHint "([^"]+)"`)

// Every message that a template or the code names exists, and every message is
// named, or belongs to a family that is put together from parts.
func TestMessagesAreUsed(t *testing.T) {
	known := messageIDs(t)
	used := map[string]bool{"language": true, "direction": true}
	for _, name := range templateFiles(t) {
		for _, m := range usedInTemplate.FindAllStringSubmatch(read(t, name), -1) {
			id := m[1] + m[2]
			used[id] = true
			if !known[id] {
				t.Errorf("%s uses %s, which does not exist", name, id)
			}
		}
	}
	code, _ := filepath.Glob("*.go")
	shared, _ := filepath.Glob("../internal/layout/*.go")
	all := ""
	for _, name := range append(code, shared...) {
		if !strings.HasSuffix(name, "_test.go") {
			all += read(t, name)
		}
	}
	for id := range known {
		family := slices.ContainsFunc([]string{"error.", "fact.", "mail.", "event.", "field.", "problem.required.", "problem.password_", "passkey.", "security.passkeys", "step.", "enrol.", "new-password.", "notice."},
			func(prefix string) bool { return strings.HasPrefix(id, prefix) })
		kind := slices.ContainsFunc([]string{"activate", "email-confirm", "email-undo", "username-confirm", "delete-undo"}, func(kind string) bool { return strings.HasPrefix(id, kind+".") })
		if !used[id] && !family && !kind && !strings.Contains(all, `"`+id+`"`) {
			t.Errorf("%s is not used", id)
		}
	}
	for i := range routes {
		if id := routes[i].title; id != "" && !known[id] {
			t.Errorf("the page %s has the title %s, which does not exist", routes[i].path, id)
		}
	}
}

// Every kind of event has words, so that no page of activity shows the name that
// programs use.
func TestEventsHaveWords(t *testing.T) {
	known := messageIDs(t)
	for _, kind := range record.EventKinds {
		if !known["event."+kind.Name] {
			t.Errorf("the event %s has no message event.%[1]s", kind.Name)
		}
	}
}

// messageIDs returns the ids of the English messages, without their plural forms.
func messageIDs(t *testing.T) map[string]bool {
	t.Helper()
	files, err := catalog.Files()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9_.-]+)(?:\[\w+\])? = `).FindAllStringSubmatch(string(files["en.txt"]), -1) {
		ids[m[1]] = true
	}
	if len(ids) < 100 {
		t.Fatalf("%d messages", len(ids))
	}
	return ids
}

// templateFiles returns the templates, also those that the pages share.
func templateFiles(t *testing.T) []string {
	t.Helper()
	own, err := filepath.Glob("templates/*.html")
	shared, sharedErr := filepath.Glob("../internal/layout/templates/*.html")
	if err != nil || sharedErr != nil || len(own) < 20 || len(shared) != 2 {
		t.Fatal(own, shared, err, sharedErr)
	}
	return append(own, shared...)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	action = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	tag    = regexp.MustCompile(`(?s)<[^>]*>`)
	spoken = regexp.MustCompile(`\b(?:alt|title|placeholder|aria-label|data-show|data-hide)="([^"]*)"`)
)

// No template has a word that is not in the catalog.
func TestNoTextOutsideTheCatalog(t *testing.T) {
	for _, name := range templateFiles(t) {
		text := action.ReplaceAllString(read(t, name), "")
		for _, m := range spoken.FindAllStringSubmatch(text, -1) {
			if strings.TrimSpace(m[1]) != "" {
				t.Errorf("%s: the attribute %s is not in the catalog", name, m[0])
			}
		}
		if word := regexp.MustCompile(`\pL+`).FindString(tag.ReplaceAllString(text, " ")); word != "" {
			t.Errorf("%s: %q is not in the catalog", name, word)
		}
	}
}
