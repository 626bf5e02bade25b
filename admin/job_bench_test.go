package admin_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/internal/pgtest"
)

// BenchmarkLoginsDuringAJob reports the 99th percentile of the logins of one client, in
// milliseconds, while this process deactivates 12,345 users, and twenty seconds before and
// after. The first logins to a new SQLite database do not count: they are faster until it
// has its first checkpoints.
//
//	go test -run '^$' -bench LoginsDuringAJob -benchtime 1x ./admin
func BenchmarkLoginsDuringAJob(b *testing.B) {
	const users = 12_345
	for name, dsn := range map[string]func() string{
		"sqlite":   func() string { return filepath.Join(b.TempDir(), "jotgate.db") },
		"postgres": func() string { return pgtest.Database(b) },
	} {
		b.Run(name, func(b *testing.B) {
			s := &bulk{TB: b, dsn: dsn(), users: users}
			s.fill()
			quiet := func() time.Duration { return s.logins(func() { time.Sleep(20 * time.Second) }) }
			for b.Loop() {
				_ = quiet()
				before := quiet()
				fields := admin.Fields{"action": {"user.deactivate"}, "all": {"true"}, "staff": {"false"}, "active": {"true"}}
				result, err := s.admin.Act(b.Context(), s.admin.Operator(), "job.start", "", fields)
				if err != nil {
					b.Fatal(err)
				}
				during := s.logins(func() { s.admin.Work(b.Context()) })
				s.consistent(result.Target, users, 0)
				after := quiet()
				for what, p := range map[string]time.Duration{"before": before, "during": during, "after": after} {
					b.ReportMetric(p.Seconds()*1000, what+"-p99-ms")
				}
				if _, err := s.admin.Act(b.Context(), s.admin.Operator(), "job.undo", result.Target, nil); err != nil {
					b.Fatal(err)
				}
				s.admin.Work(b.Context())
			}
		})
	}
}
