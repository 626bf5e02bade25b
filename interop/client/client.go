// Package client is the front end in these tests. It sends forms as a browser or curl does, and reads JSON responses.
package client

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
)

// An Answer is the response of a server.
type Answer struct {
	Status int
	Header http.Header
	Body   map[string]any // nil if the body is empty
}

// Text returns a member of the body, or "" if it is missing or not a string.
func (a Answer) Text(name string) string {
	text, _ := a.Body[name].(string)
	return text
}

var browser = &http.Client{
	Timeout:       wait.Limit,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Post sends a form. The fields are alternating names and values.
func Post(t testing.TB, address string, fields ...string) Answer {
	t.Helper()
	return PostAs(t, "", address, fields...)
}

// PostAs is Post with an Authorization header, unless authorization is empty.
func PostAs(t testing.TB, authorization, address string, fields ...string) Answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(t, request, authorization)
}

// Get requests a URL with an Authorization header, unless authorization is empty.
func Get(t testing.TB, address, authorization string) Answer {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, request, authorization)
}

func send(t testing.TB, request *http.Request, authorization string) Answer {
	t.Helper()
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	answer := Answer{Status: response.StatusCode, Header: response.Header}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &answer.Body); err != nil {
			t.Fatalf("%s %s: %d and no JSON object: %.200q", request.Method, request.URL.Path, response.StatusCode, data)
		}
	}
	return answer
}
