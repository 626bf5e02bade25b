package metrics

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// scrape returns what a Registry serves, without the figures of the process.
func scrape(t *testing.T, r *Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Fatal(w.Code, w.Header())
	}
	var kept strings.Builder
	for line := range strings.Lines(w.Body.String()) {
		if strings.Contains(line, "jotgate_") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func TestFormat(t *testing.T) {
	r := New()
	r.Count(Logins, "ok")
	r.Add(Logins, 2, "password")
	r.Observe(HashDuration, 30*time.Millisecond, "argon2")
	r.Observe(HashDuration, time.Minute, "argon2")
	r.Collect(func(_ context.Context, set Set) {
		set(BuildInfo, 1, "a \"b\"\\\nc", "go1.26")
		set(Sessions, 12)
	})
	const want = `# HELP jotgate_build_info The version; the value is 1.
# TYPE jotgate_build_info gauge
jotgate_build_info{version="a \"b\"\\\nc",goversion="go1.26"} 1
# HELP jotgate_logins_total Logins.
# TYPE jotgate_logins_total counter
jotgate_logins_total{result="ok"} 1
jotgate_logins_total{result="password"} 2
# HELP jotgate_password_hash_duration_seconds Time to hash a password, without the time in the queue.
# TYPE jotgate_password_hash_duration_seconds histogram
jotgate_password_hash_duration_seconds_bucket{scheme="argon2",le="0.01"} 0
jotgate_password_hash_duration_seconds_bucket{scheme="argon2",le="0.025"} 0
jotgate_password_hash_duration_seconds_bucket{scheme="argon2",le="0.05"} 1
jotgate_password_hash_duration_seconds_bucket{scheme="argon2",le="0.1"} 1
jotgate_password_hash_duration_seconds_bucket{scheme="argon2",le="0.25"} 1
jotgate_password_hash_duration_seconds_bucket{scheme="argon2",le="0.5"} 1
jotgate_password_hash_duration_seconds_bucket{scheme="argon2",le="1"} 1
jotgate_password_hash_duration_seconds_bucket{scheme="argon2",le="2.5"} 1
jotgate_password_hash_duration_seconds_bucket{scheme="argon2",le="+Inf"} 2
jotgate_password_hash_duration_seconds_sum{scheme="argon2"} 60.03
jotgate_password_hash_duration_seconds_count{scheme="argon2"} 2
# HELP jotgate_sessions_active Sessions that have not ended: an estimate, read once a minute.
# TYPE jotgate_sessions_active gauge
jotgate_sessions_active 12
`
	if got := scrape(t, r); got != want {
		t.Errorf("%s", got)
	}
}

// The bound of a bucket belongs to it.
func TestBucketBound(t *testing.T) {
	r := New()
	r.Observe(DBQueries, 2500*time.Microsecond, "read")
	if got := scrape(t, r); !strings.Contains(got, `le="0.001"} 0`) || !strings.Contains(got, `le="0.0025"} 1`) {
		t.Error(got)
	}
}

func TestNilRegistry(t *testing.T) {
	var r *Registry
	r.Count(Logins, "ok")
	r.Observe(HashDuration, time.Second, "argon2")
	r.Collect(func(context.Context, Set) { t.Error("a collector was called") })
	r.Series(Logins, "ok").Inc()
	if got := r.Samples(t.Context()); got != nil {
		t.Error(got)
	}
	next := http.NewServeMux()
	if r.Wrap(next) != http.Handler(next) {
		t.Error("a nil Registry wraps")
	}
}

// The definitions are complete, named as Prometheus asks, and cannot exceed
// MaxSeries together.
func TestDefinitions(t *testing.T) {
	names, total := map[string]bool{}, 0
	for m, d := range definitions {
		name := regexp.MustCompile(`^(jotgate|go|process)(_[a-z0-9]+)+$`)
		switch {
		case !name.MatchString(d.name) || names[d.name]:
			t.Errorf("metric %d has the name %q", m, d.name)
		case !strings.HasSuffix(d.help, ".") || strings.ContainsAny(d.help, "\"\\\n"):
			t.Errorf("%s: the help %q", d.name, d.help)
		case (d.kind == histogram) != (d.buckets != nil):
			t.Errorf("%s is a %s with the buckets %v", d.name, d.kind, d.buckets)
		case (d.kind == counter) != strings.HasSuffix(d.name, "_total"):
			t.Errorf("%s is a %s", d.name, d.kind)
		case d.limit < 1 || len(d.labels) > maxLabels || len(d.labels) == 0 && d.limit != 1:
			t.Errorf("%s has %d labels and %d series", d.name, len(d.labels), d.limit)
		}
		names[d.name] = true
		total += d.lines()
	}
	if total > MaxSeries {
		t.Errorf("all metrics together have up to %d lines, more than %d", total, MaxSeries)
	}
	t.Log(total, "series at most")
}

// Whatever the labels are, a metric has no more series than its limit, and nothing
// is lost: what is over the limit is counted as other.
func TestLimit(t *testing.T) {
	r := New()
	limit := definitions[Throttled].limit
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 500 {
				r.Count(Throttled, fmt.Sprint(i, "-", j))
			}
		})
	}
	all.Wait()
	r.Collect(func(_ context.Context, set Set) {
		for i := range 1000 {
			set(Keys, 1, fmt.Sprint(i), "current")
		}
	})
	series, sum, keys := 0, 0.0, 0
	for _, s := range r.Samples(t.Context()) {
		switch s.Name {
		case "jotgate_throttled_total":
			series, sum = series+1, sum+s.Value
		case "jotgate_keys":
			keys++
		}
	}
	if series != limit || sum != 4000 || keys != definitions[Keys].limit {
		t.Errorf("%d series with the sum %v; %d keys", series, sum, keys)
	}
	if got := scrape(t, r); !strings.Contains(got, `jotgate_throttled_total{scope="other"}`) {
		t.Error(got)
	}
}

