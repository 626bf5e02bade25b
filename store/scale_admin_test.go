package store_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// crowdOf fills a database with n users: each thousandth is staff, each tenth in the
// group 1, and each fifth has two accounts at the same provider.
func crowdOf(w *world, n int) *site {
	w.Helper()
	s := newSite(w, n, "x")
	_, err := s.store.Groups().Create(w.ctx, "readers")
	w.must(err)
	w.exec("UPDATE auth_user SET is_staff = true WHERE id % 1000 = 0")
	w.exec("INSERT INTO auth_user_groups (user_id, group_id) SELECT id, 1 FROM auth_user WHERE id % 10 = 0")
	for _, half := range []string{"a", "b"} {
		w.exec(`INSERT INTO socialaccount_socialaccount (provider, uid, user_id, last_login, date_joined, extra_data)
SELECT CASE WHEN id % 1000 = 5 THEN 'github' ELSE 'google' END, '` + half + `' || id, id, date_joined, date_joined, '{}' FROM auth_user WHERE id % 5 = 0`)
	}
	w.exec(w.on("ANALYZE", "VACUUM ANALYZE auth_user_groups"))
	w.exec(w.on("SELECT 1", "VACUUM ANALYZE socialaccount_socialaccount"))
	return s
}

// page reads what a page of the list of users shows.
func (s *site) page(q adminstore.Query, least int) error {
	q.Limit = 100
	page, err := s.store.Admin().Users(s.ctx, q)
	if err != nil {
		return err
	}
	if len(page.Users) < least {
		return fmt.Errorf("%+v: %d users", q, len(page.Users))
	}
	if q.After == "" && page.Next == "" { // the page has all
		return nil
	}
	_, err = s.store.Admin().Count(s.ctx, q)
	return err
}

// after returns the position of page number among n users, counted from 1.
func (s *site) after(number int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"id":%d}`, min((number-1)*100, s.users-100)))
}

var yes = true

// adminQuestions are the lists of the administration, each with its count.
var adminQuestions = map[string]func(s *site, n int) error{
	"list":         func(s *site, _ int) error { return s.page(adminstore.Query{}, 100) },
	"page 500":     func(s *site, _ int) error { return s.page(adminstore.Query{After: s.after(500)}, 100) },
	"newest first": func(s *site, _ int) error { return s.page(adminstore.Query{Sort: "-joined"}, 100) },
	"by name":      func(s *site, _ int) error { return s.page(adminstore.Query{Sort: "username"}, 100) },
	"by address": func(s *site, _ int) error {
		q := adminstore.Query{Sort: "email", Limit: 100}
		page, err := s.store.Admin().Users(s.ctx, q)
		if err != nil || page.Next == "" {
			return fmt.Errorf("one page, %w", err)
		}
		q.After = page.Next
		return s.page(q, 100)
	},
	"filter: staff":    func(s *site, _ int) error { return s.page(adminstore.Query{Staff: &yes}, 1) },
	"provider of many": func(s *site, _ int) error { return s.page(adminstore.Query{Provider: "google"}, 100) },
	"provider of few":  func(s *site, _ int) error { return s.page(adminstore.Query{Provider: "github"}, 1) },
	"page 50 of a provider": func(s *site, _ int) error {
		return s.page(adminstore.Query{Provider: "google", After: s.after(500)}, 10)
	},
	"members of a group":   func(s *site, _ int) error { return s.page(adminstore.Query{Group: 1}, 100) },
	"page 50 of a group":   func(s *site, _ int) error { return s.page(adminstore.Query{Group: 1, After: s.after(500)}, 10) },
	"search: beginning":    func(s *site, n int) error { return s.page(adminstore.Query{Search: "us"}, 100) },
	"search: middle":       func(s *site, n int) error { return s.page(adminstore.Query{Search: fmt.Sprintf("er%d@exam", n)}, 1) },
	"search: many results": func(s *site, _ int) error { return s.page(adminstore.Query{Search: "@example"}, 100) },
	"search: nothing":      func(s *site, _ int) error { return s.page(adminstore.Query{Search: "ser exampel"}, 0) },
	"a user": func(s *site, n int) error {
		_, err := s.store.Admin().User(s.ctx, record.UserID(strconv.Itoa(n)))
		return err
	},
}

// The lists of the administration read no more among JOTGATE_USERS users than among a
// few thousand: PostgreSQL says how many pages it visits, and SQLite that it sorts
// nothing, since a list that is in order ends after 100 rows and a count after 1,000.
func TestAdminAmongManyUsers(t *testing.T) {
	many := number(t, "JOTGATE_USERS", 10_000)
	t.Run("sqlite", func(t *testing.T) {
		s := crowdOf(sqliteWorld(t), 2000)
		for what, do := range adminQuestions {
			s.seen.work(func() error { return do(s, 1234) })
			for _, sent := range s.seen.sent {
				// The last step may sort the rows of the page, which an inner SELECT has found.
				plan := s.steps("EXPLAIN QUERY PLAN "+sent.text, sent.args...)
				if all := strings.Join(plan, "\n"); strings.Contains(strings.Join(plan[:len(plan)-1], "\n"), "TEMP B-TREE") || strings.HasPrefix(all, "SCAN u") && !strings.Contains(sent.text, "LIMIT") {
					t.Errorf("%s: %s\n%s", what, sent.text, all)
				}
			}
		}
	})
	t.Run("postgres", func(t *testing.T) {
		small, large := crowdOf(postgresWorld(t), 2000), crowdOf(postgresWorld(t), many)
		for what, do := range adminQuestions {
			statements, pages := small.most(do)
			statementsMany, pagesMany := large.most(do)
			t.Logf("%-20s %d statements; among 2000 users %d pages, among %d %d", what, statements, pages, many, pagesMany)
			if strings.HasPrefix(what, "search: middle") {
				continue // the lists of common trigrams grow; the benchmark has the time
			}
			if statements == 0 || statementsMany > statements+1 || pagesMany > 3*pages+1200 {
				t.Errorf("%s: %d statements that visit %d pages among 2000 users, %d and %d among %d", what, statements, pages, statementsMany, pagesMany, many)
			}
		}
	})
}

// BenchmarkAdmin has the times: of each list the median and the 99th percentile in
// milliseconds, and by how many MiB the process has grown.
func BenchmarkAdmin(b *testing.B) {
	users := number(b, "JOTGATE_USERS", 20_000)
	for name, make := range map[string]func(testing.TB) *world{"sqlite": sqliteWorld, "postgres": postgresWorld} {
		b.Run(name+"/users="+strconv.Itoa(users), func(b *testing.B) {
			s := crowdOf(make(b), users)
			s.ctx = context.Background()
			for what, do := range adminQuestions {
				b.Run(what, func(b *testing.B) {
					runtime.GC()
					var times []time.Duration
					for n := 0; b.Loop(); n++ {
						begin := time.Now()
						if err := do(s, n*7919%users+1); err != nil {
							b.Fatal(err)
						}
						times = append(times, time.Since(begin))
					}
					slices.Sort(times)
					at := func(p float64) float64 { return times[int(p*float64(len(times)-1))].Seconds() * 1000 }
					b.ReportMetric(at(.5), "p50-ms")
					b.ReportMetric(at(.99), "p99-ms")
				})
			}
		})
	}
}
