package form

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/jotgate/jotgate/record"
)

// A text becomes the value of its kind, as a form's field would, or is rejected.
func TestParseText(t *testing.T) {
	for _, c := range []struct {
		kind record.Kind
		text string
		want any // nil: rejected
	}{
		{record.KindText, " any ", " any "},
		{record.KindBoolean, "true", true},
		{record.KindBoolean, "off", false},
		{record.KindBoolean, "maybe", nil},
		{record.KindInteger, "12", int64(12)},
		{record.KindInteger, "1x", nil},
		{record.KindInteger, "9223372036854775808", nil},
		{record.KindNumber, "1.5", 1.5},
		{record.KindNumber, "NaN", nil},
		{record.KindNumber, "1e999", nil},
		{record.KindDecimal, "1.50", "1.50"},
		{record.KindDecimal, "0x1p-2", nil},
		{record.KindDecimal, "Inf", nil},
		{record.KindDate, "2026-02-28", "2026-02-28"},
		{record.KindDate, "2026-02-30", nil},
		{record.KindDateTime, "2026-02-28T10:00:00+01:00", "2026-02-28T09:00:00Z"},
		{record.KindDateTime, "yesterday", nil},
		{record.KindUUID, "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
		{record.KindUUID, "6ba7b810", nil},
		{record.KindJSON, `{"a":1}`, json.RawMessage(`{"a":1}`)},
		{record.KindJSON, `{"a":`, nil},
	} {
		got, problem := ParseText(c.kind, c.text)
		if !reflect.DeepEqual(got, c.want) || (problem == "") != (c.want != nil) {
			t.Errorf("%s %q: %#v %q, want %#v", c.kind, c.text, got, problem, c.want)
		}
	}
}
