package totp

import (
	"encoding/json"
	"errors"
	"time"
)

// Data is the JSON object of a TOTP factor in allauth's table mfa_authenticator:
// {"secret": "…"}. Members that this package does not know are kept.
type Data struct {
	Secret string // as stored: plain base32, or sealed by the caller
	Step   int64  // of the last code that was used here; 0: none
	Used   int64  // the row's last_used_at after that, in microseconds of Unix time
	other  map[string]json.RawMessage
}

// own is the member that allauth does not know, and keeps.
type own struct {
	Step int64 `json:"step"`
	Used int64 `json:"used,omitempty"`
}

const (
	secretMember = "secret"
	ownMember    = "jotgate"
)

// ParseData reads the JSON object of a row.
func ParseData(text string) (d Data, err error) {
	if err := json.Unmarshal([]byte(text), &d.other); err != nil {
		return d, errors.New("totp: the data is not a JSON object")
	}
	if err := json.Unmarshal(d.other[secretMember], &d.Secret); err != nil || d.Secret == "" {
		return d, errors.New("totp: the data has no secret")
	}
	if raw, ok := d.other[ownMember]; ok {
		var o own
		if err := json.Unmarshal(raw, &o); err != nil {
			return d, errors.New("totp: the member jotgate of the data is not valid")
		}
		d.Step, d.Used = o.Step, o.Used
	}
	return d, nil
}

// String returns the JSON object.
func (d Data) String() string {
	members := map[string]any{}
	for name, raw := range d.other {
		members[name] = raw
	}
	members[secretMember] = d.Secret
	if d.Step != 0 {
		members[ownMember] = own{d.Step, d.Used}
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic("totp: " + err.Error()) // unreachable: each member is valid JSON
	}
	return string(text)
}

// Last returns the last step whose code must not be accepted again. lastUsed is
// the row's last_used_at. If another program wrote that, such as Django, the
// step of the code that it accepted is not known, and every step up to that
// time counts as used.
func (d Data) Last(lastUsed time.Time) int64 {
	if lastUsed.IsZero() || lastUsed.UnixMicro() == d.Used {
		return d.Step
	}
	return max(d.Step, Step(lastUsed))
}

// Use returns the data after the code of a step was used at now.
func (d Data) Use(step int64, now time.Time) Data {
	d.Step, d.Used = step, now.UnixMicro()
	return d
}
