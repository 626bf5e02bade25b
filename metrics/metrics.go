// Package metrics counts what a process does, and serves the figures in the text
// format of Prometheus (version 0.0.4). The two calls to make are [New], whose result
// is passed to the other packages, and Registry.Wrap, which counts requests:
//
//	figures := metrics.New()
//	db, err := sqlite.Open(ctx, "jotgate.db", sqlite.Options{Metrics: figures})
//	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret, Metrics: figures}, db)
//	go api.Server("127.0.0.1:9100", figures).ListenAndServe() // GET /metrics
//	err = api.Server("127.0.0.1:8000", figures.Wrap(mux)).ListenAndServe()
//
// The figures are not protected. To serve them at a separate address, which only
// operators can reach, is the safe choice.
//
// All metrics are defined in this package, in one table. No label has a value that
// a client chooses, and each metric has a maximum number of series: further ones
// are counted together, with "other" in every label. So a process has at most
// MaxSeries series, whatever its clients send.
//
// A nil *Registry counts nothing, so a package without one need not check for nil.
package metrics

import (
	"context"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// MaxSeries is the largest number of series that a Registry serves. A histogram counts
// as many series as it has lines in the output.
const MaxSeries = 2000

// Registry holds the figures of one process. Create it with New; nil counts nothing.
// It is safe for concurrent use.
type Registry struct {
	metrics    [count]vector
	scraping   sync.Mutex // one scrape at a time calls the collectors
	mu         sync.Mutex
	collectors []func(context.Context, Set)
}

// Set sets the value of a gauge, or of a counter that another library counts. The
// labels are the values of the metric's labels, in order. A function given to
// Registry.Collect calls it.
type Set func(m Metric, value float64, labels ...string)

// New returns an empty Registry.
func New() *Registry {
	r := &Registry{}
	for i := range r.metrics {
		r.metrics[i].series = map[labels]*Series{}
	}
	r.Collect(process)
	return r
}

// Collect registers do, which is called each time the metrics are read. do calls set
// for values that are not counted as they change, such as the length of a queue. All
// registered functions together have five seconds, after which their context ends.
func (r *Registry) Collect(do func(ctx context.Context, set Set)) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.collectors = append(r.collectors, do)
}

// Count adds one to a counter. The values are those of the metric's labels, in
// order; Count panics if their number is wrong.
func (r *Registry) Count(m Metric, values ...string) { r.Add(m, 1, values...) }

// Add adds n to a counter. A negative n counts as 0.
func (r *Registry) Add(m Metric, n int, values ...string) {
	if r != nil {
		r.Series(m, values...).n.Add(uint64(max(n, 0)))
	}
}

// Observe adds a duration to a histogram.
func (r *Registry) Observe(m Metric, d time.Duration, values ...string) {
	if r == nil {
		return
	}
	s := r.Series(m, values...)
	i, _ := slices.BinarySearch(definitions[m].buckets, d.Seconds())
	s.buckets[i].Add(1)
	s.n.Add(uint64(max(d, 0)))
}

// Series returns the counter with these values of its labels, so that counting needs no
// look-up. It returns nil if r is nil.
func (r *Registry) Series(m Metric, values ...string) *Series {
	if r == nil {
		return nil
	}
	return r.metrics[m].of(&definitions[m], values)
}

// Series is one series of a counter or a histogram. It is safe for concurrent use.
type Series struct {
	n       atomic.Uint64   // the count; of a histogram, the sum in nanoseconds
	buckets []atomic.Uint64 // of a histogram: not cumulative; the last is +Inf
}

// Inc adds one. A nil Series counts nothing.
func (s *Series) Inc() {
	if s != nil {
		s.n.Add(1)
	}
}

// maxLabels is the largest number of labels of a metric.
const maxLabels = 3

// labels are the values of a series.
type labels [maxLabels]string

// vector holds the series of one metric.
type vector struct {
	mu     sync.RWMutex
	series map[labels]*Series
}

// of returns the series with these values and creates it if necessary.
func (v *vector) of(d *definition, values []string) *Series {
	key := d.key(values)
	v.mu.RLock()
	s := v.series[key]
	v.mu.RUnlock()
	if s != nil {
		return s
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, known := v.series[key]; !known && len(v.series) >= d.limit-1 {
		key = d.other()
	}
	if s = v.series[key]; s == nil {
		s = &Series{}
		if d.buckets != nil {
			s.buckets = make([]atomic.Uint64, len(d.buckets)+1)
		}
		v.series[key] = s
	}
	return s
}

// Sample is a value of a series at one time.
type Sample struct {
	Name   string   // of the metric; with _sum or _count for a histogram
	Labels []string // names and values, alternating
	Value  float64
}

// Samples returns the current values of all counters and gauges, and of each histogram
// the sum in seconds and the count, sorted by name and labels. It calls the functions
// registered with Collect.
func (r *Registry) Samples(ctx context.Context) []Sample {
	if r == nil {
		return nil
	}
	var list []Sample
	for _, g := range r.gather(ctx) {
		for i, v := range g.values {
			names := g.pairs(g.keys[i])
			if g.buckets == nil {
				list = append(list, Sample{g.name, names, v.value})
				continue
			}
			list = append(list, Sample{g.name + "_sum", names, v.value}, Sample{g.name + "_count", names, float64(v.total())})
		}
	}
	return list
}

// gathered is a metric as it was read.
type gathered struct {
	*definition
	keys   []labels
	values []value
}

type value struct {
	value   float64 // of a histogram, the sum
	buckets []uint64
}

func (v *value) total() (n uint64) {
	for _, b := range v.buckets {
		n += b
	}
	return n
}

// collectTimeout limits how long the collectors take together.
const collectTimeout = 5 * time.Second

// gather reads every metric that has a series.
func (r *Registry) gather(ctx context.Context) (list []gathered) {
	r.scraping.Lock()
	defer r.scraping.Unlock()
	ctx, cancel := context.WithTimeout(ctx, collectTimeout)
	defer cancel()
	r.mu.Lock()
	collectors := slices.Clone(r.collectors)
	r.mu.Unlock()
	collected := &collectedValues{}
	for _, collect := range collectors {
		collect(ctx, collected.set)
	}
	for m := range definitions {
		g := gathered{definition: &definitions[m]}
		g.read(&r.metrics[m], collected[m])
		if len(g.keys) > 0 {
			list = append(list, g)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	return list
}
