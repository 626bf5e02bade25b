// How often the prose uses a common word in a sense that a reader does not
// expect.

package arch

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// marked are the phrases that are counted. Each has a plain equivalent; the
// Go standard library has 4 to 7 of them in 10,000 words of comments.
var marked = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{plain(`(^|[.:;,(]\s+|\bof |\bfor |\bfrom |\bto |\bby |\bnot before )who(ever)? (does|do|did|has|have|sends?|asks?|sent|sets?|reads?|logs?|is|was|takes?|holds?|looks?|must)\b`), "a client that, a caller that"},
	{plain(`\b(is|are|was|be|being) told\b|\btells?\b`), "reports, returns, says"},
	{plain(`\bstands?\b`), "is, appears"},
	{plain(`\bbesides[,.; ]`), "also, in addition to"},
	{plain(`\b(so many|so much|for so long|so long for|take so long|in so much)\b`), "a number"},
	{plain(`\blets? go\b`), "disconnect, release"},
	{plain(`\bbears?\b|\bborne\b`), "has, accepts"},
	{plain(`\b(is|are|was) no (address|json|array|object|credentials?|error|request|endpoint|field|part|handler|string|number|token|key|text|path|file)\b`), "is not a"},
	{plain(`\banew\b`), "again"},
	{plain(`\bmend(s|ed|ing)?\b`), "fix"},
	{plain(`\broads?\b|\bon (its|the|their) way\b|\bthe long way\b`), "path"},
	{plain(`\bnews\b|\bhears?\b|\bheard\b`), "revocation list, receives"},
	{plain(`\bnobody\b|\bsomebody\b|\bwhoever\b|\beverybody\b`), "no caller, a caller, everyone"},
	{plain(`\bdear(er|est)?\b`), "costly"},
	{plain(`\bat once\b`), "immediately, concurrently, atomically"},
	{plain(`\bparted\b|\bparts the\b`), "split"},
	{plain(`\bof (its|their|one's|his|our|my|your) own\b`), "separate, own"},
	{plain(`\bletters?\b`), "e-mail, message; character"},
	{plain(`\b(goes|go|going) on\b`), "continues"},
	{plain(`\bin (hand|force|mind)\b`), "available, in effect, cached"},
	{plain(`\bwhere (it|that|there|they|he|a|the|no|Django|this|one|people|simplejwt)\b`), "if, when"},
}

func plain(pattern string) *regexp.Regexp { return regexp.MustCompile("(?i)" + pattern) }

// A passage is a text that is read as a whole, and where it begins.
type passage struct{ at, text string }

// A tally counts words and marked phrases.
type tally struct {
	words    int
	findings []string
}

func (c *tally) add(p passage) {
	text := strings.Join(strings.Fields(p.text), " ")
	c.words += len(strings.Fields(text))
	for _, m := range marked {
		for _, hit := range m.pattern.FindAllString(text, -1) {
			c.findings = append(c.findings, fmt.Sprintf("%s: %q: write %s", p.at, hit, m.instead))
		}
	}
}

// rate is the number of marked phrases in 10,000 words.
func (c *tally) rate() int {
	return int(math.Round(float64(len(c.findings)) * 10_000 / float64(max(c.words, 1))))
}

// check compares the tally with a ceiling. Rounding up lets a short text have
// one phrase.
func (c *tally) check(what string, ceiling int) []string {
	allowed := (ceiling*c.words + 9_999) / 10_000
	if len(c.findings) <= allowed {
		return nil
	}
	return []string{fmt.Sprintf("%s: %d marked phrases in %d words (%d in 10,000), the limit is %d (%d in 10,000): "+
		"say it as Go's standard library does\n\t%s", what, len(c.findings), c.words, c.rate(), allowed, ceiling,
		strings.Join(c.findings, "\n\t"))}
}

func TestProse(t *testing.T) {
	var comments, texts tally
	for _, p := range loaded(t) {
		limit := proseOf(p.path)
		var c, s tally
		for _, f := range p.code() {
			each(f.comments(), c.add, comments.add)
			each(f.strings(), s.add, texts.add)
		}
		t.Logf("%-24s comments %4d in 10,000 (%d of %d words), texts %4d (%d of %d)",
			p.path, c.rate(), len(c.findings), c.words, s.rate(), len(s.findings), s.words)
		report(t, c.check("comments of package "+p.path, limit.comments))
		report(t, s.check("texts of package "+p.path, limit.texts))
	}
	others, err := otherModules()
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range slices.Sorted(maps.Keys(others)) {
		var c tally
		for _, f := range others[where] {
			each(f.comments(), c.add, comments.add)
		}
		t.Logf("%-24s comments %4d in 10,000 (%d of %d words)", where, c.rate(), len(c.findings), c.words)
		report(t, c.check("comments below "+where, proseOf(where).comments))
	}
	t.Logf("all comments %d in 10,000 (%d of %d words), all texts %d (%d of %d)",
		comments.rate(), len(comments.findings), comments.words, texts.rate(), len(texts.findings), texts.words)
}

func TestProseOfDocs(t *testing.T) {
	files := documents(t)
	var all tally
	for _, name := range slices.Sorted(maps.Keys(files)) {
		var c tally
		each(paragraphs(name, files[name]), c.add, all.add)
		t.Logf("%-40s %4d in 10,000 (%d of %d words)", name, c.rate(), len(c.findings), c.words)
		report(t, c.check(name, cmp.Or(maxMarkedDocs[name], maxMarked)))
	}
	t.Logf("all documents %d in 10,000 (%d of %d words)", all.rate(), len(all.findings), all.words)
}

