package jwt

// Test vectors for signatures, with any payload.

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"
)

// signatureHolds checks the signature of a token but not its claims.
func signatureHolds(set *KeySet, token string) error {
	d := newVerifyState[Raw](&Rules{})
	if err := d.authenticate(set, nil, token); err != nil {
		return err
	}
	return nil
}

func readJSON(t *testing.T, name string, to any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatal(err)
	}
}

type wycheproof struct {
	Groups []struct {
		Comment string          `json:"comment"`
		Private json.RawMessage `json:"private"`
		Public  json.RawMessage `json:"public"`
		Tests   []struct {
			ID      int    `json:"tcId"`
			Comment string `json:"comment"`
			JWS     string `json:"jws"`
			JWE     string `json:"jwe"`
			Result  string `json:"result"`
		} `json:"tests"`
	} `json:"testGroups"`
}

// exceptions are the rows whose label this package deliberately disagrees with.
func exceptions(t *testing.T, file string) map[int]bool {
	t.Helper()
	var all map[string]json.RawMessage
	readJSON(t, "testdata/wycheproof/EXCEPTIONS.json", &all)
	var rows []struct {
		ID int `json:"tcId"`
	}
	if err := json.Unmarshal(all[file], &rows); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, r := range rows {
		ids[r.ID] = true
	}
	return ids
}

func TestWycheproof(t *testing.T) {
	for _, file := range []string{"json_web_signature_test.json", "json_web_key_test.json"} {
		var w wycheproof
		readJSON(t, "testdata/wycheproof/"+file, &w)
		differ := exceptions(t, file)
		right, differing, twice := 0, 0, 0
		for _, g := range w.Groups {
			document := g.Public
			if document == nil {
				document = g.Private
			}
			valid := map[string]bool{} // the file has tokens twice, with both labels: padding got lost in it
			for _, test := range g.Tests {
				valid[test.JWS] = valid[test.JWS] || test.Result == "valid"
			}
			for _, test := range g.Tests {
				if test.Result == "invalid" && valid[test.JWS] {
					twice++
					continue
				}
				set, err := ParseKeySet(document)
				if err == nil {
					err = signatureHolds(set, test.JWS)
				}
				switch {
				case differ[test.ID]:
					differing++
					if err == nil {
						t.Errorf("%s %d (%s): accepted, against EXCEPTIONS.json", file, test.ID, test.Comment)
					}
				case (err == nil) != (test.Result == "valid"):
					t.Errorf("%s %d (%s, %s): %v, want %s", file, test.ID, g.Comment, test.Comment, err, test.Result)
				default:
					right++
				}
			}
		}
		t.Logf("%s: %d right, %d differing on purpose, %d labelled both ways", file, right, differing, twice)
		if twice > 2 {
			t.Errorf("%d rows labelled both ways, want the known 2", twice)
		}
	}
}

func TestEncryptedTokensAreRefused(t *testing.T) {
	var w wycheproof
	readJSON(t, "testdata/wycheproof/json_web_encryption_test.json", &w)
	key, err := HS256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range w.Groups {
		for _, test := range g.Tests {
			n++
			if err := signatureHolds(key.KeySet(), test.JWE); err == nil {
				t.Errorf("%d accepted", test.ID)
			}
			if _, _, err := DecodeUnverified(test.JWE); err == nil {
				t.Errorf("%d decoded", test.ID)
			}
		}
	}
	if n != 139 {
		t.Errorf("%d tokens, want 139", n)
	}
}

type rfcVector struct {
	Name    string          `json:"name"`
	Key     json.RawMessage `json:"key"`
	Token   string          `json:"token"`
	Alg     Algorithm       `json:"alg"`
	Expect  string          `json:"expect"`
	JWSOnly bool            `json:"jws_only"`
	Policy  bool            `json:"policy"`
	Now     int64           `json:"claims_now"`
	Thumb   string          `json:"thumbprint_sha256"`
}

func TestRFCExamples(t *testing.T) {
	var f struct {
		Vectors     []rfcVector `json:"vectors"`
		Thumbprints []rfcVector `json:"thumbprints"`
	}
	readJSON(t, "testdata/vectors/rfc_vectors.json", &f)
	for _, v := range f.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			if err := v.verify(); (err == nil) != (v.Expect == "valid") {
				t.Errorf("%v, want %s", err, v.Expect)
			}
		})
	}
	for _, v := range f.Thumbprints {
		set, err := ParseKeySet(v.Key)
		if err != nil {
			t.Fatal(err)
		}
		if got := set.Keys()[0].Thumbprint(); got != v.Thumb {
			t.Errorf("%s: thumbprint %s, want %s", v.Name, got, v.Thumb)
		}
	}
}

func (v *rfcVector) verify() error {
	if string(v.Key) == "null" {
		v.Key = json.RawMessage(`{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow","alg":"HS256"}`)
		v.Alg = HS256
	}
	set, err := ParseKeySet(v.Key, v.Alg)
	if v.Policy { // a private key: refused among keys to verify with, but its mathematics are right
		if err == nil {
			return fmt.Errorf("ParseKeySet took a private key")
		}
		key, err := ParseKey(v.Key, v.Alg)
		if err != nil {
			return err
		}
		return signatureHolds(key.KeySet(), v.Token)
	}
	if err != nil {
		return err
	}
	verifier, err := NewVerifier[Raw](set, Rules{InsecureNoExpiration: true, Now: func() time.Time { return time.Unix(v.Now, 0) }})
	if err != nil {
		return err
	}
	_, err = verifier.Verify(v.Token)
	if v.JWSOnly {
		if err == nil {
			return fmt.Errorf("a payload that is no JSON was taken for claims")
		}
		return signatureHolds(set, v.Token)
	}
	return err
}
