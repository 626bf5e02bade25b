package jwt_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

func TestJWKRoundTrip(t *testing.T) {
	for _, alg := range algorithms {
		k := keyFor(t, alg)
		text, err := k.MarshalPrivateJWK()
		if err != nil {
			t.Fatal(err)
		}
		same, err := jwt.ParseKey(text, "")
		if err != nil || !same.Equal(k) || same.Thumbprint() != k.Thumbprint() {
			t.Errorf("%s: %v %v", alg, same, err)
		}
		if k.IsSecret() {
			if _, err := k.Public(); err == nil || k.PublicKey() != nil {
				t.Errorf("%s: a secret has a public key", alg)
			}
			continue
		}
		if renamed := same.WithID("other"); renamed.Equal(k) {
			t.Errorf("%s: equal under another id", alg)
		}
		public, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		pub, err := jwt.ParseKey(public, alg)
		if err != nil || pub.CanSign() || pub.ID() != k.ID() || pub.Thumbprint() != k.Thumbprint() || pub.Equal(k) {
			t.Errorf("%s: %v %v", alg, pub, err)
		}
		if own, err := pub.Public(); err != nil || own != pub {
			t.Errorf("%s: %v %v", alg, own, err)
		}
		if _, err := pub.MarshalPrivateJWK(); err == nil {
			t.Errorf("%s: private part of a public key", alg)
		}
		if pub.PublicKey() == nil {
			t.Errorf("%s: no public key", alg)
		}
	}
}