func each(passages []passage, to ...func(passage)) {
	for _, p := range passages {
		for _, add := range to {
			add(p)
		}
	}
}

// comments returns the comments of the file, without directives.
func (s *source) comments() (list []passage) {
	for _, c := range s.ast.Comments {
		list = append(list, passage{s.at(c), c.Text()})
	}
	return list
}

// strings returns the string literals that are sentences or help texts: those
// of three words or more.
func (s *source) strings() (list []passage) {
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, _ := strconv.Unquote(lit.Value)
			if len(strings.Fields(text)) >= 3 {
				list = append(list, passage{s.at(lit), text})
			}
		}
		return true
	})
	return list
}

// otherModules parses the code of the modules below this one, by folder.
func otherModules() (map[string][]*source, error) {
	modules := map[string][]*source{}
	return modules, walk(".go", func(name string, text []byte) error {
		top, _, _ := strings.Cut(name, "/")
		if !slices.Contains([]string{"bench", "interop", "tools"}, top) || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		s, err := parse(name, text)
		if err == nil && !s.generated {
			modules[top] = append(modules[top], s)
		}
		return err
	})
}

// walk calls each with the repository's files whose names end in ext.
func walk(ext string, each func(name string, text []byte) error) error {
	dir, err := root()
	if err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && slices.Contains(elsewhere, d.Name()) {
				return fs.SkipDir
			}
			return err
		}
		if filepath.Ext(name) != ext || !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		short, _ := filepath.Rel(dir, name)
		return each(filepath.ToSlash(short), text)
	})
}

// documents reads the Markdown files of the repository, other modules included.
func documents(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	if err := walk(".md", func(name string, text []byte) error {
		files[name] = string(text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return files
}

// paragraphs splits Markdown at empty lines and leaves out code.
func paragraphs(name, text string) (list []passage) {
	code := false
	begin := 0
	var lines []string
	flush := func() {
		if len(lines) > 0 {
			list = append(list, passage{fmt.Sprintf("%s:%d", name, begin), inlineCode.ReplaceAllString(strings.Join(lines, " "), "code")})
		}
		lines = nil
	}
	for i, line := range strings.Split(text, "\n") {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		code = code != fence
		if fence || code || strings.TrimSpace(line) == "" || len(lines) == 0 && strings.HasPrefix(line, "    ") {
			flush()
			continue
		}
		if len(lines) == 0 {
			begin = i + 1
		}
		lines = append(lines, line)
	}
	flush()
	return list
}

var inlineCode = regexp.MustCompile("`[^`]*`")

func TestTallyCatches(t *testing.T) {
	for text, want := range map[string][]string{
		"Who does not read is let go.":                    {`"Who does"`, `"let go"`},
		"the limit is for\nwhoever has one":               {`"for whoever has"`, `"whoever"`},
		"a client that does not read is disconnected":     nil,
		"the reason is told":                              {`"is told"`},
		"it stands there, a token of its own":             {`"stands"`, `"of its own"`},
		"besides, nobody hears the news at once":          {`"besides,"`, `"hears"`, `"news"`, `"nobody"`, `"at once"`},
		"where it is empty; where Django has it":          {`"where it"`, `"where Django"`},
		"the place where users are stored":                nil,
		"that is no key; it is not a key":                 {`"is no key"`},
		"goes on, written anew, the dearest of letters":   {`"anew"`, `"dearest"`, `"letters"`, `"goes on"`},
		"Refresh exchanges a refresh token for a new one": nil,
	} {
		var c tally
		c.add(passage{"x.go:1", text})
		expect(t, c.findings, want...)
		if len(want) == 0 {
			expect(t, c.check("x", 0))
		} else {
			expect(t, c.check("x", 0), "x: "+strconv.Itoa(len(want))+" marked phrases")
		}
	}
	c := tally{words: 1000, findings: make([]string, 2)}
	expect(t, c.check("x", 20))
	expect(t, c.check("x", 10), "(20 in 10,000), the limit is 1")
}

func TestPassagesAreRead(t *testing.T) {
	p := snippet(t, "mail", "x.go", "// Package x tells.\npackage x\n\n//go:generate tells\n\n// a comment\n// of two lines\nvar v = \"it tells all\" + \"tells\"\n")
	expectPassages(t, p.files[0].comments(), "x.go:1 Package x tells.", "x.go:4 ", "x.go:6 a comment of two lines")
	expectPassages(t, p.files[0].strings(), "x.go:8 it tells all")
	text := "# Title\n\nOne\ntwo `tells`.\n\n    code tells\n\n```sh\nit tells\n```\n- item\n    continued\n"
	expectPassages(t, paragraphs("x.md", text), "x.md:1 # Title", "x.md:3 One two code.", "x.md:11 - item continued")
}

func expectPassages(t *testing.T, list []passage, want ...string) {
	t.Helper()
	var got []string
	for _, p := range list {
		got = append(got, strings.TrimPrefix(p.at, "mail/")+" "+strings.Join(strings.Fields(p.text), " "))
	}
	if !slices.Equal(got, want) {
		t.Errorf("passages %q, want %q", got, want)
	}
}
