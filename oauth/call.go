package oauth

// The requests of clients, and their errors.

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/jotgate/jotgate"
)

// Call is a request of a client at one of the endpoints.
type Call struct {
	// Header is the header of the request, of which Authorization is read.
	Header http.Header
	// Form has the parameters of the body (see ParseForm). Parameters in the URL are not
	// accepted (RFC 6749 section 2.3.1).
	Form url.Values
	// Audience lists the accepted values of the claim aud of an assertion: the issuer, and
	// the URLs of the endpoints.
	Audience []string
	// Limit is called before a client is read from the store, which happens at most once
	// in 5 seconds for a valid client. If it returns an error, the call fails with that.
	// nil: no limit.
	Limit func() error
	// Client describes the sender of the request, for events.
	Client jotgate.Client
}

// ParseForm reads the body of a request. Parameters without a value count as missing
// (RFC 6749 section 3.2). Errors: *jotgate.Error with status 400 or 415.
func ParseForm(header http.Header, body []byte) (url.Values, error) {
	if !isForm(header.Get("Content-Type")) || header.Get("Content-Encoding") != "" {
		e := refuse(errRequest, "The body must be "+formType+".")
		e.Status = http.StatusUnsupportedMediaType
		return nil, e
	}
	values, err := url.ParseQuery(string(body))
	if err == nil && !utf8.Valid(body) {
		err = errors.New("the body is not UTF-8")
	}
	if err != nil {
		return nil, refuse(errRequest, "The body is not a valid form.").Because(err)
	}
	maps.DeleteFunc(values, func(_ string, list []string) bool { return len(list) == 1 && list[0] == "" })
	return values, nil
}

const formType = "application/x-www-form-urlencoded"

func isForm(contentType string) bool {
	if contentType == formType {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return media == formType && err == nil
}

// check rejects parameters that are repeated (RFC 6749 section 3.2).
func (c *Call) check() error {
	for name, values := range c.Form {
		if len(values) > 1 {
			return refuse(errRequest, "The parameter "+ascii(name)+" is repeated.")
		}
	}
	return nil
}

// refuse returns a copy of an error with a description for the developer of the
// client.
func refuse(e *jotgate.Error, description string) *jotgate.Error {
	c := *e
	c.Detail = description
	return &c
}

// ascii returns a text as a description may have it (RFC 6749 section 5.2), at most 64
// characters of it.
func ascii(text string) string {
	text = text[:min(len(text), 64)]
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, text)
}

// The errors of RFC 6749 section 5.2 and RFC 8707 section 2. Code is their name.
var (
	errRequest = &jotgate.Error{Status: http.StatusBadRequest, Code: "invalid_request"}
	// errClient is the same for a client that is unknown, disabled, or has another
	// secret or method.
	errClient = &jotgate.Error{Status: http.StatusUnauthorized, Code: "invalid_client", Detail: "Client authentication failed."}
	errGrant  = &jotgate.Error{Status: http.StatusBadRequest, Code: "unsupported_grant_type", Detail: "The grant types are: client_credentials."}
	errScope  = &jotgate.Error{Status: http.StatusBadRequest, Code: "invalid_scope"}
	errTarget = &jotgate.Error{Status: http.StatusBadRequest, Code: "invalid_target", Detail: "The resource is not one of the server's audiences."}
)
