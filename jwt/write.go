package jwt

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Writing claims, as Python's json.dumps(claims, separators=(",", ":")) does.

// A writer builds one JSON text. Its methods return false after a failure, which
// err describes.
type writer struct {
	out []byte
	err error
}

var (
	errUTF8      = errors.New("text is not valid UTF-8")
	errFloat     = errors.New("JSON has neither NaN nor infinity")
	errDuplicate = errors.New("duplicate name")
	errObject    = errors.New("not a strict JSON object")
	errRaw       = errors.New("invalid JSON: duplicate name, invalid UTF-8, more than 64 levels, or not JSON")
	errDeep      = errors.New("nested too deeply")
)

func (w *writer) fail(err error) bool {
	if w.err == nil {
		w.err = err
	}
	return false
}

// claims writes the complete set of claims, which must be an object.
func (w *writer) claims(f *fieldPlan) bool {
	switch f.kind {
	case structKind:
		return w.fields(f.fields, 0)
	case rawKind:
		return w.recode(string(*f.raw), 0) && w.out[0] == '{' || w.fail(errObject)
	}
	return w.value(f.val, 0) && w.out[0] == '{' || w.fail(errObject)
}

// enter enters an object or an array. depth is the number of those that are
// open, as in a scanner.
func (w *writer) enter(depth *int) bool {
	*depth++
	return *depth <= maxDepth || w.fail(errDeep)
}

func (w *writer) fields(fields []fieldPlan, depth int) bool {
	if !w.enter(&depth) {
		return false
	}
	w.out = append(w.out, '{')
	comma := 1 // left out of the first label
	for i := range fields {
		f := &fields[i]
		if f.omit && empty(f.val) {
			continue
		}
		w.out = append(w.out, f.label[comma:]...)
		comma = 0
		if !w.field(f, depth) {
			return false
		}
	}
	w.out = append(w.out, '}')
	return true
}

// empty reports whether encoding/json leaves v out under omitempty.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// field writes the value of a field, whose label has been written.
func (w *writer) field(f *fieldPlan, depth int) bool {
	switch f.kind {
	case textKind:
		out, ok := appendOpened(w.out, *f.text)
		w.out = out
		return ok || w.fail(errUTF8)
	case intKind:
		w.out = strconv.AppendInt(w.out, *f.num, 10)
	case boolKind:
		w.out = strconv.AppendBool(w.out, *f.flag)
	case rawKind:
		return w.recode(string(*f.raw), depth)
	case structKind:
		return w.fields(f.fields, depth)
	default:
		return w.value(f.val, depth)
	}
	return true
}

func (w *writer) text(s string) bool {
	out, ok := appendText(w.out, s)
	w.out = out
	return ok || w.fail(errUTF8)
}

// recode writes a JSON text that the application provides.
func (w *writer) recode(text string, depth int) bool {
	out, ok := recode(w.out, text, depth)
	w.out = out
	return ok || w.fail(errRaw)
}

func (w *writer) float(f float64) bool {
	out, ok := appendFloat(w.out, f)
	w.out = out
	return ok || w.fail(errFloat)
}

// value writes a value of any type. The type of what an any holds is checked
// here, since it was not known before.
func (w *writer) value(v reflect.Value, depth int) bool {
	for range maxDepth { // pointers may form a cycle
		if v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface {
			break
		}
		if err := check(v.Type()); err != nil {
			return w.fail(err)
		}
		v = v.Elem()
	}
	switch {
	case !v.IsValid():
		w.out = append(w.out, "null"...)
	case v.Type() == rawType:
		return w.recode(v.String(), depth)
	case v.Type() == objectType:
		return w.object(v, depth)
	case v.Kind() == reflect.String:
		return w.text(v.String())
	case v.Kind() == reflect.Bool:
		w.out = strconv.AppendBool(w.out, v.Bool())
	case v.CanInt():
		w.out = strconv.AppendInt(w.out, v.Int(), 10)
	case v.CanUint():
		w.out = strconv.AppendUint(w.out, v.Uint(), 10)
	case v.CanFloat():
		return w.float(v.Float())
	default:
		return w.composite(v, depth)
	}
	return true
}

func (w *writer) composite(v reflect.Value, depth int) bool {
	if err := check(v.Type()); err != nil {
		return w.fail(err)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return w.fail(errDeep) // after maxDepth pointers
	case reflect.Struct:
		at := reflect.New(v.Type()).Elem()
		at.Set(v)
		return w.fields(planFields(at), depth)
	case reflect.Map:
		return w.mapping(v, depth)
	}
	return w.slice(v, depth)
}

func (w *writer) slice(v reflect.Value, depth int) bool {
	if v.IsNil() {
		w.out = append(w.out, "null"...)
		return true
	}
	if !w.enter(&depth) {
		return false
	}
	w.out = append(w.out, '[')
	for i := range v.Len() {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if !w.value(v.Index(i), depth) {
			return false
		}
	}
	w.out = append(w.out, ']')
	return true
}

func (w *writer) mapping(v reflect.Value, depth int) bool {
	if v.IsNil() {
		w.out = append(w.out, "null"...)
		return true
	}
	if !w.enter(&depth) {
		return false
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	w.out = append(w.out, '{')
	for i, k := range keys {
		if !w.pair(i, k.String(), v.MapIndex(k), depth) {
			return false
		}
	}
	w.out = append(w.out, '}')
	return true
}

func (w *writer) object(v reflect.Value, depth int) bool {
	if !w.enter(&depth) {
		return false
	}
	members := v.Interface().(Object)
	w.out = append(w.out, '{')
	seen := make(map[string]bool, len(members))
	for i, m := range members {
		if seen[m.Name] {
			return w.fail(fmt.Errorf("%w: %q", errDuplicate, m.Name))
		}
		seen[m.Name] = true
		if !w.pair(i, m.Name, reflect.ValueOf(m.Value), depth) {
			return false
		}
	}
	w.out = append(w.out, '}')
	return true
}

func (w *writer) pair(i int, name string, v reflect.Value, depth int) bool {
	if i > 0 {
		w.out = append(w.out, ',')
	}
	if !w.text(name) {
		return false
	}
	w.out = append(w.out, ':')
	return w.value(v, depth)
}

// marshal returns an object as JSON.
func marshal(o Object) ([]byte, error) {
	var w writer
	if !w.value(reflect.ValueOf(o), 0) {
		return nil, w.err
	}
	return w.out, nil
}
