package store_test

import (
	"strings"
	"testing"

	"github.com/jotgate/jotgate/store"
)

// An older binary starts beside migrations of a newer one that say so, and
// refuses others with one sentence, as well as those that say nothing.
func TestBesideNewerVersions(t *testing.T) {
	both(t, func(w *world) {
		w.open()
		known := w.count("SELECT MAX(version_id) FROM jotgate_migrations")
		for name, c := range map[string]struct {
			from any
			want string
		}{
			"additive":        {known, ""},
			"long compatible": {1, ""},
			"incompatible":    {known + 1, "cannot run beside it: use that one"},
			"silent":          {nil, "the database was migrated by a newer jotgate (to 900, this one knows"},
		} {
			w.exec("INSERT INTO jotgate_migrations (version_id, is_applied, compatible_from) VALUES (900, true, $1)", c.from)
			s, err := w.dial(store.Schema{}, false)
			if err == nil {
				s.Close()
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				w.Errorf("%s: %v, want %q", name, err, c.want)
			}
			w.exec("DELETE FROM jotgate_migrations WHERE version_id = 900")
		}
	})
}
