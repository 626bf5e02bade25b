package jotgate

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
)

// A cursor gets what came after it; one that this process did not give, or whose entries are gone, gets everything.
func TestFeedLog(t *testing.T) {
	noon := time.Unix(1767225600, 0)
	log := newFeedLog()
	cursor := func(n int) string { return log.epoch + "." + strconv.Itoa(n) }
	for n := range 5 {
		log.append(record.Revocation{Session: strconv.Itoa(n), Made: noon.Add(time.Duration(n) * time.Second)})
	}
	log.append(record.Revocation{User: "7", Made: noon, NotBefore: noon.Add(5 * time.Second)})
	log.sweep(noon.Unix() + 2) // the first two go, the one of that second stays
	for _, c := range []struct {
		cursor   string
		complete bool
		want     []string
	}{
		{"", true, []string{"2", "3", "4", "7"}},
		{"x.3", true, []string{"2", "3", "4", "7"}},
		{log.epoch, true, []string{"2", "3", "4", "7"}},
		{cursor(-1), true, []string{"2", "3", "4", "7"}},
		{cursor(1), true, []string{"2", "3", "4", "7"}}, // 1 is gone
		{cursor(2), false, []string{"2", "3", "4", "7"}},
		{cursor(4), false, []string{"4", "7"}},
		{cursor(5), false, []string{"7"}},
		{cursor(6), false, nil},
		{cursor(7), true, []string{"2", "3", "4", "7"}},
	} {
		page := log.since(c.cursor)
		var got []string
		for _, e := range page.Revoked {
			got = append(got, e.Session+string(e.User))
		}
		if !slices.Equal(got, c.want) || page.Complete != c.complete || page.Cursor != cursor(6) || page.Revoked == nil {
			t.Errorf("since %q: %+v, want %v, %v", c.cursor, page, c.want, c.complete)
		}
	}
	if at := log.since(cursor(5)).Revoked[0].At; at != noon.Unix()+5 {
		t.Errorf("a user's revocation counts from %d", at)
	}
	if log.sweep(noon.Unix() + 2); log.since(cursor(2)).Complete {
		t.Error("swept twice, and something is gone")
	}
	if log.sweep(noon.Unix() + 100); len(log.since(cursor(0)).Revoked) > 0 || log.since(cursor(6)).Complete {
		t.Error("something is left, or the end has moved")
	}
}
