package jwt_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/jotgate/jotgate/jwt"
)

type role struct {
	ID   string `json:"id"`
	Name string `json:"display_name"`
}

type named string

// registered has the registered claims as fields of the application.
type registered struct {
	Issuer    string   `json:"iss,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  []string `json:"aud,omitempty"`
	ExpiresAt int64    `json:"exp,omitempty"`
	NotBefore int64    `json:"nbf,omitempty"`
	IssuedAt  int64    `json:"iat,omitempty"`
	ID        string   `json:"jti,omitempty"`
}

// every has a field of every type that claims may have.
type every struct {
	registered
	Text    string            `json:"text"`
	Flag    bool              `json:"flag"`
	Int     int               `json:"int"`
	Int8    int8              `json:"int8"`
	Int64   int64             `json:"int64"`
	Uint16  uint16            `json:"uint16"`
	Float   float64           `json:"float"`
	Float32 float32           `json:"float32"`
	Named   named             `json:"named"`
	Role    role              `json:"role"`
	Roles   []role            `json:"roles"`
	Words   []string          `json:"words"`
	Pointer *role             `json:"pointer"`
	Number  *int64            `json:"number"`
	Map     map[string]any    `json:"map"`
	Texts   map[named]string  `json:"texts"`
	Any     any               `json:"any"`
	Raw     jwt.Raw           `json:"raw"`
	Raws    []jwt.Raw         `json:"raws"`
	Object  jwt.Object        `json:"object"`
	Tree    *tree             `json:"tree"`
	Left    string            `json:"left,omitempty"`
	Empty   []string          `json:"empty,omitempty"`
	None    map[string]string `json:"none,omitempty"`
	Plain   string
	Skipped string `json:"-"`
	hidden  string
}

type tree struct {
	Leaf string `json:"leaf,omitempty"`
	Next *tree  `json:"next,omitempty"`
}

func full() every {
	n := int64(-5)
	return every{
		registered: registered{Issuer: "i", Audience: []string{"a"}, ExpiresAt: now + 1},
		Text:       "a\"\\\n\x7fé\U0001f600", Flag: true, Int: -1, Int8: 127, Int64: math.MinInt64, Uint16: 65535,
		Float: 1.5, Float32: 0.25, Named: "n", Role: role{"1", "x"}, Roles: []role{{"2", "y"}, {"3", "z"}},
		Words: []string{"u", "v"}, Pointer: &role{"4", "w"}, Number: &n,
		Map:   map[string]any{"b": int64(1), "a": []any{"x", 1.5, nil, true}, "c": map[string]any{}},
		Texts: map[named]string{"k": "v"}, Any: "any", Raw: `{"z":1}`, Raws: []jwt.Raw{"1", `"x"`, "true", "null", "false"},
		Object: jwt.Object{{"second", int64(1)}, {"first", "f"}}, Tree: &tree{Next: &tree{Leaf: "l"}},
		Plain: "p", hidden: "",
	}
}

const fullJSON = `{"iss":"i","aud":["a"],"exp":1767225601,"text":"a\"\\\n\u007f\u00e9\ud83d\ude00","flag":true,"int":-1,"int8":127,` +
	`"int64":-9223372036854775808,"uint16":65535,"float":1.5,"float32":0.25,"named":"n","role":{"id":"1","display_name":"x"},` +
	`"roles":[{"id":"2","display_name":"y"},{"id":"3","display_name":"z"}],"words":["u","v"],"pointer":{"id":"4","display_name":"w"},` +
	`"number":-5,"map":{"a":["x",1.5,null,true],"b":1,"c":{}},"texts":{"k":"v"},"any":"any","raw":{"z":1},"raws":[1,"x",true,null,false],` +
	`"object":{"second":1,"first":"f"},"tree":{"next":{"leaf":"l"}},"Plain":"p"}`

func TestClaimsOfEveryType(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	v := verifier[every](t, k, jwt.Rules{Audience: []string{"a"}})
	token, err := jwt.Sign(k, full())
	if err != nil {
		t.Fatal(err)
	}
	if _, claims, _ := jwt.DecodeUnverified(token); claims != fullJSON {
		t.Errorf("wrote\n%s, want\n%s", claims, fullJSON)
	}
	for range 2 { // the second time in a used working space
		got, err := v.Verify(token)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(full(), got.Claims, cmp.AllowUnexported(every{})); diff != "" {
			t.Error(diff)
		}
	}
	got, err := v.Verify(sign(t, k, `{"exp":1767225601,"aud":"a","pointer":null,"words":null,"map":null,"any":null,"raw":null,"object":null}`))
	if err != nil {
		t.Fatal(err)
	}
	want := every{registered: registered{ExpiresAt: now + 1, Audience: []string{"a"}}, Raw: "null"}
	if diff := cmp.Diff(want, got.Claims, cmp.AllowUnexported(every{})); diff != "" {
		t.Errorf("left over from another token: %s", diff)
	}
	no, err := v.Verify(sign(t, k, `{"exp":1767225601,"aud":"a","flag":false,"any":[false]}`))
	if err != nil || no.Claims.Flag || cmp.Diff(no.Claims.Any, any([]any{false})) != "" {
		t.Errorf("%v, %v, %v", no.Claims.Flag, no.Claims.Any, err)
	}
	for n := range fullJSON { // wherever it is cut, also just before a value
		if _, err := v.Verify(sign2(t, k, fullJSON[:n])); err == nil {
			t.Errorf("cut to %s: accepted", fullJSON[:n])
		}
	}
}

func TestClaimsOfTheWrongType(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	v := verifier[every](t, k, jwt.Rules{})
	for _, c := range []string{
		`"text":1`, `"text":null`, `"flag":"true"`, `"flag":1`, `"flag":null`, `"int":"1"`, `"int":1.0`, `"int":1e3`, `"int":null`, `"int8":128`, `"int8":-129`,
		`"int64":9223372036854775808`, `"uint16":-1`, `"uint16":65536`, `"uint16":1.5`, `"float":"1"`, `"float":1e999`, `"float32":1e39`, `"named":1`,
		`"role":[]`, `"role":null`, `"role":{"id":1}`, `"roles":{}`, `"roles":[1]`, `"roles":[{"id":1}]`, `"words":"u"`, `"words":[1]`, `"pointer":1`, `"number":"1"`,
		`"map":[]`, `"map":{"a":1e999}`, `"texts":{"k":1}`, `"texts":1`, `"any":1e999`, `"object":[]`, `"object":1`, `"tree":{"next":{"leaf":1}}`, `"Plain":1`, `"left":0`,
		`"any":[1e999]`, `"any":{"x":1e999}`, `"role":["id":"1"}`, `"roles":{{"id":"1"}]`, `"roles":[["id":"1"}]`, `"words":{"u"]`, `"pointer":["id":"1"}`,
		`"map":["a":1}`, `"object":["a":1}`, `"aud":{"a"]`,
	} {
		_, err := v.Verify(sign2(t, k, `{"exp":1767225601,`+c+`}`))
		if err == nil {
			t.Errorf("%s: accepted", c)
			continue
		}
		name, _, _ := strings.Cut(strings.Trim(c, `"`), `"`)
		if e := err.(*jwt.Error); e.Reason != jwt.ErrMalformed || e.Claim != name && e.Claim != "id" && e.Claim != "leaf" {
			t.Errorf("%s: %v %q", c, err, e.Claim)
		}
	}
	for _, c := range []string{`"TEXT":1`, `"plain":1`, `"Skipped":1`, `"hidden":1`, `"float":5`, `"float":-1e3`, `"any":12345678901234567890`} {
		if _, err := v.Verify(sign2(t, k, `{"exp":1767225601,`+c+`}`)); err != nil {
			t.Errorf("%s: %v", c, err)
		}
	}
}

// sign2 signs a payload that Sign would rewrite or refuse.
func sign2(t *testing.T, k *jwt.Key, payload string) string {
	t.Helper()
	return raw(t, k, `{"alg":"HS256"}`, payload)
}

func TestClaimsOtherThanStructs(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	payload := `{"exp":1767225601,"b":[1,{"c":null}],"a":0.5}`
	token := sign(t, k, payload)
	m, err := verifier[map[string]any](t, k, jwt.Rules{}).Verify(token)
	want := map[string]any{"exp": int64(now + 1), "b": []any{int64(1), map[string]any{"c": nil}}, "a": 0.5}
	if diff := cmp.Diff(want, m.Claims); err != nil || diff != "" {
		t.Error(err, diff)
	}
	o, err := verifier[jwt.Object](t, k, jwt.Rules{}).Verify(token)
	if err != nil || len(o.Claims) != 3 || o.Claims[1].Name != "b" || o.Claims[2].Value != 0.5 {
		t.Error(o.Claims, err)
	}
	r, err := verifier[jwt.Raw](t, k, jwt.Rules{}).Verify(token)
	if err != nil || string(r.Claims) != payload {
		t.Error(r.Claims, err)
	}
	if _, err := verifier[struct{}](t, k, jwt.Rules{}).Verify(token); err != nil {
		t.Error(err)
	}
	if _, err := verifier[map[string]int64](t, k, jwt.Rules{}).Verify(token); err == nil {
		t.Error("a list was taken for a number")
	}
}

// Registered claims may have fields of unusual types.
func TestRegisteredClaimsInFieldsOfAnyType(t *testing.T) {
	type odd struct {
		Iss jwt.Raw `json:"iss"`
		Sub any     `json:"sub"`
		Aud any     `json:"aud"`
		Exp float64 `json:"exp"`
		Nbf jwt.Raw `json:"nbf"`
		Iat *int64  `json:"iat"`
		Jti named   `json:"jti"`
	}
	k := hmacKey(t, jwt.HS256)
	token := sign2(t, k, strings.Replace(accepted, `"iat":1767225600`, `"iat":1767225599`, 1))
	got, err := verifier[odd](t, k, jwt.Rules{Audience: []string{"a"}}).Verify(token)
	n := int64(now - 1)
	want := odd{`"i"`, "s", "a", now + 1, "1767225600", &n, "j"}
	if diff := cmp.Diff(want, got.Claims); err != nil || diff != "" {
		t.Error(err, diff)
	}
	usual, err := verifier[registered](t, k, jwt.Rules{Audience: []string{"a"}}).Verify(token)
	if diff := cmp.Diff(registered{"i", "s", []string{"a"}, now + 1, now, now - 1, "j"}, usual.Claims); err != nil || diff != "" {
		t.Error(err, diff)
	}
	type number struct {
		Sub int64 `json:"sub"`
	}
	five, err := verifier[number](t, k, jwt.Rules{NumericSubject: true}).Verify(sign2(t, k, `{"exp":1767225601,"sub":5}`))
	if err != nil || five.Claims.Sub != 5 || five.Subject != "5" {
		t.Error(five, err)
	}
	if _, err := verifier[number](t, k, jwt.Rules{}).Verify(sign2(t, k, `{"exp":0767225601}`)); !errors.Is(err, jwt.ErrMalformed) {
		t.Errorf("a leading zero: %v", err) // found without looking at the whole text again, as for a Raw
	}
	type lower struct {
		Aud string `json:"aud"`
		Jti string `json:"jti"`
	}
	text, err := verifier[lower](t, k, jwt.Rules{Audience: []string{"a"}}).Verify(token)
	if err != nil || text.Claims != (lower{"a", "j"}) {
		t.Error(text.Claims, err)
	}
}

func TestTypesThatCannotHoldClaims(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	try := func(name string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	_, err := jwt.NewVerifier[string](k, jwt.Rules{})
	try("string", err)
	_, err = jwt.NewVerifier[[]string](k, jwt.Rules{})
	try("slice", err)
	_, err = jwt.NewVerifier[map[int]string](k, jwt.Rules{})
	try("map by int", err)
	_, err = jwt.NewVerifier[struct{ C chan int }](k, jwt.Rules{})
	try("channel", err)
	_, err = jwt.NewVerifier[struct{ B []byte }](k, jwt.Rules{})
	try("bytes", err)
	_, err = jwt.NewVerifier[struct{ E error }](k, jwt.Rules{})
	try("interface", err)
	_, err = jwt.NewVerifier[struct{ F []func() }](k, jwt.Rules{})
	try("functions", err)
	_, err = jwt.NewVerifier[struct {
		registered
		Own string `json:"sub"`
	}](k, jwt.Rules{})
	try("two of a name", err)
	_, err = jwt.Sign(k, "text")
	try("sign a string", err)
	_, err = jwt.Sign(k, map[string]any{"a": make(chan int)})
	try("sign a channel", err)
}

func TestSignRefusesClaims(t *testing.T) {
	k := hmacKey(t, jwt.HS256)
	var loop jwt.Object
	nested := any("x")
	for range 70 {
		nested = []any{nested}
	}
	loop = jwt.Object{{"a", nested}}
	circle := &tree{Leaf: "l"}
	circle.Next = circle
	var round any
	round = &round
	for name, claims := range map[string]jwt.Object{
		"invalid UTF-8":            {{"a", "\xff"}},
		"half a character":         {{"a", "x\x80"}},
		"invalid UTF-8 in a name":  {{"\xff", 1}},
		"NaN":                      {{"a", math.NaN()}},
		"infinity":                 {{"a", math.Inf(1)}},
		"twice":                    {{"a", 1}, {"a", 1}},
		"twice, inside":            {{"a", jwt.Object{{"b", 1}, {"b", 1}}}},
		"raw":                      {{"a", jwt.Raw("{")}},
		"raw twice":                {{"a", jwt.Raw(`{"b":1,"b":1}`)}},
		"raw number out of range":  {{"a", jwt.Raw(`1e999`)}},
		"raw, nothing":             {{"a", jwt.Raw("")}},
		"nested too deeply":        loop,
		"without end":              {{"a", circle}},
		"round and round":          {{"a", round}},
		"too long":                 {{"a", strings.Repeat("x", 8192)}},
		"a pointer to nonsense":    {{"a", &struct{ E error }{}}},
		"list of nonsense":         {{"a", []any{math.NaN()}}},
		"map of nonsense":          {{"a", map[string]any{"x": math.NaN()}}},
		"struct with invalid text": {{"a", role{ID: "\xff"}}},
	} {
		if token, err := jwt.Sign(k, claims); err == nil {
			t.Errorf("%s: wrote %s", name, token)
		} else if want := map[string]string{"NaN": "neither NaN", "invalid UTF-8": "not valid UTF-8", "too long": "8192"}[name]; !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []jwt.Raw{"", "[]", "1", `{"a":1,"a":1}`, `{} x`, "{\"a\":\"\xff\"}"} {
		if token, err := jwt.Sign(k, text); err == nil {
			t.Errorf("%q: wrote %s", text, token)
		}
	}
	if _, err := jwt.Sign(k, map[string]any(nil)); err == nil {
		t.Error("wrote a nil map as claims")
	}
	if _, err := jwt.Sign[jwt.Raw](nil, "{}"); err == nil {
		t.Error("signed without a key")
	}
	if _, err := jwt.Sign(k, jwt.Object{{"p", (*role)(nil)}, {"s", []string(nil)}, {"m", map[string]any(nil)}, {"n", nil}, {"u", uint8(1)}}); err != nil {
		t.Error(err)
	}
}

// Verify reads what Sign has written, for all values.
func TestSignVerifyRoundTrip(t *testing.T) {
	type claims struct {
		Exp   int64            `json:"exp"`
		Text  string           `json:"text"`
		Float float64          `json:"float"`
		List  []string         `json:"list"`
		Map   map[string]int64 `json:"map"`
	}
	k := hmacKey(t, jwt.HS256)
	v := verifier[claims](t, k, jwt.Rules{})
	rapid.Check(t, func(t *rapid.T) {
		want := claims{
			now + 1, rapid.String().Draw(t, "text"), rapid.Float64().Draw(t, "float"),
			rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "list"), rapid.MapOfN(rapid.String(), rapid.Int64(), 1, 4).Draw(t, "map"),
		}
		if math.IsInf(want.Float, 0) || math.IsNaN(want.Float) {
			return
		}
		token, err := jwt.Sign(k, want)
		if err != nil {
			if !strings.Contains(err.Error(), "8192") {
				t.Fatal(err)
			}
			return
		}
		got, err := v.Verify(token)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Claims); diff != "" {
			t.Fatal(diff)
		}
		if !json.Valid([]byte(got.Payload())) {
			t.Fatalf("not JSON: %s", got.Payload())
		}
	})
}

func TestAllocations(t *testing.T) {
	type simple struct {
		TokenType string `json:"token_type"`
		Exp       int64  `json:"exp"`
		Iat       int64  `json:"iat"`
		JTI       string `json:"jti"`
		UserID    string `json:"user_id"`
	}
	k := hmacKey(t, jwt.HS256)
	c := simple{"access", now + 300, now, "0123456789abcdef0123456789abcdef", "1"}
	token, err := jwt.Sign(k, c)
	if err != nil {
		t.Fatal(err)
	}
	v := verifier[simple](t, k, jwt.Rules{})
	allocations(t, 1, func() { v.Verify(token) })
	allocations(t, 1, func() { jwt.Sign(k, c) })
	for _, aud := range []string{`"a"`, `["b","a"]`} { // a list is made for who asks only
		token, _ := jwt.Sign(k, jwt.Raw(strings.Replace(accepted, `"a"`, aud, 1)))
		v := verifier[simple](t, k, jwt.Rules{Audience: []string{"a"}, Now: clock})
		if _, err := v.Verify(token); err != nil {
			t.Error(aud, err)
		}
		allocations(t, 1, func() { v.Verify(token) })
	}
}
