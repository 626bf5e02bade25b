package admin

// The pages of invitations.

import (
	"time"

	"github.com/jotgate/jotgate/admin/adminstore"
)

// invitationsData is the Data of invitations.html.
type invitationsData struct {
	listData
	Groups map[int64]string // names by id
}

func invitationsShow(v *visit) error {
	if err := listShow("invitations")(v); err != nil || v.done {
		return err
	}
	groups, err := v.a.store.Groups(v.r.Context(), "", adminstore.MaxPage)
	d := invitationsData{v.Data.(listData), map[int64]string{}}
	for _, g := range groups {
		d.Groups[g.ID] = g.Name
	}
	v.Data = d
	return err
}

// invitationData is the Data of invitation.html.
type invitationData struct{ Groups []adminstore.Group }

func invitationShow(v *visit) error {
	v.fill(map[string]any{"email": "", "groups": []string{}})
	groups, err := v.a.store.Groups(v.r.Context(), "", adminstore.MaxPage)
	v.Data = invitationData{groups}
	return err
}

// Expired reports whether a time has passed.
func (v *visit) Expired(t time.Time) bool { return !v.Now.Before(t) }
