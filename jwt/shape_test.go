package jwt

// A shape makes reading faster and changes nothing else.

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// shapedClaims has every kind of destination of a member: a registered claim, a
// field, both, a struct, a value read by reflection, none.
type shapedClaims struct {
	JTI   Raw    `json:"jti"`
	Exp   int64  `json:"exp"`
	Name  string `json:"username"`
	Staff bool   `json:"staff"`
	Role  struct {
		ID    string `json:"id"`
		Inner struct {
			N int64 `json:"n"`
		} `json:"inner"`
	} `json:"role"`
	Groups []string `json:"groups"`
	Rest   any      `json:"rest"`
}

// A reading is everything that results from a payload.
type reading struct {
	fault   string
	claims  shapedClaims
	reg     registered
	present uint8
	seen    uint32
	ours    bool
}

func readOn(d *verifyState[shapedClaims], payload string) reading {
	d.clear()
	d.payload = payload
	r := reading{}
	if err := d.read(); err != nil {
		r.fault = err.Error()
		return r // what a refused token left behind is nobody's
	}
	r.claims, r.reg, r.present, r.seen, r.ours = d.claims, d.reg, d.present, d.seen, d.ours
	return r
}

func newShaped() *verifyState[shapedClaims] {
	return newVerifyState[shapedClaims](&Rules{Audience: []string{"shop"}, Require: []string{"username", "jti"}})
}

// payloads draws objects that are often similar: with few names in few orders, some
// twice, some with escapes, and with white space in unusual places.
func payloads(t *rapid.T) []string {
	spaces := rapid.SampledFrom([]string{"", "", "", "", " ", "\n"})
	value := rapid.SampledFrom([]string{
		`1`, `1767225601`, `"a"`, `"shop"`, `"\u00e9é"`, `true`, `null`, `["shop","x"]`, `{}`, `{"id":"r"}`, `{"id":"r","inner":{"n":1}}`,
		`{"inner":{"n":2,"n":3}}`, `{"id":"r","id":"r"}`, `{ "id":"r"}`, `{"id": "r"}`, `{"id":"r" }`, `-`, ``, `"`, `{`, `{"id":"r",}`,
	})
	name := rapid.SampledFrom([]string{
		"jti", "exp", "username", "staff", "role", "groups", "rest", "aud", "iss", "sub", "x", `\u0078`, "user_id", "", "é",
		strings.Repeat("n", maxStepText), "username", "role", "exp",
	})
	member := rapid.Custom(func(t *rapid.T) string {
		return spaces.Draw(t, "before") + `"` + name.Draw(t, "name") + `"` + spaces.Draw(t, "after") + ":" + spaces.Draw(t, "then") +
			value.Draw(t, "value") + spaces.Draw(t, "end")
	})
	pool := rapid.SliceOfN(member, 1, 6).Draw(t, "pool")
	one := rapid.Custom(func(t *rapid.T) string {
		members := make([]string, rapid.IntRange(0, 5).Draw(t, "members"))
		for i := range members {
			if rapid.IntRange(0, 3).Draw(t, "in order") > 0 {
				members[i] = pool[i%len(pool)]
			} else {
				members[i] = rapid.SampledFrom(pool).Draw(t, "member")
			}
		}
		return "{" + strings.Join(members, ",") + "}" + spaces.Draw(t, "last")
	})
	return rapid.SliceOfN(one, 1, 24).Draw(t, "payloads")
}

func TestShapeChangesNothing(t *testing.T) {
	read, followed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		used := newShaped()
		for _, payload := range payloads(t) {
			got, want := readOn(used, payload), readOn(newShaped(), payload)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s\nafter others: %+v\nby itself:    %+v\nlearnt: %q", payload, got, want, names(used))
			}
			if read++; used.plan.shape.missesLeft == maxMisses {
				followed++
			}
		}
	})
	if followed < read/100 {
		t.Errorf("of %d payloads only %d came in the shape of others: this test tests nothing", read, followed)
	}
}

// A payload that is cut off or changed at any index is read as without a shape.
func TestShapeOfChangedPayload(t *testing.T) {
	const payload = `{"exp":1767225601,"username":"a","role":{"id":"r","inner":{"n":1}},"x":[1,{"y":null}]}`
	for i := range len(payload) + 1 {
		for _, rest := range []string{"", payload[min(i+1, len(payload)):], " " + payload[i:], "}", `"`, `,"exp":1}`, `,"username":"b"` + payload[i:]} {
			used := newShaped()
			readOn(used, payload)
			if got, want := readOn(used, payload[:i]+rest), readOn(newShaped(), payload[:i]+rest); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, by itself: %+v", payload[:i]+rest, got, want)
			}
		}
	}
}

