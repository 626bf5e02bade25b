package form

// Fields: what a body may hold, and DRF's CharField that judges it.

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd/names"
)

// Field is one string that a body holds, and where it goes. OPTIONS answers
// and the decoding are made from the same Field. Text, Email and Required or
// not say the usual; the rest is for the few that differ.
type Field struct {
	Name      string
	Label     string
	Help      string
	Type      string // string or email
	Optional  bool
	Blank     bool // the empty string is a value
	ReadOnly  bool // only shown
	MaxLength int  // characters; 0 is no limit of its own
	// Check judges a string that is one; what it returns is shown beside the
	// rest. It runs before MaxLength, as the model's validators do in DRF.
	Check func(string) []string

	into  *string
	sent  *bool
	other string
}

// Text is a required string.
func Text(name string, into *string) Field {
	return Field{Name: name, Label: label(name), Type: "string", into: into}
}

// Email is a required address.
func Email(name string, into *string) Field {
	return Field{Name: name, Label: label(name), Type: "email", into: into}
}

// label is Django's: the name with a capital and blanks.
func label(name string) string {
	return strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " ")
}

// OrNot makes the field optional; sent says whether the body had it.
func (f Field) OrNot(sent *bool) Field {
	f.Optional, f.sent = true, sent
	return f
}

// Or lets the body name the field otherwise, too; its own name goes first.
func (f Field) Or(other string) Field {
	f.other = other
	return f
}

// Decode takes the fields out of the body. The error, if any, is a
// *jotgate.Error with every field that is wrong, in the order given.
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

// orNil is no error where no field is wrong.
func orNil(e *jotgate.Error) error {
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

// decode is Field.run_validation and CharField of rest_framework/fields.py.
func (f *Field) decode(b *Body) []string {
	v, sent := b.fields[f.Name]
	if !sent && f.other != "" {
		v, sent = b.fields[f.other]
	}
	if f.ReadOnly || b.html && v.kind == isString && v.text == "" && f.Optional && !f.Blank {
		return nil
	}
	text := strip(v.text)
	switch {
	case !sent && f.Optional:
		return nil
	case !sent:
		return []string{"This field is required."}
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
	if text == "" {
		return nil
	}
	return f.validate(text, v.surrogate)
}

// validate collects what every validator says.
func (f *Field) validate(text string, surrogate rune) (wrong []string) {
	if f.MaxLength > 0 && utf8.RuneCountInString(text) > f.MaxLength {
		// Nothing else is said, so that no more work is done on a long string.
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

// strip is Python's str.strip, which knows a few blanks more than Unicode does.
func strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}
