package jwt_test

// Comparison with recordings of PyJWT.

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

type pyFile struct {
	Vectors []struct {
		Name          string          `json:"name"`
		Alg           jwt.Algorithm   `json:"alg"`
		Key           string          `json:"key"`
		Payload       json.RawMessage `json:"payload"`
		Headers       map[string]*any `json:"headers"`
		Deterministic bool            `json:"deterministic"`
		Token         string          `json:"token"`
		Error         string          `json:"error"`
	} `json:"vectors"`
	Decode []struct {
		Name       string          `json:"name"`
		Token      string          `json:"token"`
		Key        string          `json:"key"`
		Algorithms []jwt.Algorithm `json:"algorithms"`
		Options    json.RawMessage `json:"options"`
		Error      string          `json:"error"`
	} `json:"decode"`

	folder string // where keys/ is
}

// pyOptions are the arguments of jwt.decode that the recordings have.
type pyOptions struct {
	Audience string `json:"audience"`
	Issuer   string `json:"issuer"`
	Options  struct {
		Require []string `json:"require"`
	} `json:"options"`
}

// eachPy runs test for every recording: those in testdata or, when the environment
// variable GOLDEN names a folder, those in it and in its subfolder data.
func eachPy(t *testing.T, test func(*testing.T, *pyFile)) {
	folders := []string{"testdata/pyjwt"}
	if other := os.Getenv("GOLDEN"); other != "" {
		folders = []string{other, filepath.Join(other, "data")}
	}
	found := false
	for _, folder := range folders {
		files, _ := filepath.Glob(filepath.Join(folder, "tokens*.json"))
		for _, file := range files {
			found = true
			t.Run(filepath.Base(file), func(t *testing.T) {
				f := &pyFile{folder: folder}
				data, err := os.ReadFile(file)
				if err == nil {
					err = json.Unmarshal(data, f)
				}
				if err != nil || len(f.Vectors)*len(f.Decode) == 0 {
					t.Fatalf("%s: %v, %d vectors, %d tokens to decode", file, err, len(f.Vectors), len(f.Decode))
				}
				test(t, f)
			})
		}
	}
	if !found && os.Getenv("GOLDEN") == "" {
		t.Fatalf("no tokens*.json in %v", folders)
	} else if !found {
		t.Logf("nothing to compare: no tokens*.json in %v", folders)
	}
}

// key returns the key that a recording names: a file, or the secret itself.
func (f *pyFile) key(t *testing.T, name string, alg jwt.Algorithm) (*jwt.Key, error) {
	t.Helper()
	if !strings.HasPrefix(name, "keys/") {
		return jwt.InsecureHMAC(alg, []byte(name))
	}
	data, err := os.ReadFile(filepath.Join(f.folder, name))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(string(alg), "HS") {
		return jwt.InsecureHMAC(alg, data)
	}
	return jwt.ParseKey(data, alg)
}

// differ lists deliberate differences, and options that this API does not have.
var differ = map[string]string{
	"seed_none":           "no unsigned tokens",
	"empty_key":           "no empty secrets",
	"sort_headers":        "no headers but kid and typ",
	"es256_with_p384_key": "ES256 is P-256 (RFC 7518 section 3.4)",
	"dates_become_epoch":  "the recording shows dates, not the numbers they become",
	"alg_none_allowed":    "none cannot be asked for",
	"padded":              "one spelling per token",
	"exp_string_number":   "a time is a number",
	"sub_number":          "sub is a string (RFC 7519 section 4.1.2), as in later versions of PyJWT",
	"jti_number":          "jti is a string (section 4.1.7), as in later versions of PyJWT",
	"exp_bool":            "a time is a number; PyJWT takes true for 1, which is past",
}

func TestGoldenSignWritesWhatPyJWTWrites(t *testing.T) { eachPy(t, signsAsPy) }

