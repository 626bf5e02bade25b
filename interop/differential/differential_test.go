package differential

// TOKENS=n tries n tokens, default 20000; SEED=n draws others.

import (
	"cmp"
	"fmt"
	"maps"
	mrand "math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// A tally counts what the libraries said.
type tally struct {
	sound, accepted int
	agree           int
	stricter        map[string]int // damage that jotgate alone refuses
	looser          map[string]int // damage that jotgate takes though one or two refuse
	refused         map[string]int // by library
}

func TestNeverLooserThanThreeOthers(t *testing.T) {
	total, seed := setting(t, "TOKENS", 20000), setting(t, "SEED", 1)
	k, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	own, err := jotgate(k)
	if err != nil {
		t.Fatal(err)
	}
	var peers []library
	for _, open := range []func(*keys) (library, error){golangJWT, goJose, jwx, kataras, tink} {
		l, err := open(k)
		if err != nil {
			t.Fatal(err)
		}
		peers = append(peers, l)
	}
	py, err := startPython(k)
	if err != nil {
		t.Fatal(err)
	}
	r := mrand.New(mrand.NewPCG(seed, 0))
	sum := tally{stricter: map[string]int{}, looser: map[string]int{}, refused: map[string]int{}}
	problems := 0
	for done := uint64(0); done < total && problems < 20; done += 500 {
		batch := make([]made, min(500, total-done))
		for i := range batch {
			batch[i] = makeToken(r, k)
		}
		verdicts, err := judge(own, peers, py, batch)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range batch {
			if problem := sum.add(m, verdicts[i].own, verdicts[i].said); problem != "" {
				problems++
				t.Errorf("%s: %s\n%s %v", problem, m.token, m.alg, m.damage)
			}
		}
	}
	if err := py.stop(); err != nil {
		t.Error(err)
	}
	sum.report(t, total, seed)
}

// A verdict is what jotgate and the others say of one token.
type verdict struct {
	own  bool
	said map[string]bool
}

// judge asks about a batch: PyJWT in its process, the others meanwhile here.
func judge(own library, peers []library, py *python, batch []made) ([]verdict, error) {
	verdicts := make([]verdict, len(batch))
	var wait sync.WaitGroup
	for start := 0; start < len(batch); start += 100 {
		wait.Go(func() {
			for i := start; i < min(start+100, len(batch)); i++ {
				verdicts[i] = ask(own, peers, batch[i])
			}
		})
	}
	answers, err := py.accept(batch)
	wait.Wait()
	for i := range answers {
		verdicts[i].said["PyJWT"] = answers[i]
	}
	return verdicts, err
}

// ask asks jotgate and each other library that has the algorithm.
func ask(own library, peers []library, m made) verdict {
	v := verdict{own.accept[m.alg](m.token), map[string]bool{}}
	for _, p := range peers {
		if accept := p.accept[m.alg]; accept != nil {
			v.said[p.name] = accept(m.token)
		}
	}
	return v
}

// add counts one token and says what must not be.
func (s *tally) add(m made, own bool, said map[string]bool) (problem string) {
	var against []string
	for name, ok := range said {
		if !ok {
			against = append(against, name)
			s.refused[name]++
		}
	}
	slices.Sort(against)
	if own {
		s.accepted++
	}
	if len(m.damage) == 0 {
		s.sound++
		if !own {
			return "jotgate refuses a sound token"
		}
	}
	switch {
	case own == (len(against) == 0):
		s.agree++
	case own && len(against) >= 3:
		return "jotgate takes what three refuse: " + strings.Join(against, ", ")
	case own:
		s.looser[strings.Join(against, "+")]++
	case len(against) == 0:
		s.stricter[strings.Join(m.damage, " + ")]++
	}
	return ""
}

func (s *tally) report(t *testing.T, total, seed uint64) {
	t.Helper()
	if !t.Failed() && (s.sound < int(total)/8 || s.accepted < s.sound) {
		t.Errorf("only %d sound tokens and %d accepted of %d: the generator is broken", s.sound, s.accepted, total)
	}
	t.Logf("%d tokens, seed %d: %d sound, jotgate accepts %d, all agree on %d", total, seed, s.sound, s.accepted, s.agree)
	t.Logf("refused by: %s", top(s.refused, 10))
	t.Logf("taken by jotgate though others refuse: %s", top(s.looser, 12))
	t.Logf("refused by jotgate alone: %s", top(s.stricter, 20))
}

func top(counts map[string]int, n int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	var lines []string
	for _, name := range names[:min(n, len(names))] {
		lines = append(lines, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(lines, "; ")
}
