package mail_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/mail"
)

// docs/mail.md names every field and every message, and shows code that is here.
func TestDocs(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(b), "\t", "")
	}
	page := read("../docs/mail.md")
	for f := range reflect.TypeFor[mail.Data]().Fields() {
		if !strings.Contains(page, "| `{{."+f.Name+"}}`") {
			t.Errorf("the field %s is missing", f.Name)
		}
	}
	for _, kind := range mail.Kinds {
		if !strings.Contains(page, "\n| `"+string(kind)+"` |") {
			t.Errorf("the message %s is missing", kind)
		}
	}
	blocks := strings.Split(page, "```")
	if len(blocks) != 5 {
		t.Fatalf("there are %d blocks of code", len(blocks)/2)
	}
	if !strings.Contains(read("example_test.go"), strings.TrimPrefix(blocks[1], "go\n")) {
		t.Error("the Go code is not that of example_test.go")
	}
	if strings.TrimPrefix(blocks[3], "\n") != read("testdata/own/de/confirmation.txt") {
		t.Error("the template is not testdata/own/de/confirmation.txt")
	}
}