func TestWrongLabels(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a metric was counted with a label that it does not have")
		}
	}()
	New().Count(Logins, "ok", "more")
}

func TestWrap(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/a/{id}/{$}", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "DELETE" {
			w.WriteHeader(405)
			return
		}
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(201)
	})
	mux.HandleFunc("GET /b", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("b")) })
	mux.HandleFunc("/admin/users/{id}/", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	r := New()
	h := r.Wrap(mux, "/admin/")
	for _, request := range []string{"POST /a/1/", "POST /a/2/", "DELETE /a/3/", "GET /b", "HEAD /b", "GET /admin/users/7/", "GET /none", "BREW /a/4/", "GET /abort"} {
		method, path, _ := strings.Cut(request, " ")
		func() {
			defer func() { _ = recover() }()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
		}()
	}
	got := map[string]float64{}
	for _, s := range r.Samples(t.Context()) {
		if s.Name == "jotgate_http_requests_total" || s.Name == "jotgate_http_request_duration_seconds_count" {
			got[strings.Join(s.Labels, " ")] += s.Value
		}
	}
	want := map[string]float64{
		"route /a/{id} method POST code 201": 2, "route other method other code 405": 1, "route /b method GET code 200": 2,
		"route /admin method GET code 200": 1, "route other method other code 404": 1, "route other method other code 201": 1,
		"route /abort method GET code aborted": 1,
		"route /a/{id} method POST":            2, "route /b method GET": 2,
		"route /admin method GET": 1, "route other method other": 3, "route /abort method GET": 1,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// The features of the ResponseWriter below remain available.
func TestResponse(t *testing.T) {
	w := httptest.NewRecorder()
	if err := http.NewResponseController(&Response{ResponseWriter: w}).Flush(); err != nil || !w.Flushed {
		t.Error(err)
	}
}

func TestServeHTTP(t *testing.T) {
	for request, want := range map[string]int{"GET /metrics": 200, "HEAD /metrics": 200, "POST /metrics": 405, "GET /": 404, "GET /metrics/": 404} {
		method, path, _ := strings.Cut(request, " ")
		w := httptest.NewRecorder()
		New().ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d", request, w.Code)
		}
	}
}

// The process's own figures are those that the kernel and the runtime report.
func TestProcess(t *testing.T) {
	got := map[string]float64{}
	for _, s := range New().Samples(t.Context()) {
		got[s.Name] = s.Value
	}
	for _, name := range []string{"go_goroutines", "go_memstats_heap_alloc_bytes", "process_resident_memory_bytes", "process_open_fds", "process_max_fds"} {
		if got[name] <= 0 {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	if started := time.Unix(int64(got["process_start_time_seconds"]), 0); started.Year() < 2026 {
		t.Errorf("the process started at %v", started)
	}
}

func TestSetStat(t *testing.T) {
	got := map[Metric]float64{}
	setStat(func(m Metric, v float64, _ ...string) { got[m] = v },
		"1 (a) b) S 0 1 1 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 8 0 700 1000 3 18446744073709551615")
	if got[processCPU] != 3 || got[processMemory] != 3*float64(os.Getpagesize()) {
		t.Error(got)
	}
	setStat(func(Metric, float64, ...string) {}, "") // no panic
}

func BenchmarkCount(b *testing.B) {
	r := New()
	series := r.Series(TokenVerifications, "ok")
	b.Run("series", func(b *testing.B) {
		for b.Loop() {
			series.Inc()
		}
	})
	b.Run("labels", func(b *testing.B) {
		for b.Loop() {
			r.Count(HTTPRequests, "/api/token", "POST", "200")
		}
	})
}
