// Package python does to text what Python's str and re do, where Go's standard
// library differs and Django's rules depend on it. The tests compare every
// character with tables made by CPython.
package python

import (
	"strings"
	"unicode"
)

// IsWord is \w of Python's re for str: alphabetic characters and numbers of any script and the
// underscore, but no combining marks.
func IsWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.In(r, unicode.N)
}

// IsDigits is str.isdigit: not empty, and decimal digits, superscripts, circled
// and similar digits only.
func IsDigits(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.Nd, otherDigits) {
			return false
		}
	}
	return s != ""
}

// otherDigits have Unicode's Numeric_Type=Digit: digits outside of the decimal
// system of any script.
var otherDigits = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0xb2, 0xb3, 1},
		{0xb9, 0xb9, 1},
		{0x1369, 0x1371, 1},
		{0x19da, 0x19da, 1},
		{0x2070, 0x2070, 1},
		{0x2074, 0x2079, 1},
		{0x2080, 0x2089, 1},
		{0x2460, 0x2468, 1},
		{0x2474, 0x247c, 1},
		{0x2488, 0x2490, 1},
		{0x24ea, 0x24ea, 1},
		{0x24f5, 0x24fd, 1},
		{0x24ff, 0x24ff, 1},
		{0x2776, 0x277e, 1},
		{0x2780, 0x2788, 1},
		{0x278a, 0x2792, 1},
	},
	R32: []unicode.Range32{
		{0x10a40, 0x10a43, 1},
		{0x10e60, 0x10e68, 1},
		{0x11052, 0x1105a, 1},
		{0x1f100, 0x1f10a, 1},
	},
	LatinOffset: 2,
}

// Strip is str.strip: Unicode's spaces and the four ASCII separators.
func Strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || (r >= 0x1c && r <= 0x1f) })
}

// Lower is str.lower: Unicode's full lower case, in which İ becomes two characters
// and a Σ at the end of a word becomes ς (Unicode Standard, table 3-17).
func Lower(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	runes := []rune(s)
	var out strings.Builder
	for i, r := range runes {
		switch {
		case r == 'İ':
			out.WriteString("i\u0307")
		case r == 'Σ' && endsWord(runes, i):
			out.WriteRune('ς')
		default:
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

// endsWord reports whether a cased character precedes i and none follows it,
// case-ignorable characters not counted.
func endsWord(runes []rune, i int) bool {
	before, after := i-1, i+1
	for before >= 0 && ignorable(runes[before]) {
		before--
	}
	for after < len(runes) && ignorable(runes[after]) {
		after++
	}
	return before >= 0 && cased(runes[before]) && !(after < len(runes) && cased(runes[after]))
}

// cased is Unicode's derived property Cased.
func cased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// ignorable is Unicode's derived property Case_Ignorable: marks, format characters
// and the like, and the punctuation that occurs inside words.
func ignorable(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a", r)
}
