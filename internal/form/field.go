package form

// Fields of a body, validated as DRF's CharField does.

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd/names"
)

// A Field describes a string in a body and the variable that receives it. The
// same Field serves for decoding and for the response to OPTIONS. Create one with
// [Text] or [Email]; set the other fields if it differs.
type Field struct {
	Name      string
	Label     string
	Help      string
	Type      string // string, email, or one of record.Kind
	Optional  bool
	Blank     bool // the empty string is allowed
	Null      bool // null is allowed
	ReadOnly  bool // in responses only
	MaxLength int  // in characters; 0 means no limit
	// Check validates a valid string. The messages that it returns are added to
	// those of the other validators. It runs only for a string within MaxLength.
	Check func(string) []string

	into  *string
	any   *any      // of a Typed field
	json  *[]byte   // of an Object, instead of into
	yes   *bool     // of a Bool, instead of into
	words *[]string // of Words, instead of into
	sent  *bool
	other string
}

// Text returns a required string field.
func Text(name string, into *string) Field {
	return Field{Name: name, Label: label(name), Type: "string", into: into}
}

// Email returns a required field for an e-mail address.
func Email(name string, into *string) Field {
	return Field{Name: name, Label: label(name), Type: "email", into: into}
}

// Object returns a required field for a JSON object, which is stored as it was
// sent. In a form, it is a text with the object.
func Object(name string, into *[]byte) Field {
	return Field{Name: name, Label: label(name), Type: "field", json: into}
}

// Bool returns an optional field for true or false, which leaves the variable as
// it is if the body does not have the field.
func Bool(name string, into *bool) Field {
	return Field{Name: name, Label: label(name), Type: "boolean", Optional: true, yes: into}
}

// Words returns a required field for a list of words: a JSON array of strings, or a
// text in which they are separated by spaces.
func Words(name string, into *[]string) Field {
	return Field{Name: name, Label: label(name), Type: "list", words: into}
}

// label returns Django's label of a field: its name with a capital letter and
// spaces.
func label(name string) string {
	return strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " ")
}

// OrNot returns the field as an optional one. Decode sets sent if the body has it.
func (f Field) OrNot(sent *bool) Field {
	f.Optional, f.sent = true, sent
	return f
}

// Or returns the field with an alternative name, which is used if the body has no
// field of the first name.
func (f Field) Or(other string) Field {
	f.other = other
	return f
}

// Decode stores the fields of the body in their variables. An error is a
// [*jotgate.Error] that lists all invalid fields in the given order.
func (b *Body) Decode(fields ...Field) error {
	if err := b.isDict(); err != nil {
		return err
	}
	e := jotgate.Error{Status: 400}
	for _, f := range fields {
		if texts := f.decode(b); len(texts) > 0 {
			e.Fields = append(e.Fields, jotgate.FieldError{Field: f.Name, Messages: texts})
		}
	}
	return orNil(&e)
}

// orNil returns nil if e lists no field.
func orNil(e *jotgate.Error) error {
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

// decode works as Field.run_validation and CharField in rest_framework/fields.py.
func (f *Field) decode(b *Body) []string {
	v, sent := b.fields[f.Name]
	if !sent && f.other != "" {
		v, sent = b.fields[f.other]
	}
	if f.ReadOnly || b.html && v.kind == isString && v.text == "" && f.Optional && !f.Blank {
		return nil
	}
	text := strip(v.text)
	if f.json != nil && sent && v.kind != isNull {
		return f.decodeObject(b, v)
	}
	if f.yes != nil && sent && v.kind != isNull {
		return f.decodeBool(v)
	}
	if f.words != nil && sent && v.kind != isNull {
		return f.decodeWords(v)
	}
	switch {
	case !sent && f.Optional:
		return nil
	case !sent:
		return []string{"This field is required."}
	case f.any != nil && (f.into == nil || v.kind == isNull):
		return f.decodeTyped(b, v)
	case v.kind == isNull:
		return []string{"This field may not be null."}
	case v.kind == isOther:
		return []string{"Not a valid string."}
	case text == "" && !f.Blank:
		return []string{"This field may not be blank."}
	}
	if f.sent != nil {
		*f.sent = true
	}
	*f.into = text
	if f.any != nil {
		*f.any = text
	}
	if text == "" {
		return nil
	}
	return f.validate(text, v.surrogate)
}

// decodeBool works as BooleanField.
func (f *Field) decodeBool(v value) []string {
	parsed, problem := parseBoolean(v)
	if problem != "" {
		return []string{problem}
	}
	*f.yes = parsed.(bool)
	return nil
}

// decodeObject works as JSONField, for objects only.
func (f *Field) decodeObject(b *Body, v value) []string {
	text := v.raw
	if b.html && v.kind == isString {
		if inner, err := parseJSON([]byte(v.text)); err == nil && inner.kind == "dict" {
			text = strip(v.text)
		}
	}
	if !strings.HasPrefix(text, "{") {
		return []string{"Value must be a JSON object."}
	}
	if f.sent != nil {
		*f.sent = true
	}
	*f.json = []byte(text)
	return nil
}

// decodeWords reads an array of strings, or splits a text.
func (f *Field) decodeWords(v value) []string {
	list := strings.Fields(v.text)
	switch {
	case v.kind == isString && v.surrogate == 0:
	case v.kind == isOther && strings.HasPrefix(v.raw, "["):
		s, ok := &scanner{text: v.raw}, true
		if list, ok = s.strings(); !ok {
			return []string{"Not a valid string."}
		}
	default:
		return []string{"Not a valid string."}
	}
	if f.sent != nil {
		*f.sent = true
	}
	*f.words = list
	return nil
}

// validate returns the messages of all validators.
func (f *Field) validate(text string, surrogate rune) (wrong []string) {
	if f.MaxLength > 0 && utf8.RuneCountInString(text) > f.MaxLength {
		// The only message, so that no more work is done on a long string.
		return []string{fmt.Sprintf("Ensure this field has no more than %d characters.", f.MaxLength)}
	}
	if f.Check != nil {
		wrong = append(wrong, f.Check(text)...)
	}
	if strings.ContainsRune(text, 0) {
		wrong = append(wrong, "Null characters are not allowed.")
	}
	if surrogate != 0 {
		wrong = append(wrong, fmt.Sprintf("Surrogate characters are not allowed: U+%X.", surrogate))
	}
	if f.Type == "email" && !names.ValidEmail(text) {
		wrong = append(wrong, names.ErrEmail.Error())
	}
	return wrong
}

// strip works as Python's str.strip, which strips a few characters more than
// Unicode's white space.
func strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}
