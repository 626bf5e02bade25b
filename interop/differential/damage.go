package differential

// The ways to damage a token: by changing members before the token is assembled and
// signed, by changing the JSON text before it is signed, and by changing the complete
// token.

import (
	"fmt"
	"strings"
	"time"
)

type part struct {
	name   string
	change func(d *draft)
}

// odd lists values that are wrong for many members.
var odd = []string{
	`null`, `true`, `0`, `-0`, `1`, `-1`, `1.5`, `1e400`, `1e10`, `9223372036854775807`, `18446744073709551616`, `"1"`, `""`, `"api"`, `[]`, `[1]`, `["api"]`,
	`["x","api"]`, `["api",1]`, `[["api"]]`, `{}`, `{"api":1}`, `"\u0061pi"`, `"API"`, `" api"`, `01`, `+1`, `.5`, `1.`, `0x1`, `NaN`, `Infinity`, `tru`, `'x'`,
	"\"\t\"", `"\x"`, `"\ud800"`, `"\ud800\udc00"`, "\"\xff\"", "\"\xc0\x80\"", `[1,]`, `{"a":1,"a":2}`, `{"a":1,}`, strings.Repeat("[", 70) + strings.Repeat("]", 70),
	`"https://auth.example"`, `"https://auth.example/"`, `"none"`, `"HS256"`, `"hs256"`, `"RS256"`, `"JWT"`,
}

func (d *draft) odd() string { return odd[d.r.IntN(len(odd))] }

// some returns a random member of the payload.
func (d *draft) some() *member {
	if len(d.payload) == 0 {
		d.payload = append(d.payload, member{"x", "1"})
	}
	return &d.payload[d.r.IntN(len(d.payload))]
}

// claim returns a random registered claim, which may be missing.
func (d *draft) claim() *member {
	name := []string{"exp", "nbf", "iat", "iss", "aud", "sub", "jti"}[d.r.IntN(7)]
	for i := range d.payload {
		if d.payload[i].name == name {
			return &d.payload[i]
		}
	}
	d.payload = append(d.payload, member{name, "1"})
	return &d.payload[len(d.payload)-1]
}

func (d *draft) headerMember() *member {
	if len(d.header) == 0 {
		d.header = append(d.header, member{"alg", `"HS256"`})
	}
	return &d.header[d.r.IntN(len(d.header))]
}

func (d *draft) time(name string, offset int64) {
	at := time.Now().Unix() + offset
	for i := range d.payload {
		if d.payload[i].name == name {
			d.payload[i].value = fmt.Sprint(at)
			return
		}
	}
	d.payload = append(d.payload, member{name, fmt.Sprint(at)})
}

var parts = []part{
	{"odd claim", func(d *draft) { d.claim().value = d.odd() }},
	{"odd value", func(d *draft) { d.some().value = d.odd() }},
	{"odd header value", func(d *draft) { d.headerMember().value = d.odd() }},
	{"header added", func(d *draft) {
		name := []string{"kid", "crit", "b64", "zip", "cty", "jku", "jwk", "x5c", "enc", "alg", "ALG", "typ", "exp"}[d.r.IntN(13)]
		d.header = append(d.header, member{name, d.odd()})
	}},
	{"crit with an unknown extension", func(d *draft) {
		d.header = append(d.header, member{"crit", `["x"]`}, member{"x", "1"})
	}},
	{"header removed", func(d *draft) {
		d.headerMember()
		i := d.r.IntN(len(d.header))
		d.header = append(d.header[:i:i], d.header[i+1:]...)
	}},
	{"claim removed", func(d *draft) {
		d.some()
		i := d.r.IntN(len(d.payload))
		d.payload = append(d.payload[:i:i], d.payload[i+1:]...)
	}},
	{"claim twice", func(d *draft) { d.payload = append(d.payload, *d.some()) }},
	{"claim twice, odd", func(d *draft) { d.payload = append(d.payload, member{d.claim().name, d.odd()}) }},
	{"claim twice, escaped", func(d *draft) {
		m := *d.claim()
		m.name = fmt.Sprintf(`\u%04x`, m.name[0]) + m.name[1:]
		d.payload = append(d.payload, m)
	}},
	{"name escaped", func(d *draft) { m := d.claim(); m.name = fmt.Sprintf(`\u%04x`, m.name[0]) + m.name[1:] }},
	{"name in capitals", func(d *draft) { m := d.claim(); m.name = strings.ToUpper(m.name) }},
	{"name in capitals, added", func(d *draft) {
		d.payload = append(d.payload, member{strings.ToUpper(d.claim().name), d.odd()})
	}},
	{"expired", func(d *draft) { d.time("exp", -100-d.r.Int64N(1000)) }},
	{"not yet valid", func(d *draft) { d.time("nbf", day+d.r.Int64N(1000)) }},
	{"issued ahead", func(d *draft) { d.time("iat", day+d.r.Int64N(1000)) }},
	{"fraction", func(d *draft) { d.time("exp", day); m := &d.payload[len(d.payload)-1]; m.value += ".5" }},
	{"wrong algorithm", func(d *draft) {
		other := algorithms[d.r.IntN(len(algorithms))]
		for i := range d.header {
			if d.header[i].name == "alg" {
				d.header[i].value = quote(string(other))
			}
		}
	}},
}

