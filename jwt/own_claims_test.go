package jwt_test

// This project's test rows about JSON and claims.

import (
	"fmt"
	"strings"
)

func ownJSON(c *corpus) {
	good := claims()
	inner := strings.Trim(good, "{}")
	for _, r := range [][3]string{
		{"blanks, tabs and line ends around tokens are JSON", "valid", " \t\r\n{ " + strings.ReplaceAll(inner, ",", " ,\n\t") + " }\r\n"},
		{"comma at the end", "invalid", "{" + inner + ",}"},
		{"comma first", "invalid", "{," + inner + "}"},
		{"two commas", "invalid", strings.Replace(good, ",", ",,", 1)},
		{"single quotes", "invalid", strings.ReplaceAll(good, `"`, `'`)},
		{"bare names", "invalid", strings.Replace(good, `"sub"`, `sub`, 1)},
		{"block comment", "invalid", "{/**/" + inner + "}"},
		{"hash comment", "invalid", "{#\n" + inner + "}"},
		{"two objects", "invalid", good + good},
		{"a bracket after", "invalid", good + "]"},
		{"NUL after", "invalid", good + "\x00"},
		{"vertical tab after", "invalid", good + "\v"},
		{"no-break space before", "invalid", "\u00a0" + good},
		{"BOM before", "invalid", "\ufeff" + good},
		{"BOM after", "invalid", good + "\ufeff"},
		{"line separator after", "invalid", good + "\u2028"},
		{"a colon missing", "invalid", strings.Replace(good, `":`, `" `, 1)},
		{"unclosed", "invalid", strings.TrimSuffix(good, "}")},
		{"an array in objects' braces", "invalid", `{"iss"}`},
		{"UTF-16", "invalid", utf16(good, 1, 0)},
		{"UTF-16 the other way", "invalid", utf16(good, 0, 1)},
		{"UTF-32", "invalid", strings.Join(strings.Split(good, ""), "\x00\x00\x00") + "\x00\x00\x00"},
	} {
		c.row("json-syntax", r[1], "payload: "+r[0], hs(hs256, r[2]))
	}
	for _, r := range [][2]string{
		{`True`, "invalid"},
		{`NaN`, "invalid"},
		{`Infinity`, "invalid"},
		{`-Infinity`, "invalid"},
		{`undefined`, "invalid"},
		{`nul`, "invalid"},
		{`"\x41"`, "invalid"},
		{`"\u12"`, "invalid"},
		{`"\U00000041"`, "invalid"},
		{`"\'"`, "invalid"},
		{"\"\x1f\"", "invalid"},
		{"\"\x7f\"", "valid"},
		{`"\ud800"`, "invalid"},
		{`"\udc00\ud800"`, "invalid"},
		{`"\ud83d\u0041"`, "invalid"},
		{`"\ud83d\ude00"`, "valid"},
		{`"\uD83D\uDE00"`, "valid"},
		{`"\/"`, "valid"},
		{`"\u0000"`, "valid"},
		{"\"\xed\xa0\x80\"", "invalid"},
		{"\"\xc0\xaf\"", "invalid"},
		{"\"\xf4\x90\x80\x80\"", "invalid"},
		{"\"\xe2\x82\"", "invalid"},
		{"\"\U0001F600\"", "valid"},
		{`[1,2,]`, "invalid"},
		{`[1 2]`, "invalid"},
		{`{"a":1,"a":1}`, "invalid"},
		{`[{"a":1,"\u0061":2}]`, "invalid"},
		{`{"a":{"a":1}}`, "valid"},
		{`-`, "invalid"},
		{`1.`, "invalid"},
		{`.5`, "invalid"},
		{`01`, "invalid"},
		{`+1`, "invalid"},
		{`1e`, "invalid"},
		{`0x10`, "invalid"},
		{`-0`, "valid"},
		{`1E+2`, "valid"},
		{strings.Repeat("[", 60) + strings.Repeat("]", 60), "valid"},
		{strings.Repeat("[", 70) + strings.Repeat("]", 70), "invalid"},
		{strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70), "invalid"},
		{strings.Repeat("[", 5000), "invalid"},
	} {
		c.row("json-value", r[1], fmt.Sprintf("a claim %.40q", r[0]), hs(hs256, claims("own", r[0])))
		if r[1] == "invalid" {
			c.row("json-value", r[1], fmt.Sprintf("a header member %.40q", r[0]), hs(`{"alg":"HS256","own":`+r[0]+`}`, claims()))
		}
	}
}

