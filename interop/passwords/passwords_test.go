// Package passwords lets Django's own functions judge package passwd: hashes both
// ways, validators, usernames. Parameters are random and low, for it is the format
// and the arithmetic that are compared; the tests of passwd have hashes with real
// ones. 100 passwords for each algorithm; with INTEROP_FULL=1 it is 2,000.
package passwords

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/passwd"
)

// ask puts a question for each item and decodes the answers.
func ask[Q, A any](t *testing.T, judge *peer.Process, do string, items []Q) []A {
	t.Helper()
	var answers []A
	for part := range slicesOf(items, 50) {
		question, err := json.Marshal(map[string]any{"do": do, "items": part})
		if err != nil {
			t.Fatal(err)
		}
		var some []A
		text := judge.Ask(t, string(question))
		if err := json.Unmarshal([]byte(text), &some); err != nil || len(some) != len(part) {
			t.Fatalf("%s: %v: %.500s", do, err, text)
		}
		answers = append(answers, some...)
	}
	return answers
}

func slicesOf[T any](items []T, size int) func(func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(items) > 0 {
			n := min(size, len(items))
			if !yield(items[:n]) {
				return
			}
			items = items[n:]
		}
	}
}

func start(t *testing.T) *peer.Process {
	t.Helper()
	return peer.Start(t, exec.Command(peer.Python(), "-W", "ignore", "judge.py"))
}

func amount() int {
	if os.Getenv("INTEROP_FULL") != "" {
		return 2000
	}
	return 100
}

// random is printed with a failure, so that it can be had again.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// scripts are where characters are drawn from.
var scripts = [][2]rune{{' ', '~'}, {' ', '~'}, {0, 0x1f}, {0xa0, 0x24f}, {0x370, 0x5ff}, {0x300, 0x36f}, {0x3040, 0x30ff}, {0xfb00, 0xfb4f}, {0xff01, 0xffef}, {0x1f300, 0x1f6ff}, {0, 0}, {'$', '$'}}

// text draws up to n characters, of one script or of several.
func text(r *rand.Rand, n int) string {
	var out strings.Builder
	script := scripts[r.IntN(len(scripts))]
	mixed := r.IntN(2) == 0
	for range r.IntN(n + 1) {
		if mixed {
			script = scripts[r.IntN(len(scripts))]
		}
		out.WriteRune(script[0] + r.Int32N(script[1]-script[0]+1))
	}
	return out.String()
}

// password is short, about as long as bcrypt looks, or very long.
func password(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0:
		return text(r, 4000/utf8.UTFMax)
	case 1:
		return strings.Repeat("a", 70+r.IntN(5))
	case 2:
		return " " + text(r, 6) + "\n"
	}
	return text(r, 24)
}

// An algorithm draws parameters: as a setting of ours ("" where we only check) and
// as attributes of Django's hasher.
type algorithm struct {
	name string
	draw func(*rand.Rand) (setting string, parameters map[string]any)
}

var algorithms = []algorithm{
	{"pbkdf2_sha256", pbkdf2("pbkdf2_sha256")},
	{"pbkdf2_sha1", pbkdf2("pbkdf2_sha1")},
	{"argon2", func(r *rand.Rand) (string, map[string]any) {
		p := argon2(r)
		return fmt.Sprintf("argon2:m=%d,t=%d,p=%d,len=16", p["memory_cost"], p["time_cost"], p["parallelism"]), p
	}},
	{"argon2", func(r *rand.Rand) (string, map[string]any) { // variants we only check
		p := argon2(r)
		p["variety"] = []string{"D", "I", "ID"}[r.IntN(3)]
		return "", p
	}},
	{"bcrypt_sha256", bcrypt("bcrypt_sha256")},
	{"bcrypt", bcrypt("bcrypt")},
	{"scrypt", func(r *rand.Rand) (string, map[string]any) {
		n, block, p := 2<<r.IntN(10), 1+r.IntN(8), 1+r.IntN(3)
		return fmt.Sprintf("scrypt:n=%d,r=%d,p=%d", n, block, p), map[string]any{"n": n, "r": block, "p": p}
	}},
	{"md5", checked},
	{"sha1", checked},
	{"unsalted_md5", checked},
	{"unsalted_sha1", checked},
	{"crypt", checked},
}

func checked(*rand.Rand) (string, map[string]any) { return "", map[string]any{} }

func pbkdf2(name string) func(*rand.Rand) (string, map[string]any) {
	return func(r *rand.Rand) (string, map[string]any) {
		n := 1 + r.IntN(3000)
		return fmt.Sprintf("%s:%d", name, n), map[string]any{"iterations": n}
	}
}

func bcrypt(name string) func(*rand.Rand) (string, map[string]any) {
	return func(r *rand.Rand) (string, map[string]any) {
		n := 4 + r.IntN(2)
		return fmt.Sprintf("%s:%d", name, n), map[string]any{"rounds": n}
	}
}

func argon2(r *rand.Rand) map[string]any {
	p := 1 + r.IntN(4)
	return map[string]any{"memory_cost": 8*p + r.IntN(1000), "time_cost": 1 + r.IntN(3), "parallelism": p}
}

// question is what judge.py reads; each function takes what it needs of it.
type question struct {
	Password   string         `json:"password"`
	Encoded    string         `json:"encoded"`
	Algorithm  string         `json:"algorithm"`
	Parameters map[string]any `json:"parameters"`
	Version    int            `json:"version"`
	setting    string
}

