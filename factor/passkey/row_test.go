package passkey

import (
	"encoding/json"
	"testing"
)

// What a row has and this version does not know survives a change.
func TestUnknownMembersSurvive(t *testing.T) {
	rp, d := site(t), newDevice("16")
	user := register(t, rp, d, anna)
	data, _ := user.Passkeys[0].Data()
	var row map[string]any
	_ = json.Unmarshal(data, &row)
	row["extra"] = map[string]any{"a": 1.5}
	row["jotgate"].(map[string]any)["later"] = "x"
	data, _ = json.Marshal(row)
	p, err := Parse(data)
	if err != nil || !p.Rename("Desk") {
		t.Fatal(err)
	}
	data, err = p.Data()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	_ = json.Unmarshal(data, &got)
	if got["name"] != "Desk" || got["extra"].(map[string]any)["a"] != 1.5 || got["jotgate"].(map[string]any)["later"] != "x" {
		t.Errorf("got %s", data)
	}
}

// A row as django-allauth makes it has no member jotgate: the flags and the
// counter are those of the registration.
func TestRowOfAllauth(t *testing.T) {
	rp, d := site(t), newDevice("16")
	d.auth.Options.BackupEligible = true
	user := register(t, rp, d, anna)
	data, _ := user.Passkeys[0].Data()
	var row map[string]json.RawMessage
	_ = json.Unmarshal(data, &row)
	delete(row, "jotgate")
	data, _ = json.Marshal(row)
	p, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Synced || !p.UserVerified || p.BackedUp || p.count != 1 || p.Name != "Laptop" {
		t.Errorf("got %+v", p)
	}
	user.Passkeys = []*Passkey{p}
	if a := simpleLogin(t, rp, d, user, false); !a.UserVerified || a.Passkey.count != 2 {
		t.Errorf("login: %+v", a)
	}
}

func TestParseRefuses(t *testing.T) {
	rp := site(t)
	data, _ := register(t, rp, newDevice("16"), anna).Passkeys[0].Data()
	for name, change := range map[string]func(map[string]any){
		"no credential":   func(row map[string]any) { delete(row, "credential") },
		"credential null": func(row map[string]any) { row["credential"] = nil },
		"name a number":   func(row map[string]any) { row["name"] = 1 },
		"facts a list":    func(row map[string]any) { row["jotgate"] = []int{} },
		"count negative":  func(row map[string]any) { row["jotgate"].(map[string]any)["count"] = -1 },
		"attestation": func(row map[string]any) {
			row["credential"].(map[string]any)["response"].(map[string]any)["attestationObject"] = "oA"
		},
	} {
		var row map[string]any
		_ = json.Unmarshal(data, &row)
		change(row)
		text, _ := json.Marshal(row)
		if _, err := Parse(text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, text := range []string{"", "null", "[]", "{", "{}"} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q: accepted", text)
		}
	}
	if _, err := Parse(data); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

func TestNames(t *testing.T) {
	taken := []*Passkey{{Name: "iCloud Keychain"}, {Name: "icloud keychain 2"}, {Name: "Desk"}}
	for aaguid, want := range map[string]string{
		"fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "iCloud Keychain 3",
		"00000000-0000-0000-0000-000000000000": "Linux, Chromium",
	} {
		if got := freeName(modelName(aaguid, "Linux, Chromium"), taken); got != want {
			t.Errorf("%s: %s, want %s", aaguid, got, want)
		}
	}
	for aaguid := range models {
		if !isUUID(aaguid[:8] + aaguid[9:13] + aaguid[14:18] + aaguid[19:23] + aaguid[24:]) {
			t.Errorf("%s is not a UUID", aaguid)
		}
	}
}
