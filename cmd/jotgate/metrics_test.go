package main

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/metrics"
)

// serve with --metrics-addr serves its figures there, and nowhere else.
func TestServeMetrics(t *testing.T) {
	addr := freeport.Address(t)
	s := startServer(t, t.TempDir(), nil, "--metrics-addr", addr)
	wait.Until(t, "serve is ready", func() bool { code, _ := get(t, s.base+"/readyz"); return code == 200 })
	if code, body := get(t, s.base+"/metrics"); code != 404 {
		t.Errorf("the public address serves metrics: %d %s", code, body)
	}
	if code, _ := get(t, s.base+"/livez"); code != 200 {
		t.Error(code)
	}
	for _, want := range []string{
		`jotgate_http_requests_total{route="/livez",method="GET",code="200"} `, `jotgate_http_requests_total{route="other",method="other",code="404"} 1`,
		"jotgate_build_info{version=", "jotgate_db_up 1", "jotgate_logins_total{result=\"ok\"} 0", "process_start_time_seconds ", `go_sql_open_connections{db_name="read"} `,
	} {
		wait.Until(t, want, func() bool { // a request is counted after its response
			_, body := get(t, "http://"+addr+"/metrics")
			return strings.Contains(body, "\n"+want)
		})
	}
	if code, _ := get(t, "http://"+addr+"/livez"); code != 404 {
		t.Errorf("the address of the metrics serves something else: %d", code)
	}
	if s.end(t) != 0 {
		t.Error(s.stderr.String())
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := (&http.Client{}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// docs/metrics.md lists every metric.
func TestDocsListEveryMetric(t *testing.T) {
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range metrics.Describe() {
		row := "| `" + d.Name
		if len(d.Labels) > 0 {
			row += "{" + strings.Join(d.Labels, ",") + "}"
		}
		if !strings.Contains(string(page), row+"` | ") {
			t.Errorf("docs/metrics.md has no row %q", row+"`")
		}
	}
	listed := strings.Count(string(page), "\n| `jotgate_") + strings.Count(string(page), "\n| `go_") + strings.Count(string(page), "\n| `process_")
	if listed != len(metrics.Describe()) {
		t.Errorf("docs/metrics.md lists %d metrics, there are %d", listed, len(metrics.Describe()))
	}
}
