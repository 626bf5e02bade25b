package catalog

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

func testCatalogs(t *testing.T) *Catalogs {
	t.Helper()
	c, err := Load(nil)
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
	if len(c.List) < 7 {
		t.Fatalf("%d languages", len(c.List))
	}
	values := regexp.MustCompile(`\{\d\}`)
	english := c.List[0]
	want := map[string][]string{}
	for id, text := range english.messages {
		want[baseID(id)] = values.FindAllString(text, -1)
	}
	for _, l := range c.List {
		got := map[string]bool{}
		for id, text := range l.messages {
			got[baseID(id)] = true
			expected, known := want[baseID(id)]
			if !known {
				t.Errorf("%s: English has no message %s", l.Code, id)
			}
			used := values.FindAllString(text, -1)
			slices.Sort(used)
			if !strings.Contains(id, "[") && !slices.Equal(used, expected) {
				t.Errorf("%s: %s has the values %v, English %v", l.Code, id, used, expected)
			}
		}
		for id := range want {
			if !got[id] {
				t.Errorf("%s: no message %s", l.Code, id)
			}
		}
		for id := range l.messages {
			if _, form, ok := strings.Cut(id, "["); ok && form == "other]" {
				for n := range 200 {
					if need := pluralForm(l.tag, n); n > 0 && l.messages[baseID(id)+"["+need+"]"] == "" && need != "many" && need != "zero" {
						t.Errorf("%s: %s has no form [%s], for %d", l.Code, baseID(id), need, n)
						break
					}
				}
			}
		}
	}
}

func TestPlurals(t *testing.T) {
	c := testCatalogs(t)
	for code, want := range map[string]string{"en": "1 minute ago", "de": "vor 1 Minute", "ar": "قبل دقيقة", "ja": "1分前"} {
		if got := c.Named(code).Text("time.minutes", 1); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	if got := c.Named("ar").Text("time.minutes", 5); got != "قبل 5 دقائق" {
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
		if got := c.Accept(header).Code; got != want {
			t.Errorf("%.40q: %s, want %s", header, got, want)
		}
	}
}

// An operator's messages replace ours, and a mistake is named with its line.
func TestLocale(t *testing.T) {
	c, err := Load(fstest.MapFS{
		"de.txt": {Data: []byte("login.title = Willkommen\n")}, "it.txt": {Data: []byte("language = Italiano\ndirection = ltr\nlogin.title = Accedi\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]string{"de": "Willkommen", "it": "Accedi"} {
		if got := c.Named(code).Text("login.title"); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	if got := c.Named("it").Text("login.forgot"); got != "Forgot your password?" {
		t.Errorf("what Italian lacks: %q", got)
	}
	for text, want := range map[string]string{
		"login.title=x": "de.txt:1: must be a line", "# \n\nLogin.Title = x": "de.txt:3: must be a line",
	} {
		if _, err := Load(fstest.MapFS{"de.txt": {Data: []byte(text)}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Load(fstest.MapFS{"klingon language.txt": {Data: []byte("a.b = c")}}); err == nil {
		t.Error("a file that is not named after a language is accepted")
	}
	if _, err := Load(fstest.MapFS{"it.txt": {Data: bytes.Repeat([]byte("# a long file\n"), 20000)}}); err == nil {
		t.Error("a file of 280 kB is accepted")
	}
}
