package passwords

import (
	"encoding/json"
	"os/exec"
	"slices"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/passwd/names"
)

// changed are the characters whose skeletons are others in the newer Unicode of
// jotgate's table than in that of Debian's ICU.
var changed = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x192, Hi: 0x192, Stride: 1}, {Lo: 0x4cf, Hi: 0x4cf, Stride: 1}, {Lo: 0xd10, Hi: 0xd10, Stride: 1}}}

// TestSimilarNames compares every character that a username may contain with the
// skeleton that ICU computes of it: a name with one is similar to that with the other.
func TestSimilarNames(t *testing.T) {
	var list []string
	for r := range rune(unicode.MaxRune) {
		name := "x" + string(r) + "x"
		if normal, err := names.Username(name); err == nil && normal == name && !unicode.In(r, unicode.Han, unicode.Hangul, changed) {
			list = append(list, name)
		}
	}
	icu := peer.Start(t, exec.Command(peer.Python(), "skeletons.py"))
	differ := 0
	for part := range slices.Chunk(list, 500) {
		question, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		var skeletons []string
		if err := json.Unmarshal([]byte(icu.Ask(t, string(question))), &skeletons); err != nil || len(skeletons) != len(part) {
			t.Fatalf("%v: %q", err, skeletons)
		}
		for i, skeleton := range skeletons {
			if skeleton == norm.NFD.String(part[i]) {
				continue
			}
			differ++
			theirs := names.Skeletons(skeleton)
			if !slices.ContainsFunc(names.Skeletons(part[i]), func(s string) bool { return slices.Contains(theirs, s) }) {
				t.Errorf("%q (%U): %q, ICU: %q, and of that %q", part[i], []rune(part[i])[1], names.Skeletons(part[i]), skeleton, theirs)
			}
		}
	}
	if differ < 1000 {
		t.Errorf("%d characters look like others", differ)
	}
	t.Logf("%d characters look like others", differ)
}
