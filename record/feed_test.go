package record_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/jotgate/jotgate/record"
)

func TestParseHorizon(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "10:10:": true, "10:20:10,14,19": true, "9223372036854775807:9223372036854775807:": true,
		"10": false, "10:20": false, "10:20::": false, "0:0:": false, "-1:5:": false, "20:10:": false, "x:10:": false, "10:x:": false,
		"10:20:9": false, "10:20:20": false, "10:20:14,14": false, "10:20:15,14": false, "10:20:x": false, "9223372036854775808:1:": false,
	} {
		h, err := record.ParseHorizon(text)
		if (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && h.String() != text {
			t.Errorf("%q comes back as %q", text, h)
		}
	}
}

// Covers is inclusion of what Sees, on horizons of one history.
func TestHorizonsOfOneHistory(t *testing.T) {
	const last = 40
	random := rand.New(rand.NewPCG(1, 2))
	var running []int64
	next := int64(10)
	var history []record.Horizon
	for len(history) < 200 {
		switch {
		case random.IntN(2) == 0 && next < 10+last:
			running, next = append(running, next), next+1
		case len(running) > 0:
			i := random.IntN(len(running))
			running = slices.Delete(running, i, i+1)
		}
		high := next // as in PostgreSQL: after the last one that has ended
		for slices.Contains(running, high-1) {
			high--
		}
		h := record.Horizon{Max: high, Running: slices.DeleteFunc(slices.Clone(running), func(tx int64) bool { return tx >= high })}
		if h.Min = high; len(h.Running) > 0 {
			h.Min = h.Running[0]
		}
		history = append(history, h)
	}
	for i, earlier := range history {
		for j, later := range history {
			want := true
			for tx := range next + 5 {
				want = want && (later.Sees(tx) || !earlier.Sees(tx))
			}
			if got := later.Covers(earlier); got != want || j >= i && !got {
				t.Fatalf("%v covers %v: %v, want %v", later, earlier, got, want)
			}
		}
	}
	if (record.Horizon{}).Sees(1) || !history[0].Covers(record.Horizon{}) {
		t.Error("the zero horizon sees something")
	}
}
