package jwt_test

// The rules, each violated in one point only.

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/jotgate/jotgate/jwt"
)

const now = 1767225600

var secret = []byte("0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqr")

func clock() time.Time { return time.Unix(now, 999_000_000) }

func hmacKey(t testing.TB, alg jwt.Algorithm) *jwt.Key {
	t.Helper()
	k, err := jwt.NewHMAC(alg, secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, k *jwt.Key, claims string) string {
	t.Helper()
	token, err := jwt.Sign(k, jwt.Raw(claims))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// raw signs a payload and a header unchanged.
func raw(t testing.TB, k *jwt.Key, header, payload string) string {
	t.Helper()
	return resign(t, k, b64(header)+"."+b64(payload))
}

func verifier[T any](t testing.TB, k jwt.Keys, r jwt.Rules) *jwt.Verifier[T] {
	t.Helper()
	if r.Now == nil {
		r.Now = clock
	}
	v, err := jwt.NewVerifier[T](k, r)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerifyFillsEverything(t *testing.T) {
	k := hmacKey(t, jwt.HS256).WithID("k1")
	payload := `{"iss":"i","sub":"s","aud":["a","b"],"exp":1767225700.9,"nbf":1767225600,"iat":1767225600,"jti":"j","role":{"id":7},"x":null}`
	token, err := jwt.Sign(k.WithType("at+jwt"), jwt.Raw(payload))
	if err != nil {
		t.Fatal(err)
	}
	type claims struct {
		Role struct {
			ID int `json:"id"`
		} `json:"role"`
		Exp float64 `json:"exp"`
	}
	got, err := verifier[claims](t, k, jwt.Rules{Audience: []string{"b"}}).Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	want := jwt.Token[claims]{
		Algorithm: jwt.HS256, KeyID: "k1", Type: "at+jwt", Issuer: "i", Subject: "s",
		ExpiresAt: 1767225700, NotBefore: now, IssuedAt: now, ID: "j", Claims: got.Claims,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(got)); diff != "" {
		t.Error(diff)
	}
	if aud := got.Audience(); !slices.Equal(aud, []string{"a", "b"}) {
		t.Errorf("audience: %q", aud)
	}
	if got.Claims.Role.ID != 7 || got.Claims.Exp != 1767225700.9 {
		t.Errorf("claims: %+v", got.Claims)
	}
	if string(got.Payload()) != payload {
		t.Errorf("payload: %s", got.Payload())
	}
	if x, ok := got.Claim("x"); !ok || x != "null" {
		t.Errorf("claim x: %q %v", x, ok)
	}
	if _, ok := got.Claim("y"); ok {
		t.Error("found a claim that is not there")
	}
}

// accepted is the payload from which each refused one differs in one point.
const accepted = `{"iss":"i","sub":"s","aud":"a","exp":1767225601,"nbf":1767225600,"iat":1767225600,"jti":"j"}`

func strict() jwt.Rules {
	return jwt.Rules{Issuer: "i", Audience: []string{"a", "b"}, Require: []string{"jti"}, Type: "JWT", Now: clock}
}

func TestRules(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	swap := func(old, new string) string { return strings.Replace(accepted, old, new, 1) }
	tests := []struct {
		name   string
		claims string
		rules  func(*jwt.Rules)
		want   error
		claim  string
	}{
		{"accepted", accepted, nil, nil, ""},
		{"expired now", swap("601", "600"), nil, jwt.ErrExpired, "exp"},
		{"expired within leeway", swap("601", "599"), func(r *jwt.Rules) { r.Leeway = 2 * time.Second }, nil, ""},
		{"expired at the leeway", swap("601", "598"), func(r *jwt.Rules) { r.Leeway = 2 * time.Second }, jwt.ErrExpired, "exp"},
		{"no exp", swap(`"exp":1767225601,`, ""), nil, jwt.ErrMissing, "exp"},
		{"no exp, waived", swap(`"exp":1767225601,`, ""), func(r *jwt.Rules) { r.InsecureNoExpiration = true }, nil, ""},
		{"expired, waived", swap("601", "600"), func(r *jwt.Rules) { r.InsecureNoExpiration = true }, jwt.ErrExpired, "exp"},
		{"exp null, waived", swap("1767225601", "null"), func(r *jwt.Rules) { r.InsecureNoExpiration = true }, jwt.ErrMalformed, "exp"},
		{"exp text", swap("1767225601", `"1767225601"`), nil, jwt.ErrMalformed, "exp"},
		{"exp true", swap("1767225601", `true`), nil, jwt.ErrMalformed, "exp"},
		{"exp exponent", swap("1767225601", `1.767225601e9`), nil, nil, ""},
		{"exp year 9999", swap("1767225601", `253402300799`), nil, nil, ""},
		{"exp year 9999 as a float", swap("1767225601", `253402300799.0`), nil, nil, ""},
		{"exp of ten digits, the first a zero", swap("1767225601", `0767225601`), nil, jwt.ErrMalformed, ""},
		{"exp a text of ten bytes", swap("1767225601", `"abcdefgh"`), nil, jwt.ErrMalformed, "exp"},
		{"exp year 10000", swap("1767225601", `253402300800`), nil, jwt.ErrMalformed, "exp"},
		{"exp year 10000 as a float", swap("1767225601", `253402300800.5`), nil, jwt.ErrMalformed, "exp"},
		{"exp before 1970", swap("1767225601", `-1`), nil, jwt.ErrMalformed, "exp"},
		{"exp just before 1970", swap("1767225601", `-0.5`), nil, jwt.ErrMalformed, "exp"},
		{"exp zero", swap("1767225601", `0`), nil, jwt.ErrExpired, "exp"},
		{"exp zero as a float", swap("1767225601", `0.0`), nil, jwt.ErrExpired, "exp"},
		{"exp minus zero", swap("1767225601", `-0`), nil, jwt.ErrExpired, "exp"},
		{"exp beyond 64 bits", swap("1767225601", `18446744073709551616`), nil, jwt.ErrMalformed, "exp"},
		{"exp infinite", swap("1767225601", `1e999`), nil, jwt.ErrMalformed, "exp"},
		{"exp in eleven digits", swap("1767225601", `17672256010`), nil, nil, ""},
		{"nbf ahead", swap(`"nbf":1767225600`, `"nbf":1767225601`), nil, jwt.ErrNotYetValid, "nbf"},
		{"nbf ahead within leeway", swap(`"nbf":1767225600`, `"nbf":1767225601`), func(r *jwt.Rules) { r.Leeway = time.Second }, nil, ""},
		{"iat ahead", swap(`"iat":1767225600`, `"iat":1767225601`), nil, jwt.ErrIssuedInFuture, "iat"},
		{"iat with a fraction of this second", swap(`"iat":1767225600`, `"iat":1767225600.99`), nil, nil, ""},
		{"iat text", swap(`"iat":1767225600`, `"iat":"now"`), nil, jwt.ErrMalformed, "iat"},
		{"issuer differs", swap(`"iss":"i"`, `"iss":"I"`), nil, jwt.ErrIssuer, "iss"},
		{"no issuer", swap(`"iss":"i",`, ``), nil, jwt.ErrIssuer, "iss"},
		{"no issuer expected", swap(`"iss":"i"`, `"iss":"x"`), func(r *jwt.Rules) { r.Issuer = "" }, nil, ""},
		{"issuer a number", swap(`"iss":"i"`, `"iss":1`), func(r *jwt.Rules) { r.Issuer = "" }, jwt.ErrMalformed, "iss"},
		{"audience differs", swap(`"aud":"a"`, `"aud":"c"`), nil, jwt.ErrAudience, "aud"},
		{"audience second of ours", swap(`"aud":"a"`, `"aud":["c","b"]`), nil, nil, ""},
		{"audience empty", swap(`"aud":"a"`, `"aud":[]`), nil, jwt.ErrAudience, "aud"},
		{"no audience", swap(`"aud":"a",`, ``), nil, jwt.ErrAudience, "aud"},
		{"audience with a number", swap(`"aud":"a"`, `"aud":["a",1]`), nil, jwt.ErrMalformed, "aud"},
		{"audience an object", swap(`"aud":"a"`, `"aud":{"a":1}`), nil, jwt.ErrMalformed, "aud"},
		{"audience not expected", accepted, func(r *jwt.Rules) { r.Audience = nil }, jwt.ErrAudience, "aud"},
		{"audience not expected, waived", accepted, func(r *jwt.Rules) { r.Audience = nil; r.InsecureAnyAudience = true }, nil, ""},
		{"no audience expected, none there", swap(`"aud":"a",`, ``), func(r *jwt.Rules) { r.Audience = nil }, nil, ""},
		{"jti missing", swap(`,"jti":"j"`, ``), nil, jwt.ErrMissing, "jti"},
		{"jti empty", swap(`"jti":"j"`, `"jti":""`), nil, jwt.ErrMissing, "jti"},
		{"jti number", swap(`"jti":"j"`, `"jti":1`), nil, jwt.ErrMalformed, "jti"},
		{"two required, both there", accepted, func(r *jwt.Rules) { r.Require = []string{"sub", "jti"} }, nil, ""},
		{"two required, the first missing", swap(`"sub":"s",`, ``), func(r *jwt.Rules) { r.Require = []string{"sub", "jti"} }, jwt.ErrMissing, "sub"},
		{"two required, the second missing", swap(`,"jti":"j"`, ``), func(r *jwt.Rules) { r.Require = []string{"sub", "jti"} }, jwt.ErrMissing, "jti"},
		{"private claim null", accepted[:len(accepted)-1] + `,"p":null}`, func(r *jwt.Rules) { r.Require = []string{"p"} }, jwt.ErrMissing, "p"},
		{"private claim there", accepted[:len(accepted)-1] + `,"p":0}`, func(r *jwt.Rules) { r.Require = []string{"p", "exp"} }, nil, ""},
		{"sub number", swap(`"sub":"s"`, `"sub":1`), nil, jwt.ErrMalformed, "sub"},
		{"sub number, allowed", swap(`"sub":"s"`, `"sub":1`), func(r *jwt.Rules) { r.NumericSubject = true }, nil, ""},
		{"sub text, numbers allowed", accepted, func(r *jwt.Rules) { r.NumericSubject = true }, nil, ""},
		{"sub fraction, numbers allowed", swap(`"sub":"s"`, `"sub":1.5`), func(r *jwt.Rules) { r.NumericSubject = true }, jwt.ErrMalformed, "sub"},
		{"type differs", accepted, func(r *jwt.Rules) { r.Type = "at+jwt" }, jwt.ErrType, ""},
		{"type in another spelling", accepted, func(r *jwt.Rules) { r.Type = "application/jwt" }, nil, ""},
		{"type with two slashes", accepted, func(r *jwt.Rules) { r.Type = "application/x/jwt" }, jwt.ErrType, ""},
		{"type is the second of ours", accepted, func(r *jwt.Rules) { r.Type, r.Types = "", []string{"at+jwt", "jwt"} }, nil, ""},
		{"type is ours or another", accepted, func(r *jwt.Rules) { r.Type, r.Types = "at+jwt", []string{"Application/JWT"} }, nil, ""},
		{"type there, none expected", accepted, func(r *jwt.Rules) { r.Type, r.Types = "", []string{""} }, jwt.ErrType, ""},
		{"claim twice", swap(`"jti":"j"`, `"jti":"j","jti":"j"`), nil, jwt.ErrMalformed, ""},
		{"nested claim twice", swap(`"jti":"j"`, `"jti":"j","x":[{"y":1,"y":2}]`), nil, jwt.ErrMalformed, ""},
		{"two faults: time comes first", `{"exp":1,"jti":"j"}`, nil, jwt.ErrExpired, "exp"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rules := strict()
			if test.rules != nil {
				test.rules(&rules)
			}
			_, err := verifier[jwt.Raw](t, k, rules).Verify(raw(t, k, `{"alg":"HS256","typ":"JWT"}`, test.claims))
			if test.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var e *jwt.Error
			if !errors.As(err, &e) || !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if e.Claim != test.claim || e.Error() != string(e.Reason) || e.Detail() == "" {
				t.Errorf("claim %q, text %q, detail %q", e.Claim, e, e.Detail())
			}
		})
	}
}

func TestRulesThatContradictAreRefused(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	tests := map[string]jwt.Rules{
		"negative leeway":      {Leeway: -time.Second},
		"leeway too large":     {Leeway: 10*time.Minute + time.Second},
		"leeway with fraction": {Leeway: time.Millisecond},
		"empty audience":       {Audience: []string{""}},
		"any audience":         {Audience: []string{"a"}, InsecureAnyAudience: true},
		"exp required, waived": {Require: []string{"exp"}, InsecureNoExpiration: true},
		"negative cache":       {Cache: -1},
		"too many":             {Require: strings.Split(strings.Repeat("a,", 32), ",")},
	}
	for name, rules := range tests {
		if _, err := jwt.NewVerifier[jwt.Raw](k, rules); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := jwt.NewVerifier[jwt.Raw](k, jwt.Rules{Leeway: 10 * time.Minute, Require: strings.Split(strings.Repeat("a,", 31), ",")}); err != nil {
		t.Error(err)
	}
	if _, err := jwt.NewVerifier[jwt.Raw](nil, jwt.Rules{}); err == nil {
		t.Error("no keys: accepted")
	}
}

func TestVerifierCopiesItsRules(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	rules := strict()
	v := verifier[jwt.Raw](t, k, rules)
	rules.Audience[0], rules.Require[0] = "z", "z"
	if _, err := v.Verify(sign(t, k, accepted)); err != nil {
		t.Errorf("changed from outside: %v", err)
	}
}

// Audience returns the names in their order, and each caller gets its own slice.
func TestAudienceOfToken(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	v := verifier[jwt.Raw](t, k, jwt.Rules{InsecureAnyAudience: true, Now: clock})
	for aud, want := range map[string][]string{
		``: nil, `"aud":"",`: {""}, `"aud":"a",`: {"a"}, `"aud":[],`: nil, `"aud":["a","\u0062"],`: {"a", "b"}, `"\u0061ud":"a",`: {"a"},
	} {
		got, err := v.Verify(sign2(t, k, strings.Replace(accepted, `"aud":"a",`, aud, 1)))
		if list := got.Audience(); err != nil || !slices.Equal(list, want) {
			t.Errorf("%s: %q, %v", aud, list, err)
		} else if len(list) > 0 {
			list[0] = "z"
			if again := got.Audience(); !slices.Equal(again, want) {
				t.Errorf("%s: after the first list was changed: %q", aud, again)
			}
		}
	}
}