func signsAsPy(t *testing.T, f *pyFile) {
	for _, v := range f.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			if why, ok := differ[v.Name]; ok {
				t.Log("differs: ", why)
				return
			}
			key, err := f.key(t, v.Key, v.Alg)
			if v.Error != "" {
				if v.Payload == nil { // what is no object is not in the recording
					v.Payload = json.RawMessage("[]")
				}
				if err == nil {
					err = refused(t, key, v.Payload)
				}
				if err == nil {
					t.Fatalf("no error; PyJWT says %s", v.Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			typ := "JWT"
			if h, ok := v.Headers["typ"]; ok && h == nil {
				typ = ""
			} else if ok {
				typ = (*h).(string)
			}
			if h := v.Headers["kid"]; h != nil {
				key = key.WithID((*h).(string))
			}
			got, err := jwt.Sign(key.WithType(typ), jwt.Raw(v.Payload))
			if err != nil {
				t.Fatal(err)
			}
			if v.Deterministic && got != v.Token {
				t.Errorf("got  %s\nwant %s", got, v.Token)
			}
			if first := strings.LastIndexByte(got, '.'); got[:first] != v.Token[:strings.LastIndexByte(v.Token, '.')] {
				t.Errorf("header or payload differ: %s, want %s", got, v.Token)
			}
			verifies(t, key, v.Token)
		})
	}
}

// refused signs claims and returns the error of that, or else of verifying the
// token: Sign does not check the claims in a Raw.
func refused(t *testing.T, key *jwt.Key, payload json.RawMessage) error {
	t.Helper()
	token, err := jwt.Sign(key, jwt.Raw(payload))
	if err != nil {
		return err
	}
	v, err := jwt.NewVerifier[jwt.Raw](key, jwt.Rules{InsecureNoExpiration: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(token)
	return err
}

// verifies checks the signature of a recorded token with any claims.
func verifies(t *testing.T, key *jwt.Key, token string) {
	t.Helper()
	v, err := jwt.NewVerifier[jwt.Raw](key, jwt.Rules{InsecureNoExpiration: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(token); errors.Is(err, jwt.ErrInvalid) {
		t.Errorf("PyJWT's own token: %v", err)
	}
}

func TestGoldenVerifyDecidesAsPyJWT(t *testing.T) { eachPy(t, verifiesAsPy) }

func verifiesAsPy(t *testing.T, f *pyFile) {
	for _, d := range f.Decode {
		t.Run(d.Name, func(t *testing.T) {
			if why, ok := differ[d.Name]; ok {
				t.Log("differs: ", why)
				return
			}
			err := f.verify(t, d.Key, d.Algorithms, pyRules(t, d.Options), d.Token)
			if (err == nil) != (d.Error == "") {
				t.Fatalf("got %v, PyJWT says %q", err, d.Error)
			}
			want := map[string]jwt.Reason{
				"ExpiredSignatureError": jwt.ErrExpired, "InvalidAudienceError": jwt.ErrAudience, "InvalidIssuerError": jwt.ErrIssuer,
				"InvalidSignatureError": jwt.ErrInvalid, "InvalidAlgorithmError": jwt.ErrInvalid,
			}[d.Error]
			if d.Name == "aud_number" {
				want = jwt.ErrMalformed
			}
			if want != "" && !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

// pyRules converts the options to Rules. An unknown option fails the test.
func pyRules(t *testing.T, options json.RawMessage) jwt.Rules {
	t.Helper()
	var o pyOptions
	dec := json.NewDecoder(strings.NewReader(cmp.Or(string(options), "{}")))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&o); err != nil {
		t.Fatalf("its options are not understood: %v", err)
	}
	rules := jwt.Rules{Issuer: o.Issuer, InsecureNoExpiration: !slices.Contains(o.Options.Require, "exp")}
	if o.Audience != "" {
		rules.Audience = []string{o.Audience}
	}
	return rules
}

func (f *pyFile) verify(t *testing.T, name string, algs []jwt.Algorithm, rules jwt.Rules, token string) error {
	if len(algs) == 0 || slices.Contains(algs, "none") {
		return errors.New("there is no way to ask for this")
	}
	key, err := f.key(t, name, algs[0])
	if err != nil {
		return err
	}
	v, err := jwt.NewVerifier[map[string]any](key, rules)
	if err != nil {
		return err
	}
	_, err = v.Verify(token)
	return err
}
