package jwt

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Writing claims as Python's json.dumps(claims, separators=(",", ":")) does.

// A writer builds one JSON text. Its methods report false after a failure, and
// err says which.
type writer struct {
	out []byte
	err error
}

var (
	errUTF8      = errors.New("text is not valid UTF-8")
	errFloat     = errors.New("JSON has no NaN and no infinity")
	errDuplicate = errors.New("two members have one name")
	errObject    = errors.New("not a strict JSON object")
	errRaw       = errors.New("a JSON text has a name twice, bytes that are not UTF-8, more than 64 levels, or is none")
	errDeep      = errors.New("nested too deeply")
)

func (w *writer) fail(err error) bool {
	if w.err == nil {
		w.err = err
	}
	return false
}

// claims writes the whole set of claims, which must be an object.
func (w *writer) claims(s *slot) bool {
	switch s.kind {
	case structKind:
		return w.fields(s.slots, 0)
	case rawKind:
		return w.recode(string(*s.raw), 0) && w.out[0] == '{' || w.fail(errObject)
	}
	return w.value(s.val, 0) && w.out[0] == '{' || w.fail(errObject)
}

// deeper enters an object or an array: depth counts those that are open, as it
// does in a scanner.
func (w *writer) deeper(depth *int) bool {
	*depth++
	return *depth <= maxDepth || w.fail(errDeep)
}

func (w *writer) fields(slots []slot, depth int) bool {
	if !w.deeper(&depth) {
		return false
	}
	w.out = append(w.out, '{')
	comma := 1 // the first label goes without
	for i := range slots {
		s := &slots[i]
		if s.omit && empty(s.val) {
			continue
		}
		w.out = append(w.out, s.label[comma:]...)
		comma = 0
		if !w.slot(s, depth) {
			return false
		}
	}
	w.out = append(w.out, '}')
	return true
}

// empty is what encoding/json leaves out under omitempty.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// slot writes the value of a slot, whose label is there.
func (w *writer) slot(s *slot, depth int) bool {
	switch s.kind {
	case textKind:
		out, ok := appendOpened(w.out, *s.text)
		w.out = out
		return ok || w.fail(errUTF8)
	case intKind:
		w.out = strconv.AppendInt(w.out, *s.num, 10)
	case boolKind:
		w.out = strconv.AppendBool(w.out, *s.flag)
	case rawKind:
		return w.recode(string(*s.raw), depth)
	case structKind:
		return w.fields(s.slots, depth)
	default:
		return w.value(s.val, depth)
	}
	return true
}

func (w *writer) text(s string) bool {
	out, ok := appendText(w.out, s)
	w.out = out
	return ok || w.fail(errUTF8)
}

func (w *writer) float(f float64) bool {
	out, ok := appendFloat(w.out, f)
	w.out = out
	return ok || w.fail(errFloat)
}

// value writes any value; what an any holds is checked here, since its type was
// not known before.
func (w *writer) value(v reflect.Value, depth int) bool {
	for range maxDepth { // pointers may go round in a circle
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
		return w.fail(errDeep) // still, after so many
	case reflect.Struct:
		at := reflect.New(v.Type()).Elem()
		at.Set(v)
		return w.fields(layFields(at), depth)
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
	if !w.deeper(&depth) {
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
	if !w.deeper(&depth) {
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
	if !w.deeper(&depth) {
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
