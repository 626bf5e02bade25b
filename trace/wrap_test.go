package trace

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

// recorder is a Tracer that keeps what the last span was given.
type recorder struct{ got []string }

func (r *recorder) Start(ctx context.Context, kind Kind, name string, attributes ...slog.Attr) (context.Context, Span) {
	r.got = []string{fmt.Sprintf("%d %s %v", kind, name, attributes)}
	return ctx, r
}
func (r *recorder) IDs() (trace, span string) { return "TRACE", "SPAN" }
func (r *recorder) Rename(name string)        { r.got = append(r.got, name) }
func (r *recorder) Set(a ...slog.Attr)        { r.got = append(r.got, fmt.Sprint(a)) }
func (r *recorder) Event(name string)         { r.got = append(r.got, name) }
func (r *recorder) End(errorType string)      { r.got = append(r.got, "end "+errorType) }

func TestWrap(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{id}/", func(w http.ResponseWriter, r *http.Request) {
		if of, _ := From(r.Context()); of.ID != "TRACE" || of.Span != "SPAN" || TracerOf(r.Context()) == nil {
			t.Errorf("%+v", of)
		}
		switch r.PathValue("id") {
		case "broken":
			w.WriteHeader(503)
		case "gone":
			panic(http.ErrAbortHandler)
		case "half":
			_, _ = w.Write([]byte("half"))
			panic(http.ErrAbortHandler)
		}
	})
	for request, want := range map[string][]string{
		"GET /users/1/":         {"1 GET [http.request.method=GET]", "GET /users/{id}", "[http.route=/users/{id}]", "[http.response.status_code=200]", "end "},
		"GET /users/broken/":    {"1 GET [http.request.method=GET]", "GET /users/{id}", "[http.route=/users/{id}]", "[http.response.status_code=503]", "end 503"},
		"GET /users/gone/":      {"1 GET [http.request.method=GET]", "GET /users/{id}", "[http.route=/users/{id}]", "end aborted"},
		"GET /users/half/":      {"1 GET [http.request.method=GET]", "GET /users/{id}", "[http.route=/users/{id}]", "[http.response.status_code=200]", "end aborted"},
		"GET /secret/":          {"1 GET [http.request.method=GET]", "[http.response.status_code=404]", "end "},
		"SECRET /users/1/":      {"1 HTTP [http.request.method=_OTHER]", "[http.response.status_code=405]", "end "},
		"OPTIONS /users/secret": {"1 OPTIONS [http.request.method=OPTIONS]", "[http.response.status_code=405]", "end "},
	} {
		r := &recorder{}
		var method, path string
		_, _ = fmt.Sscan(request, &method, &path)
		func() {
			defer func() { _ = recover() }()
			Wrap(r, mux).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, path, nil))
		}()
		if !slices.Equal(r.got, want) {
			t.Errorf("%s: %q, want %q", request, r.got, want)
		}
	}
}
