package jwt

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// How a Go type maps to claims. A struct of claims is laid out once as a tree
// of slots that point into one variable; reading and writing then go through
// plain pointers, without reflection for the common types.

type kind uint8

const (
	otherKind kind = iota
	textKind
	intKind
	boolKind
	rawKind
	structKind
)

// A slot is the place of one claim in a variable. A structKind slot is a sink
// for the members of its object.
type slot struct {
	name  string
	label string // a comma, the name as JSON, its colon, and the opening quote of a text
	omit  bool   // omitempty
	kind  kind
	claim uint8 // the bit of a registered claim
	text  *string
	num   *int64
	flag  *bool
	raw   *Raw
	val   reflect.Value
	slots []slot
	next  int    // where find looks first: claims come in the order of the struct
	shape *shape // nil where the slot is used once
}

// A field is what a struct's type says about one claim.
type field struct {
	name  string
	index []int
	omit  bool
}

var (
	rawType    = reflect.TypeFor[Raw]()
	objectType = reflect.TypeFor[Object]()
)

// lay makes the slot of v, which must be addressable and of a checked type.
func lay(v reflect.Value) slot {
	s := slot{val: v}
	switch at := v.Addr().Interface().(type) {
	case *string:
		s.kind, s.text = textKind, at
	case *int64:
		s.kind, s.num = intKind, at
	case *bool:
		s.kind, s.flag = boolKind, at
	case *Raw:
		s.kind, s.raw = rawKind, at
	default:
		if v.Kind() == reflect.Struct {
			s.kind, s.slots = structKind, layFields(v)
		}
	}
	return s
}

func layFields(v reflect.Value) []slot {
	fields := fieldsOf(v.Type())
	slots := make([]slot, len(fields))
	for i, f := range fields {
		slots[i] = lay(v.FieldByIndex(f.index))
		slots[i].name, slots[i].omit, slots[i].claim = f.name, f.omit, claimBit(f.name)
		label, _ := appendText([]byte{','}, f.name)
		label = append(label, ':')
		if slots[i].kind == textKind {
			label = append(label, '"')
		}
		slots[i].label = string(label)
	}
	return slots
}

// keep gives the slot, and those in it, shapes: it will be used again.
func (s *slot) keep() {
	s.shape = new(shape)
	for i := range s.slots {
		if f := &s.slots[i]; f.kind == structKind {
			f.keep()
		}
	}
}

// find returns the slot of a claim, or nil.
func (s *slot) find(name string) *slot {
	for range s.slots {
		f := &s.slots[s.next]
		if s.next++; s.next == len(s.slots) {
			s.next = 0
		}
		if f.name == name {
			return f
		}
	}
	return nil
}

// fieldsOf lists the claims of a struct type as encoding/json would name them:
// by json tag or else by the field's own name; "-" and unexported fields are
// left out; the fields of an embedded struct count as its own.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			for _, in := range fieldsOf(f.Type) {
				in.index = append([]int{i}, in.index...)
				fields = append(fields, in)
			}
			continue
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		omit := slices.Contains(strings.Split(options, ","), "omitempty")
		fields = append(fields, field{name, []int{i}, omit})
	}
	return fields
}

// check says why t cannot hold claims. above holds the types it stands in, for
// types that contain themselves.
func check(t reflect.Type, above ...reflect.Type) error {
	if t == rawType || t == objectType || slices.Contains(above, t) {
		return nil
	}
	above = append(above, t)
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return nil
	case reflect.Pointer:
		return check(t.Elem(), above...)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return fmt.Errorf("jwt: %v cannot be a claim: JSON has no bytes; use a string", t)
		}
		return check(t.Elem(), above...)
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return check(t.Elem(), above...)
		}
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return nil
		}
	case reflect.Struct:
		return checkFields(t, above)
	}
	return fmt.Errorf("jwt: %v cannot be a claim", t)
}

func checkFields(t reflect.Type, above []reflect.Type) error {
	seen := map[string]bool{}
	for _, f := range fieldsOf(t) {
		if seen[f.name] {
			return fmt.Errorf("jwt: %v has two fields for the claim %q", t, f.name)
		}
		seen[f.name] = true
		if err := check(t.FieldByIndex(f.index).Type, above...); err != nil {
			return fmt.Errorf("%w (field %s of %v)", err, t.FieldByIndex(f.index).Name, t)
		}
	}
	return nil
}

// checkClaims checks the type of a whole set of claims, which must be an object.
func checkClaims(t reflect.Type) error {
	switch {
	case t == rawType || t == objectType:
		return nil
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return check(t)
	}
	return errors.New("jwt: claims must be a struct, a map, an Object or a Raw, not " + t.String())
}
