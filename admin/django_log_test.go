package admin

import (
	"testing"

	"github.com/jotgate/jotgate/admin/adminstore"
)

// The texts are those of Django 5.2's LogEntry.get_change_message and get_text_list.
func TestDjangoText(t *testing.T) {
	for message, want := range map[string]string{
		`[{"added": {}}]`:                       "Added.",
		`[]`:                                    "No fields changed.",
		`[{"changed": {"fields": ["Active"]}}]`: "Changed Active.",
		`[{"changed": {"fields": ["A", "B", "C"]}}]`:                                      "Changed A, B and C.",
		`[{"changed": {"fields": ["A"]}}, {"added": {"name": "address", "object": "x"}}]`: "Changed A. Added address “x”.",
		`[{"changed": {"name": "address", "object": "x", "fields": ["City"]}}]`:           "Changed City for address “x”.",
		`[{"deleted": {"name": "address", "object": "x"}}]`:                               "Deleted address “x”.",
		"Ended all sessions (2).":                                                         "Ended all sessions (2).",
		"[broken":                                                                         "[broken",
	} {
		if got := djangoText(adminstore.LogEntry{Flag: adminstore.LogChange, Message: message}); got != want {
			t.Errorf("%s: %q, want %q", message, got, want)
		}
	}
	for flag, want := range map[adminstore.LogFlag]string{adminstore.LogAddition: "Added.", adminstore.LogDeletion: "Deleted.", adminstore.LogChange: ""} {
		if got := djangoText(adminstore.LogEntry{Flag: flag}); got != want {
			t.Errorf("an empty message of %d: %q", flag, got)
		}
	}
	if got := djangoChanged([]string{"Email address", "Active"}); got != `[{"changed": {"fields": ["Email address", "Active"]}}]` || djangoChanged(nil) != "[]" {
		t.Errorf("changed: %s", got)
	}
}
