package rounds

import "testing"

func TestOf(t *testing.T) {
	for value, want := range map[string]int{"": 20, "1": 200} {
		t.Setenv(Variable, value)
		if got := Of(20, 200); got != want {
			t.Errorf("%s=%q: %d rounds, want %d", Variable, value, got, want)
		}
	}
}