func draw(r *rand.Rand, a algorithm) []question {
	questions := make([]question, amount())
	for i := range questions {
		q := question{Password: password(r), Algorithm: a.name, Version: 16 + 3*r.IntN(2)}
		if (a.name == "bcrypt" || a.name == "crypt") && i%10 != 0 { // they take no NUL
			q.Password = strings.ReplaceAll(q.Password, "\x00", "0")
		}
		q.setting, q.Parameters = a.draw(r)
		questions[i] = q
	}
	return questions
}

// TestDjangoMakes: what Django makes, we check, and agree on whether to renew it.
func TestDjangoMakes(t *testing.T) {
	for i, a := range algorithms {
		t.Run(fmt.Sprintf("%d %s", i, a.name), func(t *testing.T) {
			t.Parallel()
			r, judge := random(t), start(t)
			questions := draw(r, a)
			made, refused := ask[question, json.RawMessage](t, judge, "make", questions), 0
			for i, q := range questions {
				if err := json.Unmarshal(made[i], &q.Encoded); err != nil || q.Encoded == cryptRefuses {
					refused++
					expectRefusal(t, q, string(made[i]))
					continue
				}
				questions[i] = q
				expectMatch(t, q)
			}
			t.Logf("%d made, %d refused by Django", len(questions)-refused, refused)
			expectRenewal(t, r, judge, a, questions)
		})
	}
}

func expectMatch(t *testing.T, q question) {
	t.Helper()
	var h passwd.Hasher
	if ok, _ := cheap(t).Check(q.Password, q.Encoded); !ok {
		t.Errorf("Django's %q of %q is refused", q.Encoded, q.Password)
	}
	wrong := "x" + q.Password
	if q.Algorithm == "bcrypt" && len(q.Password) >= 72 && strings.Trim(q.Password[:72], "x") == "" {
		return // bcrypt sees the same 72 bytes
	}
	if ok, _ := cheap(t).Check(wrong, q.Encoded); ok {
		t.Errorf("Django's %q is accepted for another password than %q", q.Encoded, q.Password)
	}
	if !h.Outdated(q.Encoded) {
		t.Errorf("%q is current for the default", q.Encoded)
	}
}

// cryptRefuses is what the C function returns instead of failing, and Django stores.
const cryptRefuses = "crypt$$*0"

// expectRefusal: Django's libraries for bcrypt and crypt take no NUL, and that for
// crypt nothing of more than 511 bytes. Nothing else may fail there.
func expectRefusal(t *testing.T, q question, answer string) {
	t.Helper()
	if q.Encoded == cryptRefuses && len(q.Password) > 511 {
		return
	}
	if strings.Contains(q.Password, "\x00") && (q.Algorithm == "bcrypt" || q.Algorithm == "crypt") {
		return
	}
	t.Errorf("Django does not hash %q with %s: %s", q.Password, q.Algorithm, answer)
}

// expectRenewal asks Django's must_update for half of the hashes with their own
// parameters and for the rest with others.
func expectRenewal(t *testing.T, r *rand.Rand, judge *peer.Process, a algorithm, questions []question) {
	t.Helper()
	if setting, _ := a.draw(r); setting == "" || a.name == "scrypt" {
		return
	}
	var asked []question
	for i, q := range questions {
		if q.Encoded == "" || q.Encoded == cryptRefuses {
			continue
		}
		if i%2 == 0 {
			q.setting, q.Parameters = a.draw(r)
		}
		asked = append(asked, q)
	}
	for i, must := range ask[question, bool](t, judge, "must_update", asked) {
		h, err := passwd.New(asked[i].setting)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Outdated(asked[i].Encoded); got != must {
			t.Errorf("%s: Outdated(%q) = %v, Django %v", h, asked[i].Encoded, got, must)
		}
	}
}

// TestJotgateMakes: what we make, Django checks.
func TestJotgateMakes(t *testing.T) {
	for i, a := range algorithms {
		if setting, _ := a.draw(rand.New(rand.NewPCG(0, 0))); setting == "" {
			continue
		}
		t.Run(fmt.Sprintf("%d %s", i, a.name), func(t *testing.T) {
			t.Parallel()
			r, judge := random(t), start(t)
			var right, wrong []question
			for _, q := range draw(r, a) {
				if a.name == "bcrypt" { // which we make for no more than it can hold
					q.Password = cut(strings.ReplaceAll(q.Password, "\x00", "0"), 71)
				}
				q.Encoded = make1(t, q)
				right = append(right, q)
				q.Password = "x" + q.Password
				wrong = append(wrong, q)
			}
			for i, ok := range ask[question, bool](t, judge, "check", right) {
				if !ok {
					t.Errorf("Django refuses %q for %q", right[i].Encoded, right[i].Password)
				}
			}
			for i, ok := range ask[question, bool](t, judge, "check", wrong) {
				if ok {
					t.Errorf("Django accepts %q for %q", wrong[i].Encoded, wrong[i].Password)
				}
			}
		})
	}
}

func make1(t *testing.T, q question) string {
	t.Helper()
	h, err := passwd.New(q.setting)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := h.Make(q.Password)
	if err != nil {
		t.Fatalf("%s: %q: %v", q.setting, q.Password, err)
	}
	return encoded
}

// cut shortens to at most n bytes of whole characters.
func cut(s string, n int) string {
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

func cheap(t *testing.T) *passwd.Hasher {
	t.Helper()
	h, err := passwd.New("pbkdf2_sha256:1")
	if err != nil {
		t.Fatal(err)
	}
	return h
}
