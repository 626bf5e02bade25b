package form

// A JSON parser (RFC 8259) with the error messages of Python's json module.

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth limits the nesting of a body. The fields of this API need 1.
const maxDepth = 32

// maxDigits limits the length of an integer, as Python's int_max_str_digits.
const maxDigits = 4300

// A problem is an error message and its offset in bytes, or -1 for no position.
type problem struct {
	text string
	at   int
}

// parseJSON parses a whole body.
func parseJSON(raw []byte) (*Body, error) {
	if text := badUTF8(raw); text != "" {
		return nil, refuse(http.StatusBadRequest, "JSON parse error - %s", text)
	}
	s := &scanner{text: string(raw)}
	body, p := s.document()
	if p != nil {
		return nil, refuse(http.StatusBadRequest, "JSON parse error - %s", s.message(p))
	}
	return body, nil
}

// A scanner parses a text. Its methods take the offset to read at and return the
// offset after what they read.
type scanner struct {
	text  string
	depth int
}

// message returns the message with its position, counted as in Python: lines and
// columns from 1, characters from 0.
func (s *scanner) message(p *problem) string {
	if p.at < 0 {
		return p.text
	}
	before := s.text[:min(p.at, len(s.text))]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("%s: line %d column %d (char %d)", p.text, line, column, utf8.RuneCountInString(before))
}

func (s *scanner) document() (*Body, *problem) {
	if strings.HasPrefix(s.text, "\ufeff") {
		return nil, &problem{"Unexpected UTF-8 BOM (decode using utf-8-sig)", 0}
	}
	body := &Body{fields: map[string]value{}}
	at := s.space(0)
	v, end, p := s.value(at, body.fields)
	if p != nil {
		return nil, p
	}
	if end = s.space(end); end != len(s.text) {
		return nil, &problem{"Extra data", end}
	}
	body.kind = s.python(at, v)
	return body, nil
}

// python returns the name of the Python type of the value at an offset.
func (s *scanner) python(at int, v value) string {
	switch c := s.text[at]; {
	case c == '{':
		return "dict"
	case c == '[':
		return "list"
	case c == '"':
		return "str"
	case c == 't' || c == 'f':
		return "bool"
	case c == 'n':
		return "NoneType"
	case strings.ContainsAny(v.text, ".en"): // 1.0, 1e+20, inf
		return "float"
	default:
		return "int"
	}
}

// is reports whether the character at an offset is c.
func (s *scanner) is(at int, c byte) bool { return at < len(s.text) && s.text[at] == c }

// space returns the offset after white space.
func (s *scanner) space(at int) int {
	for at < len(s.text) && strings.IndexByte(" \t\n\r", s.text[at]) >= 0 {
		at++
	}
	return at
}

// value parses one value. If it is an object and members is not nil, the object's
// members are stored in it.
func (s *scanner) value(at int, members map[string]value) (value, int, *problem) {
	if at >= len(s.text) {
		return value{}, at, &problem{"Expecting value", at}
	}
	switch s.text[at] {
	case '"':
		return s.str(at)
	case '{':
		return s.nested(at, func(at int) (int, *problem) { return s.object(at, members) })
	case '[':
		return s.nested(at, s.array)
	}
	return s.scalar(at)
}

func (s *scanner) nested(at int, read func(int) (int, *problem)) (value, int, *problem) {
	if s.depth++; s.depth > maxDepth {
		return value{}, at, &problem{"Nested too deep", at}
	}
	end, p := read(at + 1)
	s.depth--
	return value{kind: isOther}, end, p
}

// scalar parses a literal or a number.
func (s *scanner) scalar(at int) (value, int, *problem) {
	rest := s.text[at:]
	for _, constant := range []string{"NaN", "Infinity", "-Infinity"} {
		if strings.HasPrefix(rest, constant) { // Python's json accepts these, DRF does not
			return value{}, at, &problem{"Out of range float values are not JSON compliant: '" + constant + "'", -1}
		}
	}
	for literal, kind := range map[string]kind{"null": isNull, "true": isOther, "false": isOther} {
		if strings.HasPrefix(rest, literal) {
			return value{kind: kind, text: literal}, at + len(literal), nil
		}
	}
	number := leadingNumber(rest)
	if number == "" {
		return value{}, at, &problem{"Expecting value", at}
	}
	return s.number(at, number)
}

// number returns a number as text, in Python's format and within its limit.
func (s *scanner) number(at int, number string) (value, int, *problem) {
	if digits := len(strings.TrimPrefix(number, "-")); digits > maxDigits && !strings.ContainsAny(number, ".eE") {
		return value{}, at, &problem{fmt.Sprintf("Exceeds the limit (%d digits) for integer string conversion: value has %d digits; "+
			"use sys.set_int_max_str_digits() to increase the limit", maxDigits, digits), -1}
	}
	return value{kind: isNumber, text: pythonNumber(number)}, at + len(number), nil
}

// object parses an object after its opening brace.
func (s *scanner) object(at int, members map[string]value) (int, *problem) {
	if at = s.space(at); s.is(at, '}') {
		return at + 1, nil
	}
	for {
		name, v, end, p := s.member(at)
		if p != nil {
			return end, p
		}
		if _, twice := members[name]; twice {
			return at, &problem{"Duplicate member " + strconv.Quote(name), at}
		}
		if members != nil {
			members[name] = v
		}
		if at, p = s.next(end, '}', "object"); p != nil || s.text[at-1] == '}' {
			return at, p
		}
	}
}

// member parses a name, a colon and a value.
func (s *scanner) member(at int) (name string, v value, end int, p *problem) {
	if !s.is(at, '"') {
		return "", v, at, &problem{"Expecting property name enclosed in double quotes", at}
	}
	key, end, p := s.str(at)
	if p != nil {
		return "", v, end, p
	}
	if end = s.space(end); !s.is(end, ':') {
		return "", v, end, &problem{"Expecting ':' delimiter", end}
	}
	begin := s.space(end + 1)
	if v, end, p = s.value(begin, nil); p == nil {
		v.raw = s.text[begin:end]
	}
	return key.text, v, end, p
}

// array parses an array after its opening bracket.
func (s *scanner) array(at int) (int, *problem) {
	if at = s.space(at); s.is(at, ']') {
		return at + 1, nil
	}
	for {
		_, end, p := s.value(at, nil)
		if p != nil {
			return end, p
		}
		if at, p = s.next(end, ']', "array"); p != nil || s.text[at-1] == ']' {
			return at, p
		}
	}
}

// strings returns the elements of a valid array, which is the whole text. ok is
// false if one of them is not a string.
func (s *scanner) strings() (list []string, ok bool) {
	for at := s.space(1); !s.is(at, ']'); {
		v, end, p := s.value(at, nil)
		if p != nil || v.kind != isString || v.surrogate != 0 {
			return nil, false
		}
		list = append(list, v.text)
		if at, p = s.next(end, ']', "array"); p != nil || s.text[at-1] == ']' {
			return list, p == nil
		}
	}
	return list, true
}

// next skips the comma before the next element, or the closing bracket.
func (s *scanner) next(at int, closing byte, what string) (int, *problem) {
	at = s.space(at)
	switch {
	case s.is(at, closing):
		return at + 1, nil
	case !s.is(at, ','):
		return at, &problem{"Expecting ',' delimiter", at}
	}
	comma := at
	if at = s.space(at + 1); s.is(at, closing) { // since Python 3.13
		return at, &problem{"Illegal trailing comma before the end of " + what, comma}
	}
	return at, nil
}
