package admin

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// ownMessages reads a catalog of this package.
func ownMessages(t *testing.T, code string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("catalog/" + code + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	messages := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if id, message, ok := strings.Cut(strings.TrimSpace(line), " = "); ok {
			if messages[id] != "" {
				t.Errorf("%s: %s twice", code, id)
			}
			messages[id] = message
		}
	}
	return messages
}

func withoutForm(id string) string { id, _, _ = strings.Cut(id, "["); return id }

// Every language of the pages has every message of the administration, no other, with
// the same values and the plural forms that it distinguishes.
func TestCatalogs(t *testing.T) {
	c, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	values := regexp.MustCompile(`\{\d\}`)
	in := func(text string) []string { list := values.FindAllString(text, -1); slices.Sort(list); return list }
	english := ownMessages(t, "en")
	for _, l := range c.catalogs.List {
		own, has := ownMessages(t, l.Code), map[string]bool{}
		for id, text := range own {
			has[withoutForm(id)] = true
			want, known := english[id]
			switch {
			case !known && english[withoutForm(id)+"[other]"] == "":
				t.Errorf("%s: English has no message %s", l.Code, id)
			case known && !strings.HasSuffix(id, "[one]") && !slices.Equal(in(text), in(want)):
				t.Errorf("%s: %s is %q, English %q", l.Code, id, text, want)
			}
			if l.Text(withoutForm(id), 1, 2, 3) == withoutForm(id) {
				t.Errorf("%s: %s is not shown", l.Code, id)
			}
		}
		for id := range english {
			if !has[withoutForm(id)] {
				t.Errorf("%s: no message %s", l.Code, id)
			}
		}
		for _, id := range []string{"admin.count", "admin.effect.sessions", "admin.effect.group"} {
			for n := 1; n < 200; n++ {
				if form := formOf(language.MustParse(l.Code), n); own[id+"["+form+"]"] == "" && form != "many" {
					t.Errorf("%s: %s has no form [%s], for %d", l.Code, id, form, n)
				}
			}
		}
	}
}

// formOf returns the plural form for n, as CLDR names it.
func formOf(tag language.Tag, n int) string {
	return map[plural.Form]string{
		plural.Other: "other", plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many",
	}[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]
}

// Every check of the store is shown in the language of the page: what it is about and
// what it found, but not names of tables, columns and metrics, types of columns and advice.
func TestFactsAreInTheCatalog(t *testing.T) {
	c, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?:About\w*|Found)(?:: | = (?:false, )?|, f\.Fix = )(?:fmt\.Sprintf\()?"([^"]+)"( \+)?`)
	checked := map[string]bool{
		"7s behind the database's": true, "varchar(3), new accounts get 7": true, "varchar(3), new accounts get an empty text": true,
		"varchar(3), must not be NULL, no default": true, "directly to PostgreSQL at db:5432, which is read-only": true,
	}
	for _, name := range []string{"../store/facts.go", "../store/facts_factors.go", "../store/postgres/pooler.go"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range text.FindAllStringSubmatch(string(source), -1) {
			words := strings.NewReplacer("%d", "7", "%v", "7s", "%s", "ahead of").Replace(m[1])
			if m[2] != "" {
				words += "auth_user"
			}
			checked[words] = true
		}
	}
	identifier := regexp.MustCompile(`^\w+_\w+$`)
	for words := range checked {
		for _, l := range c.catalogs.List[1:] {
			if !identifier.MatchString(words) && !strings.HasPrefix(words, "through ") && l.FactText(words) == words {
				t.Errorf("%s: the fact %q is not in the catalog: add it as fact.… to internal/catalog/messages", l.Code, words)
			}
		}
	}
	if len(checked) < 18 {
		t.Errorf("%d texts", len(checked))
	}
	for _, name := range []string{"ended", "state"} {
		source, err := os.ReadFile(map[string]string{"ended": "../record/session.go", "state": "../record/key.go"}[name])
		if err != nil {
			t.Fatal(err)
		}
		words := regexp.MustCompile(`(?:EndReason|KeyState) = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
		for _, m := range words {
			for _, l := range c.catalogs.List {
				if id := "admin." + name + "." + m[1]; l.Text(id) == id {
					t.Errorf("%s: no message %s", l.Code, id)
				}
			}
		}
		if len(words) < 3 {
			t.Errorf("%s: %v", name, words)
		}
	}
	for _, name := range mainFigures {
		for _, l := range c.catalogs.List {
			if id := "admin.figure." + name; l.Text(id) == id {
				t.Errorf("%s: no message %s", l.Code, id)
			}
		}
	}
}
