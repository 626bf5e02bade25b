package metrics

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// collectedValues are what the collectors of one scrape have set.
type collectedValues [count]map[labels]float64

// set is a Set. Of a metric with too many series, the further ones are left out.
func (c *collectedValues) set(m Metric, v float64, values ...string) {
	d := &definitions[m]
	if c[m] == nil {
		c[m] = map[labels]float64{}
	}
	key := d.key(values)
	if _, known := c[m][key]; known || len(c[m]) < d.limit {
		c[m][key] = v
	}
}

// read reads what was counted or, of a metric that is collected, what was set.
func (g *gathered) read(v *vector, set map[labels]float64) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if len(set) > 0 {
		g.keys = sortedKeys(set)
		for _, key := range g.keys {
			g.values = append(g.values, value{value: set[key]})
		}
		return
	}
	g.keys = sortedKeys(v.series)
	for _, key := range g.keys {
		s := v.series[key]
		now := value{value: float64(s.n.Load())}
		for i := range s.buckets {
			now.buckets = append(now.buckets, s.buckets[i].Load())
		}
		if s.buckets != nil {
			now.value /= float64(time.Second)
		}
		g.values = append(g.values, now)
	}
}

func sortedKeys[V any](m map[labels]V) []labels {
	return slices.SortedFunc(maps.Keys(m), func(a, b labels) int {
		return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1]), strings.Compare(a[2], b[2]))
	})
}
