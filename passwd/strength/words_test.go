package strength

import "testing"

func TestContextWords(t *testing.T) {
	rule := Words("Acme", " shop ", "", "go", "CAFÉ")
	for password, rejected := range map[string]bool{
		"correct-horse-battery": false,
		"acme-horse-battery":    true,
		"horse-ACME-battery":    true,
		"my shop is great":      true,
		"café-horse-battery":    true,
		"cafe-horse-battery":    false, // one character differs
		"go-horse-battery":      false, // the word is too short to count
		"acm-e-horse-battery":   false,
		"":                      false,
	} {
		if p := rule.Check(password, nil); (p != nil) != rejected {
			t.Errorf("%q: %+v, want rejected %t", password, p, rejected)
		}
	}
	if p := Words().Check("anything", nil); p != nil {
		t.Errorf("no words reject %+v", p)
	}
}
