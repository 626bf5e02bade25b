package jwt

import (
	"math"
	"strconv"
	"strings"
)

// Numbers: the grammar of RFC 8259 section 6, the times of RFC 7519 section 2
// (NumericDate), and the spelling Python gives to a float.

// maxDate is the last second of the year 9999. A later time is a mistake, in
// practice milliseconds in place of seconds, and would make a token that never
// expires.
const maxDate = 253402300799

// number checks the number at i; whole reports that it has neither a fraction
// nor an exponent. A number beyond the range of float64 is bad: others would
// read it as infinity, or not at all (RFC 7493 section 2.2).
func (p *scanner) number(i int) (end int, whole bool) {
	start := i
	if i < len(p.s) && p.s[i] == '-' {
		i++
	}
	if i < len(p.s) && p.s[i] == '0' {
		i++
	} else if i = p.digits(i); i == bad {
		return bad, false
	}
	whole = true
	if i < len(p.s) && p.s[i] == '.' {
		whole = false
		if i = p.digits(i + 1); i == bad {
			return bad, false
		}
	}
	huge := i-start > 300
	if i < len(p.s) && p.s[i]|0x20 == 'e' {
		whole, huge = false, true
		if i = p.exponent(i + 1); i == bad {
			return bad, false
		}
	}
	if huge {
		if _, err := strconv.ParseFloat(p.s[start:i], 64); err != nil {
			return bad, false
		}
	}
	return i, whole
}

// digits reads one digit or more.
func (p *scanner) digits(i int) int {
	start := i
	for i < len(p.s) && p.s[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return bad
	}
	return i
}

func (p *scanner) exponent(i int) int {
	if i < len(p.s) && (p.s[i] == '+' || p.s[i] == '-') {
		i++
	}
	return p.digits(i)
}

// date reads a NumericDate as whole seconds since 1970; a fraction is cut off,
// as PyJWT does. A time before 1970 or after the year 9999 is bad.
func (p *scanner) date(i int) (sec int64, end int) {
	if sec, end = p.seconds(i); end != bad {
		return sec, end
	}
	end, whole := p.number(i)
	if end == bad {
		return 0, bad
	}
	var ok bool
	if whole {
		sec, ok = parseInt(p.s[i:end])
	} else {
		f, err := strconv.ParseFloat(p.s[i:end], 64)
		ok = err == nil && f >= 0 && f <= maxDate
		sec = int64(f)
	}
	if !ok || sec > maxDate || sec < 0 {
		return 0, bad
	}
	return sec, end
}

// seconds is date for the usual spelling: ten digits and the end of a member.
// Anything else is bad here, and read again with care.
func (p *scanner) seconds(i int) (sec int64, end int) {
	if len(p.s)-i < 11 || p.s[i] == '0' {
		return 0, bad
	}
	for _, c := range []byte(p.s[i : i+10]) {
		if c -= '0'; c > 9 {
			return 0, bad
		}
		sec = sec*10 + int64(c)
	}
	if c := p.s[i+10]; c != ',' && c != '}' {
		return 0, bad
	}
	return sec, i + 10
}

// parseInt reads a whole JSON number; ok is false when it does not fit.
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

// appendFloat appends f as Python's repr spells it: the shortest digits that
// read back the same, an exponent below 1e-4 and from 1e16 on, and ".0" where
// nothing else shows that it is a float. ok is false for NaN and infinities,
// which JSON cannot hold.
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
