package jwt

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// How a Go type maps to claims. A variable of the type is planned once: its plan
// is a tree of fields that point into the variable. Reading and writing then use
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

// A fieldPlan says how to read and write one claim of a variable, or, at the
// root of the tree, all of it. A plan must not be used concurrently.
type fieldPlan struct {
	name  string
	label string // a comma, the name as JSON, a colon, and for a text its opening quote
	omit  bool   // omitempty
	kind  kind
	claim uint8 // bit of a registered claim, or 0

	// Where the variable is: one of the pointers, by kind, and val.
	text *string
	num  *int64
	flag *bool
	raw  *Raw
	val  reflect.Value

	fields []fieldPlan // of a structKind
	next   int         // where find begins: claims often come in the order of the struct
	shape  *shape      // nil if the plan is used once
}

// A field is what a struct type says about one claim.
type field struct {
	name  string
	index []int
	omit  bool
}

var (
	rawType    = reflect.TypeFor[Raw]()
	objectType = reflect.TypeFor[Object]()
)

// plan makes the plan of v, which must be addressable and of a type that check
// accepts.
func plan(v reflect.Value) fieldPlan {
	f := fieldPlan{val: v}
	switch at := v.Addr().Interface().(type) {
	case *string:
		f.kind, f.text = textKind, at
	case *int64:
		f.kind, f.num = intKind, at
	case *bool:
		f.kind, f.flag = boolKind, at
	case *Raw:
		f.kind, f.raw = rawKind, at
	default:
		if v.Kind() == reflect.Struct {
			f.kind, f.fields = structKind, planFields(v)
		}
	}
	return f
}

func planFields(v reflect.Value) []fieldPlan {
	fields := fieldsOf(v.Type())
	plans := make([]fieldPlan, len(fields))
	for i, f := range fields {
		plans[i] = plan(v.FieldByIndex(f.index))
		plans[i].name, plans[i].omit, plans[i].claim = f.name, f.omit, claimBit(f.name)
		label, _ := appendText([]byte{','}, f.name)
		label = append(label, ':')
		if plans[i].kind == textKind {
			label = append(label, '"')
		}
		plans[i].label = string(label)
	}
	return plans
}

// addShapes prepares a plan for reading many objects.
func (f *fieldPlan) addShapes() {
	f.shape = new(shape)
	for i := range f.fields {
		if field := &f.fields[i]; field.kind == structKind {
			field.addShapes()
		}
	}
}

// find returns the index of the field for a claim, or noField.
func (f *fieldPlan) find(name string) int {
	for range f.fields {
		i := f.next
		if f.next++; f.next == len(f.fields) {
			f.next = 0
		}
		if f.fields[i].name == name {
			return i
		}
	}
	return noField
}

// fieldsOf lists the claims of a struct type, named as encoding/json names them:
// by the json tag, or else by the field's name. Fields tagged "-" and unexported
// fields are left out; the fields of an embedded struct are included.
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

// check returns an error if t cannot be a claim. above holds the types that
// contain t, for types that contain themselves.
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
			return fmt.Errorf("jwt: %v cannot be a claim: JSON has no type for bytes; use a string", t)
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

// checkClaims checks the type of a complete set of claims, which must be an
// object.
func checkClaims(t reflect.Type) error {
	switch {
	case t == rawType || t == objectType:
		return nil
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return check(t)
	}
	return errors.New("jwt: claims must be a struct, a map, an Object or a Raw, not " + t.String())
}
