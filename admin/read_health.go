package admin

// The health page: the checks of the command doctor, and figures of this process.

import (
	"context"
	"math"
	"net/url"
	"slices"
	"strconv"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
)

func (a *Admin) listHealth(ctx context.Context, who *Actor, _ url.Values) (l list, err error) {
	if !who.super() {
		return l, jotgate.ErrForbidden
	}
	facts, err := a.store.Facts(ctx)
	all, sorted := append(a.figures(ctx), facts...), []adminstore.Fact{}
	for _, ok := range []bool{false, true} { // problems first
		for _, f := range all {
			if f.OK == ok {
				sorted = append(sorted, f)
			}
		}
	}
	l.Results = sorted
	return l, err
}

// mainFigures are the metrics that the health page shows.
var mainFigures = []string{
	"jotgate_logins_total", "jotgate_refreshes_total", "jotgate_throttled_total", "jotgate_lockouts_active", "jotgate_sessions_active",
	"jotgate_hash_queue_length", "jotgate_revocation_age_seconds", "jotgate_key_age_seconds", "jotgate_outbox_pending",
	"jotgate_outbox_oldest_seconds", "jotgate_db_up", "process_resident_memory_bytes",
}

// figures returns the main figures of this process as facts, for sites without
// Prometheus.
func (a *Admin) figures(ctx context.Context) (list []adminstore.Fact) {
	for _, s := range a.gate.Settings().Metrics.Samples(ctx) {
		if slices.Contains(mainFigures, s.Name) {
			about := s.Name
			for i := 1; i < len(s.Labels); i += 2 {
				about += " " + s.Labels[i]
			}
			ok := s.Name != "jotgate_db_up" || s.Value == 1
			list = append(list, adminstore.Fact{OK: ok, About: about, Found: strconv.FormatFloat(math.Round(s.Value*10)/10, 'f', -1, 64)})
		}
	}
	return list
}
