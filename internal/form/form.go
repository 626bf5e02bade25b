// Package form reads the body of a request into named fields as Django REST
// framework does: JSON, URL-encoded and multipart bodies, CharField's rules
// and texts, Python's own words about broken JSON, position included.
//
//	raw, err := form.Read(w, r, 64<<10)
//	body, err := form.Parse(r.Header, raw)
//	err = body.Decode(form.Text("username", &in.Username), form.Text("password", &in.Password))
//
// Stricter than DRF: a member or a field that is sent twice, a character set
// other than UTF-8, a compressed body and deep nesting are refused. Every
// refusal is a *jotgate.Error with DRF's status; nothing here panics or works
// on more than the limit.
package form

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/jotgate/jotgate"
)

// Body is what a request carried: fields by name, or something else that JSON
// can say.
type Body struct {
	kind   string           // Python's name of the type: dict, list, str, …
	fields map[string]value // of a dict
	html   bool             // sent as a form, where empty means not given
}

// value is the content of one field before a Field makes a string of it.
type value struct {
	kind      kind
	text      string // of a string, or of a number as Python's str writes it
	surrogate rune   // the first half of a surrogate pair that stands alone in text
}

type kind int

const (
	isString kind = iota
	isNumber
	isNull
	isOther // a boolean, a list, an object, a file: no string
)

// Read reads the body, at most limit bytes of it, as it is. After an error
// something may be left to read. Errors: 400 and 413.
func Read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "Request body is larger than %d bytes.", limit)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "Request body could not be read.").Because(err)
	}
	return raw, nil
}

// Parse takes a body apart by its Content-Type. An empty body has no fields,
// whatever its type, as in DRF. Errors: 400 (not what the type promises), 415.
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

// mediaType reads the Content-Type and refuses what would have to be decoded
// first.
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

// isUTF8 reports whether a charset is UTF-8, a part of it, or not named.
func isUTF8(charset string) bool {
	return slices.Contains([]string{"", "utf-8", "utf8", "us-ascii"}, strings.ToLower(charset))
}

func unsupported(header http.Header) error {
	return refuse(http.StatusUnsupportedMediaType, "Unsupported media type \"%s\" in request.", header.Get("Content-Type"))
}

// MediaTypes are what Read understands, as an OPTIONS answer lists them.
func MediaTypes() []string {
	return []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
}

// isDict refuses a body that has no fields because it is something else.
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

// NonField is an error about the body as a whole.
func NonField(text string) *jotgate.Error { return FieldError("non_field_errors", text) }

// FieldError is the answer 400 about one field.
func FieldError(field string, texts ...string) *jotgate.Error {
	return &jotgate.Error{Status: http.StatusBadRequest, Fields: []jotgate.FieldError{{Field: field, Messages: texts}}}
}

func refuse(status int, format string, args ...any) *jotgate.Error {
	return &jotgate.Error{Status: status, Detail: fmt.Sprintf(format, args...)}
}
