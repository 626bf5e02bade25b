package api

// The life of an account with second factors, through the JSON API alone.

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	soft "github.com/descope/virtualwebauthn"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/record"
)

// life is a user, and what the user has.
type life struct {
	*testing.T
	*site
	password string
	app      *authenticator
	codes    []any
	rp       soft.RelyingParty
	device   soft.Authenticator
	key      soft.Credential
}

// post sends members as JSON and returns the object in the response.
func (l *life) post(status int, path, access string, members map[string]any) map[string]any {
	l.Helper()
	text, err := json.Marshal(members)
	if err != nil {
		l.Fatal(err)
	}
	return l.json(l.T, status, "POST", path, access, string(text))
}

// first presents the password, which must lead to the step with this code.
func (l *life) first(step string) (pending any) {
	l.Helper()
	got := l.post(401, "/api/token/", "", map[string]any{"username": "erin", "password": l.password})
	if got["code"] != step {
		l.Fatalf("the password leads to %v, want %s", got, step)
	}
	return got["pending"]
}

// second logs in with the password and a code.
func (l *life) second(code string) map[string]any {
	l.Helper()
	return l.post(200, "/api/token/mfa/", "", map[string]any{"pending": l.first("mfa_required"), "code": code})
}

// create makes a passkey for the options of a registration.
func (l *life) create(username string, begun map[string]any) map[string]any {
	l.Helper()
	l.rp = soft.RelyingParty{ID: "example.com", Name: "Example", Origin: "https://example.com"}
	l.device = soft.NewAuthenticatorWithOptions(soft.AuthenticatorOptions{UserHandle: passkey.Handle(string(l.account(username).ID))})
	for l.key = soft.NewCredential(soft.KeyTypeEC2); len(l.key.Key.AttestationData()) != 77; { // virtualwebauthn drops leading zeros
		l.key = soft.NewCredential(soft.KeyTypeEC2)
	}
	options, _ := json.Marshal(begun["publicKey"])
	parsed, err := soft.ParseAttestationOptions(string(options))
	if err != nil {
		l.Fatal(err)
	}
	created := strings.Replace(soft.CreateAttestationResponse(l.rp, l.device, l.key, *parsed), "{", `{"clientExtensionResults":{"credProps":{"rk":true}},`, 1)
	return map[string]any{"pending": begun["pending"], "credential": json.RawMessage(created)}
}

// assert answers the options of a ceremony with the passkey.
func (l *life) assert(begun map[string]any) map[string]any {
	l.Helper()
	options, _ := json.Marshal(begun["publicKey"])
	parsed, err := soft.ParseAssertionOptions(string(options))
	if err != nil {
		l.Fatal(err)
	}
	l.key.Counter++
	return map[string]any{"pending": begun["pending"], "credential": json.RawMessage(soft.CreateAssertionResponse(l.rp, l.device, l.key, *parsed))}
}

// level is the claim acr of a login, in the user of its response.
func level(tokens map[string]any) any { return tokens["user"].(map[string]any)["acr"] }

func TestLifeOfAnAccountWithFactors(t *testing.T) {
	s := newSite(t, change{api: activationOn, gate: func(g *jotgate.Settings) {
		g.RPID, g.RPOrigins = "example.com", []string{"https://example.com"}
	}})
	l := &life{T: t, site: s, password: "a fine passphrase 42"}
	l.begins()
	l.getsAPasskey()
	l.losesThePhone()
	l.losesEverything()
}

// begins signs up, activates, and sets up an app.
func (l *life) begins() {
	l.signUp("erin", "erin@example.com")
	want(l, "before the activation", l.try("erin", l.password), 401, "No active account found")
	link := l.linkTo(record.MessageActivation, "erin", "erin@example.com")
	want(l, "activation", l.ask("POST", "/auth/users/activation/", link), 204, "")
	plain := l.post(200, "/api/token/", "", map[string]any{"username": "erin", "password": l.password})
	if level(plain) != nil {
		l.Errorf("before a factor: %v", plain)
	}
	l.app, l.codes = l.enrol(l.T, plain["access"].(string))
	code := l.app.code(l.T)
	if tokens := l.second(code); level(tokens) != "aal2" {
		l.Errorf("with the app: %v", tokens)
	}
	l.post(401, "/api/token/mfa/", "", map[string]any{"pending": l.first("mfa_required"), "code": code}) // again
	l.now.turn(time.Minute)
}

// getsAPasskey registers one, logs in with it alone and as a second factor, and
// authenticates again with it when that is asked for.
func (l *life) getsAPasskey() {
	access := l.second(l.app.code(l.T))["access"].(string)
	begun := l.post(200, "/auth/factors/passkeys/options/", access, map[string]any{"passwordless": true, "second_factor": true})
	created := l.create("erin", begun)
	created["name"] = "Desk"
	l.post(201, "/auth/factors/passkeys/", access, created)

	alone := l.assert(l.post(200, "/api/token/passkey/options/", "", map[string]any{}))
	tokens := l.post(200, "/api/token/passkey/", "", alone)
	if level(tokens) != "aal2" {
		l.Errorf("with the passkey alone: %v", tokens)
	}
	l.post(401, "/api/token/passkey/", "", alone) // again
	pending := l.first("mfa_required")
	tokens = l.post(200, "/api/token/passkey/", "", l.assert(l.post(200, "/api/token/passkey/options/", "", map[string]any{"pending": pending})))

	l.now.turn(11 * time.Minute)
	access = l.post(200, "/api/token/refresh/", "", map[string]any{"refresh": tokens["refresh"]})["access"].(string)
	l.check(l.T, access, "?acr=aal2&max_age=600", 401)
	if got := l.post(401, "/auth/factors/recovery-codes/", access, nil); got["code"] != "insufficient_user_authentication" {
		l.Errorf("an old proof: %v", got)
	}
	raised := l.post(200, "/auth/again/passkey/", access, l.assert(l.post(200, "/auth/again/passkey/options/", access, nil)))
	l.check(l.T, raised["access"].(string), "?acr=aal2&max_age=600", 200)
	l.check(l.T, access, "", 401) // its session has been replaced
}

