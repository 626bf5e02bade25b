// Every path and link in a Markdown file leads to a file of the repository.

package arch

import (
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	tree, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	files := documents(t)
	total := 0
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name == "CHANGELOG.md" || strings.HasPrefix(name, "docs/decisions/") {
			continue // they describe earlier states; their links are checked below
		}
		list := mentions(name, files[name])
		total += len(list)
		report(t, tree.check(list))
	}
	for name, text := range files {
		if name == "CHANGELOG.md" || strings.HasPrefix(name, "docs/decisions/") {
			report(t, tree.check(slices.DeleteFunc(mentions(name, text), func(m mention) bool { return !m.link })))
		}
	}
	if total < 200 {
		t.Errorf("only %d paths looked at", total)
	}
}

// A mention is a path in a document, and where it is.
type mention struct {
	at, path string
	link     bool // relative to the document, not to the root
}

var (
	linkTarget = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	pathLike   = regexp.MustCompile(`^[\w.-]+(?:/[\w.-]+)*/?$`)
)

// mentions returns the relative links of a document and what looks like a path in
// its inline code: code blocks are output or programs.
func mentions(name, text string) (list []mention) {
	for _, p := range blocks(name, text) {
		for _, code := range inlineCode.FindAllString(p.text, -1) {
			if inner := strings.Trim(code, "`"); pathLike.MatchString(inner) {
				list = append(list, mention{at: p.at, path: inner})
			}
		}
		for _, m := range linkTarget.FindAllStringSubmatch(inlineCode.ReplaceAllString(p.text, "code"), -1) {
			target, err := url.Parse(m[1])
			if err == nil && !target.IsAbs() && target.Host == "" && target.Path != "" {
				list = append(list, mention{p.at, path.Join(path.Dir(name), target.Path), true})
			}
		}
	}
	return list
}

// blocks returns the lines outside of code.
func blocks(name, text string) (list []passage) {
	code := false
	for i, line := range strings.Split(text, "\n") {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		code = code != fence
		if !fence && !code && !strings.HasPrefix(line, "    ") {
			list = append(list, passage{fmt.Sprintf("%s:%d", name, i+1), line})
		}
	}
	return list
}

// A tree has the paths of the repository, and "base:" with the name of each Go file.
type tree map[string]bool

func repository() (tree, error) {
	dir, err := root()
	if err != nil {
		return nil, err
	}
	all := tree{}
	return all, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", "node_modules"}, d.Name()) {
			return fs.SkipDir
		}
		short, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		all.add(filepath.ToSlash(short), d.IsDir())
		return nil
	})
}

func (t tree) add(name string, folder bool) {
	t[name] = true
	if !folder && strings.HasSuffix(name, ".go") {
		t["base:"+path.Base(name)] = true
	}
}

// check reports the mentions that do not exist. A path in inline code is
// one of the repository if it begins with a folder of it, or is the name of a Go
// file; a Go file may be named without its folder.
func (t tree) check(list []mention) (findings []string) {
	for _, m := range list {
		name := path.Clean(m.path)
		if t[name] || t["base:"+name] {
			continue
		}
		top, _, nested := strings.Cut(name, "/")
		base, symbol, _ := strings.Cut(path.Base(name), ".")
		ours := m.link || strings.HasSuffix(name, ".go") || nested && t[top]
		if pkg := path.Join(path.Dir(name), base); !m.link && symbol != "" && t[pkg] && strings.ToUpper(symbol[:1]) == symbol[:1] {
			ours = false // a name of a package: passwd/names.Skeletons
		}
		if ours {
			findings = append(findings, fmt.Sprintf("%s: %s does not exist: give the path that it has now", m.at, m.path))
		}
	}
	return findings
}

func TestCheckPathsCatches(t *testing.T) {
	all := tree{}
	for name, folder := range map[string]bool{"jwt": true, "jwt/jwks": true, "jwt/key.go": false, "gate.go": false, "docs": true, "docs/a.md": false, "README.md": false} {
		all.add(name, folder)
	}
	for text, want := range map[string][]string{
		"[a](a.md), [b](../jwt/key.go#L3), [c](https://example.com/x)": nil,
		"[a](gone.md)":                      {"docs/x.md:1: docs/gone.md does not exist"},
		"[the `x`](../jwt/gone.go)":         {"jwt/gone.go does not exist"},
		"[own](#part)":                      nil,
		"\nin `jwt/gone.go`":                {"docs/x.md:2: jwt/gone.go"},
		"in `jwt/`, `jwt/jwks`, `key.go`":   nil,
		"in `gone.go` and `jwt/other/`":     {"gone.go", "jwt/other/"},
		"`jwt/jwks.New` and `auth/users/`":  nil,
		"```sh\ncat `jwt/gone.go`\n```\n":   nil,
		"    cat `jwt/gone.go` [a](b.md)\n": nil,
	} {
		expect(t, all.check(mentions("docs/x.md", text)), want...)
	}
}
