// A name in a comment exists: in the code, or in another project.

package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// foreign are the names of other projects in comments.
var foreign = strings.Fields(`
	AdminSite AppConfig BooleanField CharField CryptPasswordHasher EmailField EmailValidator GroupAdmin LocaleMiddleware
	ScryptPasswordHasher SecurityMiddleware UnicodeUsernameValidator UnsaltedMD5PasswordHasher UserAdmin
	IsAdminUser ObtainAuthToken SimpleMetadata SimpleRateThrottle UserCreateSerializer UserSerializer
	AuthenticationResponseJSON PublicKeyCredential RegistrationResponseJSON
	FailNow SetXForwarded SequenceMatcher
	FastCGI GiB NumericDate OpenSSL OpenTelemetry WatchdogSec
`)

// compound is a name of several words, such as UserByLogin.
var compound = regexp.MustCompile(`\b[A-Z][a-z]+[A-Z]\w*\b`)

func TestNamesInComments(t *testing.T) {
	all := loaded(t)
	known := map[string]bool{}
	for _, p := range all {
		for _, f := range p.files {
			f.names(known)
		}
	}
	unused := slices.Clone(foreign)
	for _, p := range all {
		for _, f := range p.code() {
			report(t, f.unknown(known, foreign))
			for _, c := range f.comments() {
				unused = slices.DeleteFunc(unused, func(name string) bool { return strings.Contains(c.text, name) })
			}
		}
	}
	if len(unused) > 0 {
		t.Errorf("foreign lists names that no comment has: %v", unused)
	}
}

// names adds the identifiers of the file, and the compound names in its strings.
func (s *source) names(known map[string]bool) {
	ast.Inspect(s.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			known[n.Name] = true
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				for _, name := range compound.FindAllString(n.Value, -1) {
					known[name] = true
				}
			}
		}
		return true
	})
}

// unknown returns the compound names in comments that are not in known or other.
func (s *source) unknown(known map[string]bool, other []string) (findings []string) {
	for _, c := range s.comments() {
		for _, name := range compound.FindAllString(c.text, -1) {
			if !known[name] && !slices.Contains(other, name) {
				findings = append(findings, fmt.Sprintf("%s: the comment names %s, which does not exist: write the present name "+
					"(or, if it is of another project, add it to foreign)", c.at, name))
			}
		}
	}
	return findings
}

func TestNamesInCommentsCatches(t *testing.T) {
	p := snippet(t, "mail", "x.go", "// Package x is like CreateThing, UserAdmin and MakeThing.\npackage x\n\nfunc MakeThing() {}\n")
	known := map[string]bool{}
	p.files[0].names(known)
	expect(t, p.files[0].unknown(known, foreign), "x.go:1: the comment names CreateThing")
}
