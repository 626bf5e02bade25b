package form

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/allocs"
)

// recorded is testdata/python.json: messages recorded from Python.
type recorded struct {
	Documents []struct{ Text, Error string }
	Numbers   []struct{ Text, Str string }
	UTF8      []struct{ Hex, Error string }
}

func python(t *testing.T) (r recorded) {
	t.Helper()
	raw, err := os.ReadFile("testdata/python.json")
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil || len(r.Documents) < 50 || len(r.Numbers) < 20 || len(r.UTF8) < 15 {
		t.Fatalf("testdata/python.json: %v, %d documents", err, len(r.Documents))
	}
	return r
}

func TestPythonErrors(t *testing.T) {
	for _, d := range python(t).Documents {
		_, p := (&scanner{text: d.Text}).document()
		got := ""
		if p != nil {
			got = (&scanner{text: d.Text}).message(p)
		}
		if strings.HasPrefix(got, "Illegal trailing comma") {
			continue // of 3.13; see TestTrailingComma
		}
		if got != d.Error {
			t.Errorf("%.40q: %q, Python says %q", d.Text, got, d.Error)
		}
	}
}

// The messages are those of Python 3.13.
func TestTrailingComma(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1, }`: "Illegal trailing comma before the end of object: line 1 column 7 (char 6)",
		`[1,]`:      "Illegal trailing comma before the end of array: line 1 column 3 (char 2)",
	} {
		s := &scanner{text: text}
		if _, p := s.document(); p == nil || s.message(p) != want {
			t.Errorf("%s: %v, want %q", text, p, want)
		}
	}
}

func TestPythonNumbers(t *testing.T) {
	for _, n := range python(t).Numbers {
		if got := pythonNumber(n.Text); got != n.Str {
			t.Errorf("%s: %s, Python says %s", n.Text, got, n.Str)
		}
	}
}

func TestPythonUTF8(t *testing.T) {
	for _, u := range python(t).UTF8 {
		raw, _ := hex.DecodeString(u.Hex)
		if got := badUTF8(raw); got != u.Error {
			t.Errorf("%s: %q, Python says %q", u.Hex, got, u.Error)
		}
	}
}

// post parses a body of the given type.
func post(contentType, body string) (*Body, error) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return take(r, 64<<10)
}

func take(r *http.Request, limit int64) (*Body, error) {
	raw, err := Read(httptest.NewRecorder(), r, limit)
	if err != nil {
		return nil, err
	}
	return Parse(r.Header, raw)
}

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

// decoded is the result of decoding a body with the fields a (required) and b
// (optional).
type decoded struct {
	A, B  string
	BSent bool
	Error string
}

func decode(contentType, body string) (d decoded) {
	b, err := post(contentType, body)
	if err == nil {
		err = b.Decode(Text("a", &d.A), Text("b", &d.B).OrNot(&d.BSent))
	}
	if err != nil {
		text, _ := err.(*jotgate.Error).MarshalJSON()
		return decoded{Error: string(text)}
	}
	return d
}

func TestDecode(t *testing.T) {
	required := `{"a":["This field is required."]}`
	for _, row := range []struct {
		contentType, body string
		want              decoded
	}{
		{asJSON, `{"a":"x"}`, decoded{A: "x"}},
		{asJSON, `{"a":" x\u2003","b":"\ty "}`, decoded{A: "x", B: "y", BSent: true}},
		{asJSON, `{"a":7,"b":1.50}`, decoded{A: "7", B: "1.5", BSent: true}},
		{asJSON, `{"A":"x"}`, decoded{Error: required}},
		{asJSON, `{"a":"x","c":[{"d":{}}]}`, decoded{A: "x"}},
		{asJSON, `{"a":"\ud83d\ude00"}`, decoded{A: "😀"}},
		{asJSON + "; charset=UTF-8", `{"a":"é"}`, decoded{A: "é"}},
		{"Application/JSON", `{"a":"x"}`, decoded{A: "x"}},
		{"", ``, decoded{Error: required}},
		{"text/plain", ``, decoded{Error: required}},
		{asJSON, `{}`, decoded{Error: required}},
		{asJSON, `{"a":null,"b":null}`, decoded{Error: `{"a":["This field may not be null."],"b":["This field may not be null."]}`}},
		{asJSON, `{"a":"","b":" "}`, decoded{Error: `{"a":["This field may not be blank."],"b":["This field may not be blank."]}`}},
		{asJSON, `{"a":true,"b":{}}`, decoded{Error: `{"a":["Not a valid string."],"b":["Not a valid string."]}`}},
		{asJSON, `{"a":"x\u0000"}`, decoded{Error: `{"a":["Null characters are not allowed."]}`}},
		{asJSON, `{"a":"x\ud800"}`, decoded{Error: `{"a":["Surrogate characters are not allowed: U+D800."]}`}},
		{asJSON, `{"a":"x","a":"x"}`, decoded{Error: `{"detail":"JSON parse error - Duplicate member \"a\": line 1 column 10 (char 9)"}`}},
		{asJSON, `{"a":"x","\u0061":"x"}`, decoded{Error: `{"detail":"JSON parse error - Duplicate member \"a\": line 1 column 10 (char 9)"}`}},
		{asJSON, `[]`, decoded{Error: `{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`}},
		{asJSON, `1`, decoded{Error: `{"non_field_errors":["Invalid data. Expected a dictionary, but got int."]}`}},
		{asJSON, `1.5`, decoded{Error: `{"non_field_errors":["Invalid data. Expected a dictionary, but got float."]}`}},
		{asJSON, `true`, decoded{Error: `{"non_field_errors":["Invalid data. Expected a dictionary, but got bool."]}`}},
		{asJSON, `null`, decoded{Error: `{"non_field_errors":["No data provided"]}`}},
		{asForm, "a=x+y%21&c=%zz", decoded{A: "x y!"}},
		{asForm, "a=x&b=", decoded{A: "x"}},
		{asForm, "a=", decoded{Error: `{"a":["This field may not be blank."]}`}},
		{asForm, "b=x", decoded{Error: required}},
		{asForm, "a=%ff", decoded{A: "\ufffd"}},
		{asForm, "a=x&a=x", decoded{Error: `{"detail":"Form parse error - Duplicate field \"a\""}`}},
		{asForm, manyFields(), decoded{Error: `{"detail":"Form parse error - More than 100 fields"}`}},
		{"multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--B--\r\n", decoded{A: "x"}},
		{"multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\nx\r\n--B--\r\n", decoded{Error: `{"a":["Not a valid string."]}`}},
		{"multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx", decoded{Error: `{"detail":"Multipart form parse error - Invalid multipart"}`}},
		{"multipart/form-data", "--B--", decoded{Error: `{"detail":"Multipart form parse error - Invalid boundary in multipart: None"}`}},
		{"text/plain", `{"a":"x"}`, decoded{Error: `{"detail":"Unsupported media type \"text/plain\" in request."}`}},
		{"", `{"a":"x"}`, decoded{Error: `{"detail":"Unsupported media type \"\" in request."}`}},
		{asJSON + "; charset=utf-16", `{"a":"x"}`, decoded{Error: `{"detail":"Unsupported media type \"application/json; charset=utf-16\" in request."}`}},
		{asJSON + "; charset=utf-7", `{"a":"x"}`, decoded{Error: `{"detail":"Unsupported media type \"application/json; charset=utf-7\" in request."}`}},
	} {
		if diff := cmp.Diff(row.want, decode(row.contentType, row.body)); diff != "" {
			t.Errorf("%s %.60q (-want +got)\n%s", row.contentType, row.body, diff)
		}
	}
}

func manyFields() string {
	var b strings.Builder
	for i := range 101 {
		b.WriteString("f" + strings.Repeat("g", i) + "=1&")
	}
	return b.String()
}

func TestReadBounds(t *testing.T) {
	var refused *jotgate.Error
	if _, err := post(asJSON, `{"a":"`+strings.Repeat("x", 64<<10)+`"}`); !errors.As(err, &refused) || refused.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body over the limit: %v", err)
	}
	nested := strings.Repeat("[", 60_000)
	if _, err := post(asJSON, nested); !errors.As(err, &refused) || refused.Status != 400 {
		t.Errorf("deep nesting: %v", err)
	}
	allocs.AtMost(t, 200, 10, func() { _, _ = post(asJSON, nested) }) // they do not grow with the depth
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	if b, err := post(asJSON, deep); err != nil || b.kind != "list" {
		t.Errorf("nesting at the limit: %v", err)
	}
	r := httptest.NewRequest("POST", "/", bytes.NewReader([]byte{0x1f, 0x8b}))
	r.Header.Set("Content-Type", asJSON)
	r.Header.Set("Content-Encoding", "gzip")
	if _, err := take(r, 100); !errors.As(err, &refused) || refused.Status != http.StatusUnsupportedMediaType {
		t.Errorf("a compressed body: %v", err)
	}
}

func TestMaxLength(t *testing.T) {
	var a string
	f := Text("a", &a)
	f.MaxLength = 3
	b, _ := post(asJSON, `{"a":"äöü"}`)
	if err := b.Decode(f); err != nil {
		t.Error(err)
	}
	b, _ = post(asJSON, `{"a":"äöüß"}`)
	if err := b.Decode(f); err == nil || !strings.Contains(err.Error(), "no more than 3 characters") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	for _, d := range []string{`{"a":"x"}`, `{"a":[1,{"b":null}],"c":-1.5e3}`, "a=b&c=%20", "--B\r\n\r\n\r\n--B--"} {
		f.Add(asJSON, d)
		f.Add(asForm, d)
		f.Add("multipart/form-data; boundary=B", d)
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		b, err := post(contentType, body)
		if err != nil {
			if e, ok := err.(*jotgate.Error); !ok || e.Status < 400 || e.Status >= 500 {
				t.Fatalf("%v", err)
			}
			return
		}
		if b.kind == "dict" && strings.HasPrefix(contentType, asJSON) && len(body) > 0 && !json.Valid([]byte(body)) {
			t.Fatalf("%q was read, but is no JSON", body)
		}
	})
}

func TestBool(t *testing.T) {
	for body, want := range map[string]string{
		`{"b":true}`: "true", `{"b":false}`: "false", `{"b":"False"}`: "false", `{"b":1}`: "true", `{"b":0}`: "false", `{}`: "true",
		`{"b":2}`: "Must be a valid boolean.", `{"b":"maybe"}`: "Must be a valid boolean.", `{"b":{}}`: "Must be a valid boolean.",
		`{"b":[]}`: "Must be a valid boolean.", `{"b":""}`: "Must be a valid boolean.", `{"b":null}`: "This field may not be null.",
	} {
		yes := true
		parsed, err := Parse(http.Header{"Content-Type": {"application/json"}}, []byte(body))
		if err == nil {
			err = parsed.Decode(Bool("b", &yes))
		}
		got := fmt.Sprint(yes)
		if err != nil {
			got = err.(*jotgate.Error).Fields[0].Messages[0]
		}
		if got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func TestObject(t *testing.T) {
	for _, c := range []struct{ contentType, body, want, wrong string }{
		{"application/json", `{"o": {"a": [1, {"b": "}"}]} }`, `{"a": [1, {"b": "}"}]}`, ""},
		{"application/json", `{"o":{}}`, `{}`, ""},
		{"application/json", `{"o":"{}"}`, "", "Value must be a JSON object."},
		{"application/json", `{"o":[{}]}`, "", "Value must be a JSON object."},
		{"application/json", `{"o":true}`, "", "Value must be a JSON object."},
		{"application/json", `{"o":1}`, "", "Value must be a JSON object."},
		{"application/json", `{"o":null}`, "", "This field may not be null."},
		{"application/json", `{}`, "", "This field is required."},
		{"application/x-www-form-urlencoded", `o=%7B%22a%22%3A1%7D`, `{"a":1}`, ""},
		{"application/x-www-form-urlencoded", `o=%7B%22a%22%3A1`, "", "Value must be a JSON object."},
		{"application/x-www-form-urlencoded", `o=1`, "", "Value must be a JSON object."},
	} {
		var got []byte
		body, err := Parse(http.Header{"Content-Type": {c.contentType}}, []byte(c.body))
		if err == nil {
			err = body.Decode(Object("o", &got))
		}
		text := ""
		if err != nil {
			text = err.(*jotgate.Error).Fields[0].Messages[0]
		}
		if string(got) != c.want || text != c.wrong {
			t.Errorf("%s: %s, %q, want %s, %q", c.body, got, text, c.want, c.wrong)
		}
	}
}