func utf16(text string, low, high int) string {
	out := make([]byte, 0, 2*len(text))
	for _, b := range []byte(text) {
		pair := [2]byte{}
		pair[1-low], pair[1-high] = b, 0
		out = append(out, pair[:]...)
	}
	return string(out)
}

func ownNames(c *corpus) {
	for _, r := range [][2]string{
		{"exp", "iss"}, {"aud", "sub"}, {"iat", "jti"},
	} {
		for _, name := range r {
			again := claims(`again`, `1`)
			c.row("dup-claim", "invalid", name+" twice, alike", hs(hs256, strings.Replace(again, `"again":1`, `"`+name+`":`+member(name), 1)))
			c.row("dup-claim", "invalid", name+" twice, once escaped", hs(hs256, strings.Replace(again, `"again":1`, fmt.Sprintf(`"\u%04x%s":%s`, name[0], name[1:], member(name)), 1)))
			c.row("case-claim", "valid", strings.ToUpper(name)+" is another claim", hs(hs256, strings.Replace(again, "again", strings.ToUpper(name), 1)))
		}
	}
	for _, name := range []string{"alg", "typ", "kid"} {
		value := map[string]string{"alg": `"HS256"`, "typ": `"JWT"`, "kid": `"h1"`}[name]
		c.row("dup-header", "invalid", name+" twice, alike", hs(`{"alg":"HS256","typ":"JWT","kid":"h1","`+name+`":`+value+`}`, claims()))
		c.row("dup-header", "invalid", name+" twice, once escaped", hs(fmt.Sprintf(`{"alg":"HS256","typ":"JWT","kid":"h1","\u%04x%s":%s}`, name[0], name[1:], value), claims()))
	}
	c.row("case-header", "valid", "alg spelled with an escape is alg", hs(`{"\u0061lg":"HS256"}`, claims()))
	c.row("case-header", "invalid", "Alg beside no alg", hs(`{"Alg":"HS256"}`, claims()))
	c.row("case-header", "invalid", "alg with a blank", hs(`{"alg ":"HS256"}`, claims()))
	c.row("case-claim", "invalid", "exp escaped and past", hs(hs256, strings.Replace(claims("exp", "1"), `"exp"`, `"e\u0078p"`, 1)))
	c.row("case-claim", "valid", "exp escaped and ahead", hs(hs256, strings.Replace(claims(), `"exp"`, `"e\u0078p"`, 1)))
	c.row("case-claim", "invalid", "NBF right, nbf ahead", hs(hs256, claims("nbf", fmt.Sprint(ownNow+100), "NBF", "1")))
}

func member(name string) string {
	return map[string]string{"exp": fmt.Sprint(ownNow + 300), "iss": `"https://auth.example"`, "aud": `"api"`, "sub": `"1"`, "iat": fmt.Sprint(ownNow - 60), "jti": `"a1"`}[name]
}

// ownNumbers: a fraction of a second is truncated, as in PyJWT, so that a token
// whose iat has a fraction is valid in the second in which it was issued.
func ownNumbers(c *corpus) {
	for _, r := range [][2]string{
		{fmt.Sprint(ownNow+1, ".5"), "valid"},
		{fmt.Sprint(ownNow, ".5"), "invalid"},
		{fmt.Sprint(ownNow, ".0"), "invalid"},
		{fmt.Sprint(ownNow-1, ".999"), "invalid"},
		{"17672259e2", "valid"},
		{"1767225900.000", "valid"},
		{"1e10", "valid"},
		{"1E10", "valid"},
		{"1e+10", "valid"},
		{"1e-10", "invalid"},
		{"10000000000e-1", "invalid"},
		{"-1", "invalid"},
		{"-0", "invalid"},
		{"0.0", "invalid"},
		{"1e400", "invalid"},
		{"1e99999999999999999999", "invalid"},
		{"-1e10", "invalid"},
		{"0e10", "invalid"},
		{`"1767225900"`, "invalid"},
		{"null", "invalid"},
		{"true", "invalid"},
		{"false", "invalid"},
		{"[1767225900]", "invalid"},
		{"{}", "invalid"},
		{`""`, "invalid"},
		{"01767225900", "invalid"},
		{"+1767225900", "invalid"},
		{"1767225900.", "invalid"},
		{".1767225900e10", "invalid"},
		{"0x6955b800", "invalid"},
		{"1767225900n", "invalid"},
		{"1_767_225_900", "invalid"},
		{"NaN", "invalid"},
		{"1" + strings.Repeat("0", 1000), "invalid"},
	} {
		c.row("exp-type", r[1], fmt.Sprintf("exp is %.40s", r[0]), hs(hs256, claims("exp", r[0])))
	}
	for _, name := range []string{"nbf", "iat"} {
		for _, r := range [][2]string{{"1", "valid"}, {"0", "valid"}, {"1.5", "valid"}, {fmt.Sprint(ownNow, ".5"), "valid"}, {fmt.Sprint(ownNow+1, ".0"), "invalid"}, {"null", "invalid"}, {`"1"`, "invalid"}, {"true", "invalid"}, {"[]", "invalid"}, {"{}", "invalid"}, {"1e400", "invalid"}, {"1e10", "invalid"}} {
			c.row("nbf-iat", r[1], name+" is "+r[0], hs(hs256, claims(name, r[0])))
		}
	}
}

