package pages

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

func testCatalogs(t *testing.T) *catalogs {
	t.Helper()
	c, err := loadCatalogs(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// baseID is the id of a message without its plural form.
func baseID(id string) string {
	id, _, _ = strings.Cut(id, "[")
	return id
}

// Every language has every message, no other, and the same values in each. A
// message with plural forms has all that the language distinguishes.
func TestCatalogsAreComplete(t *testing.T) {
	c := testCatalogs(t)
	if len(c.list) < 7 {
		t.Fatalf("%d languages", len(c.list))
	}
	values := regexp.MustCompile(`\{\d\}`)
	english := c.list[0]
	want := map[string][]string{}
	for id, text := range english.messages {
		want[baseID(id)] = values.FindAllString(text, -1)
	}
	for _, l := range c.list {
		got := map[string]bool{}
		for id, text := range l.messages {
			got[baseID(id)] = true
			expected, known := want[baseID(id)]
			if !known {
				t.Errorf("%s: English has no message %s", l.code, id)
			}
			used := values.FindAllString(text, -1)
			slices.Sort(used)
			if !strings.Contains(id, "[") && !slices.Equal(used, expected) {
				t.Errorf("%s: %s has the values %v, English %v", l.code, id, used, expected)
			}
		}
		for id := range want {
			if !got[id] {
				t.Errorf("%s: no message %s", l.code, id)
			}
		}
		for id := range l.messages {
			if _, form, ok := strings.Cut(id, "["); ok && form == "other]" {
				for n := range 200 {
					if need := pluralForm(l.tag, n); n > 0 && l.messages[baseID(id)+"["+need+"]"] == "" && need != "many" && need != "zero" {
						t.Errorf("%s: %s has no form [%s], for %d", l.code, baseID(id), need, n)
						break
					}
				}
			}
		}
	}
}

var usedInTemplate = regexp.MustCompile(`\.T "([^"]+)"|WithHint "([^"]+)"`)

// Every message that a template or the code names exists, and every message is
// named, or belongs to a family that is put together from parts.
func TestMessagesAreUsed(t *testing.T) {
	english := testCatalogs(t).list[0]
	known := map[string]bool{}
	for id := range english.messages {
		known[baseID(id)] = true
	}
	used := map[string]bool{"language": true, "direction": true}
	sources, err := filepath.Glob("templates/*.html")
	if err != nil || len(sources) < 20 {
		t.Fatal(sources, err)
	}
	for _, name := range sources {
		for _, m := range usedInTemplate.FindAllStringSubmatch(read(t, name), -1) {
			id := m[1] + m[2]
			used[id] = true
			if !known[id] {
				t.Errorf("%s uses %s, which does not exist", name, id)
			}
		}
	}
	code, _ := filepath.Glob("*.go")
	all := ""
	for _, name := range code {
		if !strings.HasSuffix(name, "_test.go") {
			all += read(t, name)
		}
	}
	for id := range known {
		family := slices.ContainsFunc([]string{"error.", "event.", "field.", "problem.required.", "problem.password_", "passkey.", "security.passkeys", "step.", "enrol.", "new-password.", "notice."},
			func(prefix string) bool { return strings.HasPrefix(id, prefix) })
		kind := slices.ContainsFunc([]string{"activate", "email-confirm", "email-undo", "username-confirm"}, func(kind string) bool { return strings.HasPrefix(id, kind+".") })
		if !used[id] && !family && !kind && !strings.Contains(all, `"`+id+`"`) && !slices.Contains(menu, strings.TrimSuffix(id, ".title")) {
			t.Errorf("%s is not used", id)
		}
	}
	for i := range routes {
		if id := routes[i].title; id != "" && !known[id] {
			t.Errorf("the page %s has the title %s, which does not exist", routes[i].path, id)
		}
	}
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
	sources, _ := filepath.Glob("templates/*.html")
	for _, name := range sources {
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

func TestPlurals(t *testing.T) {
	c := testCatalogs(t)
	for code, want := range map[string]string{"en": "1 minute ago", "de": "vor 1 Minute", "ar": "قبل دقيقة", "ja": "1分前"} {
		if got := c.named(code).text("time.minutes", 1); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	if got := c.named("ar").text("time.minutes", 5); got != "قبل 5 دقائق" {
		t.Errorf("%q", got)
	}
	if plural.Cardinal.MatchPlural(language.Arabic, 5, 0, 0, 0, 0) != plural.Few {
		t.Error("the rules have changed")
	}
}

func TestAcceptLanguage(t *testing.T) {
	c := testCatalogs(t)
	for header, want := range map[string]string{
		"": "en", "de-AT,de;q=0.9,en;q=0.5": "de", "pt": "pt-BR", "pt-PT": "pt-BR", "ar-EG": "ar", "xx": "en", "ja;q=0.1, fr;q=0.9": "fr",
		"it": "en", "en-GB": "en", strings.Repeat("de,", 300): "en", "\x00": "en",
	} {
		if got := c.accept(header).code; got != want {
			t.Errorf("%.40q: %s, want %s", header, got, want)
		}
	}
}

// An operator's messages replace ours, and a mistake is named with its line.
func TestLocale(t *testing.T) {
	c, err := loadCatalogs(fstest.MapFS{
		"de.txt": {Data: []byte("login.title = Willkommen\n")}, "it.txt": {Data: []byte("language = Italiano\ndirection = ltr\nlogin.title = Accedi\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]string{"de": "Willkommen", "it": "Accedi"} {
		if got := c.named(code).text("login.title"); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	if got := c.named("it").text("login.forgot"); got != "Forgot your password?" {
		t.Errorf("what Italian lacks: %q", got)
	}
	for text, want := range map[string]string{
		"login.title=x": "de.txt:1: must be a line", "# \n\nLogin.Title = x": "de.txt:3: must be a line",
	} {
		if _, err := loadCatalogs(fstest.MapFS{"de.txt": {Data: []byte(text)}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := loadCatalogs(fstest.MapFS{"klingon language.txt": {Data: []byte("a.b = c")}}); err == nil {
		t.Error("a file that is not named after a language is accepted")
	}
	if _, err := loadCatalogs(fstest.MapFS{"it.txt": {Data: bytes.Repeat([]byte("# a long file\n"), 20000)}}); err == nil {
		t.Error("a file of 280 kB is accepted")
	}
}
