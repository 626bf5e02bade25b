package jwt

// Tests of unexported parts: the limit of the cache, DER, the scanner.

import (
	"bytes"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCacheIsBounded(t *testing.T) {
	k, err := EdDSA.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 2, 10, 101} {
		c := newCache(size)
		for n := range 1000 {
			c.add(fmt.Sprint(n), k)
			if len(c.young)+len(c.old) > size+size%2 {
				t.Fatalf("size %d: %d entries", size, len(c.young)+len(c.old))
			}
			if !c.holds(fmt.Sprint(n), k) {
				t.Fatalf("size %d: %d is not held right after it was added", size, n)
			}
			// The old generation is full, and the young one has one entry.
			if half := (size + 1) / 2; n >= half && !c.holds(fmt.Sprint(n-half), k) {
				t.Fatalf("size %d: %d is not held when %d was added", size, n-half, n)
			}
		}
		if c.holds("0", k) {
			t.Errorf("size %d: the first is still held", size)
		}
		if other, _ := EdDSA.GenerateKey(); c.holds("999", other) {
			t.Error("held for another key")
		}
	}
	secret, err := HS256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	c := newCache(10)
	c.add("x", secret)
	if len(c.young) != 0 || c.holds("x", secret) {
		t.Error("an HMAC token entered the cache")
	}
	if newCache(0).holds("x", k) {
		t.Error("no cache holds something")
	}
}

func TestSignatureAsASN1(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		half := rapid.SampledFrom([]int{32, 48, 66}).Draw(t, "half")
		sig := rapid.SliceOfN(rapid.Byte(), 2*half, 2*half).Draw(t, "sig")
		if n := rapid.IntRange(0, half).Draw(t, "zeros"); n > 0 {
			clear(sig[:n])
		}
		back := make([]byte, 2*half)
		if !fromASN1(back, toASN1(nil, sig)) || !bytes.Equal(back, sig) {
			t.Fatalf("%x came back as %x", sig, back)
		}
	})
	for _, half := range []int{32, 66} {
		for zeros := range half {
			sig := bytes.Repeat([]byte{0x7f}, 2*half)
			clear(sig[half : half+zeros])
			want, err := asn1.Marshal([]*big.Int{new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:])})
			got, back := toASN1(nil, sig), make([]byte, 2*half)
			if err != nil || !bytes.Equal(got, want) || !fromASN1(back, got) || !bytes.Equal(back, sig) {
				t.Errorf("%x is written as %x, want %x, %v, and read as %x", sig, got, want, err, back)
			}
		}
	}
	sig := bytes.Repeat([]byte{0x80}, 132)
	der := toASN1(nil, sig)
	if len(der) != 141 {
		t.Errorf("%d bytes", len(der))
	}
	for n := range der {
		if fromASN1(make([]byte, 132), der[:n]) {
			t.Errorf("cut to %d bytes: accepted", n)
		}
	}
	if fromASN1(make([]byte, 64), der) || fromASN1(make([]byte, 132), append(der, 0)) {
		t.Error("numbers too wide or bytes after them: accepted")
	}
	for _, empty := range []string{"\x30\x05\x02\x00\x02\x01\x01", "\x30\x05\x02\x01\x01\x02\x00"} {
		if fromASN1(make([]byte, 64), []byte(empty)) {
			t.Errorf("a number without a byte: %x accepted", empty)
		}
	}
}

func TestROCA(t *testing.T) {
	weak := big.NewInt(1)
	for _, p := range rocaPrimes {
		weak.Mul(weak, new(big.Int).SetUint64(p))
	}
	n := new(big.Int).Exp(big.NewInt(65537), big.NewInt(12345), weak)
	if !roca(n) {
		t.Error("a power of 65537 is not recognised")
	}
	if roca(n.Add(n, big.NewInt(2))) {
		t.Error("its neighbour is")
	}
}

func document(s string) bool {
	var p scanner
	return p.reset(s, 0) && p.document(nil)
}

