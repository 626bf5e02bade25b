package pages

// New accounts of users whom an administrator has invited.

import (
	"errors"

	"github.com/jotgate/jotgate"
)

// invitationData is the Data of invitation.html.
type invitationData struct {
	Email   string // empty: the link is not valid
	ByEmail bool   // users log in by e-mail and have no other name
}

func invitationShow(v *visit) error {
	query := v.r.URL.Query()
	d := invitationData{ByEmail: v.byEmail()}
	v.Data = d
	i, err := v.p.gate.Links().Invitation(v.ctx, query.Get("uid"), query.Get("token"))
	var e *jotgate.Error
	if errors.As(err, &e) && e.Status == 400 {
		v.refused(err)
		return nil
	} else if err != nil {
		return err
	}
	d.Email = i.Email
	v.Data = d
	return nil
}

// acceptInvitation creates the account and signs in.
func acceptInvitation(v *visit) error {
	var in jotgate.Registration
	fields := []field{{"password", &in.Password, true}}
	if !v.byEmail() {
		fields = append([]field{{"username", &in.Username, true}}, fields...)
	}
	if err := v.read(fields...); err != nil {
		return err
	}
	query := v.r.URL.Query()
	account, err := v.p.gate.Links().AcceptInvitation(v.ctx, query.Get("uid"), query.Get("token"), in, v.client)
	var e *jotgate.Error
	switch {
	case err == nil:
		return v.signIn(account.Username, in.Password, jotgate.PageLogin{})
	case errors.As(err, &e) && len(e.Fields) == 1 && e.Fields[0].Field == "token":
		return v.unlessDone(nil)
	case errors.As(err, &e) && (e.Is(jotgate.ErrTaken) || len(e.List) > 0):
		return v.wrong(map[bool]string{false: "username"}[v.byEmail()], v.T("error.username.taken"))
	}
	return v.namedAfterLogin(err)
}
