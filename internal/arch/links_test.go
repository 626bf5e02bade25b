// Every link in a doc comment leads to a name that exists.

package arch

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestLinks(t *testing.T) {
	all := loaded(t)
	l := &links{docs: map[string]*doc.Package{}}
	for _, p := range all {
		if err := l.load(p); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for _, p := range all {
		total += len(doclinks(p))
		report(t, l.check(p))
	}
	if total < 20 {
		t.Errorf("only %d links looked at", total)
	}
}

// links knows the documented names of packages, by import path.
type links struct{ docs map[string]*doc.Package }

func importPath(p *pkg) string { return path.Join(module, p.path) }

func (l *links) load(p *pkg) error {
	var files []*ast.File
	for _, f := range p.code() {
		// go/doc modifies what it reads, so it gets a separate tree.
		tree, err := parser.ParseFile(positions, f.name, f.text, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, tree)
	}
	return l.add(importPath(p), files)
}

func (l *links) add(where string, files []*ast.File) error {
	d, err := doc.NewFromFiles(positions, files, where)
	l.docs[where] = d
	return err
}

// standard loads a package of the standard library.
func (l *links) standard(where string) (*doc.Package, error) {
	if d, ok := l.docs[where]; ok {
		return d, nil
	}
	found, err := build.Import(where, "", 0)
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range found.GoFiles {
		file, err := parser.ParseFile(positions, filepath.Join(found.Dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	err = l.add(where, files)
	return l.docs[where], err
}

// A doclink is a link of a doc comment: a name of the same package, or of
// another one whose name or path is pkg.
type doclink struct {
	at             string
	pkg, recv, sym string
}

func (d doclink) String() string {
	return "[" + strings.Join(slices.DeleteFunc([]string{d.pkg, d.recv, d.sym}, func(s string) bool { return s == "" }), ".") + "]"
}

// doclinks lists everything in the comments of a package that is written as a
// link, whether or not it leads anywhere.
func doclinks(p *pkg) (list []doclink) {
	parser := comment.Parser{
		LookupPackage: func(name string) (string, bool) { return name, packageName.MatchString(name) },
		LookupSym:     func(recv, name string) bool { return true },
	}
	for _, f := range p.code() {
		for _, c := range f.ast.Comments {
			for _, block := range parser.Parse(c.Text()).Content {
				walkLinks(block, func(l *comment.DocLink) {
					if l.Name != "" || strings.Contains(l.ImportPath, "/") { // not a word in brackets
						list = append(list, doclink{f.at(c), l.ImportPath, l.Recv, l.Name})
					}
				})
			}
		}
	}
	return list
}

// packageName matches what can be a package of this module or the standard library.
var packageName = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

func walkLinks(b comment.Block, found func(*comment.DocLink)) {
	text := func(list []comment.Text) {
		for _, t := range list {
			if l, ok := t.(*comment.DocLink); ok {
				found(l)
			}
		}
	}
	switch b := b.(type) {
	case *comment.Paragraph:
		text(b.Text)
	case *comment.Heading:
		text(b.Text)
	case *comment.List:
		for _, item := range b.Items {
			for _, block := range item.Content {
				walkLinks(block, found)
			}
		}
	}
}

func (l *links) check(p *pkg) (findings []string) {
	for _, d := range doclinks(p) {
		if why := l.broken(l.docs[importPath(p)], d); why != "" {
			findings = append(findings, fmt.Sprintf("%s: the link %v leads nowhere: %s. Correct the name, or leave the brackets out",
				d.at, d, why))
		}
	}
	return findings
}

// broken says why a link in a comment of a package does not resolve.
func (l *links) broken(in *doc.Package, d doclink) string {
	target := in
	if d.pkg != "" {
		where, ok := in.Parser().LookupPackage(d.pkg)
		if !ok {
			if where, ok = comment.DefaultLookupPackage(d.pkg); !ok && !strings.Contains(d.pkg, "/") {
				return "no file of the package imports " + d.pkg
			} else if !ok {
				where = d.pkg
			}
		}
		switch _, known := l.docs[where]; {
		case known:
			target = l.docs[where]
		case standard(where):
			var err error
			if target, err = l.standard(where); err != nil {
				return err.Error()
			}
		default:
			return "" // another module's
		}
	}
	if d.sym != "" && !target.Parser().LookupSym(d.recv, d.sym) {
		return target.ImportPath + " has no exported name, method or field of that name"
	}
	return ""
}

func TestCheckLinksCatches(t *testing.T) {
	const code = "import \"log/slog\"\n\nvar _ slog.Value\n\n// T is.\ntype T struct {\n\t// F is.\n\tF int\n}\n\n// M does.\nfunc (T) M() {}\n\n// I is.\ntype I interface{ N() }\n\n// V is.\nvar V, w int\n"
	for text, want := range map[string][]string{
		"see [T], [T.M], [T.F], [I.N] and [V]": nil,
		"see [*T]":                             nil,
		"see [Store]":                          {"x.go:1: the link [Store] leads nowhere"},
		"see [T.Missing]":                      {"[T.Missing] leads nowhere"},
		"see [w]":                              nil, // no link: lower case
		"- see [Store]":                        {"[Store] leads nowhere"},
		"see [slog.Value] and [errors.Is]":     nil,
		"see [slog.Nothing]":                   {"log/slog has no exported name"},
		"see [json.Marshal]":                   {"no file of the package imports json"},
		"see [encoding/json.Marshal] and [" + module + "/jwt.Sign]": nil,
		"see [" + module + "/jwt.Missing]":                          {"/jwt has no exported name"},
		"a[T], [0] and [a list]":                                    nil,
	} {
		t.Run(text, func(t *testing.T) {
			l := &links{docs: map[string]*doc.Package{}}
			jwt := snippet(t, "jwt", "jwt.go", "// Package jwt is.\npackage jwt\n\n// Sign does.\nfunc Sign() {}\n")
			p := snippet(t, "mail", "x.go", "// Package mail is. "+strings.ReplaceAll("\n"+text, "\n", "\n//\n// ")+"\npackage mail\n\n"+code)
			for _, p := range []*pkg{jwt, p} {
				if err := l.load(p); err != nil {
					t.Fatal(err)
				}
			}
			expect(t, l.check(p), want...)
		})
	}
}
