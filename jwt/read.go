package jwt

import (
	"reflect"
	"strconv"
)

// Reading claims into Go values. Nothing is coerced: a claim of another type
// than its field is an error, and so is a number that does not fit (RFC 8725
// section 3.10 asks for exact types; see CVE-2026-25537 for what happens else).
// null fits pointers, maps, slices, any and Raw.

// member implements sink for a struct. Claims that it has no field for are
// checked and passed over.
func (s *slot) member(p *scanner, name string, i int) int { return s.put(p, s.place(name), i) }

// likely implements shaped.
func (s *slot) likely() *shape { return s.shape }

// place implements shaped.
func (s *slot) place(name string) place { return place{name: name, slot: s.find(name)} }

// put implements shaped.
func (s *slot) put(p *scanner, to place, i int) int {
	if to.slot == nil {
		return p.value(i)
	}
	return to.slot.read(p, i)
}

// read fills the slot with the value at i.
func (s *slot) read(p *scanner, i int) (end int) {
	switch s.kind {
	case textKind:
		*s.text, end = p.text(i)
	case intKind:
		*s.num, end = p.int(i)
	case boolKind:
		*s.flag, end = p.bool(i)
	case rawKind:
		if end = p.value(i); end != bad {
			*s.raw = Raw(p.s[i:end])
		}
	case structKind:
		if i >= len(p.s) || p.s[i] != '{' {
			end = bad
			break
		}
		end = p.object(i, s)
	default:
		if s.name == "aud" && s.val.Type() == audienceType {
			end = p.audience(i, s.val.Addr().Interface().(*[]string))
			break
		}
		end = p.read(i, s.val)
	}
	if end == bad && p.err == nil && s.name != "" {
		p.err = claimError(ErrMalformed, s.name, "not what its field takes")
	}
	return end
}

var audienceType = reflect.TypeFor[[]string]()

// audience reads a string or an array of strings (RFC 7519 section 4.1.3).
func (p *scanner) audience(i int, to *[]string) int {
	if i < len(p.s) && p.s[i] == '"' {
		s, end := p.text(i)
		*to = []string{s}
		return end
	}
	return p.strings(i, to)
}

// strings reads an array of strings.
func (p *scanner) strings(i int, to *[]string) int {
	if i >= len(p.s) || p.s[i] != '[' {
		return bad
	}
	var list []string
	end := p.elements(i, func(i int) int {
		s, end := p.text(i)
		list = append(list, s)
		return end
	})
	*to = list
	return end
}

func (p *scanner) int(i int) (n int64, end int) {
	end, whole := p.number(i)
	if end == bad || !whole {
		return 0, bad
	}
	n, ok := parseInt(p.s[i:end])
	if !ok {
		return 0, bad
	}
	return n, end
}

func (p *scanner) bool(i int) (b bool, end int) {
	if i < len(p.s) && p.s[i] == 't' {
		return true, p.word(i, "true")
	}
	return false, p.word(i, "false")
}

func (p *scanner) float(i, size int) (f float64, end int) {
	end, _ = p.number(i)
	if end == bad {
		return 0, bad
	}
	f, err := strconv.ParseFloat(p.s[i:end], size)
	if err != nil {
		return 0, bad
	}
	return f, end
}

// read fills v, of any type that check allows, with the value at i.
func (p *scanner) read(i int, v reflect.Value) int {
	if v.Type() == rawType {
		return p.readRaw(i, v)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		if end := p.word(i, "null"); end != bad {
			v.SetZero()
			return end
		}
		return p.readReference(i, v)
	case reflect.Struct:
		if i >= len(p.s) || p.s[i] != '{' {
			return bad
		}
		s := lay(v)
		return p.object(i, &s)
	}
	return p.readPlain(i, v)
}

func (p *scanner) readRaw(i int, v reflect.Value) int {
	end := p.value(i)
	if end != bad {
		v.SetString(p.s[i:end])
	}
	return end
}

func (p *scanner) readPlain(i int, v reflect.Value) (end int) {
	switch {
	case v.Kind() == reflect.String:
		var s string
		s, end = p.text(i)
		v.SetString(s)
	case v.Kind() == reflect.Bool:
		var b bool
		b, end = p.bool(i)
		v.SetBool(b)
	case v.CanFloat():
		var f float64
		f, end = p.float(i, v.Type().Bits())
		v.SetFloat(f)
	case v.CanInt():
		var n int64
		if n, end = p.int(i); end == bad || v.OverflowInt(n) {
			return bad
		}
		v.SetInt(n)
	default:
		end = p.readUint(i, v)
	}
	return end
}

func (p *scanner) readUint(i int, v reflect.Value) int {
	end, whole := p.number(i)
	if end == bad || !whole {
		return bad
	}
	n, err := strconv.ParseUint(p.s[i:end], 10, v.Type().Bits())
	if err != nil {
		return bad
	}
	v.SetUint(n)
	return end
}

func (p *scanner) readReference(i int, v reflect.Value) int {
	switch {
	case v.Type() == objectType:
		return p.readObject(i, v.Addr().Interface().(*Object))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return p.read(i, v.Elem())
	case v.Kind() == reflect.Slice:
		return p.readSlice(i, v)
	case v.Kind() == reflect.Map:
		return p.readMap(i, v)
	}
	x, end := p.any(i)
	if end != bad {
		v.Set(reflect.ValueOf(x))
	}
	return end
}

func (p *scanner) readSlice(i int, v reflect.Value) int {
	if i >= len(p.s) || p.s[i] != '[' {
		return bad
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 4))
	return p.elements(i, func(i int) int {
		e := reflect.New(v.Type().Elem()).Elem()
		end := p.read(i, e)
		if end != bad {
			v.Set(reflect.Append(v, e))
		}
		return end
	})
}

func (p *scanner) readMap(i int, v reflect.Value) int {
	if i >= len(p.s) || p.s[i] != '{' {
		return bad
	}
	v.Set(reflect.MakeMap(v.Type()))
	return p.object(i, mapSink(v))
}

// A mapSink puts members into a map.
type mapSink reflect.Value

func (m mapSink) member(p *scanner, name string, i int) int {
	v := reflect.Value(m)
	e := reflect.New(v.Type().Elem()).Elem()
	end := p.read(i, e)
	if end != bad {
		v.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), e)
	}
	return end
}

// readObject keeps the order of the members.
func (p *scanner) readObject(i int, to *Object) int {
	if i >= len(p.s) || p.s[i] != '{' {
		return bad
	}
	*to = Object{}
	return p.object(i, (*objectSink)(to))
}

type objectSink Object

func (o *objectSink) member(p *scanner, name string, i int) int {
	x, end := p.any(i)
	*o = append(*o, struct {
		Name  string
		Value any
	}{name, x})
	return end
}

// any reads a value as string, bool, nil, int64 (a whole number that fits),
// float64 (any other number), []any or map[string]any.
func (p *scanner) any(i int) (x any, end int) {
	if i >= len(p.s) {
		return nil, bad
	}
	switch p.s[i] {
	case '"':
		return second(p.text(i))
	case 't', 'f':
		return second(p.bool(i))
	case 'n':
		return nil, p.word(i, "null")
	case '{':
		m := map[string]any{}
		return m, p.object(i, mapSink(reflect.ValueOf(m)))
	case '[':
		list := []any{}
		end = p.elements(i, func(i int) int {
			e, end := p.any(i)
			list = append(list, e)
			return end
		})
		return list, end
	}
	if n, end := p.int(i); end != bad {
		return n, end
	}
	return second(p.float(i, 64))
}

func second[T any](v T, end int) (any, int) { return v, end }
