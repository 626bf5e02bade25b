package passwd

// What holds for every algorithm: a property that a new one lacks fails here.

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// eachAlgorithm runs f for every algorithm with the hash of its text in valid.
func eachAlgorithm(t *testing.T, f func(t *testing.T, a algorithm, stored hash)) {
	for name, a := range algorithms {
		t.Run(name, func(t *testing.T) {
			text, given := valid[name]
			if !given {
				t.Fatal(`valid has no text for it, made from "password" with a Django`)
			}
			stored, err := parse(text)
			if err != nil || a.name() != name || stored.algorithm != name {
				t.Fatalf("%s: parse: %v, %v", a.name(), stored, err)
			}
			f(t, a, stored)
		})
	}
}

func TestEveryAlgorithm(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, a algorithm, stored hash) {
		if !stored.matches("password") || stored.matches("passwore") {
			t.Error("it does not match its password alone")
		}
		m, makes := a.(maker)
		if a.parameters(stored.recipe) == "" {
			if makes || !stored.costless() || !a.weak(stored.recipe) {
				t.Error("without parameters an algorithm cannot be slow enough to be made")
			}
			return
		}
		for what, r := range map[string]recipe{"stored": stored.recipe, "limit": a.limit(), "ceiling": a.ceiling()} {
			checkPricing(t, a, what, r)
		}
		if a.exceeds(a.limit(), a.ceiling()) || !a.exceeds(a.ceiling(), a.limit()) {
			t.Error("the limit must be below the ceiling")
		}
		if makes {
			checkMaker(t, m)
		}
	})
}

// checkPricing checks the cost of a recipe of an algorithm with parameters.
func checkPricing(t *testing.T, a algorithm, what string, r recipe) {
	t.Helper()
	unit, count := a.work(r)
	sample := a.sample(r)
	_, sampleCount := a.work(sample)
	part, divisible := a.part(r, 0.5)
	again, err := a.read(a.parameters(r), recipe{algorithm: r.algorithm, variant: r.variant, version: r.version, size: r.size})
	switch {
	case r.algorithm != a.name() || !a.possible(r) || a.exceeds(r, r):
		t.Errorf("%s: %v is not possible", what, r)
	case unit == (recipe{}) || count <= 0 || r.costless():
		t.Errorf("%s: %v costs nothing, so that Check would not equalize it", what, r)
	case sampleCount <= 0 || !a.possible(sample) || a.exceeds(sample, a.ceiling()):
		t.Errorf("%s: the sample %v cannot be measured", what, sample)
	case divisible && (!a.possible(part) || a.exceeds(part, r) || part == r && r != sample && count > 1):
		t.Errorf("%s: half of %v is %v", what, r, part)
	case r.memory > 0 && a.memory(r) <= 0 || a.memory(r) > 513<<20:
		t.Errorf("%s: %v takes %d bytes", what, r, a.memory(r))
	case err != nil || again != r:
		t.Errorf("%s: %q reads as %v, %v", what, a.parameters(r), again, err)
	}
	// Every number, raised beyond all limits, is rejected.
	for _, number := range regexp.MustCompile(`\d+`).FindAllStringIndex(a.parameters(r), -1) {
		text := a.parameters(r)[:number[0]] + "1073741824" + a.parameters(r)[number[1]:]
		if raised, err := a.read(text, r); err != nil || a.possible(raised) && !a.exceeds(raised, a.ceiling()) {
			t.Errorf("%s: %s is accepted: %v", what, text, err)
		}
	}
}

func checkMaker(t *testing.T, m maker) {
	t.Helper()
	usual := m.usual()
	checkPricing(t, m, "usual", usual)
	if m.weak(usual) || m.exceeds(usual, m.limit()) || !m.sameWork(usual, usual) {
		t.Errorf("its usual parameters %v are weak, above the limit or not like themselves", usual)
	}
	if h, err := New(m.name()); err != nil || h.prefers() != usual {
		t.Errorf("New: %v, %v", h, err)
	}
	if !slices.ContainsFunc(quick, func(s string) bool { return strings.HasPrefix(s, m.name()+":") }) {
		t.Error("quick has no setting for it, so that TestMakeCheck leaves it out")
	}
}

// TestEveryAlgorithmIsDocumented: docs/passwords.md names each with its setting and its
// limit, and so do the comments of the package, of New and of the limits.
func TestEveryAlgorithmIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/passwords.md")
	if err != nil {
		t.Fatal(err)
	}
	_, settings, _ := strings.Cut(string(page), "## The setting")
	settings, _, _ = strings.Cut(settings, "##")
	eachAlgorithm(t, func(t *testing.T, a algorithm, stored hash) {
		if name := strings.TrimPrefix(a.name(), "unsalted_"); !strings.Contains(string(page), "`"+name+"$") {
			t.Errorf("docs/passwords.md has no text `%s$…`", name)
		}
		if a.parameters(stored.recipe) == "" {
			return
		}
		if _, makes := a.(maker); makes && !strings.Contains(settings, "`"+a.name()+":") {
			t.Errorf("docs/passwords.md does not have the setting `%s:…`", a.name())
		}
		for _, file := range []string{"passwd.go", "preset.go", "limits.go"} {
			code, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(code), a.name()) {
				t.Errorf("the comment in %s does not name it (%v)", file, err)
			}
		}
		for what, limit := range map[string]recipe{"default limit": a.limit(), "highest limit": a.ceiling()} {
			if text := strings.TrimSuffix(limit.setting(), ",len=32"); !strings.Contains(string(page), "`"+text+"`") {
				t.Errorf("docs/passwords.md does not have the %s, `%s`", what, text)
			}
		}
	})
}
