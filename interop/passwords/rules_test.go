package passwords

// Validators, usernames, e-mail addresses and uids, compared with Django's.

import (
	"compress/gzip"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/signing"
)

type user struct {
	Username  string `json:"username"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
}

type candidate struct {
	Password string `json:"password"`
	User     user   `json:"user"`
}

// TestStrength compares codes and messages, with the list of common passwords of
// the Django that judges.
func TestStrength(t *testing.T) {
	r, judge := random(t), start(t)
	rules := strength.Rules{strength.Similar(0.7), strength.MinLength(8), commonOf(t, judge), strength.Numeric()}
	candidates, refused := make([]candidate, 20*amount()), 0
	for i := range candidates {
		candidates[i] = drawCandidate(r)
	}
	for i, want := range ask[candidate, []strength.Problem](t, judge, "strength", candidates) {
		c := candidates[i]
		got := rules.Check(c.Password,
			strength.Attribute{Label: "username", Value: c.User.Username},
			strength.Attribute{Label: "first name", Value: c.User.FirstName},
			strength.Attribute{Label: "last name", Value: c.User.LastName},
			strength.Attribute{Label: "email address", Value: c.User.Email})
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(strength.Problem{}, "Params")); diff != "" {
			t.Errorf("%+q (-Django +jotgate):\n%s", c, diff)
		}
		refused += min(1, len(want))
	}
	if refused < len(candidates)/4 || refused > len(candidates)*9/10 {
		t.Errorf("%d of %d refused: the candidates prove little", refused, len(candidates))
	}
}

// drawCandidate draws passwords that are near the user's words or near to common.
func drawCandidate(r *rand.Rand) candidate {
	words := []string{"alice", "Liddell", "example", "Ωμέγας", "İnci", "日本", "ﬁsh", "a", "12345678", "password", "dragon", text(r, 8), "", "."}
	word := func() string { return words[r.IntN(len(words))] }
	c := candidate{User: user{word() + text(r, 3), word(), word() + word(), word() + "." + word() + "@" + word() + ".com"}}
	c.Password = word() + text(r, 12)
	switch r.IntN(4) {
	case 0:
		c.Password = strings.ToUpper(c.User.Email[:r.IntN(len(c.User.Email))])
	case 1:
		c.Password = word() + word()
	}
	c.Password = strings.ToValidUTF8(c.Password, "")
	return c
}

func commonOf(t *testing.T, judge *peer.Process) strength.Rule {
	t.Helper()
	f, err := os.Open(ask[int, string](t, judge, "common", []int{0})[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rule, err := strength.CommonFrom(list)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// TestNames: normalization of names and addresses, and which names are valid as
// they are typed. (Ours also refuses those that are not after it; see names.)
func TestNames(t *testing.T) {
	r, judge := random(t), start(t)
	inputs := make([]string, 20*amount())
	for i := range inputs {
		inputs[i] = text(r, 6) + []string{"", "", "@Exämple.COM", "@ΣΑΣ", "_"}[r.IntN(5)] + text(r, 3)
	}
	type answer struct {
		Valid           bool
		Username, Email string
	}
	for i, want := range ask[string, answer](t, judge, "names", inputs) {
		in := inputs[i]
		if got := names.Normalize(in); got != want.Username {
			t.Errorf("Normalize(%+q) = %+q, Django %+q", in, got, want.Username)
		}
		if got := names.Email(in); got != want.Email {
			t.Errorf("Email(%+q) = %+q, Django %+q", in, got, want.Email)
		}
		if got, err := names.Username(in); err == nil && (!want.Valid || got != want.Username) {
			t.Errorf("Username(%+q) = %+q, Django refuses or %+q", in, got, want.Username)
		}
		if _, err := names.Username(in); err != nil && want.Valid {
			if _, after := names.Username(want.Username); after == nil {
				t.Errorf("Username(%+q): %v, Django accepts", in, err)
			}
		}
	}
}

// TestUID: anything that may stand in a link, decoded alike.
func TestUID(t *testing.T) {
	r, judge := random(t), start(t)
	uids := make([]string, 20*amount())
	for i := range uids {
		for range r.IntN(9) {
			uids[i] += string("ABCZaz019-_+/====.! é"[r.IntN(21)])
		}
		uids[i] = strings.ToValidUTF8(uids[i], "")
	}
	for i, want := range ask[string, json.RawMessage](t, judge, "uid", uids) {
		var text string
		failed := json.Unmarshal(want, &text) != nil
		got, err := signing.DecodeUID(uids[i])
		if (err != nil) != failed || latin1(got) != text {
			t.Errorf("DecodeUID(%q) = %+q, %v, Django %s", uids[i], got, err, want)
		}
	}
}

// latin1 reads each byte as a character.
func latin1(s string) string {
	var out strings.Builder
	for _, b := range []byte(s) {
		out.WriteRune(rune(b))
	}
	return out.String()
}
