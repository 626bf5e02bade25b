package pages

// The pages of an account: sessions, activity, its data.

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// sessionsData is the Data of sessions.html.
type sessionsData struct {
	Current *record.Session
	Others  []record.Session
}

func sessionsShow(v *visit) error {
	list, err := v.p.gate.Sessions().List(v.ctx, v.session.Owner)
	if err != nil {
		return err
	}
	var d sessionsData
	for i := range list {
		if list[i].ID == v.session.User.Session {
			d.Current = &list[i]
		} else {
			d.Others = append(d.Others, list[i])
		}
	}
	v.Data = d
	return nil
}

// sessionsEnd ends one session, or all but this one. That it has ended before is
// what the user wants.
func sessionsEnd(v *visit) error {
	var id string
	if err := v.read(field{"session", &id, false}); err != nil {
		return err
	}
	if id == "" {
		if err := v.p.gate.Sessions().EndAll(v.ctx, v.session.Owner, v.session.User.Session, v.client); err != nil {
			return err
		}
		return v.to("sessions", "others")
	}
	if err := v.p.gate.Sessions().End(v.ctx, v.session.Owner, id, v.client); err != nil && !errors.Is(err, jotgate.ErrNotFound) {
		return err
	}
	return v.to("sessions", "ended")
}

// activityPage is how many events a page shows.
const activityPage = 50

// activityData is the Data of activity.html.
type activityData struct {
	Events []record.Event
	Older  int64 // the id for the link to older events; 0 if there are none
}

func activityShow(v *visit) error {
	store := v.p.gate.Store().Events()
	if store == nil {
		v.Data = activityData{}
		return nil
	}
	before, _ := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64)
	list, err := store.List(v.ctx, v.session.Owner, max(0, before), activityPage+1)
	if err != nil {
		return err
	}
	d := activityData{Events: list}
	if len(list) > activityPage {
		d.Events, d.Older = list[:activityPage], list[activityPage-1].ID
	}
	v.Data = d
	return nil
}

// EventName returns words for an event.
func (v *view) EventName(e record.Event) string {
	for _, id := range []string{"event." + e.Name + "." + e.Detail, "event." + e.Name} {
		if text := v.T(id); text != id {
			return text
		}
	}
	return e.Name
}

// dataExport sends everything that is held about the account, as JSON.
func dataExport(v *visit) error {
	account, err := v.account()
	if err != nil {
		return err
	}
	sessions, err := v.p.gate.Sessions().List(v.ctx, account.ID)
	if err != nil {
		return err
	}
	events, err := v.events(account.ID)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(struct {
		Exported time.Time        `json:"exported"`
		Account  *record.Account  `json:"account"`
		Sessions []record.Session `json:"sessions"`
		Events   []record.Event   `json:"events"`
	}{v.Now.UTC(), account, sessions, events}, "", "  ")
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="account.json"`)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(body)
	return nil
}

// maxExported bounds the events of an export; the audit trail is kept for 90
// days.
const maxExported = 10_000

func (v *visit) events(user record.UserID) (all []record.Event, err error) {
	store := v.p.gate.Store().Events()
	for before := int64(0); store != nil && len(all) < maxExported; before = all[len(all)-1].ID {
		list, err := store.List(v.ctx, user, before, 1000)
		if err != nil || len(list) == 0 {
			return all, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// dataDelete deletes the account.
func dataDelete(v *visit) error {
	var current string
	if err := v.read(field{"password", &current, true}); err != nil {
		return err
	}
	account, err := v.account()
	if err != nil {
		return err
	}
	if err := v.confirm(account, current, "password"); err != nil {
		return err
	}
	until, err := v.p.gate.Accounts().DeleteLater(v.ctx, account, v.p.options.DeletionDelay, v.client)
	if errors.Is(err, jotgate.ErrNotFound) { // it has changed; deleting it again is not wrong
		return v.wrong("", v.T("problem.refused"))
	}
	if err != nil {
		return err
	}
	v.p.setCookie(v.w, v.r, sessionCookie, "", -time.Second)
	if until.IsZero() {
		return v.to("login", "deleted")
	}
	return v.to("login", "closed")
}

// dataData is the Data of data.html.
type dataData struct{ Days int } // for which a deleted account can be restored; 0: it cannot

func dataShow(v *visit) error {
	var d dataData
	if v.User.Email != "" {
		d.Days = max(0, int(v.p.options.DeletionDelay/(24*time.Hour)))
	}
	v.Data = d
	return nil
}

func deleteUndoShow(v *visit) error {
	account, err := v.link(record.MessageDeletion)
	v.Data = confirmData{Kind: "delete-undo", Ask: "username", Valid: account != nil}
	return err
}

// deleteUndo restores an account. The user types the username, because some programs
// that scan e-mails press every button.
func deleteUndo(v *visit) error {
	account, err := v.namedLink(record.MessageDeletion)
	if err != nil {
		return err
	}
	query := v.r.URL.Query()
	if _, err := v.p.gate.Links().UndoDeletion(v.ctx, query.Get("uid"), query.Get("token"), v.client); err != nil {
		return err
	}
	return v.redirect(v.Path + "login?done=restored&name=" + url.QueryEscape(account.Username))
}

// token gives a front end of the same origin an access token for the signed-in
// user: POST, answered with {"access": …, "user": …}, or 401.
func token(v *visit) error {
	if v.session == nil {
		return jotgate.ErrNotAuthenticated
	}
	tokens, err := v.p.gate.Sessions().Pages().Access(v.ctx, v.session)
	if err != nil {
		return err
	}
	body, err := json.Marshal(tokens)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/json")
	_, _ = v.w.Write(body)
	return nil
}