// losesThePhone logs in with a recovery code, removes the app and renews the codes.
func (l *life) losesThePhone() {
	code := l.codes[3].(string)
	access := l.second(code)["access"].(string)
	l.post(401, "/api/token/mfa/", "", map[string]any{"pending": l.first("mfa_required"), "code": code}) // again
	w := l.ask("GET", "/auth/factors/", "", "Authorization", "Bearer "+access)
	var factors []jotgate.FactorInfo
	if err := json.Unmarshal([]byte(w.Body), &factors); err != nil || len(factors) != 3 {
		l.Fatalf("%v: %s", err, w.Body)
	}
	for _, f := range factors {
		if f.Type == record.FactorTOTP {
			want(l, "removal", l.ask("DELETE", "/auth/factors/"+string(mustJSON(l, f.ID))+"/", "", "Authorization", "Bearer "+access), 204, "")
		}
	}
	former := l.codes[4].(string)
	l.codes = l.post(200, "/auth/factors/recovery-codes/", access, nil)["recovery_codes"].([]any)
	l.now.turn(time.Minute)
	l.post(401, "/api/token/mfa/", "", map[string]any{"pending": l.first("mfa_required"), "code": former})
	l.now.turn(time.Minute)
	if tokens := l.second(l.codes[0].(string)); level(tokens) != "aal2" {
		l.Errorf("with a new code: %v", tokens)
	}
}

func mustJSON(t testing.TB, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// losesEverything has staff reset the factors: they count for another day, then the
// password alone logs in, all sessions end, and a new app can be set up.
func (l *life) losesEverything() {
	live := l.second(l.codes[1].(string))
	carol := l.login("carol").access
	path := "/auth/users/" + string(l.account("erin").ID) + "/reset_factors/"
	l.post(400, path, carol, map[string]any{"reason": "short"})
	l.post(403, path, live["access"].(string), map[string]any{"reason": "I am erin, let me in"})
	l.messages()
	l.post(202, path, carol, map[string]any{"reason": "lost every device, known by voice"})
	if got := l.told(); got != "factors_reset erin@example.com " {
		l.Errorf("e-mails: %q", got)
	}
	l.now.turn(23 * time.Hour)
	l.first("mfa_required")
	l.now.turn(time.Hour + time.Minute)
	plain := l.post(200, "/api/token/", "", map[string]any{"username": "erin", "password": l.password})
	want(l, "a session from before", l.refresh(live["refresh"].(string)), 401, "")
	l.now.turn(2 * time.Second)
	l.post(401, "/api/token/passkey/", "", l.assert(l.post(200, "/api/token/passkey/options/", "", map[string]any{})))
	l.app, l.codes = l.enrol(l.T, plain["access"].(string))
	if tokens := l.second(l.app.code(l.T)); level(tokens) != "aal2" {
		l.Errorf("with the new app: %v", tokens)
	}
}

// A login that must set up a second factor sets up a passkey, once; the next one asks
// for it.
func TestPasskeyEnrolmentDuringLogin(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) {
		g.RequireMFA, g.RPID, g.RPOrigins = jotgate.MFAStaff, "example.com", []string{"https://example.com"}
	}})
	l := &life{T: t, site: s}
	credentials := map[string]any{"username": "carol", "password": "correct horse battery"}
	refused := l.post(401, "/api/token/", "", credentials)
	if flows, _ := json.Marshal(refused["flows"]); refused["code"] != "mfa_enrol" || string(flows) != `["passkey","totp"]` {
		t.Fatalf("%v", refused)
	}
	pending := map[string]any{"pending": refused["pending"]}
	created := l.create("carol", l.post(200, "/api/token/enrol/passkey/options/", "", pending))
	for _, sent := range []struct {
		code    string
		members map[string]any
	}{
		{"login_not_valid", map[string]any{"pending": refused["pending"], "credential": created["credential"]}}, // without a ceremony
		{"passkey_not_valid", map[string]any{"pending": created["pending"], "credential": map[string]any{}}},
		{"login_not_valid", map[string]any{"pending": "p1.AAAA", "credential": created["credential"]}},
	} {
		if got := l.post(401, "/api/token/enrol/passkey/", "", sent.members); got["code"] != sent.code {
			t.Errorf("%v, want %s", got, sent.code)
		}
	}
	created["name"] = "Key ring"
	tokens := l.post(200, "/api/token/enrol/passkey/", "", created)
	if level(tokens) != "aal2" || len(tokens["recovery_codes"].([]any)) != 10 {
		t.Errorf("%v", tokens)
	}
	l.post(401, "/api/token/enrol/passkey/", "", created) // again
	l.post(401, "/api/token/enrol/passkey/options/", "", pending)
	pending["pending"] = l.post(401, "/api/token/", "", credentials)["pending"]
	tokens = l.post(200, "/api/token/passkey/", "", l.assert(l.post(200, "/api/token/passkey/options/", "", pending)))
	list := s.json(t, 200, "GET", "/auth/factors/passkeys/", tokens["access"].(string), "")["passkeys"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["name"] != "Key ring" {
		t.Errorf("%v", list)
	}
}