func TestScanner(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}" }
	wide := func(s string) string { return `{"a":[` + strings.Repeat(s+",", 100) + s + "]}" }
	deepObjects := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for s, want := range map[string]bool{
		`{}`: true, ` { } `: true, "\t\r\n{}\n": true, ``: false, `[]`: false, `{} {}`: false, `{},`: false, "{}\x00": false, "{}\f": false, "{}\u00a0": false,
		`{"a":1}`: true, `{"a":1,}`: false, `{,"a":1}`: false, `{"a"1}`: false, `{"a":}`: false, `{"a"}`: false, `{a:1}`: false, `{'a':1}`: false, `{"a":1`: false, `{"a":1]`: false, `{"a"`: false, `{"a":`: false, `{"a`: false, `{"`: false, `{`: false,
		`{"a":1,"b":1}`: true, `{"a":1 "b":1}`: false, `{"a":1;"b":1}`: false, `{"a":1,"a":1}`: false, `{"a":1,"b":1,"a":1}`: false, `{"a":1,"\u0061":1}`: false, `{"a":1,"A":1}`: true, `{"":1,"":1}`: false, `{"":1}`: true,
		`{"a":{"a":1},"b":{"a":1}}`: true, `{"a":{"b":1,"b":1}}`: false, `{"a":[{"b":1},{"b":1}]}`: true,
		`{"a":[]}`: true, `{"a":[ ]}`: true, `{"a":[1,]}`: false, `{"a":[,1]}`: false, `{"a":[1 2]}`: false, `{"a":[1}`: false, `{"a":[`: false, `{"a":[1, 2 ,3]}`: true,
		`{"a":true,"b":false,"c":null}`: true, `{"a":True}`: false, `{"a":tru}`: false, `{"a":nul`: false, `{"a":falsey}`: false, `{"a":NaN}`: false, `{"a":Infinity}`: false,
		`{"a":0}`: true, `{"a":-0}`: true, `{"a":00}`: false, `{"a":01}`: false, `{"a":-}`: false, `{"a":+1}`: false, `{"a":.5}`: false, `{"a":1.}`: false, `{"a":1.5}`: true, `{"a":1e5}`: true, `{"a":1E+5}`: true, `{"a":1e-5}`: true, `{"a":1e}`: false, `{"a":1e`: false, `{"a":1e+}`: false, `{"a":1.5e3}`: true, `{"a":0x1}`: false, `{"a":1_0}`: false, `{"a":-1}`: true, `{"a":1e308}`: true, `{"a":1e309}`: false, `{"a":[-1e309]}`: false, `{"a":1e-999}`: true, `{"a":1` + strings.Repeat("0", 308) + `}`: true, `{"a":1` + strings.Repeat("0", 309) + `}`: false, `{"a":-`: false,
		`{"a":"\"\\\/\b\f\n\r\t\u00e9"}`: true, `{"a":"\x41"}`: false, `{"a":"\u12"}`: false, `{"a":"\u12g4"}`: false, `{"a":"\`: false, `{"a":"\u`: false, `{"a":"\u0000"}`: true, `{"a":"\uABCD\uabcd"}`: true,
		`{"a":"\ud83d\ude00"}`: true, `{"a":"\ud83d"}`: false, `{"a":"\ude00"}`: false, `{"a":"\ud83d\u0041"}`: false, `{"a":"\ud83dx"}`: false, `{"a":"\ud83dXude00"}`: false, `{"a":"\ud83d\nde00"}`: false, `{"a":"\ud83d\ud83d"}`: false,
		"{\"a\":\"\t\"}": false, "{\"a\":\"\x1f\"}": false, "{\"a\":\"\x00\"}": false, "{\"a\":\"\x7f\"}": true, "{\"a\":\"é\"}": true, "{\"a\":\"\xe9\"}": false, "{\"a\":\"\xc0\xaf\"}": false, "{\"a\":\"\xed\xa0\x80\"}": false,
		"{\"12345678\t\":1}": false, "{\"a\":\"1234567\x1f12345678\"}": false, `{"a":"1234567\"12345678"}`: true, `{"a":"\n"}`: true, "\ufeff{}": false,
		wide("{}"): true, wide(`{"b":1}`): true, wide("[]"): true, wide("[1]"): true,
		deep(64): true, deep(65): false, deepObjects(64): true, deepObjects(65): false,
	} {
		if got := document(s); got != want {
			t.Errorf("%.60q: %v", s, got)
		}
	}
}

