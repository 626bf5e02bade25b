package jotgate

import (
	"time"

	"github.com/jotgate/jotgate/record"
)

// within returns t or, if that is earlier, the end of the session's lifetime
// (Settings.SessionLifetime).
func (g *Gate) within(created, t time.Time) time.Time {
	if life := g.settings.SessionLifetime; life > 0 && created.Add(life).Before(t) {
		return created.Add(life)
	}
	return t
}

// outlived reports whether the session has reached the end of
// Settings.SessionLifetime.
func (g *Gate) outlived(s *record.Session) bool {
	life := g.settings.SessionLifetime
	return life > 0 && !s.Created.Add(life).After(g.now())
}
