package rounds

import (
	"slices"
	"testing"
)

func TestOf(t *testing.T) {
	for value, want := range map[string]int{"": 20, "1": 200} {
		t.Setenv(Variable, value)
		if got := Of(20, 200); got != want {
			t.Errorf("%s=%q: %d rounds, want %d", Variable, value, got, want)
		}
	}
}

func TestSome(t *testing.T) {
	values := []int{0, 1, 2, 3, 4, 5, 6}
	t.Setenv(Variable, "")
	var all []int
	for turn := range 3 {
		all = append(all, Some(values, 5+turn, 3)...)
	}
	slices.Sort(all)
	if got := Some(values, 4, 3); !slices.Equal(got, []int{1, 4}) || !slices.Equal(all, values) {
		t.Errorf("turn 4 has %v, three turns have %v", got, all)
	}
	t.Setenv(Variable, "1")
	if got := Some(values, 4, 3); !slices.Equal(got, values) {
		t.Errorf("the long form has %v", got)
	}
}
