package jwt

import (
	"math"
	"strconv"
	"strings"
)

// JSON numbers (RFC 8259 section 6), times (NumericDate, RFC 7519 section 2),
// and floats as Python writes them.

// maxDate is the last second of the year 9999. A later time is a mistake, usually
// milliseconds instead of seconds, and would make a token that never expires.
const maxDate = 253402300799

// number checks the number at s[i]. whole reports that it has neither a fraction
// nor an exponent. A number beyond the range of float64 is bad: other readers
// make it infinity or fail (RFC 7493 section 2.2).
func number(s string, i int) (end int, whole bool) {
	start := i
	if i < len(s) && s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if i = digits(s, i); i == bad {
		return bad, false
	}
	whole = true
	if i < len(s) && s[i] == '.' {
		whole = false
		if i = digits(s, i+1); i == bad {
			return bad, false
		}
	}
	huge := i-start > 300
	if i < len(s) && s[i]|0x20 == 'e' {
		whole, huge = false, true
		if i = exponent(s, i+1); i == bad {
			return bad, false
		}
	}
	if huge {
		if _, err := strconv.ParseFloat(s[start:i], 64); err != nil {
			return bad, false
		}
	}
	return i, whole
}

// digits reads one or more digits.
func digits(s string, i int) int {
	start := i
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return bad
	}
	return i
}

func exponent(s string, i int) int {
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	return digits(s, i)
}

// date reads a NumericDate as whole seconds since 1970. A fraction is truncated,
// as in PyJWT. A time before 1970 or after the year 9999 is bad.
func date(s string, i int) (sec int64, end int) {
	if sec, end = seconds(s, i); end != bad {
		return sec, end
	}
	end, whole := number(s, i)
	if end == bad {
		return 0, bad
	}
	var ok bool
	if whole {
		sec, ok = parseInt(s[i:end])
	} else {
		f, err := strconv.ParseFloat(s[i:end], 64)
		ok = err == nil && f >= 0 && f <= maxDate
		sec = int64(f)
	}
	if !ok || sec > maxDate || sec < 0 {
		return 0, bad
	}
	return sec, end
}

// seconds is date for the usual spelling: ten digits followed by the end of the
// member. It returns bad for any other spelling, valid or not.
func seconds(s string, i int) (sec int64, end int) {
	if len(s)-i < 11 || s[i] == '0' {
		return 0, bad
	}
	for _, c := range []byte(s[i : i+10]) {
		if c -= '0'; c > 9 {
			return 0, bad
		}
		sec = sec*10 + int64(c)
	}
	if c := s[i+10]; c != ',' && c != '}' {
		return 0, bad
	}
	return sec, i + 10
}

// parseInt reads a whole JSON number that number has checked. ok is false if it
// does not fit in 64 bits.
func parseInt(s string) (n int64, ok bool) {
	if len(s) > 18 {
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil
	}
	neg := s[0] == '-'
	if neg {
		s = s[1:]
	}
	for _, c := range []byte(s) {
		n = n*10 + int64(c-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}

// appendFloat appends f as Python's repr writes it: the shortest digits that read
// back the same, an exponent below 1e-4 and from 1e16 up, and ".0" after a whole
// number. ok is false for NaN and infinities, which JSON does not have.
func appendFloat(b []byte, f float64) (out []byte, ok bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return b, false
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(b, f, 'e', -1, 64), true
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	if !strings.Contains(string(b[start:]), ".") {
		b = append(b, '.', '0')
	}
	return b, true
}