// Only UTF-8 is accepted, wherever the first byte is that is not ASCII.
func TestOnlyUTF8IsAccepted(t *testing.T) {
	var p scanner
	for n := range 100 {
		text := strings.Repeat("a", n)
		if !isASCII(text) || !p.reset(text, 0) {
			t.Errorf("%d letters are refused", n)
		}
		for i := range n {
			if s := text[:i] + "\x80" + text[i+1:]; isASCII(s) || p.reset(s, 0) {
				t.Errorf("a byte of nothing is read at %d of %d", i, n)
			}
			if s := text[:i] + "é" + text[i:]; isASCII(s) || !p.reset(s, 0) {
				t.Errorf("é is ASCII, or refused, at %d of %d", i, n)
			}
		}
	}
}

// special finds the first special byte, for every byte at every position between
// neighbours on both sides of each limit.
func TestSpecial(t *testing.T) {
	isSpecial := func(c byte) bool { return c == '"' || c == '\\' || c < 0x20 }
	for _, fill := range []byte{0x20, 0x21, 0x23, '[', ']', 'a', 0x7f, 0x80, 0x9f, '"' | 0x80, '\\' | 0x80, 0xff} {
		for at := range 8 {
			for c := range 256 {
				word := bytes.Repeat([]byte{fill}, 8)
				word[at] = byte(c)
				hit := special(load(string(word)))
				if want := isSpecial(byte(c)); (hit != 0) != want || want && bits.TrailingZeros64(hit)/8 != at {
					t.Fatalf("%x: %x", word, hit)
				}
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "word")
		want := slices.IndexFunc(word, isSpecial)
		hit := special(load(string(word)))
		if (hit != 0) != (want >= 0) || want >= 0 && bits.TrailingZeros64(hit)/8 != want {
			t.Fatalf("%x: %x, want %d", word, hit, want)
		}
	})
}

// Everything that the scanner accepts, encoding/json accepts too and reads the same.
func TestScannerIsStricter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.RuneFrom([]rune(`{}[]":,\u0123456789abcdeEtrfalsn.+- `+"\n\x00é")), 0, 24, -1).Draw(t, "s")
		s = `{"a":` + s + `}`
		if document(s) {
			compare(t, s)
		}
	})
}

func compare(t interface{ Fatalf(string, ...any) }, s string) {
	if !utf8.ValidString(s) || !json.Valid([]byte(s)) {
		t.Fatalf("accepted %q", s)
	}
	var theirs map[string]any
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if err := d.Decode(&theirs); err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	w := writer{}
	if !w.recode(s, 0) {
		return // a number out of range
	}
	var again map[string]any
	d = json.NewDecoder(bytes.NewReader(w.out))
	d.UseNumber()
	if err := d.Decode(&again); err != nil || len(again) != len(theirs) {
		t.Fatalf("%q was rewritten as %q", s, w.out)
	}
	if !document(string(w.out)) {
		t.Fatalf("%q was rewritten as %q, which is not strict", s, w.out)
	}
}

// Every ASCII character, at every position, is written as by Python's json.dumps.
func TestTextAsPythonWritesIt(t *testing.T) {
	named := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	for c := rune(0); c < 0x80; c++ {
		want, ok := named[c]
		switch {
		case ok:
		case c >= ' ' && c <= '~':
			want = string(c)
		default:
			want = fmt.Sprintf(`\u%04x`, c)
		}
		for place := range 16 {
			frame := "abcdefghijklmno"[:place] + "%s" + "abcdefghijklmno"[place:]
			got, ok := appendText(nil, fmt.Sprintf(frame, string(c)))
			if !ok || string(got) != `"`+fmt.Sprintf(frame, want)+`"` {
				t.Errorf("%q in %s is written %s", c, frame, got)
			}
			var p scanner
			p.reset(string(got), 0)
			if back, end := p.text(0); end != len(got) || back != fmt.Sprintf(frame, string(c)) {
				t.Errorf("%s is read as %q", got, back)
			}
		}
	}
	for text, want := range map[string]string{"é": `"\u00e9"`, "\u2028": `"\u2028"`, "\uffff": `"\uffff"`, "\U00010000": `"\ud800\udc00"`, "\U0010ffff": `"\udbff\udfff"`, "\ufffd": `"\ufffd"`} {
		if got, ok := appendText(nil, text); !ok || string(got) != want {
			t.Errorf("%q is written %s", text, got)
		}
	}
}

