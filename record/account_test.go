package record_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jotgate/jotgate/record"
)

// Every key is valid JSON, also one that a stranger chose: Go's quoting is not JSON's.
func TestUserIDIsJSON(t *testing.T) {
	for id, want := range map[record.UserID]string{
		"7": `7`, "-7": `-7`, "07": `"07"`, "": `""`, "9223372036854775808": `"9223372036854775808"`, "a\x1b\a\x7f\"": `"a\u001b\u0007` + "\x7f" + `\""`,
		"\u202e\u2028😀": `"` + "\u202e" + `\u2028😀"`, "a\x00": `"a\u0000"`, "a\xffb": `"a\ufffdb"`,
	} {
		text, err := json.Marshal(id)
		if err != nil || string(text) != want || !utf8.Valid(text) {
			t.Errorf("%q: %s, %v; want %s", id, text, err, want)
		}
		var back record.UserID
		if err := json.Unmarshal(text, &back); err != nil || string(back) != strings.ToValidUTF8(string(id), "\ufffd") {
			t.Errorf("%s is read as %q, %v", text, back, err)
		}
	}
}
