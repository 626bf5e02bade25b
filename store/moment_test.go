package store_test

import (
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
)

// A time in Django's columns is read in each form that Django, SQLite's functions and
// other programs write.
func TestTimesOfOtherPrograms(t *testing.T) {
	second := time.Date(2026, 11, 29, 17, 45, 10, 0, time.UTC)
	w := sqliteWorld(t)
	s := w.open()
	a := &record.Account{Username: "ada", IsActive: true}
	if err := s.Accounts().Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]time.Time{
		"2026-11-29 17:45:10":               second,
		"2026-11-29 17:45:10.25":            second.Add(time.Second / 4),
		"2026-11-29 17:45:10Z":              second,
		"2026-11-29 19:45:10+02:00":         second,
		"2026-11-29T17:45:10":               second,
		"2026-11-29T17:45:10.25Z":           second.Add(time.Second / 4),
		"2026-11-29T19:45:10+02:00":         second,
		"2026-11-29 17:45":                  second.Truncate(time.Minute),
		"2026-11-29T17:45":                  second.Truncate(time.Minute),
		"2026-11-29":                        second.Truncate(24 * time.Hour),
		"2026-11-29 19:45:10.25 +0200 CEST": second.Add(time.Second / 4),
	} {
		w.exec("UPDATE auth_user SET date_joined = '" + text + "', last_login = '" + text + "'")
		got, err := s.Accounts().ByID(t.Context(), a.ID)
		if err != nil || !got.DateJoined.Equal(want) || !got.LastLogin.Equal(want) {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
}
