package api

import (
	"net/http"
	"strconv"

	"github.com/jotgate/jotgate/record"
)

// sessionOut is one login in the list.
type sessionOut struct {
	record.Session
	Current bool `json:"current"` // the session of the request
}

// sessionList is GET /auth/sessions/: the caller's sessions.
func sessionList(c *call) (any, error) {
	sessions, err := c.gate.Sessions().List(c.ctx, c.account.ID)
	if err != nil {
		return nil, err
	}
	list := make([]sessionOut, len(sessions))
	for i, s := range sessions {
		list[i] = sessionOut{s, s.ID == c.user.Session}
	}
	return list, nil
}

// sessionsEnd is DELETE /auth/sessions/: it ends all of the caller's sessions or,
// with ?others=true, all but the current one.
func sessionsEnd(c *call) (any, error) {
	keep := ""
	if others, _ := strconv.ParseBool(c.r.URL.Query().Get("others")); others {
		keep = c.user.Session
	} else {
		c.takeBack()
	}
	return bare(http.StatusNoContent), c.gate.Sessions().EndAll(c.ctx, c.account.ID, keep, c.client)
}

// sessionEnd is DELETE /auth/sessions/{id}/: it ends one of the caller's sessions.
func sessionEnd(c *call) (any, error) {
	return bare(http.StatusNoContent), c.gate.Sessions().End(c.ctx, c.account.ID, c.r.PathValue("id"), c.client)
}