// FuzzShape reads a payload after another one, and by itself.
func FuzzShape(f *testing.F) {
	f.Add(`{"exp":1,"role":{"id":"a"}}`, `{"exp":1,"role":{"id":"a","id":"b"}}`)
	f.Add(`{"x":1,"jti":"a"}`, `{"x":1,"x":2,"jti":"a"}`)
	f.Add(`{"x":1,"jti":"a"}`, `{"x":1,"\u0078":2}`)
	f.Add(`{"x":1,"jti":"a"}`, `{"x": 1,"jti":"a"}`)
	f.Add(`{"x":"é"}`, "{\"x\":\"\xe9\"}")
	f.Fuzz(func(t *testing.T, before, payload string) {
		used := newShaped()
		readOn(used, before)
		if got, want := readOn(used, payload), readOn(newShaped(), payload); !reflect.DeepEqual(got, want) {
			t.Fatalf("after %q: %+v, by itself: %+v", before, got, want)
		}
	})
}

// names returns the names in the shape.
func names(d *verifyState[shapedClaims]) (all []string) {
	for _, step := range d.plan.shape.steps {
		all = append(all, step.dest.name)
	}
	return all
}

func TestShapeIsLearnedAndRelearned(t *testing.T) {
	d := newShaped()
	first, other := `{"exp":1,"role":{"id":"r","inner":{}},"x":1}`, `{"exp":1,"x":1,"role":{"id":"r","inner":{}}}`
	readOn(d, first)
	want := []string{"exp", "role", "x"}
	if got := names(d); !reflect.DeepEqual(got, want) {
		t.Fatalf("learnt %q", got)
	}
	for n := range maxMisses {
		if readOn(d, other); !reflect.DeepEqual(names(d), want) {
			t.Fatalf("given up after %d others", n+1)
		}
	}
	readOn(d, first) // restores the trust
	for range maxMisses {
		readOn(d, other)
	}
	if got := names(d); !reflect.DeepEqual(got, want) {
		t.Fatalf("given up for %q although one came between", got)
	}
	readOn(d, other)
	if got := names(d); !reflect.DeepEqual(got, []string{"exp", "x", "role"}) {
		t.Fatalf("learnt %q after %d others", got, maxMisses+1)
	}
	if got := d.plan.fields[d.plan.find("role")].shape.steps; len(got) != 2 {
		t.Errorf("of the object within %d members are learnt", len(got))
	}
}

// A shape is bounded, and members beyond its limits are read nevertheless.
func TestShapeIsBounded(t *testing.T) {
	var members []string
	for n := range 3 * maxSteps {
		members = append(members, fmt.Sprintf(`"m%d":1`, n))
	}
	many := "{" + strings.Join(members, ",") + "}"
	d := newShaped()
	for range 3 {
		if r := readOn(d, many); r.fault != "" || len(d.plan.shape.steps) != maxSteps {
			t.Fatalf("%q, %d steps", r.fault, len(d.plan.shape.steps))
		}
	}
	if r := readOn(d, many[:len(many)-1]+`,"m3":1}`); r.fault == "" {
		t.Error("a name of the shape came again behind it")
	}
	const around = len(`,"":`)
	for text, learnt := range map[string]int{
		`"` + strings.Repeat("n", maxStepText-around) + `":1`:          3,
		`"` + strings.Repeat("n", maxStepText-around+1) + `":1`:        1,
		`"n":` + strings.Repeat(" ", maxStepText-around-1) + `1`:       3,
		`"n":` + strings.Repeat(" ", maxStepText-around) + `1`:         1,
		`"` + strings.Repeat(`\u006e`, maxStepText/6+1) + `":1`:        1,
		`"` + strings.Repeat(`\u006e`, maxStepText/6-1) + `":"\u006e"`: 3,
	} {
		d := newShaped()
		for range 2 {
			if r := readOn(d, `{"a":1,`+text+`,"b":1}`); r.fault != "" || len(d.plan.shape.steps) != learnt {
				t.Errorf("%s: %q, learnt %q", text, r.fault, names(d))
			}
		}
	}
}

// A scanner keeps no names of a payload after clear, whether it was valid or not.
func TestNamesAreReleased(t *testing.T) {
	d := newShaped()
	for _, payload := range []string{
		`{"exp":1,"username":"a","role":{"id":"r"}}`, `{"x":1,"exp":1}`, `{"x":1,"y":{"z":1}}`, `{"x":1,"y":{"z":1`, `{"x":1,"role":{"id":2}}`, `{"exp":1,`,
	} {
		readOn(d, payload)
		d.clear()
		for _, name := range d.names[:cap(d.names)] {
			if name != "" {
				t.Errorf("after %s the scanner still holds %q", payload, name)
			}
		}
	}
}
