package jotgate_test

// Every exported method that could create a session, found by reflection.

import (
	"context"
	"crypto/rand"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// firstProofs are proofs of one factor, and wrong ones of the second. Each
// function that makes a Proof must be here.
func firstProofs() map[string]jotgate.Proof {
	return map[string]jotgate.Proof{
		"Password":        jotgate.Password("alice", password),
		"ProvedElsewhere": jotgate.ProvedElsewhere("saml"),
		"TOTP":            jotgate.TOTP("000000"),
		"RecoveryCode":    jotgate.RecoveryCode("0-00000-00000"),
		"EnrolTOTP":       jotgate.EnrolTOTP("AAAA", "000000"),
		"EnrolPasskey":    jotgate.EnrolPasskey(jotgate.NewPasskey{Credential: []byte("{}")}),
		"Passkey":         jotgate.Passkey([]byte("{}")),
		"PasskeyAgain":    jotgate.PasskeyAgain("", []byte("{}")),
		"EmailCode":       jotgate.EmailCode("BBBB-BBBB"),
		"NewPassword":     jotgate.NewPassword("a brand new pass 77"),
	}
}

// proofMakers are the exported functions of the package that return a Proof.
func proofMakers(t *testing.T) (names []string) {
	t.Helper()
	for name, f := range functions(t) {
		if r, ok := f.Type.Results.List[0].Type.(*ast.Ident); ok && r.Name == "Proof" {
			names = append(names, name)
		}
	}
	return names
}

// functions are the exported functions of the package with a result; methods are
// left out.
func functions(t *testing.T) map[string]*ast.FuncDecl {
	t.Helper()
	found := map[string]*ast.FuncDecl{}
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.IsExported() && f.Type.Results != nil {
				found[f.Name.Name] = f
			}
		}
	}
	return found
}

// takesGate reports whether a function has a parameter with which it could create
// a session.
func takesGate(f *ast.FuncDecl) (found bool) {
	ast.Inspect(f.Type.Params, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && slices.Contains([]string{"Gate", "Store", "Sessions", "Logins"}, id.Name)
		return true
	})
	return found
}

// entryPoint is an exported method of a gate or of a type that a gate returns.
type entryPoint struct {
	name string
	of   func(*jotgate.Gate) reflect.Value
}

// entryPoints lists all methods of the gate and of its parts, at any depth.
func entryPoints() []entryPoint {
	return entryPointsOf("", reflect.TypeFor[*jotgate.Gate](), func(g *jotgate.Gate) reflect.Value { return reflect.ValueOf(g) })
}

func entryPointsOf(prefix string, owner reflect.Type, of func(*jotgate.Gate) reflect.Value) (all []entryPoint) {
	for i := range owner.NumMethod() {
		m := owner.Method(i)
		all = append(all, entryPoint{prefix + m.Name, func(g *jotgate.Gate) reflect.Value { return of(g).Method(i) }})
		if m.Type.NumIn() != 1 || m.Type.NumOut() != 1 {
			continue
		}
		part := m.Type.Out(0)
		if part.Kind() == reflect.Pointer && part != owner && part.Elem().PkgPath() == "github.com/jotgate/jotgate" && part.NumMethod() > 0 {
			all = append(all, entryPointsOf(prefix+m.Name+".", part, func(g *jotgate.Gate) reflect.Value { return of(g).Method(i).Call(nil)[0] })...)
		}
		if part.Kind() == reflect.Struct && strings.HasPrefix(part.PkgPath(), "github.com/jotgate/jotgate") {
			all = append(all, entryPointsOf(prefix+m.Name+".", part, func(g *jotgate.Gate) reflect.Value { return of(g).Method(i).Call(nil)[0] })...)
		}
	}
	return all
}

// values are what an argument of a type can be, all true of alice but for the
// second factor.
func (b *bench) values(t *testing.T, alice *record.Account, pending string) map[reflect.Type][]any {
	t.Helper()
	var proofs []any
	for _, p := range firstProofs() {
		proofs = append(proofs, p)
	}
	uid, link := b.Links().Parts(record.MessagePasswordReset, alice)
	user := &jotgate.User{ID: alice.ID, Username: alice.Username}
	return map[reflect.Type][]any{
		reflect.TypeFor[context.Context]():    {t.Context()},
		reflect.TypeFor[string]():             {"alice", password, pending, uid, link},
		reflect.TypeFor[jotgate.Client]():     {jotgate.Client{}, jotgate.Client{Browser: true}},
		reflect.TypeFor[*record.Account]():    {alice},
		reflect.TypeFor[record.UserID]():      {alice.ID},
		reflect.TypeFor[*jotgate.User]():      {user},
		reflect.TypeFor[jotgate.Proof]():      proofs,
		reflect.TypeFor[record.MessageKind](): {record.MessagePasswordReset},
	}
}

