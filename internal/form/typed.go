package form

// Fields of other types than text, with the rules and messages of Django REST
// framework (rest_framework/fields.py).

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Typed returns a field for a column of the user table. Decode stores the value
// in *into in the form of record.Account.Fields, and sets sent if the body has
// it.
func Typed(f record.UserField, into *any, sent *bool) Field {
	field := Field{
		Name: f.Name, Label: label(f.Name), Type: string(f.Kind), Optional: !f.Required, Blank: f.Blank, ReadOnly: f.ReadOnly,
		Null: f.Null, MaxLength: f.MaxLength, sent: sent, any: into,
	}
	if f.Kind == record.KindText {
		field.into = new(string)
	}
	return field
}

// parsers parse a value of each type but text. The text of a JSON boolean is
// true or false; raw is the JSON text.
var parsers = map[record.Kind]func(v value) (any, string){
	record.KindBoolean: parseBoolean, record.KindInteger: parseInteger, record.KindNumber: parseNumber,
	record.KindDecimal: parseDecimal, record.KindDate: parseDate, record.KindDateTime: parseDateTime,
	record.KindUUID: parseUUID,
}

// decodeTyped decodes a value that the body has.
func (f *Field) decodeTyped(b *Body, v value) []string {
	if v.kind == isNull || b.html && v.kind == isString && v.text == "" && f.Null {
		if !f.Null {
			return []string{"This field may not be null."}
		}
		*f.any, *f.sent = nil, true
		return nil
	}
	if f.Type == string(record.KindJSON) {
		*f.any, *f.sent = f.document(b, v), true
		return nil
	}
	parsed, problem := parsers[record.Kind(f.Type)](v)
	if problem != "" {
		return []string{problem}
	}
	*f.any, *f.sent = parsed, true
	return nil
}

// ParseText returns the value of a text of this kind, in the form of
// record.Account.Fields, or what is wrong with it. A JSON column needs valid JSON; a text
// column accepts every text.
func ParseText(kind record.Kind, text string) (v any, problem string) {
	if parse := parsers[kind]; parse != nil {
		return parse(value{kind: isString, text: text})
	}
	switch {
	case kind != record.KindJSON:
		return text, ""
	case !json.Valid([]byte(text)):
		return nil, "Value must be valid JSON."
	}
	return json.RawMessage(text), ""
}

// document returns the JSON text of a value.
func (f *Field) document(b *Body, v value) any {
	if v.raw != "" {
		return json.RawMessage(v.raw)
	}
	if b.html && json.Valid([]byte(v.text)) {
		return json.RawMessage(v.text)
	}
	text, _ := json.Marshal(v.text)
	return json.RawMessage(text)
}

func parseBoolean(v value) (any, string) {
	switch v.text {
	case "t", "T", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "1":
		return true, ""
	case "f", "F", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "0":
		return false, ""
	}
	return nil, "Must be a valid boolean."
}

var wholeNumber = regexp.MustCompile(`\.0*\s*$`)

func parseInteger(v value) (any, string) {
	n, err := strconv.ParseInt(wholeNumber.ReplaceAllString(strip(v.text), ""), 10, 64)
	if err != nil || v.kind == isOther {
		return nil, "A valid integer is required."
	}
	return n, ""
}

func parseNumber(v value) (any, string) {
	n, err := strconv.ParseFloat(strip(v.text), 64)
	if err != nil || v.kind == isOther || math.IsNaN(n) || math.IsInf(n, 0) {
		return nil, "A valid number is required."
	}
	return n, ""
}

func parseDecimal(v value) (any, string) {
	text := strip(v.text)
	if _, problem := parseNumber(v); problem != "" || strings.ContainsAny(text, "xX_") {
		return nil, "A valid number is required."
	}
	return text, ""
}

func parseDate(v value) (any, string) {
	t, err := time.Parse(time.DateOnly, v.text)
	if err != nil || v.kind != isString {
		return nil, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
	}
	return t.Format(time.DateOnly), ""
}

// dateTimes are the forms that DRF reads; a time without an offset is UTC.
var dateTimes = []string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04",
}

func parseDateTime(v value) (any, string) {
	for _, form := range dateTimes {
		text := v.text
		if len(text) > 10 && text[10] == ' ' {
			text = text[:10] + "T" + text[11:]
		}
		if t, err := time.Parse(form, text); err == nil && v.kind == isString {
			return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano), ""
		}
	}
	return nil, "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
}

var hexUUID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func parseUUID(v value) (any, string) {
	id, ok := canonicalUUID(v.text)
	if v.kind != isString || !ok {
		return nil, "Must be a valid UUID."
	}
	return id, ""
}

// canonicalUUID returns a UUID in lower case with hyphens. It accepts the forms that
// Python's uuid.UUID does: without hyphens, in braces, as URN.
func canonicalUUID(text string) (string, bool) {
	if len(text) > 64 {
		return "", false
	}
	text = strings.NewReplacer("urn:", "", "uuid:", "").Replace(text)
	text = strings.ToLower(strings.ReplaceAll(strings.Trim(text, "{}"), "-", ""))
	if !hexUUID.MatchString(text) {
		return "", false
	}
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:], true
}
