package totp

import (
	"encoding/json"
	"errors"
	"time"
)

// Data is what is stored about an authenticator app: the JSON object {"secret": "…"} in
// the column data of allauth's table mfa_authenticator. Members that this package does
// not know are kept. Its methods do not change it.
type Data struct {
	Secret string // as stored: base32, or encrypted by the caller
	Step   int64  // the step of the last code that was accepted here; 0: none
	Used   int64  // the row's last_used_at at that time, in microseconds of Unix time
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

// ParseData reads the JSON object of a row. The error says what is wrong with it,
// without the secret.
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

// Last returns the argument last of Match. lastUsed is the row's last_used_at. If another
// program has written that, such as Django, the step of the code that it accepted is not
// known, and Last returns the step of that time.
func (d Data) Last(lastUsed time.Time) int64 {
	if lastUsed.IsZero() || lastUsed.UnixMicro() == d.Used {
		return d.Step
	}
	return max(d.Step, Step(lastUsed))
}

// Use returns the data to store after the code of a step was accepted at the time now.
// The caller must also store now as the row's last_used_at.
func (d Data) Use(step int64, now time.Time) Data {
	d.Step, d.Used = step, now.UnixMicro()
	return d
}
