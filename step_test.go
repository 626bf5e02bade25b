package jotgate

import (
	"fmt"
	"slices"
	"testing"
)

// proofs are all proofs that one step of a login can accept.
var proofs = map[string]proved{
	"pwd":        {Method: methodPassword},
	"otp":        {Method: methodTOTP},
	"recovery":   {Method: methodRecovery},
	"pop":        {Method: methodPasskey},
	"pop+user":   {Method: methodPasskey, AMR: []string{methodPasskey, methodUser}, Both: true},
	"fed":        {Method: methodProvider},
	"mail":       {Method: methodEmail},
	"saml":       {Method: "elsewhere", AMR: []string{"saml"}},
	"saml twice": {Method: "elsewhere", AMR: []string{"saml", methodMulti}, Both: true},
}

// TestNextStep compares nextStep with a table that lists, for each list of up to
// two proofs, whether it is one factor or two, and with the rules of each step,
// for every state of the account.
func TestNextStep(t *testing.T) {
	two := []string{"pop+user", "saml twice"} // by themselves
	firsts, seconds := []string{"pwd", "fed", "mail", "saml", "saml twice"}, []string{"otp", "recovery", "pop", "pop+user"}
	isTwo := func(names []string) bool {
		for _, n := range names {
			if slices.Contains(two, n) {
				return true
			}
			for _, m := range names {
				if slices.Contains(firsts, n) && slices.Contains(seconds, m) {
					return true
				}
			}
		}
		return false
	}
	lists := [][]string{{}}
	for a := range proofs {
		lists = append(lists, []string{a})
		for b := range proofs {
			lists = append(lists, []string{a, b})
		}
	}
	cases := 0
	for _, names := range lists {
		var done []proved
		for _, n := range names {
			done = append(done, proofs[n])
		}
		for bits := range 32 {
			s := stepInput{bits&1 > 0, bits&2 > 0, bits&4 > 0, bits&8 > 0, bits&16 > 0}
			want := StepDone
			switch {
			case len(names) == 0:
				want = StepFirst
			case !s.Active:
				want = StepActivate
			case isTwo(names):
			case s.SecondFactor && !s.TrustedBrowser:
				want = StepSecond
			case !s.SecondFactor && s.Demanded:
				want = StepEnrol
			}
			if want == StepDone && s.ChangePassword && slices.Contains(names, "pwd") {
				want = StepPassword
			}
			if got := nextStep(s, done); got != want {
				t.Errorf("%+v after %v: %q, want %q", s, names, got, want)
			}
			cases++
		}
	}
	if cases != 32*(1+9+81) {
		t.Errorf("%d cases", cases)
	}
}

// A few rows of the table above, spelled out.
func TestNextStepByExample(t *testing.T) {
	plain, enrolled := stepInput{Active: true}, stepInput{Active: true, SecondFactor: true}
	for _, c := range []struct {
		s    stepInput
		done string
		want Step
	}{
		{plain, "pwd", StepDone},
		{enrolled, "pwd", StepSecond},
		{enrolled, "mail", StepSecond}, // a mailbox is one factor
		{enrolled, "fed", StepSecond},  // another provider is one factor, whatever it says
		{enrolled, "pop", StepSecond},  // the device did not verify its user
		{enrolled, "pop+user", StepDone},
		{stepInput{Active: true, Demanded: true}, "pwd", StepEnrol},
		{stepInput{Active: true, Demanded: true}, "pop+user", StepDone},
		{stepInput{Active: true, SecondFactor: true, TrustedBrowser: true}, "pwd", StepDone},
		{stepInput{SecondFactor: true}, "pop+user", StepActivate},
		{stepInput{Active: true, ChangePassword: true}, "pop+user", StepDone}, // no password was used
	} {
		if got := nextStep(c.s, []proved{proofs[c.done]}); got != c.want {
			t.Errorf("%+v after %s: %q, want %q", c.s, c.done, got, c.want)
		}
	}
	if got := nextStep(enrolled, []proved{proofs["pwd"], proofs["mail"]}); got != StepSecond {
		t.Errorf("a code sent by e-mail counts as the second factor: %q", got)
	}
	if got := nextStep(enrolled, []proved{proofs["otp"], proofs["recovery"]}); got != StepSecond {
		t.Errorf("two codes count as two factors: %q", got)
	}
}

func TestMethodsOf(t *testing.T) {
	for want, names := range map[string][]string{
		"[pwd]": {"pwd"}, "[pwd otp mfa]": {"pwd", "otp"}, "[pwd recovery mfa]": {"pwd", "recovery"}, "[pop]": {"pop"},
		"[pop user mfa]": {"pop+user"}, "[fed]": {"fed"}, "[mail otp mfa]": {"mail", "otp"}, "[saml mfa]": {"saml twice"}, "[pop pwd mfa]": {"pop", "pwd"},
	} {
		var done []proved
		for _, n := range names {
			done = append(done, proofs[n])
		}
		if got := fmt.Sprint(methodsOf(done)); got != want {
			t.Errorf("%v: %s, want %s", names, got, want)
		}
	}
}
