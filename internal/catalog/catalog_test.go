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
	first := c.List[0]
	want := map[string][]string{}
	for id, text := range first.all() {
		want[baseID(id)] = values.FindAllString(text, -1)
		slices.Sort(want[baseID(id)])
	}
	for _, l := range c.List {
		got := map[string]bool{}
		for id, text := range l.all() {
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
		for id := range l.all() {
			if _, form, ok := strings.Cut(id, "["); ok && form == "other]" {
				for n := range 200 {
					if need := pluralForm(l.tag, n); n > 0 && l.all()[baseID(id)+"["+need+"]"] == "" && need != "many" && need != "zero" {
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

// The texts of errors are found by their English text, also with values in them, and
// also if an operator has changed the English message.
func TestErrorText(t *testing.T) {
	c, err := Load(fstest.MapFS{"en.txt": {Data: []byte("error.required = Please fill this in.\n")}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"This field is required.":                                      "Dieses Feld ist erforderlich.",
		"Ensure this field has no more than 150 characters.":           "Höchstens 150 Zeichen.",
		"Request was throttled. Expected available in 1 second.":       "Zu viele Anfragen. Versuche es in 1 Sekunde noch einmal.",
		"Request was throttled. Expected available in 3600 seconds.":   "Zu viele Anfragen. Versuche es in 3600 Sekunden noch einmal.",
		`Method "DELETE" not allowed.`:                                 `Methode "DELETE" nicht erlaubt.`,
		`Method "{0} {1}" not allowed.`:                                `Methode "{0} {1}" nicht erlaubt.`,
		"The password is too similar to the first name.":               "Das Passwort ist zu ähnlich (Vorname).",
		"The password is too similar to the nickname.":                 "Das Passwort ist zu ähnlich (nickname).",
		"JSON parse error - Expecting value: line 1 column 1 (char 0)": "Fehler in JSON - Expecting value: line 1 column 1 (char 0)",
		"192.0.2.7, Firefox on Linux":                                  "192.0.2.7, Firefox on Linux",
		"Ensure this field has no more than  characters.":              "Ensure this field has no more than  characters.",
		"A text of an application":                                     "A text of an application",
		"":                                                             "",
	} {
		if got := c.Named("de").ErrorText(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := c.Named("en").ErrorText("This field is required."); got != "Please fill this in." {
		t.Errorf("the operator's message: %q", got)
	}
	for text, want := range map[string]string{
		"192.0.2.7, Firefox on Linux": "192.0.2.7, Firefox unter Linux", "passkey added: on, off": "Passkey hinzugefügt: on, off",
		"totp added": "Authenticator-App eingerichtet", "3": "3",
	} {
		if got := c.Named("de").DetailText(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
