package api

// A login of a user with a second factor: what the first step discloses, and what
// the steps cost.

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// A wrong password gets the same response in the same time, whether or not the
// account exists or has a second factor. The response to the right one says so
// itself, and may take another time: it counts no failure.
func TestSecondFactorTiming(t *testing.T) {
	s := patient(t)
	access := s.json(t, 200, "POST", "/api/token/", "", aliceLogin)["access"].(string)
	s.enrol(t, access)
	wrong := map[string]string{}
	for _, name := range []string{"alice", "carol", "zzzzz"} {
		w := s.send("POST", "/api/token/", strings.Replace(strings.Replace(aliceLogin, "alice", name, 1), passwordOf(aliceLogin), "wrong password 12", 1),
			http.Header{"Content-Type": {"application/json"}})
		h := w.Header().Clone()
		h.Del("X-Request-Id")
		h.Del("Date")
		wrong[name] = w.Body.String()
		if w.Code != 401 || wrong[name] != wrong["alice"] || !strings.Contains(wrong[name], "No active account") {
			t.Errorf("%s: %d %v %s", name, w.Code, h, w.Body)
		}
	}
	equalTime(t, 0.03, map[string]func(int){
		"second factor": s.fail("alice"), "none": s.fail("carol"), "unknown": s.fail("zzzzz"),
	})
}

// BenchmarkSteps reports the processor time of everything in a login but the hash
// of the password: of a login in one step, and of each of the two requests of one
// with a code. They should be under 2 ms:
//
//	go test -run x -bench Steps ./api
func BenchmarkSteps(b *testing.B) {
	onBothDatabases(b, func(b *testing.B, a *API, db *store.Store) {
		s := &site{API: a}
		logIn(b, a)
		alice, err := db.Accounts().ByLogin(b.Context(), "alice")
		if err != nil {
			b.Fatal(err)
		}
		var one, two time.Duration
		for b.Loop() {
			one += cpuOf(b, 10, func() { logIn(b, a) })
			two += s.twoSteps(b, alice)
		}
		b.ReportMetric(float64(one.Microseconds())/1000/float64(b.N), "ms/login")
		b.ReportMetric(float64(two.Microseconds())/2000/float64(b.N), "ms/step-with-code")
	})
}

// twoSteps returns the processor time of a login with a code, and leaves the
// account without a second factor.
func (s *site) twoSteps(b *testing.B, alice *record.Account) time.Duration {
	begun, err := s.API.gate.Factors().BeginTOTP(b.Context(), alice)
	if err != nil {
		b.Fatal(err)
	}
	add := &record.Factor{Type: record.FactorTOTP, Data: totp.Data{Secret: begun.Secret}.String(), Created: time.Now()}
	change := record.FactorChange{User: alice.ID, Add: []*record.Factor{add}}
	if err := s.API.gate.Store().Factors().ChangeFactors(b.Context(), change); err != nil {
		b.Fatal(err)
	}
	code, err := totp.Code(begun.Secret, totp.Step(time.Now()))
	if err != nil {
		b.Fatal(err)
	}
	took := cpuOf(b, 1, func() {
		first := s.json(b, 401, "POST", "/api/token/", "", `{"username":"alice","password":"`+goodPassword+`"}`)
		s.json(b, 200, "POST", "/api/token/mfa/", "", `{"pending":"`+first["pending"].(string)+`","code":"`+code+`"}`)
	})
	if err := s.API.gate.Store().Factors().ChangeFactors(b.Context(), record.FactorChange{User: alice.ID, Remove: []int64{add.ID}}); err != nil {
		b.Fatal(err)
	}
	return took
}
