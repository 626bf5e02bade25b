// Package form decodes the body of a request into fields as Django REST framework
// does: JSON, URL-encoded and multipart bodies, with CharField's rules and
// messages, and Python's messages for invalid JSON, including the position.
//
//	raw, err := form.Read(w, r, 64<<10)
//	body, err := form.Parse(r.Header, raw)
//	err = body.Decode(form.Text("username", &in.Username), form.Text("password", &in.Password))
//
// It is stricter than DRF: it refuses duplicate members and fields, character sets
// other than UTF-8, compressed bodies and deep nesting. Every error is a
// [*jotgate.Error] with DRF's status. No input makes it panic or read more than the
// limit.
package form

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/jotgate/jotgate"
)

// A Body is a decoded request body: fields by name, or another JSON value.
type Body struct {
	kind   string           // Python's name of the type: dict, list, str, …
	fields map[string]value // of a dict
	html   bool             // an HTML form, in which an empty field counts as missing
}

// A value is the content of a field before a Field validates it.
type value struct {
	kind      kind
	text      string // of a string, or of a number in Python's format
	raw       string // the JSON text, of a member of the body
	surrogate rune   // the first surrogate in text without its other half
}

type kind int

const (
	isString kind = iota
	isNumber
	isNull
	isOther // a boolean, a list, an object or a file
)

// Read reads the body of r, of at most limit bytes, without decoding it. After an
// error, a part of the body may be unread. Errors: 400 and 413.
func Read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(max(0, min(r.ContentLength, limit, 4096))) + bytes.MinRead)
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "Request body is larger than %d bytes.", limit)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "Request body could not be read.").Because(err)
	}
	return b.Bytes(), nil
}

// Parse decodes a body according to its Content-Type. An empty body of any type has
// no fields, as in DRF. Errors: 400 (malformed) and 415 (unsupported type).
func Parse(header http.Header, raw []byte) (*Body, error) {
	if len(raw) == 0 {
		return &Body{kind: "dict"}, nil
	}
	media, params, err := mediaType(header)
	if err != nil {
		return nil, err
	}
	switch media {
	case "application/json":
		return parseJSON(raw)
	case "application/x-www-form-urlencoded":
		return parseURLEncoded(string(raw))
	case "multipart/form-data":
		return parseMultipart(raw, params["boundary"])
	default:
		return nil, unsupported(header)
	}
}

// mediaType parses the Content-Type. It refuses compressed bodies and other
// character sets than UTF-8.
func mediaType(header http.Header) (media string, params map[string]string, err error) {
	if encoding := header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return "", nil, refuse(http.StatusUnsupportedMediaType, "Unsupported content encoding %q in request.", encoding)
	}
	media, params, err = mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || !isUTF8(params["charset"]) {
		return "", nil, unsupported(header)
	}
	return media, params, nil
}

// isUTF8 reports whether a charset is UTF-8, a subset of it, or missing.
func isUTF8(charset string) bool {
	return slices.Contains([]string{"", "utf-8", "utf8", "us-ascii"}, strings.ToLower(charset))
}

func unsupported(header http.Header) error {
	return refuse(http.StatusUnsupportedMediaType, "Unsupported media type \"%s\" in request.", header.Get("Content-Type"))
}

// MediaTypes returns the media types that Parse supports, for responses to OPTIONS.
func MediaTypes() []string {
	return []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
}

// isDict returns an error if the body is a JSON value other than an object.
func (b *Body) isDict() error {
	switch b.kind {
	case "dict":
		return nil
	case "NoneType":
		return NonField("No data provided")
	default:
		return NonField("Invalid data. Expected a dictionary, but got " + b.kind + ".")
	}
}

// NonField returns an error about the body as a whole.
func NonField(text string) *jotgate.Error { return FieldError("non_field_errors", text) }

// FieldError returns an error about one field, with status 400.
func FieldError(field string, texts ...string) *jotgate.Error {
	return &jotgate.Error{Status: http.StatusBadRequest, Fields: []jotgate.FieldError{{Field: field, Messages: texts}}}
}

func refuse(status int, format string, args ...any) *jotgate.Error {
	return &jotgate.Error{Status: status, Detail: fmt.Sprintf(format, args...)}
}
