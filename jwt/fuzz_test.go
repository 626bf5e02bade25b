package jwt_test

// Fuzz tests with properties: a token that verifies has exactly one encoding, and
// what is read can be written and read again.

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jotgate/jotgate/jwt"
)

// FuzzToken passes any text to Verify and DecodeUnverified.
func FuzzToken(f *testing.F) {
	k := hmacKey(f, jwt.HS256).WithID("k")
	f.Add(sign(f, k, good))
	f.Add("..")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	v := verifier[map[string]any](f, k, jwt.Rules{})
	f.Fuzz(func(t *testing.T, token string) {
		got, err := v.Verify(token)
		header, claims, plain := jwt.DecodeUnverified(token)
		if err == nil && plain != nil {
			t.Fatalf("verified, but not readable: %v", plain)
		}
		if plain == nil && !strings.HasPrefix(token, b64(string(header))+"."+b64(string(claims))+".") {
			t.Fatalf("%q has a second spelling", token)
		}
		if err == nil && got.Payload() != claims {
			t.Fatalf("verified %q, read %q", got.Payload(), claims)
		}
	})
}

// FuzzSigned signs any header and payload correctly, so that the claims are read.
func FuzzSigned(f *testing.F) {
	f.Add(`{"alg":"HS256","typ":"JWT"}`, accepted, uint16(0))
	f.Add(`{"alg":"HS256","kid":"k"}`, `{"exp":1.767225601e9,"aud":["a"],"\u0061":{"b":[1.5,null,"\ud83d\ude00"]}}`, uint16(7))
	k := hmacKey(f, jwt.HS256).WithID("k")
	rules := jwt.Rules{InsecureNoExpiration: true, InsecureAnyAudience: true}
	v := verifier[map[string]any](f, k, rules)
	typed := verifier[every](f, k, rules)
	f.Fuzz(func(t *testing.T, header, payload string, at uint16) {
		token := raw(t, k, header, payload)
		got, err := v.Verify(token)
		if _, also := typed.Verify(token); also == nil && err != nil {
			t.Fatalf("a struct takes what a map does not: %v", err)
		}
		if err != nil {
			return
		}
		if string(got.Payload()) != payload || !json.Valid([]byte(payload)) || !json.Valid([]byte(header)) || !utf8.ValidString(header+payload) {
			t.Fatalf("accepted %q %q", header, payload)
		}
		i := int(at) % len(token)
		for _, c := range []byte{'A', '=', '\n', token[i] ^ 1} {
			if c != token[i] {
				if _, err := v.Verify(token[:i] + string([]byte{c}) + token[i+1:]); err == nil {
					t.Fatalf("verifies with %q at %d too", c, i)
				}
			}
		}
		again, err := jwt.Sign(k, got.Payload())
		if err != nil {
			return // a number out of range, or too long when escaped
		}
		if back, err := v.Verify(again); err != nil || len(back.Claims) != len(got.Claims) || back.ExpiresAt != got.ExpiresAt {
			t.Fatalf("%q signed anew: %v", payload, err)
		}
	})
}

// FuzzClaims reads any JSON into a struct of every type.
func FuzzClaims(f *testing.F) {
	f.Add(fullJSON)
	f.Add(`{"any":[1,{"a":null}],"raw":"x","tree":{"next":{"leaf":"l"}}}`)
	k := hmacKey(f, jwt.HS256)
	v := verifier[every](f, k, jwt.Rules{InsecureNoExpiration: true, InsecureAnyAudience: true, Now: func() time.Time { return time.Unix(now, 0) }})
	f.Fuzz(func(t *testing.T, payload string) {
		got, err := v.Verify(raw(t, k, `{"alg":"HS256","typ":"JWT"}`, payload))
		if err != nil {
			return
		}
		var theirs map[string]json.RawMessage
		if err := json.Unmarshal([]byte(payload), &theirs); err != nil {
			t.Fatalf("accepted %q: %v", payload, err)
		}
		for name, value := range theirs {
			mine, ok := got.Claim(name)
			if !ok || strings.TrimSpace(string(value)) != string(mine) {
				t.Fatalf("claim %q of %q is %q", name, payload, mine)
			}
		}
		if got.Claims.Text != "" {
			var text string
			if json.Unmarshal(theirs["text"], &text) != nil || text != got.Claims.Text {
				t.Fatalf("text of %q is %q", payload, got.Claims.Text)
			}
		}
	})
}

// FuzzJWK parses any text as a key document.
func FuzzJWK(f *testing.F) {
	for _, alg := range []jwt.Algorithm{jwt.HS256, jwt.RS256, jwt.ES256, jwt.EdDSA} {
		text, err := keyFor(f, alg).MarshalPrivateJWK()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		f.Add([]byte(`{"keys":[` + string(text) + `]}`))
		if public, err := json.Marshal(keyFor(f, alg)); err == nil {
			f.Add(public)
		}
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		if set, err := jwt.ParseKeySet(document); err == nil {
			for _, k := range set.Keys() {
				if k.CanSign() && !k.IsSecret() {
					t.Fatal("a private key to verify with")
				}
			}
		}
		if k, err := jwt.ParseKey(document, ""); err == nil {
			written(t, k)
		}
	})
}

// FuzzPEM parses any text as PEM.
func FuzzPEM(f *testing.F) {
	files, err := filepath.Glob("testdata/pyjwt/keys/*.pem")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		if k, err := jwt.ParseKey(document, ""); err == nil {
			written(t, k)
		}
		jwt.ParseKeySet(document, jwt.PS512, jwt.ES256)
	})
}

// written writes a key as a JWK and reads it again.
func written(t *testing.T, k *jwt.Key) {
	t.Helper()
	text, err := k.MarshalPrivateJWK()
	if !k.CanSign() {
		text, err = json.Marshal(k)
	}
	if err != nil {
		t.Fatal(err)
	}
	again, err := jwt.ParseKey(text, "")
	if err != nil || !again.Equal(k) {
		t.Fatalf("%s came back as %v: %v", text, again, err)
	}
}
