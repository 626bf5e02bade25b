package jwt

import (
	"reflect"
	"strconv"
)

// Reading claims into Go values. Nothing is converted: a claim of another type
// than its field is an error, and so is a number that does not fit (RFC 8725
// section 3.10 asks for exact types; CVE-2026-25537 shows what conversion leads
// to). null is accepted by pointers, maps, slices, any and Raw.

// member implements sink for a struct. A claim without a field is checked only.
func (f *fieldPlan) member(p *scanner, name string, i int) int { return f.put(p, f.dest(name), i) }

// dest implements shaped.
func (f *fieldPlan) dest(name string) dest { return dest{name: name, field: f.find(name)} }

// put implements shaped.
func (f *fieldPlan) put(p *scanner, to dest, i int) int {
	if to.field == noField {
		return p.value(i)
	}
	return f.fields[to.field].read(p, i)
}

// read fills the field with the value at i.
func (f *fieldPlan) read(p *scanner, i int) (end int) {
	switch f.kind {
	case textKind:
		*f.text, end = p.text(i)
	case intKind:
		*f.num, end = p.int(i)
	case boolKind:
		*f.flag, end = p.bool(i)
	case rawKind:
		if end = p.value(i); end != bad {
			*f.raw = Raw(p.s[i:end])
		}
	case structKind:
		end = f.readStruct(p, i)
	default:
		if f.name == "aud" && f.val.Type() == stringsType {
			end = p.stringOrStrings(i, f.val.Addr().Interface().(*[]string))
			break
		}
		end = p.read(i, f.val)
	}
	if end == bad && p.err == nil && f.name != "" {
		p.err = claimError(ErrMalformed, f.name, "does not fit the type of its field")
	}
	return end
}

var stringsType = reflect.TypeFor[[]string]()

func (f *fieldPlan) readStruct(p *scanner, i int) int {
	switch {
	case i >= len(p.s) || p.s[i] != '{':
		return bad
	case f.shape == nil:
		return p.object(i, f)
	}
	return f.shape.object(p, f, i)
}

func (p *scanner) float(i, size int) (f float64, end int) {
	end, _ = number(p.s, i)
	if end == bad {
		return 0, bad
	}
	f, err := strconv.ParseFloat(p.s[i:end], size)
	if err != nil {
		return 0, bad
	}
	return f, end
}

// read fills v, which is of a type that check accepts, with the value at i.
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
		f := plan(v)
		return p.object(i, &f)
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
	end, whole := number(p.s, i)
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

// A mapSink is a sink that adds the members to a map.
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
func (p *scanner) readObject(i int, dst *Object) int {
	if i >= len(p.s) || p.s[i] != '{' {
		return bad
	}
	*dst = Object{}
	return p.object(i, (*objectSink)(dst))
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

// any reads a value as a string, bool, nil, int64 (a whole number that fits in
// 64 bits), float64 (any other number), []any or map[string]any.
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
