package jotgate_test

import (
	"encoding/json"
	"testing"

	"github.com/jotgate/jotgate/record"
)

// An id that is a number in the database is one in JSON, and comes back.
func TestUserIDJSON(t *testing.T) {
	for id, text := range map[record.UserID]string{
		"1": "1", "-5": "-5", "9223372036854775807": "9223372036854775807",
		"007": `"007"`, "9223372036854775808": `"9223372036854775808"`, "": `""`,
		"0b9a5c1e-8e5b-4d3a-9a53-6a2f0a3a8a11": `"0b9a5c1e-8e5b-4d3a-9a53-6a2f0a3a8a11"`,
	} {
		got, err := json.Marshal(id)
		if err != nil || string(got) != text {
			t.Errorf("%q becomes %s, %v", id, got, err)
		}
		var back record.UserID
		if err := json.Unmarshal([]byte(text), &back); err != nil || back != id {
			t.Errorf("%s becomes %q, %v", text, back, err)
		}
	}
	for _, text := range []string{"1.5", "true", "null", "[1]", "{}"} {
		var id record.UserID
		if err := json.Unmarshal([]byte(text), &id); err == nil {
			t.Errorf("%s becomes %q", text, id)
		}
	}
}
