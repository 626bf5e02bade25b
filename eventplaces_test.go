package jotgate_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/record"
)

// eventPlaces lists the functions that make an event which is not Bounded, as Type.name
// for methods, of all packages but the command, whose events are those of
// TestCommandsAreRecorded.
func eventPlaces(t *testing.T) (places []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{"cmd", "interop", "bench", "tools", "examples", "store/storetest"}, filepath.ToSlash(path)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && makesEvent(f) && !slices.Contains(places, functionName(f)) {
				places = append(places, functionName(f))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// makesEvent reports whether a function has a record.Event{…} with members, unless its
// kind is Bounded.
func makesEvent(f *ast.FuncDecl) (makes bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || len(literal.Elts) == 0 {
			return true
		}
		if of, ok := literal.Type.(*ast.SelectorExpr); !ok || of.Sel.Name != "Event" {
			return true
		}
		kind, _ := record.EventKindOf(nameIn(literal))
		makes = makes || !kind.Bounded
		return true
	})
	return makes
}

// nameIn returns the Name in a record.Event{…}, if it is a constant.
func nameIn(literal *ast.CompositeLit) string {
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, named := pair.Key.(*ast.Ident); named && key.Name == "Name" {
			if text, ok := pair.Value.(*ast.BasicLit); ok {
				name, _ := strconv.Unquote(text.Value)
				return name
			}
		}
	}
	return ""
}

func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	return of.(*ast.Ident).Name + "." + f.Name.Name
}
