package jwt_test

// Files of tokens with their expected results. VECTORS=file runs another file in
// the format of attack_open.json.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

type vectorFile struct {
	Rows []vector `json:"rows"`
}

type vector struct {
	ID         string          `json:"id"`
	Token      string          `json:"token"`
	Keys       json.RawMessage `json:"keys"`
	Expect     string          `json:"expect"`
	Strictness string          `json:"strictness"`
	Why        string          `json:"why"`
	Claims     map[string]any  `json:"expect_claims"`
	Asked      json.RawMessage `json:"options"`

	Options struct { // Asked, understood
		Algs      []jwt.Algorithm `json:"algs"`
		Issuer    string          `json:"iss"`
		Audience  string          `json:"aud"`
		Now       int64           `json:"now"`
		Leeway    int64           `json:"leeway"`
		Require   []string        `json:"require"`
		Type      string          `json:"typ"`
		TokenType string          `json:"token_type"`
		MaxMS     int64           `json:"max_ms"`
	} `json:"-"`
}

// understand parses the options. An unknown option is an error, since the result
// may depend on it.
func (v *vector) understand() error {
	dec := json.NewDecoder(bytes.NewReader(v.Asked))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v.Options); err != nil {
		return fmt.Errorf("its options are not understood: %w", err)
	}
	if !slices.Contains([]string{"valid", "invalid", "either"}, v.Expect) {
		return fmt.Errorf("the expectation %q is not understood", v.Expect)
	}
	return nil
}

// verify runs one row against the package.
func (v *vector) verify() (jwt.Token[map[string]any], error) {
	var none jwt.Token[map[string]any]
	algs := v.Options.Algs
	if algs == nil {
		algs = []jwt.Algorithm{}
	}
	keys, err := jwt.ParseKeySet(fmt.Appendf(nil, `{"keys":%s}`, v.Keys), algs...)
	if err != nil {
		return none, err
	}
	verifier, err := jwt.NewVerifier[map[string]any](keys, v.rules())
	if err != nil {
		return none, err
	}
	token, err := verifier.Verify(v.Token)
	if err != nil {
		return none, err
	}
	if want := v.Options.TokenType; want != "" && token.Claims["token_type"] != want {
		return none, fmt.Errorf("token_type is %v", token.Claims["token_type"])
	}
	return token, nil
}

func (v *vector) rules() jwt.Rules {
	r := jwt.Rules{
		Issuer:               v.Options.Issuer,
		Leeway:               time.Duration(v.Options.Leeway) * time.Second,
		Now:                  func() time.Time { return time.Unix(v.Options.Now, 0) },
		Require:              v.Options.Require,
		Type:                 v.Options.Type,
		InsecureNoExpiration: true, // unless the row requires exp
	}
	for _, name := range r.Require {
		if name == "exp" {
			r.InsecureNoExpiration = false
		}
	}
	if v.Options.Audience != "" {
		r.Audience = []string{v.Options.Audience}
	}
	return r
}

// wrong describes how the result differs from that of the row, or returns "".
func (v *vector) wrong() string {
	if err := v.understand(); err != nil {
		return err.Error()
	}
	start := time.Now()
	token, err := v.verify()
	// The rows of this package are run on any machine; who brings others has the time to themselves.
	if ms := time.Since(start).Milliseconds(); v.Options.MaxMS > 0 && ms > v.Options.MaxMS && os.Getenv("VECTORS") != "" {
		return fmt.Sprintf("took %d ms", ms)
	}
	switch {
	case v.Expect == "valid" && err != nil:
		return "refused: " + err.Error()
	case v.Expect == "invalid" && err == nil:
		return "accepted"
	}
	for name, want := range v.Claims {
		if err == nil && fmt.Sprint(token.Claims[name]) != fmt.Sprint(want) {
			return fmt.Sprintf("claim %s is %v, want %v", name, token.Claims[name], want)
		}
	}
	return ""
}

func TestVectors(t *testing.T) {
	if name := os.Getenv("VECTORS"); name != "" {
		judge(t, name)
		return
	}
	judge(t, "testdata/vectors/attack_open.json")
	judge(t, ownFile)
}

func judge(t *testing.T, name string) {
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file vectorFile
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Rows) == 0 {
		t.Fatal("no rows")
	}
	right, judged := 0, 0
	for i := range file.Rows {
		v := &file.Rows[i]
		if v.Expect == "either" {
			continue
		}
		judged++
		if wrong := v.wrong(); wrong != "" {
			t.Errorf("%s (%s, expect %s): %s: %s", v.ID, v.Strictness, v.Expect, wrong, v.Why)
			continue
		}
		right++
	}
	t.Logf("%s: %d of %d judged rows right, %d rows in all", name, right, judged, len(file.Rows))
}

func TestVectorsRefuseUnknownOptions(t *testing.T) {
	good := vector{Expect: "invalid", Keys: json.RawMessage("[]"), Asked: json.RawMessage(`{"algs":["HS256"],"now":1}`)}
	if wrong := good.wrong(); wrong != "" {
		t.Fatal(wrong)
	}
	option, expect := good, good
	option.Asked, expect.Expect = json.RawMessage(`{"algs":["HS256"],"nonce":"x","now":1}`), "refused"
	for want, v := range map[string]*vector{"nonce": &option, `"refused"`: &expect} {
		if wrong := v.wrong(); !strings.Contains(wrong, want) || !strings.Contains(wrong, "not understood") {
			t.Errorf("%s is said, want %s", wrong, want)
		}
	}
}