func ownTimes(c *corpus) {
	for _, r := range []struct {
		name           string
		offset, leeway int
		expect         string
	}{
		{"exp", 1, 0, "valid"},
		{"exp", 0, 0, "invalid"},
		{"exp", -1, 0, "invalid"},
		{"exp", -29, 30, "valid"},
		{"exp", -30, 30, "invalid"},
		{"exp", -31, 30, "invalid"},
		{"nbf", 0, 0, "valid"},
		{"nbf", 1, 0, "invalid"},
		{"nbf", 30, 30, "valid"},
		{"nbf", 31, 30, "invalid"},
		{"nbf", -1, 0, "valid"},
		{"iat", 0, 0, "valid"},
		{"iat", 1, 0, "invalid"},
		{"iat", 30, 30, "valid"},
		{"iat", 31, 30, "invalid"},
		{"exp", 1 << 32, 0, "valid"},
	} {
		c.row("time-edge", r.expect, fmt.Sprintf("%s %+d s, leeway %d", r.name, r.offset, r.leeway), hs(hs256, claims(r.name, fmt.Sprint(ownNow+r.offset))), map[string]any{"leeway": r.leeway})
	}
}

func ownAudience(c *corpus) {
	many := strings.Repeat(`"x",`, 50) + `"api"`
	for _, r := range [][2]string{
		{`"api"`, "valid"},
		{`["api"]`, "valid"},
		{`["api","api"]`, "valid"},
		{`["x","api"]`, "valid"},
		{`[` + many + `]`, "valid"},
		{`"\u0061pi"`, "valid"},
		{`null`, "invalid"},
		{`[null,"api"]`, "invalid"},
		{`[["api"]]`, "invalid"},
		{`["api",{}]`, "invalid"},
		{`["api",1]`, "invalid"},
		{`{"api":"api"}`, "invalid"},
		{`1`, "invalid"},
		{`""`, "invalid"},
		{`[""]`, "invalid"},
		{`["API"]`, "invalid"},
		{`["ap","i"]`, "invalid"},
		{`"api\u0000"`, "invalid"},
		{`["api "]`, "invalid"},
		{`"api,x"`, "invalid"},
		{`"*"`, "invalid"},
		{`["*"]`, "invalid"},
		{`"apí"`, "invalid"},
		{``, "invalid"},
	} {
		c.row("aud", r[1], fmt.Sprintf("aud %.40s", r[0]), hs(hs256, claims("aud", r[0])))
	}
	for _, r := range [][2]string{
		{`["https://auth.example"]`, "invalid"}, {`"https://auth.example/"`, "invalid"}, {`"https://auth.example#"`, "invalid"}, {`"http://auth.example"`, "invalid"}, {`"https://auth.example:443"`, "invalid"}, {`"https://AUTH.example"`, "invalid"}, {`" https://auth.example"`, "invalid"}, {`"https://auth.example\u0000"`, "invalid"}, {`"https://auth.example.evil"`, "invalid"}, {`"auth.example"`, "invalid"}, {`1`, "invalid"}, {`null`, "invalid"}, {`true`, "invalid"}, {`"https:\/\/auth.example"`, "valid"}, {`"https://auth\u002eexample"`, "valid"},
	} {
		c.row("iss", r[1], "iss "+r[0], hs(hs256, claims("iss", r[0])))
	}
	for _, r := range [][2]string{{`1`, "invalid"}, {`null`, "invalid"}, {`["1"]`, "invalid"}, {`true`, "invalid"}, {`{}`, "invalid"}, {`1.0`, "invalid"}, {``, "invalid"}, {`"é"`, "valid"}} {
		c.row("sub-jti", r[1], "sub "+r[0], hs(hs256, claims("sub", r[0])))
	}
	for _, r := range [][2]string{{`null`, "invalid"}, {`1`, "invalid"}, {`true`, "invalid"}, {``, "valid"}} {
		c.row("sub-jti", r[1], "jti "+r[0], hs(hs256, claims("jti", r[0])))
	}
}
