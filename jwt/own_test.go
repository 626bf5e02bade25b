package jwt_test

// This project's rows for the classes of attack_open.json, derived from the RFCs
// and from the documentation of Verifier.

import (
	"crypto"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const ownFile = "testdata/vectors/own.json"

var writeOwn = flag.Bool("update", false, "write "+ownFile+" anew")

// TestOwnRows runs the generated rows and compares them with the file, which is
// used for testing the command line.
func TestOwnRows(t *testing.T) {
	c := newCorpus(t)
	for _, class := range []func(*corpus){
		ownAlgorithms, ownBase64, ownSpareBits, ownHeaders, ownJSON, ownNames, ownNumbers, ownTimes,
		ownAudience, ownShapes, ownText, ownRSA, ownRSAKeys, ownECDSA, ownEd25519, ownSecrets,
	} {
		class(c)
	}
	slices.SortFunc(c.rows, func(a, b map[string]any) int { return strings.Compare(a["id"].(string), b["id"].(string)) })
	data := c.file()
	var made, kept vectorFile
	if err := json.Unmarshal(data, &made); err != nil {
		t.Fatal(err)
	}
	for i := range made.Rows {
		if v := &made.Rows[i]; v.wrong() != "" {
			t.Errorf("%s (expect %s): %s: %s\n%.200s", v.ID, v.Expect, v.wrong(), v.Why, v.Token)
		}
	}
	if *writeOwn {
		if err := os.WriteFile(ownFile, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(ownFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(old, &kept); err != nil {
		t.Fatal(err)
	}
	same := func(a, b vector) bool { return a.ID == b.ID && a.Expect == b.Expect && a.Why == b.Why }
	if !slices.EqualFunc(made.Rows, kept.Rows, same) {
		t.Errorf("%s is not what own_test.go makes: go test ./jwt -run TestOwnRows -update", ownFile)
	}
	t.Logf("%d rows", len(made.Rows))
}

// file returns all rows as JSON, one per line.
func (c *corpus) file() []byte {
	out := fmt.Appendf(nil, `{"about":"made by own_test.go; the form of attack_open.json","now":%d,"count":%d,"rows":[`, ownNow, len(c.rows))
	for i, row := range c.rows {
		line, err := json.Marshal(row)
		if err != nil {
			c.t.Fatal(err)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, '\n'), line...)
	}
	return append(out, "\n]}\n"...)
}

func ownAlgorithms(c *corpus) {
	for _, alg := range []string{`"none"`, `"NonE"`, `"none "`, `"\tnone"`, `"none\u0000"`, `"\u006eone"`, `"undefined"`, `""`, `null`, `true`, `["HS256"]`, `["HS256","none"]`, `0`} {
		header := `{"alg":` + alg + `,"typ":"JWT"}`
		body := seg(header) + "." + seg(claims())
		c.row("alg-none", "invalid", "alg "+alg+", empty signature", body+".")
		c.row("alg-none", "invalid", "alg "+alg+", HMAC right", mac(body))
		c.row("alg-none", "invalid", "alg "+alg+", two segments, public key", body, c.rsaKeys())
		c.row("alg-none", "invalid", "alg "+alg+", HMAC of the empty key", body+"."+enc(macBytes(crypto.SHA256, nil, body)))
	}
	for _, alg := range []string{"hs256", "HS256 ", "HS256\\u0000", "HS 256", "HS_256", "SHA256", "HS0256", "HS2560", "ＨＳ256", "H\\u017f256", "HS256,HS512", "RS256", "dir", "A256KW", "HS256/64"} {
		c.row("alg-spelling", "invalid", "alg "+alg+" is not HS256", hs(`{"alg":"`+alg+`"}`, claims()))
	}
	c.row("alg-spelling", "valid", "an escaped letter is that letter (RFC 8259 section 7)", hs(`{"alg":"\u0048S256"}`, claims()))
	body := input("HS512")
	c.row("alg-spelling", "invalid", "the key is bound to HS256, HS512 allowed, too", body+"."+enc(macBytes(crypto.SHA512, ownSecret, body)), map[string]any{"algs": []string{"HS256", "HS512"}})
	for _, what := range []string{"n", "e", "pem", "kid"} {
		secret := map[string][]byte{"n": c.rsa.N.Bytes(), "e": {1, 0, 1}, "pem": readKey(c.t, "rsa2048.pub.pem"), "kid": []byte("r1")}[what]
		body := seg(hs256) + "." + seg(claims())
		for _, algs := range [][]string{{"RS256"}, {"RS256", "HS256"}} {
			c.row("key-confusion", "invalid", "HS256 with "+what+" of the public key as secret", body+"."+enc(macBytes(crypto.SHA256, secret, body)), c.rsaKeys(), map[string]any{"algs": algs})
		}
	}
}

func readKey(t *testing.T, name string) []byte {
	data, err := os.ReadFile("testdata/pyjwt/keys/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func ownBase64(c *corpus) {
	header, payload := seg(hs256), seg(claims())
	pad := func(s string) string { return s + strings.Repeat("=", (4-len(s)%4)%4) }
	long := claims("pad", `"`+strings.Repeat("?>", 20)+`"`)
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(seg(long))
	for _, r := range [][3]string{
		{"header of another length, as it is: the control", "valid", mac(seg(`{"alg":"HS256"}`) + "." + payload)},
		{"padded header, signed as sent", "invalid", mac(pad(seg(`{"alg":"HS256","typ":"JWT" }`)) + "." + payload)},
		{"padded payload, signed as sent", "invalid", mac(header + "." + seg(claims("a", `"12"`)) + "==")},
		{"percent-encoded padding", "invalid", mac(header+"."+payload) + "%3D"},
		{"standard alphabet in the payload, signed as sent", "invalid", mac(header + "." + standard)},
		{"the same payload in the right alphabet", "valid", mac(header + "." + seg(long))},
		{"a blank inside the payload, signed as sent", "invalid", mac(header + "." + payload[:8] + " " + payload[8:])},
		{"a tab inside the header, signed as sent", "invalid", mac(header[:4] + "\t" + header[4:] + "." + payload)},
		{"length 1 mod 4", "invalid", mac(header + "." + seg(claims("pad", `"x"`))[:len(seg(claims("pad", `"x"`)))/4*4] + "A")},
		{"a letter outside ASCII", "invalid", mac(header + "." + payload[:8] + "é" + payload[8:])},
		{"full-width letters", "invalid", mac(strings.Replace(header, "e", "ｅ", 1) + "." + payload)},
		{"= in the middle", "invalid", mac(header + "." + payload[:8] + "=" + payload[8:])},
		{"a NUL inside", "invalid", mac(header + "." + payload[:8] + "\x00" + payload[8:])},
	} {
		c.row("base64", r[1], r[0], r[2])
	}
}

// ownSpareBits: the last character of a signature, and of signed segments, with
// each wrong value of the unused bits (RFC 4648 section 3.5).
func ownSpareBits(c *corpus) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	spell := func(text string, bits int) []string {
		var list []string
		last := strings.IndexByte(alphabet, text[len(text)-1])
		for i := 1; i < 1<<bits; i++ {
			list = append(list, text[:len(text)-1]+alphabet[last^i:last^i+1])
		}
		return list
	}
	good := hs(hs256, claims())
	for _, token := range spell(good, 2) {
		c.row("base64-spare", "invalid", "HS256 signature", token)
	}
	r, s := c.es(input("ES256"))
	for alg, signed := range map[string]string{
		"ES256": input("ES256") + "." + enc(halves(r, s, 32)), "RS256": input("RS256") + "." + enc(c.rs(crypto.SHA256, input("RS256"))),
	} {
		keys := map[string]map[string]any{"ES256": c.ecKeys(), "RS256": c.rsaKeys()}[alg]
		c.row("base64-spare-"+alg, "valid", alg+" as it is", signed, keys)
		for _, token := range spell(signed, 4) {
			c.row("base64-spare-"+alg, "invalid", alg+" signature", token, keys)
		}
	}
	for _, text := range []string{hs256 + " ", hs256 + "  "} { // one and two bytes past a whole group
		segment := seg(text)
		for _, spelled := range spell(segment, map[int]int{2: 4, 3: 2}[len(segment)%4]) {
			c.row("base64-spare-header", "invalid", "header, signed as sent", mac(spelled+"."+seg(claims())))
		}
		c.row("base64-spare-header", "valid", "header with blanks, as it is", mac(segment+"."+seg(claims())))
	}
}

func ownHeaders(c *corpus) {
	for _, crit := range []string{`["b64"]`, `["exp"]`, `["typ"]`, `["crit"]`, `["x","x"]`, `[""]`, `{}`, `true`, `1`, `""`, `["alg","typ"]`, `[["exp"]]`, `[null,"exp"]`, `["urn:example:absent"]`} {
		c.row("crit", "invalid", "crit "+crit, hs(`{"alg":"HS256","typ":"JWT","crit":`+crit+`,"b64":true,"x":1}`, claims()))
	}
	c.row("b64-false", "invalid", "b64 false, not critical, payload encoded and rightly signed (RFC 7797 section 7)", hs(`{"alg":"HS256","b64":false}`, claims()))
	c.row("b64-false", "invalid", "b64 is not a boolean", hs(`{"alg":"HS256","b64":"false"}`, claims()))
	for _, kid := range []string{`1`, `true`, `null`, `[]`, `["h1"]`, `{"kid":"h1"}`, `1e3`} {
		c.row("kid-type", "invalid", "kid "+kid, hs(`{"alg":"HS256","kid":`+kid+`}`, claims()))
	}
	for _, kid := range []string{"h2", "", "h1 ", "h1\\u0000", "H1", "h1/../h1", "../h1", "h1' OR '1'='1", "h1%00", "{{h1}}"} {
		c.row("kid-injection", "invalid", "kid "+kid+" names no key", hs(`{"alg":"HS256","kid":"`+kid+`"}`, claims()))
	}
	c.row("kid-type", "valid", "the right kid, escaped", hs(`{"alg":"HS256","kid":"\u00681"}`, claims()))
	for _, member := range []string{`"zip":"DEF"`, `"enc":"A128GCM"`, `"p2c":1`} {
		header := `{"alg":"HS256",` + member + `}`
		c.row("jwe", "invalid", "five segments with "+member, hs(header, claims())+".AAAA.AAAA")
	}
	for _, r := range [][3]string{
		{`"jku":"https://evil.example/k"`, "valid", "never read: the key of the set signed it"},
		{`"x5u":"https://evil.example/c"`, "valid", "never read"},
		{`"jku":1`, "invalid", "a jku is a string"},
		{`"cty":"JWT"`, "valid", "says what the payload is; ours are claims"},
	} {
		c.row("header-key", r[1], r[0]+": "+r[2], hs(`{"alg":"HS256",`+r[0]+`}`, claims()))
	}
	for _, r := range [][2]string{
		{"at+jwt", "valid"},
		{"AT+JWT", "valid"},
		{"application/at+jwt", "valid"},
		{"JWT", "invalid"},
		{"", "invalid"},
		{"at+jwt ", "invalid"},
		{"at+jwt; v=1", "invalid"},
		{"at+jw", "invalid"},
		{"text/at+jwt", "invalid"},
		{"application/application/at+jwt", "invalid"},
		{"at\\u002bjwt", "valid"},
		{"application/", "invalid"},
		{"ａt+jwt", "invalid"},
	} {
		c.row("typ", r[1], "typ "+r[0]+" where at+jwt is wanted (RFC 7515 section 4.1.9)", hs(`{"alg":"HS256","typ":"`+r[0]+`"}`, claims()), map[string]any{"typ": "at+jwt"})
	}
	c.row("typ", "invalid", "no typ where at+jwt is wanted", hs(`{"alg":"HS256"}`, claims()), map[string]any{"typ": "at+jwt"})
	for _, kind := range []string{`"access"`, `"refresh"`, `"Access"`, `"access "`, `["access"]`, `{"access":1}`, `true`, `1`} {
		expect := map[bool]string{true: "valid", false: "invalid"}[kind == `"access"`]
		c.row("token-type", expect, "token_type "+kind, hs(hs256, claims("token_type", kind)), map[string]any{"token_type": "access"})
	}
}

func ownShapes(c *corpus) {
	for _, text := range []string{"", "{}", "[]", "null", "true", "1", `"x"`, `""`, " ", "\x00", `"` + hs(hs256, claims()) + `"`, "[" + claims() + "]", hs(hs256, claims())} {
		c.row("payload-shape", "invalid", fmt.Sprintf("payload %.20q", text), hs(hs256, text))
		c.row("header-shape", "invalid", fmt.Sprintf("header %.20q", text), hs(text, claims()))
	}
	big := strings.Repeat("x", 9000)
	c.row("oversize", "invalid", "a token over 8 KiB", hs(hs256, claims("pad", `"`+big+`"`)))
	c.row("oversize", "valid", "a token of 7 KiB", hs(hs256, claims("pad", `"`+big[:5000]+`"`)))
	c.row("oversize", "invalid", "a header over 8 KiB", hs(`{"alg":"HS256","pad":"`+big+`"}`, claims()))
}

func ownText(c *corpus) {
	good := hs(hs256, claims())
	parts := strings.Split(good, ".")
	flat := fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, parts[1], parts[0], parts[2])
	for why, token := range map[string]string{
		"as it is": good, "a blank before": " " + good, "a blank after": good + " ", "a line end after": good + "\n", "CR after": good + "\r", "a tab before": "\t" + good, "quotes": `"` + good + `"`,
		"Bearer": "Bearer " + good, "JSON, flattened": flat, "JSON, general": `{"payload":"` + parts[1] + `","signatures":[` + flat + `]}`, "lower case": strings.ToLower(good), "a dot after": good + ".", "a dot before": "." + good,
		"no payload": parts[0] + ".." + parts[2], "no header": "." + parts[1] + "." + parts[2], "only dots": "..", "four segments": good + "." + parts[2], "five segments": good + ".a.b", "two segments": parts[0] + "." + parts[1],
		"one segment": parts[0], "nothing": "", "swapped": parts[1] + "." + parts[0] + "." + parts[2], "a comma": strings.Replace(good, ".", ",", 1), "encoded dots": strings.ReplaceAll(good, ".", "%2E"), "CRLF in the signature": good[:len(good)-5] + "\r\n" + good[len(good)-5:],
		"zero-width joiner": good + "\u200d", "the same twice": good + "," + good, "a detached payload": parts[0] + ".." + parts[2],
	} {
		expect := map[bool]string{true: "valid", false: "invalid"}[why == "as it is"]
		c.row("token-text-"+strings.ReplaceAll(why, " ", "-"), expect, why, token)
	}
}