// change returns a JWK with one member set, or removed if value is "".
func change(t *testing.T, text []byte, name, value string) []byte {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	delete(m, name)
	if value != "" {
		m[name] = json.RawMessage(value)
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestJWKsThatAreRefused(t *testing.T) {
	text := map[string][]byte{}
	private := map[string][]byte{}
	for _, alg := range []jwt.Algorithm{jwt.HS256, jwt.RS256, jwt.ES256, jwt.EdDSA} {
		private[string(alg)], _ = keyFor(t, alg).MarshalPrivateJWK()
		text[string(alg)], _ = json.Marshal(keyFor(t, alg))
	}
	text["HS256"] = private["HS256"]
	tests := []struct {
		of, name, value string
		ok              bool
	}{
		{"RS256", "x", `1`, false},
		{"RS256", "other", `{"a":[1]}`, true},
		{"RS256", "kty", ``, false},
		{"RS256", "kty", `"rsa"`, false},
		{"RS256", "kty", `1`, false},
		{"RS256", "use", `"enc"`, false},
		{"RS256", "use", ``, true},
		{"RS256", "key_ops", `["verify"]`, true},
		{"RS256", "key_ops", `["verify","verify"]`, false},
		{"RS256", "key_ops", `[]`, false},
		{"RS256", "key_ops", `["encrypt"]`, false},
		{"RS256", "key_ops", `"verify"`, false},
		{"RS256", "alg", `"HS256"`, false},
		{"RS256", "alg", `"none"`, false},
		{"RS256", "alg", `"RSA-OAEP"`, false},
		{"RS256", "alg", ``, true},
		{"RS256", "n", ``, false},
		{"RS256", "n", `"AQ"`, false},
		{"RS256", "n", `"AAAQ"`, false},
		{"RS256", "n", `"a b"`, false},
		{"RS256", "e", ``, false},
		{"RS256", "e", `"AA"`, false},
		{"RS256", "e", `"AAEAAQ"`, false},
		{"RS256", "e", `"Aw"`, false},
		{"RS256", "e", `"f____w"`, true},
		{"RS256", "e", `"gAAAAQ"`, false},
		{"RS256", "oth", `[]`, false},
		{"ES256", "crv", ``, false},
		{"ES256", "crv", `"P-384"`, false},
		{"ES256", "crv", `"p-256"`, false},
		{"ES256", "crv", `"secp256k1"`, false},
		{"ES256", "x", ``, false},
		{"ES256", "y", `"AA"`, false},
		{"ES256", "y", `"` + strings.Repeat("A", 43) + `"`, false},
		{"EdDSA", "alg", `"Ed25519"`, true},
		{"EdDSA", "crv", ``, false},
		{"EdDSA", "crv", `"X25519"`, false},
		{"EdDSA", "crv", `"ed25519"`, false},
		{"EdDSA", "x", `"AA"`, false},
		{"EdDSA", "x", `"` + strings.Repeat("A", 43) + `"`, false},
		{"HS256", "k", ``, false},
		{"HS256", "k", `1`, false},
		{"HS256", "k", `"AA"`, false},
		{"HS256", "k", `"` + strings.Repeat("YWFh", 11) + `"`, false},
		{"HS256", "k", `"` + b64(strings.Repeat("abcd", 8)) + `"`, false},
		{"HS256", "k", `"` + b64(strings.Repeat("abcde", 7)) + `"`, true},
		{"HS256", "alg", ``, false},
	}
	for _, test := range tests {
		changed := change(t, text[test.of], test.name, test.value)
		if _, err := jwt.ParseKey(changed, ""); (err == nil) != test.ok {
			t.Errorf("%s with %s %s: ParseKey: %v", test.of, test.name, test.value, err)
		}
		if _, err := jwt.ParseKeySet(changed); (err == nil) != test.ok {
			t.Errorf("%s with %s %s: ParseKeySet: %v", test.of, test.name, test.value, err)
		}
	}
	signing := change(t, text["RS256"], "key_ops", `["sign"]`)
	if _, err := jwt.ParseKeySet(signing); err == nil {
		t.Error("a key that is to sign taken to verify")
	}
	if _, err := jwt.ParseKey(signing, ""); err != nil {
		t.Error(err)
	}
	for _, test := range []struct{ of, name, value string }{
		{"RS256", "d", `"AQAB"`},
		{"RS256", "p", ``},
		{"RS256", "n", `"AQ"`},
		{"ES256", "d", `"AQAB"`},
		{"ES256", "d", `"` + strings.Repeat("A", 42) + `E"`},
		{"EdDSA", "d", `"AQAB"`},
		{"EdDSA", "d", `"` + strings.Repeat("A", 43) + `"`},
	} {
		if _, err := jwt.ParseKey(change(t, private[test.of], test.name, test.value), ""); err == nil {
			t.Errorf("private %s with %s %s: accepted", test.of, test.name, test.value)
		}
	}
}

// The error says what is wrong with the document.
func TestJWKErrors(t *testing.T) {
	for document, want := range map[string]string{`{"kty":"oct","k":1}`: "not a string", `{"kty":"oct"`: "not a strict JSON object"} {
		if _, err := jwt.ParseKey([]byte(document), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", document, err, want)
		}
	}
}

func TestMalformedDocuments(t *testing.T) {
	huge := `{"kty":"oct","x":"` + strings.Repeat("A", 1<<20) + `"}`
	for _, text := range []string{"", "x", "{", "[]", "{}", `{"keys":1}`, `{"keys":[]}`, `{"keys":[1]}`, `{"keys":[{"kty":"x"}]}`, `{"kty":"RSA","kty":"RSA"}`, `{"kty":"RSA"} x`, "{\"kty\":\"\xff\"}", huge} {
		if _, err := jwt.ParseKey([]byte(text), ""); err == nil {
			t.Errorf("ParseKey takes %.40q", text)
		}
		if _, err := jwt.ParseKeySet([]byte(text)); err == nil {
			t.Errorf("ParseKeySet takes %.40q", text)
		}
	}
}

// A document may have 1 MiB, and not a byte more.
func TestDocumentLength(t *testing.T) {
	text, err := json.Marshal(keyFor(t, jwt.ES256))
	if err != nil {
		t.Fatal(err)
	}
	longest := append(text, strings.Repeat(" ", 1<<20-len(text))...)
	for _, document := range [][]byte{longest, append(longest, ' ')} {
		_, one := jwt.ParseKey(document, "")
		_, set := jwt.ParseKeySet(document)
		if want := len(document) == 1<<20; (one == nil) != want || (set == nil) != want {
			t.Errorf("%d bytes: %v, %v", len(document), one, set)
		}
	}
}

func TestEqualNeedsTheSameAlgorithm(t *testing.T) {
	a, b := keyFor(t, jwt.RS256).WithID("k"), keyFor(t, jwt.PS256).WithID("k")
	if a.Thumbprint() != b.Thumbprint() || a.Equal(b) || !a.Equal(a.WithID("k")) {
		t.Error("a key for RS256 equals the same one for PS256, or not itself")
	}
}

func TestParseKeySet(t *testing.T) {
	jwks := map[jwt.Algorithm]string{}
	for _, alg := range []jwt.Algorithm{jwt.RS256, jwt.ES256, jwt.EdDSA} {
		b, _ := json.Marshal(keyFor(t, alg))
		jwks[alg] = string(b)
	}
	b, _ := keyFor(t, jwt.HS256).MarshalPrivateJWK()
	oct := string(b)
	bare := string(change(t, []byte(jwks[jwt.RS256]), "alg", ""))
	enc := string(change(t, []byte(jwks[jwt.RS256]), "use", `"enc"`))
	broken := string(change(t, []byte(jwks[jwt.RS256]), "n", `"AQ"`))
	private, _ := keyFor(t, jwt.ES256).MarshalPrivateJWK()
	tests := []struct {
		name string
		keys []string
		algs []jwt.Algorithm
		want int // keys; 0 for an error
	}{
		{"three", []string{jwks[jwt.RS256], jwks[jwt.ES256], jwks[jwt.EdDSA]}, nil, 3},
		{"only what is allowed", []string{jwks[jwt.RS256], jwks[jwt.ES256]}, []jwt.Algorithm{jwt.ES256}, 1},
		{"none is allowed", []string{jwks[jwt.RS256]}, []jwt.Algorithm{jwt.ES256}, 0},
		{"allowed list empty", []string{jwks[jwt.RS256]}, []jwt.Algorithm{}, 0},
		{"allowed list unknown", []string{jwks[jwt.RS256]}, []jwt.Algorithm{jwt.RS256, "x"}, 0},
		{"RSA for what is allowed", []string{bare}, []jwt.Algorithm{jwt.RS256, jwt.PS512, jwt.HS256, jwt.PS512}, 2},
		{"RSA for RS256", []string{bare}, nil, 1},
		{"one for encryption", []string{enc, jwks[jwt.ES256]}, nil, 1},
		{"one broken", []string{broken, jwks[jwt.ES256]}, nil, 0},
		{"one broken, of two algorithms", []string{broken, jwks[jwt.ES256]}, []jwt.Algorithm{jwt.RS256, jwt.ES256}, 0},
		{"one broken, of two algorithms, in the other order", []string{broken, jwks[jwt.ES256]}, []jwt.Algorithm{jwt.ES256, jwt.RS256}, 0},
		{"one private", []string{string(private), jwks[jwt.RS256]}, nil, 0},
		{"the same key twice", []string{jwks[jwt.RS256], jwks[jwt.RS256]}, nil, 1},
		{"the same key with and without alg", []string{jwks[jwt.RS256], bare}, nil, 1},
		{"secret and public", []string{oct, jwks[jwt.RS256]}, nil, 0},
		{"secret", []string{oct}, nil, 1},
	}
	for _, test := range tests {
		document := fmt.Sprintf(`{"keys":[%s]}`, strings.Join(test.keys, ","))
		set, err := jwt.ParseKeySet([]byte(document), test.algs...)
		if (err == nil) != (test.want > 0) || err == nil && len(set.Keys()) != test.want {
			t.Errorf("%s: %v %v", test.name, set, err)
		}
	}
}