type text struct {
	name   string
	change func(d *draft, header, payload string) (string, string)
}

var texts = []text{
	{"after the payload", func(d *draft, h, p string) (string, string) {
		return h, p + []string{" ", "\n", "x", "{}", ",", "\x00", "//"}[d.r.IntN(7)]
	}},
	{"after the header", func(d *draft, h, p string) (string, string) { return h + []string{" ", "x", "{}", ","}[d.r.IntN(4)], p }},
	{"byte order mark", func(_ *draft, h, p string) (string, string) { return h, "\ufeff" + p }},
	{"payload in a list", func(_ *draft, h, p string) (string, string) { return h, "[" + p + "]" }},
	{"payload cut", func(d *draft, h, p string) (string, string) { return h, p[:d.r.IntN(len(p))] }},
	{"header cut", func(d *draft, h, p string) (string, string) { return h[:d.r.IntN(len(h))], p }},
	{"payload byte changed", func(d *draft, h, p string) (string, string) { return h, changed(d, p) }},
	{"header byte changed", func(d *draft, h, p string) (string, string) { return changed(d, h), p }},
	{"long", func(d *draft, h, p string) (string, string) {
		return h, p[:len(p)-1] + `,"long":"` + strings.Repeat("x", d.r.IntN(9000)) + `"}`
	}},
}

// changed replaces a random byte by another.
func changed(d *draft, s string) string {
	b := []byte(s)
	if len(b) > 0 {
		b[d.r.IntN(len(b))] = byte(d.r.IntN(256))
	}
	return string(b)
}

type whole struct {
	name   string
	change func(d *draft, token string) string
}

var tokens = []whole{
	{"character changed", func(d *draft, t string) string {
		i := d.r.IntN(len(t))
		return t[:i] + string("ABab01-_.=+/ \n"[d.r.IntN(14)]) + t[i+1:]
	}},
	{"character added", func(d *draft, t string) string {
		i := d.r.IntN(len(t) + 1)
		return t[:i] + string("Aa0-_.=+/ \n\r"[d.r.IntN(12)]) + t[i:]
	}},
	{"character removed", func(d *draft, t string) string { i := d.r.IntN(len(t)); return t[:i] + t[i+1:] }},
	{"last character", func(d *draft, t string) string {
		return t[:len(t)-1] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[d.r.IntN(64)])
	}},
	{"padding", func(d *draft, t string) string { return t + strings.Repeat("=", 1+d.r.IntN(3)) }},
	{"segment more", func(_ *draft, t string) string { return t + ".e30" }},
	{"segment less", func(_ *draft, t string) string { return t[:strings.LastIndexByte(t, '.')] }},
	{"no signature", func(_ *draft, t string) string { return t[:strings.LastIndexByte(t, '.')+1] }},
	{"unsigned", func(_ *draft, t string) string {
		return b64.EncodeToString([]byte(`{"alg":"none"}`)) + t[strings.IndexByte(t, '.'):]
	}},
	{"other signature", func(d *draft, t string) string {
		return t[:strings.LastIndexByte(t, '.')+1] + b64.EncodeToString(d.signature("x.y"))
	}},
	{"space around", func(_ *draft, t string) string { return " " + t }},
}
