package form

// JSON numbers in Python's format, since CharField converts a number with str.

import (
	"math"
	"strconv"
	"strings"
)

// leadingNumber returns the number that s begins with, or "" if there is none. A
// fraction or an exponent without digits is not part of it.
func leadingNumber(s string) string {
	at := 0
	if strings.HasPrefix(s, "-") {
		at = 1
	}
	switch n := digits(s[at:]); {
	case n == 0:
		return ""
	case s[at] == '0':
		at++
	default:
		at += n
	}
	if rest := s[at:]; strings.HasPrefix(rest, ".") && digits(rest[1:]) > 0 {
		at += 1 + digits(rest[1:])
	}
	if rest := s[at:]; rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		sign := 1
		if len(rest) > 1 && (rest[1] == '+' || rest[1] == '-') {
			sign = 2
		}
		if n := digits(rest[sign:]); n > 0 {
			at += sign + n
		}
	}
	return s[:at]
}

// digits returns the number of digits that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// pythonNumber returns str(int(s)) or repr(float(s)).
func pythonNumber(s string) string {
	if !strings.ContainsAny(s, ".eE") {
		if s == "-0" {
			return "0"
		}
		return s
	}
	f, _ := strconv.ParseFloat(s, 64) // ±Inf if out of range, as in Python
	if math.IsInf(f, 0) {
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64)), "+")
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
