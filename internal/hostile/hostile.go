// Package hostile has the values that tests send in every field of every form, action
// and endpoint: white space, control characters, invalid UTF-8, surrogates, texts that
// change direction, headers of e-mails, markup, numbers at their limits, and long texts.
package hostile

import (
	"encoding/base64"
	"strings"
)

// Texts are values of any field of a form.
var Texts = []string{
	"", " \t\r\n\v\u0085\u00a0\u2003\u001c ", "a\x00b", "\x00", "\xff\xfe", "a\xed\xa0\x80b", "x\r\nBcc: eve@example.com", "eve@example.com\r\nBcc: mallory@example.com",
	"\x1b[31m\a\x7f\u009b", "\u200bvic\u200dtim\ufeff", "\u202emitciv\u2066", "mallory\xff@example.com", "\ufffe\uffff\U0010ffff", "-1", "9223372036854775808", "2147483648",
	`"><script>alert(1)</script>`, "{}", `{"id":"\ud800","rawId":"\u0000","response":{}}`, strings.Repeat("é", 5000), strings.Repeat("9", 300), " padded@example.com\t",
}

// Keys are values of fields and parameters that name rows, dates and positions in
// lists.
var Keys = []string{
	"0", "1", "9223372036854775807", "0000-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59Z", `"\' --`, "😀\ufffe\U0010ffff",
	cursor(`{"id":"9223372036854775808"}`), cursor(`{"id":"1","t":"\u0000"}`), cursor(`{"id":"1","t":"\ud800"}`), cursor("{\"id\":\"1\",\"t\":\"\xff\"}"),
	cursor(`{"id":"\u0000"}`), cursor(`{"id":"1","at":"0000-01-01T00:00:00Z"}`), cursor(`{"id":"1","at":"9999-12-31T23:59:59.999999999Z"}`),
	strings.Repeat("9", 150), strings.Repeat("ab ", 66),
}

// cursor is the position of a page.
func cursor(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// JSON are values of any field of a JSON object.
var JSON = []string{
	`""`, `"  \t\r\n\u000b\u0085\u00a0\u2003\u001c "`, `null`, `true`, `{"a":[1]}`, `["a",1]`, `-1e400`, `9223372036854775808`, `"a\u0000b"`, `["a\u0000b"]`,
	`{"a\u0000b":"\u0000"}`, `"a\ud800b"`, `"a\udfff\ud800b"`, `{"id":"\ud800","rawId":"\ud800","response":{"clientDataJSON":"\u0000"}}`,
	`"x\r\nBcc: eve@example.com\r\n\r\nbody"`, `"eve@example.com\r\nBcc: mallory@example.com"`, `"a\u001b[31m\u0007\u007f\u009b"`, `"\u200bvic\u200dtim\ufeff"`,
	`"\u202emitciv\u2066\u061c"`, `"\ufffe\uffff\ufdd0\udbff\udfff"`, `"` + strings.Repeat("é", 5000) + `"`, `" padded@example.com\t\r\n"`,
}
