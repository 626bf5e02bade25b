package store_test

import (
	"reflect"
	"testing"
	"time"
)

// The day by which Purge finds a session follows its rotations.
func TestDayOfRotatedSession(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		session := login(w, s, w.account(s, "ada").ID, "sid")
		day := func(at time.Time) int { return int(at.Unix() / 86400) }
		is := func(want time.Time) {
			t.Helper()
			if got := w.count("SELECT expires_day FROM jotgate_session WHERE id = 'sid'"); got != day(want) {
				t.Errorf("expires_day = %d, want %d", got, day(want))
			}
		}
		is(noon.Add(time.Hour))
		rotate := func(presented, next string, expires time.Time) {
			t.Helper()
			r := use(session, presented, next)
			r.Expires, r.Lifetime = expires, 10*24*time.Hour
			out, err := s.Sessions().Rotate(w.ctx, r)
			w.must(err)
			found, err := s.Sessions().Find(w.ctx, "sid")
			w.must(err)
			if !reflect.DeepEqual(out.Session, *found) {
				t.Errorf("rotated to\n%+v, but the row has\n%+v", out.Session, *found)
			}
		}
		rotate("sid0", "sid1", noon.Add(2*time.Hour))
		is(noon.Add(2 * time.Hour))
		rotate("sid1", "sid2", noon.Add(50*time.Hour))
		is(noon.Add(50 * time.Hour))
		rotate("sid2", "sid3", noon.Add(1000*time.Hour)) // cut off by the lifetime
		is(noon.Add(240 * time.Hour))
		w.exec("UPDATE jotgate_session SET token_expires = $1", noon.Add(300*time.Hour).UnixMicro())
		rotate("sid3", "sid4", noon.Add(60*time.Hour)) // the token of Django lives on
		is(noon.Add(300 * time.Hour))
	})
}
