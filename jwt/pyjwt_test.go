package jwt_test

// What PyJWT wrote and answered, recorded from the real one.

import (
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
		Options    struct {
			Audience string `json:"audience"`
			Issuer   string `json:"issuer"`
		} `json:"options"`
		Error string `json:"error"`
	} `json:"decode"`
}

func readPy(t *testing.T) (f pyFile) {
	t.Helper()
	data, err := os.ReadFile("testdata/pyjwt/tokens.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// pyKey reads a key as the recording names it: a file, or the secret itself.
func pyKey(t *testing.T, name string, alg jwt.Algorithm) (*jwt.Key, error) {
	t.Helper()
	if !strings.HasPrefix(name, "keys/") {
		return jwt.InsecureHMAC(alg, []byte(name))
	}
	data, err := os.ReadFile(filepath.Join("testdata/pyjwt", name))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(string(alg), "HS") {
		return jwt.InsecureHMAC(alg, data)
	}
	return jwt.ParseKey(data, alg)
}

// differ lists what we do otherwise on purpose, or cannot say in our API.
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

func TestSignWritesWhatPyJWTWrites(t *testing.T) {
	for _, v := range readPy(t).Vectors {
		t.Run(v.Name, func(t *testing.T) {
			if why, ok := differ[v.Name]; ok {
				t.Log("differs: ", why)
				return
			}
			key, err := pyKey(t, v.Key, v.Alg)
			if v.Error != "" {
				if _, signErr := jwt.Sign(key, jwt.Raw("[]")); err == nil && signErr == nil {
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

// verifies checks the signature of a recorded token, whatever its claims are.
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

func TestVerifyAnswersAsPyJWT(t *testing.T) {
	for _, d := range readPy(t).Decode {
		t.Run(d.Name, func(t *testing.T) {
			if why, ok := differ[d.Name]; ok {
				t.Log("differs: ", why)
				return
			}
			rules := jwt.Rules{Issuer: d.Options.Issuer, InsecureNoExpiration: d.Name != "require_exp_missing"}
			if d.Options.Audience != "" {
				rules.Audience = []string{d.Options.Audience}
			}
			err := pyVerify(t, d.Key, d.Algorithms, rules, d.Token)
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

func pyVerify(t *testing.T, name string, algs []jwt.Algorithm, rules jwt.Rules, token string) error {
	if len(algs) == 0 || slices.Contains(algs, "none") {
		return errors.New("there is no way to ask for this")
	}
	key, err := pyKey(t, name, algs[0])
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
