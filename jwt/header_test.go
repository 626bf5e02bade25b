package jwt_test

// Failures before the signature check: one reason for the client, a detail for the
// operator, and bounded work.

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// resign signs any text with HS256 and the test secret.
func resign(t testing.TB, k *jwt.Key, input string) string {
	t.Helper()
	return input + "." + base64.RawURLEncoding.EncodeToString(hmacOf(t, k.Algorithm(), input))
}

const good = `{"exp":1767225601}`

func TestHeaders(t *testing.T) {
	k := hmacKey(t, jwt.HS256).WithID("k1")
	tests := []struct{ name, header, detail string }{
		{"accepted", `{"alg":"HS256","kid":"k1"}`, ""},
		{"no kid", `{"alg":"HS256"}`, ""},
		{"spaces", " { \"alg\" :\t\"HS256\"\r\n} ", ""},
		{"name escaped", `{"\u0061lg":"HS256"}`, ""},
		{"more members", `{"alg":"HS256","jku":"https://evil.example","x5c":["x"],"x5t":"x","jwk":{"kty":"oct"},"cty":"x","x":[1]}`, ""},
		{"jku number", `{"alg":"HS256","jku":1}`, "wrong type"},
		{"x5u null", `{"alg":"HS256","x5u":null}`, "wrong type"},
		{"x5t list", `{"alg":"HS256","x5t":["x"]}`, "wrong type"},
		{"x5t#S256 number", `{"alg":"HS256","x5t#S256":1}`, "wrong type"},
		{"x5c of numbers", `{"alg":"HS256","x5c":[1]}`, "wrong type"},
		{"x5c a string", `{"alg":"HS256","x5c":"x"}`, "wrong type"},
		{"jwk of two kinds of bracket", `{"alg":"HS256","jwk":["kty":"oct"}}`, "wrong type"},
		{"cut before the jwk", `{"alg":"HS256","jwk":`, "wrong type"},
		{"jwk a string", `{"alg":"HS256","jwk":"x"}`, "wrong type"},
		{"63 others", `{"alg":"HS256"` + many(63) + `}`, ""},
		{"64 others", `{"alg":"HS256"` + many(64) + `}`, "strict JSON"},
		{"other kid", `{"alg":"HS256","kid":"k2"}`, "not in the set"},
		{"empty kid", `{"alg":"HS256","kid":""}`, "not in the set"},
		{"kid number", `{"alg":"HS256","kid":1}`, "wrong type"},
		{"kid null", `{"alg":"HS256","kid":null}`, "wrong type"},
		{"typ number", `{"alg":"HS256","typ":1}`, "wrong type"},
		{"cty number", `{"alg":"HS256","cty":1}`, "wrong type"},
		{"alg number", `{"alg":256}`, "wrong type"},
		{"no alg", `{"typ":"JWT"}`, "algorithm"},
		{"alg empty", `{"alg":""}`, "algorithm"},
		{"alg none", `{"alg":"none"}`, "algorithm"},
		{"alg other case", `{"alg":"hs256"}`, "algorithm"},
		{"alg other", `{"alg":"HS512"}`, "algorithm"},
		{"alg twice", `{"alg":"HS256","alg":"HS256"}`, "strict JSON"},
		{"alg twice, once escaped", `{"alg":"HS256","\u0061lg":"HS256"}`, "strict JSON"},
		{"crit", `{"alg":"HS256","crit":["x"],"x":1}`, "crit"},
		{"crit empty", `{"alg":"HS256","crit":[]}`, "crit"},
		{"b64", `{"alg":"HS256","b64":false}`, "crit"},
		{"array", `["HS256"]`, "strict JSON"},
		{"trailing", `{"alg":"HS256"}x`, "strict JSON"},
		{"not UTF-8", "{\"alg\":\"HS256\",\"x\":\"\xff\"}", "strict JSON"},
		{"empty", ``, "strict JSON"},
	}
	v := verifier[jwt.Raw](t, k, jwt.Rules{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := v.Verify(raw(t, k, test.header, good))
			if test.detail == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			looksAlike(t, err, test.detail)
		})
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"m` + strings.Repeat("x", i) + `":0`)
	}
	return b.String()
}

// looksAlike checks what all failures before the signature check have in common.
func looksAlike(t *testing.T, err error, detail string) {
	t.Helper()
	var e *jwt.Error
	if !errors.As(err, &e) || !errors.Is(err, jwt.ErrInvalid) || e.Error() != "token is invalid" || e.Claim != "" {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(e.Detail(), detail) {
		t.Errorf("detail %q, want %q in it", e.Detail(), detail)
	}
}

func TestMalformedTokens(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	token := sign(t, k, good)
	head, rest, _ := strings.Cut(token, ".")
	body, sig, _ := strings.Cut(rest, ".")
	tests := []struct{ name, token, detail string }{
		{"accepted", token, ""},
		{"empty", "", "segments"},
		{"no dot", head, "segments"},
		{"one dot", head + "." + body, "segments"},
		{"three dots", token + ".", "segments"},
		{"an empty third segment of four", head + "." + body + ".." + sig, "segments"},
		{"dots only", "..", "strict JSON"},
		{"too long", token + strings.Repeat("A", 8193-len(token)), "8192"},
		{"long", token + strings.Repeat("A", 8192-len(token)), "signature"},
		{"no signature", head + "." + body + ".", "signature"},
		{"padding", token + "=", "signature"},
		{"short signature", token[:len(token)-1], "signature"},
		{"line feed", head + "." + body + ".\n" + sig, "signature"},
		{"header line feed", head + "\n." + body + "." + sig, "strict JSON"},
		{"header of impossible length", head + "AA." + body + "." + sig, "strict JSON"},
		{"signature of another", head + "." + body + "." + sig[1:] + "A", "signature"},
		{"payload of another", head + "." + b64(`{"exp":1767225602}`) + "." + sig, "signature"},
	}
	v := verifier[jwt.Raw](t, k, jwt.Rules{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := v.Verify(test.token)
			if test.detail == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			looksAlike(t, err, test.detail)
		})
	}
}

func TestMalformedPayloads(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	v := verifier[jwt.Raw](t, k, jwt.Rules{InsecureNoExpiration: true})
	if _, err := v.Verify(resign(t, k, b64(`{"alg":"HS256"}`)+"."+b64(`{}`))); err != nil {
		t.Fatal(err)
	}
	cut := verifier[jwt.Raw](t, k, jwt.Rules{NumericSubject: true})
	if _, err := cut.Verify(resign(t, k, b64(`{"alg":"HS256"}`)+"."+b64(`{"sub":`))); !errors.Is(err, jwt.ErrMalformed) {
		t.Errorf("cut before the subject: got %v", err)
	}
	for _, segment := range []string{"", b64(`[]`), b64(`{} x`), b64("{\"a\":\"\xff\"}"), b64(`{}`) + "=", "e31", b64(strings.Repeat("[", 65))} {
		_, err := v.Verify(resign(t, k, b64(`{"alg":"HS256"}`)+"."+segment))
		if !errors.Is(err, jwt.ErrMalformed) {
			t.Errorf("%q: got %v", segment, err)
		}
	}
}

// A token with one changed character does not verify.
func TestEveryCharacterMatters(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	v := verifier[jwt.Raw](t, k, jwt.Rules{})
	token := sign(t, k, good)
	for i := range token {
		for _, c := range []byte("Ab0-_.=\n\x00\xff") {
			if token[i] == c {
				continue
			}
			changed := token[:i] + string([]byte{c}) + token[i+1:]
			if _, err := v.Verify(changed); err == nil {
				t.Fatalf("accepted with %q at %d", c, i)
			}
		}
	}
}

func TestWorkBeforeTheSignatureCheckIsBounded(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	v := verifier[jwt.Raw](t, k, jwt.Rules{})
	for _, token := range []string{strings.Repeat(".", 1<<20), strings.Repeat("A", 1<<20), sign(t, k, good) + strings.Repeat("A", 1<<20)} {
		_, err := v.Verify(token)
		looksAlike(t, err, "8192")
		allocations(t, 0, func() { v.Verify(token) })
	}
	forged := sign(t, k, good)
	forged = forged[:len(forged)-2] + "AA"
	allocations(t, 0, func() { v.Verify(forged) })
}

func TestDecodeUnverified(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	token := raw(t, k, `{"alg":"none"}`, `{"role":{"id":"59ad1f"}}`)
	header, claims, err := jwt.DecodeUnverified(token)
	if err != nil || header != `{"alg":"none"}` || claims != `{"role":{"id":"59ad1f"}}` {
		t.Errorf("%s %s %v", header, claims, err)
	}
	for _, token := range []string{"", "a.b", b64("{}") + ".x.", "x." + b64("{}") + ".", b64("[]") + "." + b64("{}") + ".", b64("{}") + "." + b64(`{"a":1,"a":2}`) + "."} {
		if _, _, err := jwt.DecodeUnverified(token); !errors.Is(err, jwt.ErrInvalid) {
			t.Errorf("%q: got %v", token, err)
		}
	}
}
