package languages

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// claimsUntil is the payload of a jotgate access token, with text that the languages write in different ways.
func claimsUntil(exp time.Time) string {
	return fmt.Sprintf(`{"token_type":"access","exp":%d,"iat":%d,"jti":"0a1b","user_id":"1","username":"Zoë 🐈",`+
		`"role":{"id":"59ad1f","display_name":"</script> \"A\\B\"","role_type":"admin"},"groups":[],"staff":false}`,
		exp.Unix(), time.Now().Unix()-60)
}

func TestLanguages(t *testing.T) {
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			theirs := l.start(t)
			for _, alg := range l.algs {
				t.Run(alg, func(t *testing.T) {
					judge(t, alg, library{}, theirs)
					judge(t, alg, theirs, library{})
				})
			}
		})
	}
}

// judge lets signer's tokens be verified by verifier: one to accept, and others that differ from it in one point.
func judge(t *testing.T, alg string, signer, verifier party) {
	t.Helper()
	key := keyFor(t, alg)
	claims := claimsUntil(time.Now().Add(time.Hour))
	token := signer.sign(t, alg, key.private, claims)
	accepted, err := verifier.verify(t, alg, key.public, token)
	if err != nil {
		t.Fatalf("%T refuses %T's token: %v\n%s", verifier, signer, err, token)
	}
	sameJSON(t, claims, accepted)
	for name, refused := range damaged(t, alg, signer, token) {
		if got, err := verifier.verify(t, alg, key.public, refused); err == nil {
			t.Errorf("%T accepts %T's token %s: %s", verifier, signer, name, got)
		}
	}
}

// damaged are tokens to refuse. Each differs from token in what its name says.
func damaged(t *testing.T, alg string, signer party, token string) map[string]string {
	t.Helper()
	parts := strings.Split(token, ".")
	claims := decode64(t, parts[1])
	none := encode64(strings.Replace(decode64(t, parts[0]), alg, "none", 1))
	tokens := map[string]string{
		"expired":                  signer.sign(t, alg, keyFor(t, alg).private, claimsUntil(time.Now().Add(-time.Minute))),
		"signed with another key":  signer.sign(t, alg, otherKeyFor(t, alg).private, claims),
		"with a changed claim":     parts[0] + "." + encode64(strings.Replace(claims, "0a1b", "0a1c", 1)) + "." + parts[2],
		"with a changed signature": parts[0] + "." + parts[1] + "." + flipped(parts[2]),
		"without its signature":    parts[0] + "." + parts[1] + ".",
		"with alg none":            none + "." + parts[1] + ".",
		"with alg none, signed":    none + "." + parts[1] + "." + parts[2],
		"with a fourth part":       token + ".AAAA",
	}
	if relative := relatives[alg]; relative != "" {
		tokens["signed as "+relative] = signer.sign(t, relative, keyFor(t, alg).private, claims)
	}
	if !strings.HasPrefix(alg, "HS") {
		tokens["signed with its public key as a secret"] = confused(parts[1], keyFor(t, alg).public)
	}
	return tokens
}

// relatives take the same keys as their neighbour, so that only the algorithm differs.
var relatives = map[string]string{
	"HS256": "HS384", "HS384": "HS512", "HS512": "HS256",
	"RS256": "RS384", "RS384": "RS512", "RS512": "RS256",
	"PS256": "RS256", "PS384": "PS512", "PS512": "PS256",
}

// confused is the old attack on verifiers that believe the header: an HMAC with what everybody knows.
func confused(payload, publicKey string) string {
	input := encode64(`{"alg":"HS256","typ":"JWT"}`) + "." + payload
	mac := hmac.New(sha256.New, []byte(publicKey))
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// flipped changes one character that every decoder reads: the first.
func flipped(signature string) string {
	first := byte('A')
	if signature[0] == first {
		first = 'B'
	}
	return string(first) + signature[1:]
}

// sameJSON demands the same claims, in any order and spelling.
func sameJSON(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(decode(t, want), decode(t, got)); diff != "" {
		t.Errorf("other claims are read (-signed +read):\n%s", diff)
	}
}

func decode(t *testing.T, claims string) map[string]any {
	t.Helper()
	var decoded map[string]any
	if err := json.Unmarshal([]byte(claims), &decoded); err != nil {
		t.Fatalf("%v in %q", err, claims)
	}
	return decoded
}

func encode64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func decode64(t *testing.T, part string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
