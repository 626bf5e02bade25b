package languages

// What PyJWT once wrote and decided, recorded: testdata/pyjwt/README.md. jotgate decides alike, but for the rows that
// are listed here with the reason.

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

const recording = "testdata/pyjwt"

type encodeRow struct {
	Name, Alg, Key, Token, Error string
	Payload                      json.RawMessage
	Headers                      map[string]any
	Deterministic                bool
}

type decodeRow struct {
	Name, Token, Key, Error string
	Algorithms              []string
	Payload                 json.RawMessage
	Options                 struct {
		Audience, Issuer string
		Options          struct{ Require []string }
	}
}

// cannotWrite are calls of PyJWT that jotgate has no call for.
var cannotWrite = map[string]string{
	"seed_none":           "there is no algorithm none",
	"empty_key":           "an empty secret is none",
	"typ_none":            "the header always has a typ",
	"sort_headers":        "the header holds alg, kid and typ, and nothing else",
	"dates_become_epoch":  "the recording shows Python's dates as text",
	"es256_with_p384_key": "the curve belongs to the algorithm (RFC 7518, section 3.4)",
}

// stricter are tokens that PyJWT accepts and jotgate refuses.
var stricter = map[string]string{
	"padded":            "a token has one spelling: no = at the end",
	"exp_string_number": "exp is a number, RFC 7519 section 4.1.4",
	"sub_number":        "sub is a string unless the rules say otherwise, RFC 7519 section 4.1.2",
	"jti_number":        "jti is a string, RFC 7519 section 4.1.7",
}

func TestRecordedPyJWTEncode(t *testing.T) {
	for _, row := range recorded(t).Vectors {
		t.Run(row.Name, func(t *testing.T) {
			got, err := encodeAs(t, row)
			switch {
			case row.Error != "":
				if err == nil {
					t.Errorf("PyJWT: %s; jotgate writes %s", row.Error, got)
				}
			case cannotWrite[row.Name] != "":
				if err == nil && got == row.Token {
					t.Errorf("is written the same, against what is said: %s", cannotWrite[row.Name])
				}
			case err != nil:
				t.Error(err)
			case !row.Deterministic:
				reads(t, row)
			case got != row.Token:
				t.Errorf("\n got %s\nwant %s", got, row.Token)
			}
		})
	}
}

// encodeAs makes the call of jotgate's that a call of PyJWT's is.
func encodeAs(t *testing.T, row encodeRow) (string, error) {
	t.Helper()
	key, err := recordedKey(t, row.Key, row.Alg)
	if err != nil {
		return "", err
	}
	if kid, ok := row.Headers["kid"].(string); ok {
		key = key.WithID(kid)
	}
	typ, _ := row.Headers["typ"].(string)
	return jwt.SignAs(key, cmp.Or(typ, "JWT"), jwt.Raw(row.Payload))
}

// reads demands that jotgate verifies PyJWT's token: signatures may differ each time and still hold.
func reads(t *testing.T, row encodeRow) {
	t.Helper()
	key, err := recordedKey(t, strings.Replace(row.Key, ".pem", ".pub.pem", 1), row.Alg)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := jwt.NewVerifier[jwt.Raw](key, jwt.Rules{InsecureNoExpiration: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(row.Token); err != nil {
		t.Errorf("jotgate refuses PyJWT's token: %v", err)
	}
}

func TestRecordedPyJWTDecode(t *testing.T) {
	for _, row := range recorded(t).Decode {
		t.Run(row.Name, func(t *testing.T) {
			claims, err := decodeAs(t, row)
			switch {
			case row.Error != "" || stricter[row.Name] != "":
				if err == nil {
					t.Errorf("accepted (%s%s): %s", row.Error, stricter[row.Name], claims)
				}
			case err != nil:
				t.Errorf("PyJWT accepts it, jotgate says: %v", err)
			default:
				sameJSON(t, string(row.Payload), string(claims))
			}
		})
	}
}

// decodeAs makes the call of jotgate's that a call of PyJWT's is. PyJWT wants no exp.
func decodeAs(t *testing.T, row decodeRow) (jwt.Raw, error) {
	t.Helper()
	if len(row.Algorithms) == 0 {
		return "", errors.New("jotgate has no call without an algorithm")
	}
	key, err := recordedKey(t, row.Key, row.Algorithms[0])
	if err != nil {
		return "", err
	}
	require := row.Options.Options.Require
	rules := jwt.Rules{Issuer: row.Options.Issuer, Require: require, InsecureNoExpiration: len(require) == 0}
	if row.Options.Audience != "" {
		rules.Audience = []string{row.Options.Audience}
	}
	verifier, err := jwt.NewVerifier[jwt.Raw](key, rules)
	if err != nil {
		t.Fatal(err)
	}
	verified, err := verifier.Verify(row.Token)
	return verified.Claims, err
}

// recordedKey is a secret's text or the name of a file of keys/.
func recordedKey(t *testing.T, key, alg string) (*jwt.Key, error) {
	t.Helper()
	text := []byte(key)
	if strings.HasPrefix(key, "keys/") {
		data, err := os.ReadFile(filepath.Join(recording, key))
		if err != nil {
			t.Fatal(err)
		}
		text = data
	}
	if strings.HasPrefix(alg, "HS") {
		return jwt.InsecureHMAC(jwt.Algorithm(alg), text)
	}
	return jwt.ParseKey(text, jwt.Algorithm(alg))
}

func recorded(t *testing.T) (rows struct {
	Vectors []encodeRow
	Decode  []decodeRow
},
) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(recording, "tokens_pyjwt_debian12.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows.Vectors) == 0 || len(rows.Decode) == 0 {
		t.Fatal("the recording is empty")
	}
	return rows
}