// through calls an entry point with every combination of the values, and returns how
// many sessions alice has afterwards, and how many calls were made.
func (b *bench) through(t *testing.T, d entryPoint, alice *record.Account, pending string) (sessions, calls int) {
	t.Helper()
	method := d.of(b.Gate)
	values := b.values(t, alice, pending)
	combinations := [][]reflect.Value{{}}
	for i := range method.Type().NumIn() {
		in := method.Type().In(i)
		if method.Type().IsVariadic() && i == method.Type().NumIn()-1 {
			break
		}
		choices := values[in]
		var next [][]reflect.Value
		for _, c := range combinations {
			if len(choices) == 0 {
				next = append(next, append(slices.Clone(c), reflect.Zero(in)))
			}
			for _, v := range choices {
				next = append(next, append(slices.Clone(c), reflect.ValueOf(v)))
			}
		}
		combinations = next
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, 64) // many wait: responses about links take equal time
	for _, arguments := range combinations {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { _ = recover(); <-slots }() // a nil http.Handler, for example
			method.Call(own(arguments))
		})
		calls++
	}
	group.Wait()
	list, err := b.db.Sessions().List(t.Context(), alice.ID, b.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return len(list), calls
}

// own copies the account and the user among the arguments: each belongs to one
// call, which may change it.
func own(arguments []reflect.Value) []reflect.Value {
	arguments = slices.Clone(arguments)
	for i, v := range arguments {
		switch p := v.Interface().(type) {
		case *record.Account:
			account := *p
			arguments[i] = reflect.ValueOf(&account)
		case *jotgate.User:
			user := *p
			arguments[i] = reflect.ValueOf(&user)
		}
	}
	return arguments
}

// endless are methods that return when their context ends.
var endless = []string{"Run"}

// TestEveryEntryPoint calls every exported method of a gate with the password, the
// mailbox and an authentication made elsewhere of a user with a second factor: no
// session exists afterwards. Without the factor, the same calls create sessions. A
// method or a proof that is added later takes part by itself.
func TestEveryEntryPoint(t *testing.T) {
	have := firstProofs()
	for _, name := range proofMakers(t) {
		if have[name] == nil {
			t.Errorf("%s makes a Proof: add it to firstProofs", name)
		}
	}
	for name, f := range functions(t) {
		if name != "New" && takesGate(f) {
			t.Errorf("%s is a function of a gate: make it a method, so that this test calls it", name)
		}
	}
	opened, calls := []string{}, 0
	for _, d := range entryPoints() {
		if slices.Contains(endless, d.name) {
			continue
		}
		for _, enrolled := range []bool{false, true} {
			b := newGate(t, nil)
			alice := b.user(t, "alice", nil)
			pending := "p1.AAAA"
			if enrolled {
				b.enrol(t, alice)
				pending = b.pending(t, "alice")
			}
			n, made := b.through(t, d, alice, pending)
			calls += made
			switch {
			case enrolled && n > 0:
				t.Errorf("%s created %d sessions without the second factor", d.name, n)
			case !enrolled && n > 0:
				opened = append(opened, d.name)
			}
			b.db.Close()
		}
	}
	t.Logf("%d methods, %d calls; without a factor these create sessions: %v", len(entryPoints()), calls, opened)
	for _, want := range []string{"Login", "Logins.Begin", "Sessions.Pages.Begin", "Sessions.Start"} {
		if !slices.Contains(opened, want) {
			t.Errorf("%s creates no session: the values of the test are wrong", want)
		}
	}
	if slices.Contains(opened, "Logins.Check") {
		t.Error("Logins.Check creates a session")
	}
}

// The values reach further than the first check: an entry point without its second step
// is found.
func TestEveryEntryPointFinds(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	b.enrol(t, alice)
	open := entryPoint{"open", func(g *jotgate.Gate) reflect.Value {
		return reflect.ValueOf(func(ctx context.Context, a *record.Account) error {
			factors, err := b.db.Factors().ListFactors(ctx, a.ID)
			if err != nil {
				return err
			}
			return b.db.Sessions().Create(ctx, &record.Session{
				ID: rand.Text(), User: a.ID, JTI: "j", Created: noon, LastSeen: noon, Expires: b.clock.Now().Add(time.Hour),
				Entry: record.Entry{Factors: record.FactorSet(factors)},
			}, a.Password)
		})
	}}
	if n, _ := b.through(t, open, alice, ""); n == 0 {
		t.Error("an entry point without the second step was not found")
	}
}
