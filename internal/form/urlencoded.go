package form

// Bodies of HTML forms.

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
)

// maxFields limits the fields of a form. Django's DATA_UPLOAD_MAX_NUMBER_FIELDS is
// 1000; the forms of this API need 6.
const maxFields = 100

// parseURLEncoded parses application/x-www-form-urlencoded as Python's parse_qsl
// does: invalid escapes are kept as they are.
func parseURLEncoded(raw string) (*Body, error) {
	b := &Body{kind: "dict", fields: map[string]value{}, html: true}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, text, _ := strings.Cut(pair, "=")
		if err := b.add("Form", unquote(name), value{text: unquote(text)}); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// add adds a field to the body. It refuses a duplicate.
func (b *Body) add(what, name string, v value) error {
	if _, twice := b.fields[name]; twice {
		return refuse(http.StatusBadRequest, "%s parse error - Duplicate field %q", what, name)
	}
	if b.fields[name] = v; len(b.fields) > maxFields {
		return refuse(http.StatusBadRequest, "%s parse error - More than %d fields", what, maxFields)
	}
	return nil
}

// unquote works as Python's unquote_plus with errors="replace".
func unquote(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b = append(b, ' ')
			continue
		case s[i] == '%' && i+2 < len(s):
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(n))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

// parseMultipart parses multipart/form-data (RFC 7578). A file is not a valid
// string.
func parseMultipart(raw []byte, boundary string) (*Body, error) {
	const what = "Multipart form"
	b := &Body{kind: "dict", fields: map[string]value{}, html: true}
	if boundary == "" || len(boundary) > 70 { // RFC 2046 section 5.1.1
		return nil, refuse(http.StatusBadRequest, "%s parse error - Invalid boundary in multipart: None", what)
	}
	parts := multipart.NewReader(bytes.NewReader(raw), boundary)
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		var text []byte
		if err == nil {
			text, err = io.ReadAll(part)
		}
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "%s parse error - Invalid multipart", what).Because(err)
		}
		v := value{text: strings.ToValidUTF8(string(text), "\ufffd")}
		if part.FileName() != "" {
			v = value{kind: isOther}
		}
		if err := b.add(what, part.FormName(), v); err != nil {
			return nil, err
		}
	}
}
