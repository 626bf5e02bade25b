package api

// What of an older recording is not replayed, because the newest has it.

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"testing"
)

// omit removes the cases that another recording has with the same settings, requests and responses, regardless
// of headers that are not compared.
func (g *group) omit(file string) {
	other, err := readGroup(file)
	if err != nil || other.Settings.SecretKey != g.Settings.SecretKey || !bytes.Equal(other.Settings.OverBase, g.Settings.OverBase) {
		return
	}
	compared := map[string]string{}
	for _, c := range other.Cases {
		compared[c.Name] = c.compared()
	}
	g.Cases = slices.DeleteFunc(g.Cases, func(c goldenCase) bool { return compared[c.Name] == c.compared() })
}

// compared returns, as text, the steps of a case without the headers that are not compared.
func (c *goldenCase) compared() string {
	steps := slices.Clone(c.Steps)
	for i := range steps {
		headers := maps.Clone(steps[i].Response.Headers)
		for _, name := range ours {
			delete(headers, name)
		}
		steps[i].Response.Headers = headers
	}
	text, err := json.Marshal(steps)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// omit removes a case that is the same in the newest recording, and no other one.
func TestOmit(t *testing.T) {
	file := filepath.Join(filepath.Dir(newest), "debian12", "aud_iss_leeway.json")
	read := func() *group {
		g, err := readGroup(file)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	names := func(g *group) (list []string) {
		for _, c := range g.Cases {
			list = append(list, c.Name)
		}
		return list
	}
	all, some := read(), read()
	some.omit(filepath.Join(newest, filepath.Base(file)))
	if before, after := names(all), names(some); !slices.Contains(before, "good") || slices.Contains(after, "good") || !slices.Contains(after, "no_aud") {
		t.Errorf("of %q there are left %q", before, after) // in no_aud the newest has another text
	}
	changed := read()
	changed.Settings.OverBase = []byte("{}")
	if changed.omit(filepath.Join(newest, filepath.Base(file))); len(changed.Cases) != len(all.Cases) {
		t.Errorf("with other settings there are left %q of %q", names(changed), names(all))
	}
}
