package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

const root = "../.."

func TestPageIsCurrent(t *testing.T) {
	var want bytes.Buffer
	if err := write(&want, root); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "docs", "settings.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/settings.md is not what the code says: go run ./internal/settingsdoc > docs/settings.md")
	}
}

// Every option of the gate, the API and the mail says what it means and what
// happens without it; those of the gate and the API also name Django's.
func TestEveryOptionIsDocumented(t *testing.T) {
	for _, s := range structs {
		if s.name == "GuardSettings" {
			continue // means the same as in Settings
		}
		fields, err := fieldsOf(filepath.Join(root, s.folder), s.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			if f.meaning == "" {
				t.Errorf("%s.%s says nothing", s.title, f.name)
			}
			if (s.title == "jotgate.Settings" || s.title == "api.Settings") && f.standard == "" {
				t.Errorf("%s.%s: no default", s.title, f.name)
			}
			if s.title == "api.Settings" && f.django == "" {
				t.Errorf("%s.%s: no word on Django", s.title, f.name)
			}
		}
	}
}

func TestDescribe(t *testing.T) {
	got := describe("Leeway", "time.Duration", "Leeway is the clock skew allowed. 0 to 10 minutes.\nDefault: 0. Django: SIMPLE_JWT\nLEEWAY.")
	want := field{"Leeway", "time.Duration", "is the clock skew allowed. 0 to 10 minutes.", "0", "SIMPLE_JWT LEEWAY"}
	if got != want {
		t.Errorf("%+v", got)
	}
}