// Numbers in a Raw are written as Python writes them after reading them.
func TestRecodedNumbers(t *testing.T) {
	for number, want := range map[string]string{
		"0": "0", "-0": "0", "0.50": "0.5", "-0.0": "-0.0", "9.50": "9.5", "-9.50": "-9.5", "5E0": "5.0", "1e3": "1000.0",
		"123456789012345678901234567890": "123456789012345678901234567890", "true": "true", "null": "null",
	} {
		var w writer
		if !w.recode(`{"a":`+number+`}`, 0) || string(w.out) != `{"a":`+want+`}` {
			t.Errorf("%s is written %s, want %s", number, w.out, want)
		}
	}
}

// Floats are written as by Python's repr.
func TestFloatsAsPythonWritesThem(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 1: "1.0", -1: "-1.0", 1.5: "1.5", 0.1: "0.1", 1e15: "1000000000000000.0", 9999999999999998: "9999999999999998.0", 1e16: "1e+16", 1.5e16: "1.5e+16",
		1e22: "1e+22", 1e100: "1e+100", 0.0001: "0.0001", 0.00001: "1e-05", 0.000015: "1.5e-05", 5e-324: "5e-324", 123456.789: "123456.789", -1e-7: "-1e-07",
	} {
		if got, ok := appendFloat(nil, f); !ok || string(got) != want {
			t.Errorf("%g is written %s, want %s", f, got, want)
		}
	}
	if got, _ := appendFloat(nil, math.Copysign(0, -1)); string(got) != "-0.0" {
		t.Errorf("minus zero is written %s", got)
	}
}

func TestBase64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		text := string(append64(nil, b))
		if text != b64.EncodeToString(b) {
			t.Fatalf("%x encodes as %s", b, text)
		}
		out := make([]byte, len(b)+rapid.IntRange(0, 9).Draw(t, "room"))
		if n, ok := decode64(out, text); !ok || !bytes.Equal(out[:n], b) {
			t.Fatalf("%s decodes as %x", text, out[:n])
		}
		other := rapid.StringOf(rapid.RuneFrom([]rune("ABab01-_=+/ \n."))).Draw(t, "other")
		out = make([]byte, len(other))
		n, ok := decode64(out, other)
		if ok != (b64.EncodeToString(out[:n]) == other && !strings.ContainsAny(other, "=+/ \n.")) {
			t.Fatalf("%q: %v", other, ok)
		}
	})
	if _, ok := decode64(make([]byte, 2), "AAAA"); ok {
		t.Error("decoded into too little room")
	}
	// Every length, in a buffer of the exact size, with one wrong character at every position.
	for size := range 50 {
		b := slices.Clip(bytes.Repeat([]byte{0xa5}, size))
		text := string(append64(nil, b))
		if text != b64.EncodeToString(b) {
			t.Errorf("%d bytes encode as %s", size, text)
		}
		for i := range text {
			if _, ok := decode64(slices.Clip(make([]byte, size)), text[:i]+"+"+text[i+1:]); ok {
				t.Errorf("%s: a plus at %d is taken", text, i)
			}
		}
	}
}

func TestMediaType(t *testing.T) {
	for typ, want := range map[string]string{
		"JWT": "jwt", "application/at+jwt": "at+jwt", "Application/AT+JWT": "at+jwt", "text/plain": "text/plain",
		"application/a/b": "application/a/b", "application/": "",
	} {
		if got := mediaType(typ); got != want {
			t.Errorf("mediaType(%q) = %q, want %q", typ, got, want)
		}
	}
}

// Fields are named as in encoding/json.
func TestFieldsOf(t *testing.T) {
	type Inner struct{ A string }
	type outer struct {
		Skipped string `json:"-"`
		hidden  string
		Inner
		Named  Inner
		Inner2 `json:"inner"`
		Last   int `json:",omitempty"`
	}
	want := []string{"A", "Named", "inner", "Last"}
	var got []string
	for _, f := range fieldsOf(reflect.TypeFor[outer]()) {
		got = append(got, f.name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	text, err := json.Marshal(outer{Last: 1, hidden: "x"})
	if err != nil || string(text) != `{"A":"","Named":{"A":""},"inner":{"B":""},"Last":1}` {
		t.Errorf("%s, %v", text, err)
	}
}

// Inner2 is embedded under a name.
type Inner2 struct{ B string }
