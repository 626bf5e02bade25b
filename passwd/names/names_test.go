package names

import (
	"errors"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/passwd/internal/golden"
)

type pair struct {
	In  *string `json:"in"`
	Out string  `json:"out"`
}

type recording struct {
	Usernames []pair `json:"normalize_username"`
	Emails    []pair `json:"normalize_email"`
	Validator struct {
		Message string
		Cases   []struct {
			In      string
			Unicode bool
		}
	} `json:"username_validator"`
}

func TestGoldenNames(t *testing.T) {
	golden.Each(t, "../testdata", "auth_*.json", func(t *testing.T, r recording) {
		for _, p := range r.Usernames {
			if got := Normalize(*p.In); got != p.Out {
				t.Errorf("Normalize(%q) = %q, recorded %q", *p.In, got, p.Out)
			}
		}
		for _, p := range r.Emails {
			in := ""
			if p.In != nil { // Python's None
				in = *p.In
			}
			if got := Email(in); got != p.Out {
				t.Errorf("Email(%q) = %q, recorded %q", in, got, p.Out)
			}
		}
		if got := ErrCharacters.Error(); got != r.Validator.Message {
			t.Errorf("message %q, recorded %q", got, r.Validator.Message)
		}
		for _, c := range r.Validator.Cases {
			if _, err := Username(c.In); (err == nil) != c.Unicode {
				t.Errorf("Username(%q): %v, recorded %v", c.In, err, c.Unicode)
			}
		}
		if len(r.Usernames)*len(r.Emails)*len(r.Validator.Cases) == 0 {
			t.Error("nothing recorded")
		}
	})
}

func TestUsername(t *testing.T) {
	long := strings.Repeat("é", MaxUsername)
	for _, c := range []struct {
		in, out string
		err     error
	}{
		{"alice", "alice", nil},
		{"\uff41lice", "alice", nil},
		{"e\u0301ric", "", ErrCharacters}, // a combining mark is not \w
		{long, long, nil},
		{long + "é", "", ErrTooLong},
		{strings.Repeat("𐐨", MaxUsername), strings.Repeat("𐐨", MaxUsername), nil}, // four bytes each
		{strings.Repeat("𐐨", MaxUsername+1), "", ErrTooLong},
		{strings.Repeat("x", 10_000_000), "", ErrTooLong},
		{"ab\xff", "", ErrCharacters},
		{"⑴", "", ErrCharacters},                  // becomes "(1)"
		{strings.Repeat("ﬃ", 51), "", ErrTooLong}, // becomes 153 letters
		{strings.Repeat("ﬃ", 50), strings.Repeat("ffi", 50), nil},
	} {
		got, err := Username(c.in)
		if !errors.Is(err, c.err) || (err == nil && got != c.out) {
			t.Errorf("Username(%.20q) = %.20q, %v, want %v", c.in, got, err, c.err)
		}
	}
}

func TestEmailWithoutName(t *testing.T) {
	if got := Email(" @Example.COM "); got != "@example.com" {
		t.Errorf("%q", got)
	}
}
