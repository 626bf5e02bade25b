// Command settingsdoc writes docs/settings.md from the comments of the settings
// structs, so that the page agrees with the code:
//
//	go run ./internal/settingsdoc > docs/settings.md
//
// Each field's comment has the meaning, followed by the separate sentences
// "Default: …." and "Django: ….".
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// structs lists the settings structs, in the order of the page.
var structs = []struct{ folder, name, title, intro string }{
	{".", "Settings", "jotgate.Settings", "What a Gate does: tokens, sessions, passwords. `jotgate.New` takes them."},
	{"api", "Settings", "api.Settings", "The HTTP endpoints: which e-mails are sent, which fields are required twice, limits. Pass them to `api.New`."},
	{"pages", "Options", "pages.Options", "The login pages. Pass them to `pages.New` or `pages.Mount`."},
	{"admin", "Options", "admin.Options", "The administration. Pass them to `admin.New` or `admin.Mount`."},
	{"mail", "Settings", "mail.Settings", "How e-mails are sent. Pass them to `mail.New`."},
	{".", "GuardSettings", "jotgate.GuardSettings", "A Guard only verifies and needs no database. Settings with the same name as above have the same meaning."},
	{"store", "Schema", "store.Schema", "Where the users are in the database. It is part of `sqlite.Options` and `postgres.Options`."},
	{"apikey", "Settings", "apikey.Settings", "API keys of programs. Pass them to `apikey.New`."},
	{"webhook", "Settings", "webhook.Settings", "Messages to other systems. Pass them to `webhook.New`."},
	{"claimhook", "Settings", "claimhook.Settings", "Claims of another program. Pass them to `claimhook.New`."},
	{"proxy", "Settings", "proxy.Settings", "The gate in front of an API in any language. Pass them to `proxy.New`."},
}

func main() {
	if err := write(os.Stdout, "."); err != nil {
		fmt.Fprintln(os.Stderr, "settingsdoc:", err)
		os.Exit(1)
	}
}

// write writes the page for the repository in root.
func write(w io.Writer, root string) error {
	fmt.Fprint(w, "# Settings\n\n"+
		"Find the setting that you want to change, and set it in Go or on the command line:\n\n"+
		"```go\n"+
		"gate, err := jotgate.New(jotgate.Settings{SecretKey: secret, AccessTokenLifetime: 10 * time.Minute}, db)\n"+
		"```\n\n"+
		"    jotgate serve --access-token-lifetime 10m    # or JOTGATE_ACCESS_TOKEN_LIFETIME, or access-token-lifetime in jotgate.yaml\n"+
		"    jotgate serve --help                         # all flags, with their environment variables\n\n"+
		"Leave the others out: the zero value of each setting is its default, and the safe choice. A setting whose name begins with\n"+
		"Insecure switches a protection off. The last column names the setting of Django, Django REST framework, SimpleJWT or djoser\n"+
		"that it corresponds to. The page is generated from the comments in the code: `go run ./internal/settingsdoc > docs/settings.md`.\n")
	for _, s := range structs {
		fields, err := fieldsOf(filepath.Join(root, s.folder), s.name)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\n## %s\n\n%s\n\n| Setting | Type | Meaning | Default | In Django |\n|---|---|---|---|---|\n", s.title, s.intro)
		for _, f := range fields {
			fmt.Fprintf(w, "| `%s` | `%s` | %s | %s | %s |\n", f.name, f.kind, f.meaning, f.standard, f.django)
		}
	}
	return nil
}

// field is one option.
type field struct{ name, kind, meaning, standard, django string }

// fieldsOf reads a struct's fields from the Go files of a folder.
func fieldsOf(folder, name string) (fields []field, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		more, err := fieldsIn(file, name)
		if err != nil {
			return nil, err
		}
		fields = append(fields, more...)
	}
	if len(fields) == 0 {
		return nil, fmt.Errorf("%s has no struct %s with fields", folder, name)
	}
	return fields, nil
}

// fieldsIn reads a struct's fields from one file. A file without the struct is not
// an error.
func fieldsIn(file, name string) (fields []field, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	source, err := parser.ParseFile(set, file, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	ast.Inspect(source, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != name {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				kind := string(text[set.Position(f.Type.Pos()).Offset:set.Position(f.Type.End()).Offset])
				fields = append(fields, describeAll(f, kind)...)
			}
		}
		return false
	})
	return fields, nil
}

// describeAll describes the exported names of one field declaration.
func describeAll(f *ast.Field, kind string) (fields []field) {
	for _, n := range f.Names {
		if n.IsExported() {
			fields = append(fields, describe(n.Name, kind, f.Doc.Text()))
		}
	}
	return fields
}

var part = regexp.MustCompile(`(?s)^(.*?)(?:\s*Default: (.*?))?(?:\s*Django: (.*?))?$`)

// describe splits a comment into the meaning, the default and Django's setting.
func describe(name, kind, doc string) field {
	doc = strings.Join(strings.Fields(doc), " ")
	parts := part.FindStringSubmatch(doc)
	clean := func(s string) string {
		return strings.ReplaceAll(strings.TrimSuffix(strings.TrimSpace(s), "."), "|", `\|`)
	}
	meaning := strings.TrimPrefix(strings.TrimSpace(parts[1]), name+" ")
	return field{name, strings.ReplaceAll(strings.Join(strings.Fields(kind), " "), "|", `\|`), strings.ReplaceAll(meaning, "|", `\|`), clean(parts[2]), clean(parts[3])}
}
