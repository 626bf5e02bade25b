package jotgate

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

// TestFacts checks what the compiler cannot: every fact has a field in
// accessClaims and one of the same name in User, userFromClaims copies it, issuing
// writes it, a lenient reader sets it, and the documentation names it. It
// finds a place that was forgotten when a fact was added.
func TestFacts(t *testing.T) {
	samples := map[string]string{"role": `"editor"`, "groups": `["editors"]`, "permissions": `["blog.add_post"]`, "auth_time": "1700000000", "amr": `["pwd"]`}
	docs, err := os.ReadFile("docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(docs), strings.Join(ClaimNames(), ", ")) {
		t.Errorf("docs/settings.md does not list the claims %v: change the comment of Settings.Claims and run go generate", ClaimNames())
	}
	for _, f := range facts {
		t.Run(f.name, func(t *testing.T) {
			field, ok := fieldTagged(reflect.TypeFor[accessClaims](), f.name)
			if !ok {
				t.Fatalf("accessClaims has no field tagged %q", f.name)
			}
			sample := samples[f.name]
			if sample == "" {
				sample = `"some ` + f.name + `"`
			}
			var c accessClaims
			f.lenient(&c, jwt.Raw(sample))
			read := reflect.ValueOf(c).FieldByName(field.Name)
			if read.IsZero() {
				t.Fatalf("lenient does not set %s", field.Name)
			}
			g := &Guard{idClaim: "user_id"}
			c.TokenType, c.JTI, c.UserID = `"access"`, `"j"`, `"1"`
			user, err := g.userFromClaims(nil, &c, stamp{}, "access")
			if err != nil {
				t.Fatal(err)
			}
			if got := jsonOf(t, user)[f.name]; !reflect.DeepEqual(got, jsonOf(t, map[string]any{f.name: read.Interface()})[f.name]) {
				t.Errorf("userFromClaims gives the user %v, the token has %v", got, read)
			}
			if got := f.of(user); !reflect.DeepEqual(got, read.Interface()) {
				t.Errorf("issuing writes %v, the user has %v", got, read)
			}
		})
	}
	for i := range reflect.TypeFor[accessClaims]().NumField() {
		name := reflect.TypeFor[accessClaims]().Field(i).Tag.Get("json")
		switch name {
		case "token_type", "jti", "user_id", "sid", "scope", "scp", "client_id", "azp", "cnf", "act":
		default:
			if factNamed(name) == nil {
				t.Errorf("accessClaims reads %q, which is not in the table of facts", name)
			}
		}
	}
}

// jsonOf returns the members of a value in JSON.
func jsonOf(t *testing.T, value any) (members map[string]any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		t.Fatal(err)
	}
	return members
}

func fieldTagged(of reflect.Type, name string) (reflect.StructField, bool) {
	return of.FieldByNameFunc(func(field string) bool {
		f, _ := of.FieldByName(field)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return tag == name
	})
}
