// Package tamper changes one character of a token or code for a test:
//
//	changed := tamper.At(token, -5)
//
// The result always differs. A test that writes a fixed character instead
// sometimes presents the token unchanged, and then fails or proves nothing.
package tamper

// At returns s with another character, A or B, in place of byte i; a negative
// i counts from the end. It panics if s has no such byte.
//
// The last character of a base64 text may carry fewer than six bits; to change
// the decoded bytes and keep the encoding valid, choose another one.
func At(s string, i int) string {
	if i < 0 {
		i += len(s)
	}
	other := "A"
	if s[i] == 'A' {
		other = "B"
	}
	return s[:i] + other + s[i+1:]
}
