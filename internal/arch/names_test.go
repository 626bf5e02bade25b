// Metaphors in names.

package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// metaphors are words that a declared name may not contain, with the field's
// term. A reader can search for the term.
var metaphors = map[string]string{
	"desk": "state", "dearest": "costliest", "door": "entryPoint", "farewell": "closeDelay", "goodbye": "closing", "heard": "received or admitted",
	"lane": "slot or parallelism", "letter": "message", "letters": "messages", "nobody": "no and the noun", "parting": "draining",
	"patience": "timeout", "patient": "without timeout", "rehearse": "dryRun", "room": "dst or capacity", "siege": "load",
	"somebody": "the noun", "stranger": "other and the noun", "strangers": "other and the noun", "told": "notified or the noun",
}

// notMetaphors are declarations that use such a word in its own sense.
var notMetaphors = map[string]string{
	"throttle/rate.go letter": "the letter of a unit of time",
	"passwd/argon2d.go lane":  "RFC 9106 names the parts of Argon2's memory so",
}

func TestNames(t *testing.T) {
	used := map[string]bool{}
	for _, p := range loaded(t) {
		for _, f := range p.code() {
			report(t, checkNames(f, used))
		}
	}
	for key := range notMetaphors {
		if !used[key] {
			t.Errorf("notMetaphors: nothing is named %s any more", key)
		}
	}
}

// checkNames looks at every name that a file declares.
func checkNames(f *source, used map[string]bool) (findings []string) {
	for _, id := range declared(f.ast) {
		for _, word := range wordsOf(id.Name) {
			term, found := metaphors[word]
			key := f.name + " " + id.Name
			if _, ok := notMetaphors[key]; found && ok {
				used[key] = true
			} else if found {
				findings = append(findings, fmt.Sprintf("%s: %s contains the metaphor %q: use the field's term, such as %s", f.at(id), id.Name, word, term))
			}
		}
	}
	return findings
}

// declared lists the names that a file declares, parameters and local variables
// included.
func declared(file *ast.File) (names []*ast.Ident) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names = append(names, n.Name)
		case *ast.TypeSpec:
			names = append(names, n.Name)
		case *ast.ValueSpec:
			names = append(names, n.Names...)
		case *ast.Field:
			names = append(names, n.Names...)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				names = append(names, identifiers(n.Lhs...)...)
			}
		case *ast.RangeStmt:
			names = append(names, identifiers(n.Key, n.Value)...)
		}
		return true
	})
	return names
}

func identifiers(list ...ast.Expr) (names []*ast.Ident) {
	for _, e := range list {
		if id, ok := e.(*ast.Ident); ok {
			names = append(names, id)
		}
	}
	return names
}

// wordsOf splits a name at its capitals: newLetterBox is new, letter and box.
func wordsOf(name string) (words []string) {
	start := 0
	for i, r := range name {
		if i > start && unicode.IsUpper(r) {
			words, start = append(words, strings.ToLower(name[start:i])), i
		}
	}
	return append(words, strings.ToLower(name[start:]))
}

func TestCheckNamesCatches(t *testing.T) {
	for name, want := range map[string][]string{
		"func sendLetter() {}":                       {`sendLetter contains the metaphor "letter"`},
		"type Letter struct{}":                       {`"letter"`},
		"type T struct{ lane int }":                  {`"lane"`},
		"var waitingRoom int":                        {`"room"`},
		"func f(patience int) {}":                    {`"patience"`},
		"func f() { told := 1; _ = told }":           {`"told"`},
		"func f() { for _, door := range x {} }":     {`"door"`},
		"func sendMessage(letterhead, mushroom int)": nil,
		"func f() { x.letter() }":                    nil, // declared elsewhere
	} {
		p := snippet(t, "mail", "x.go", "package mail\n"+name+"\n")
		var findings []string
		for _, f := range p.files {
			findings = append(findings, checkNames(f, map[string]bool{})...)
		}
		expect(t, findings, want...)
	}
	if got := wordsOf("newLetterBox"); !slices.Equal(got, []string{"new", "letter", "box"}) {
		t.Errorf("%q", got)
	}
}
