package oteljotgate_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/store/postgres"
)

// tree returns the spans as lines, each below its parent, with their attributes and
// events. Spans of one level are in the order in which they began.
func tree(spans []sdk.ReadOnlySpan, parent oteltrace.SpanID, indent string) (lines []string) {
	for _, s := range spans {
		if s.Parent().SpanID() != parent {
			continue
		}
		line := indent + s.Name()
		attributes := map[attribute.Key]string{}
		for _, a := range s.Attributes() {
			attributes[a.Key] = a.Value.Emit()
		}
		for _, key := range slices.Sorted(maps.Keys(attributes)) {
			line += fmt.Sprintf(" %s=%s", key, attributes[key])
		}
		for _, e := range s.Events() {
			line += " event:" + e.Name
		}
		lines = append(append(lines, line), tree(spans, s.SpanContext().SpanID(), indent+"  ")...)
	}
	return lines
}

func started(spans []sdk.ReadOnlySpan) []sdk.ReadOnlySpan {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b sdk.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	return spans
}

// One login is one trace, which begins with the request of the client.
func TestLoginIsOneTrace(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testLogin(t, newSite(t, metrics.New(), sqlitetest.Open(t)), "sqlite") })
	t.Run("postgres", func(t *testing.T) {
		db := must(postgres.Open(t.Context(), pgtest.Database(t), postgrestest.Options))(t)
		defer db.Close()
		testLogin(t, newSite(t, metrics.New(), db), "postgresql")
	})
}

func testLogin(t *testing.T, s *site, system string) {
	s.send(201, "POST", "/auth/users/", "", `{"username":"alice","email":"alice@example.com","password":"correct horse battery"}`)
	uid, token := s.link("activate")
	s.send(204, "POST", "/auth/users/activation/", "", `{"uid":%q,"token":%q}`, uid, token)
	before := len(s.spans.Ended())
	s.log.Reset()
	s.send(200, "POST", "/api/token/", "", `{"username":"alice","password":"correct horse battery"}`)
	spans := started(s.spans.Ended()[before:])
	parent, _ := oteltrace.SpanIDFromHex(parentSpan)
	got := strings.Join(tree(spans, parent, ""), "\n")
	t.Log("\n" + got)
	for _, span := range spans {
		if span.SpanContext().TraceID().String() != parentTrace {
			t.Errorf("%s is in the trace %s", span.Name(), span.SpanContext().TraceID())
		}
	}
	if lines := strings.Count(got, "\n") + 1; lines != len(spans) {
		t.Errorf("%d of %d spans are below the request", lines, len(spans))
	}
	rest := got
	for _, want := range []string{
		"POST /api/token http.request.method=POST http.response.status_code=200 http.route=/api/token",
		"\n  SELECT auth_user db.collection.name=auth_user db.operation.name=SELECT db.system.name=" + system,
		"\n  jotgate.password jotgate.password.scheme=pbkdf2_sha256 event:jotgate.password.hashing",
		"\n  jotgate.transaction",
		"\n    INSERT jotgate_session db.collection.name=jotgate_session db.operation.name=INSERT db.system.name=" + system,
		"\n  jotgate.sign jotgate.key.algorithm=HS256",
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Errorf("no %q, or not in this order", want)
			continue
		}
		rest = after
	}
	root := spans[0].SpanContext().SpanID().String()
	for line := range strings.Lines(s.log.String()) {
		if !strings.Contains(line, "trace_id="+parentTrace+" span_id="+root) || !strings.Contains(line, " request=") {
			t.Errorf("without the ids of the request's span %s: %s", root, line)
		}
	}
	if !strings.Contains(s.log.String(), "msg=login ") {
		t.Errorf("%s", s.log.String())
	}
}

// An error has its type and no text; a request that no route handles and a made-up
// method are named without what the client sent; the e-mail is a span of its own.
func TestNames(t *testing.T) {
	s := newSite(t, metrics.New(), sqlitetest.Open(t))
	s.send(201, "POST", "/auth/users/", "", `{"username":"alice","email":"alice@example.com","password":"correct horse battery"}`)
	s.link("activate")
	s.send(401, "POST", "/api/token/", "", `{"username":"alice","password":"wrong"}`)
	s.send(404, "GET", "/made-up/path/", "", "")
	s.send(405, "MADEUP", "/api/token/", "", "")

	var got []string
	for _, span := range started(s.spans.Ended()) {
		if span.SpanKind() == oteltrace.SpanKindServer || strings.Contains(span.Name(), "email") {
			line := span.Name()
			for _, a := range span.Attributes() {
				line += " " + a.Value.Emit()
			}
			got = append(got, line)
			if span.Status().Code == codes.Error {
				t.Errorf("%s is an error", line)
			}
		}
	}
	want := []string{
		"POST /auth/users POST /auth/users 201", "jotgate.email activation sent", "POST /api/token POST /api/token 401",
		"GET GET 404", "HTTP _OTHER 405",
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("no %q in\n%s", line, strings.Join(got, "\n"))
		}
	}
}
