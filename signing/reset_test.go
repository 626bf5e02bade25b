package signing

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

var alice = Account{ID: "1", Password: "pbkdf2_sha256$1000$a$b", Email: "alice@example.com", LastLogin: time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)}

func TestTokenDependsOnAccount(t *testing.T) {
	tokens := ResetTokens{Keys: newKeys(t, "key")}
	token := tokens.Make(alice, noon)
	same := alice
	same.LastLogin = alice.LastLogin.Truncate(time.Second).In(time.FixedZone("", 3600))
	if !tokens.Check(same, token, noon) {
		t.Error("depends on a part of a second or on the zone of the last login")
	}
	for name, change := range map[string]func(*Account){
		"id":        func(a *Account) { a.ID = "2" },
		"password":  func(a *Account) { a.Password += "x" },
		"email":     func(a *Account) { a.Email = "Alice@example.com" },
		"login":     func(a *Account) { a.LastLogin = a.LastLogin.Add(time.Second) },
		"no login":  func(a *Account) { a.LastLogin = time.Time{} },
		"no e-mail": func(a *Account) { a.Email = "" },
	} {
		changed := alice
		change(&changed)
		if tokens.Check(changed, token, noon) {
			t.Errorf("%s: still accepted", name)
		}
	}
	if (ResetTokens{Keys: newKeys(t, "key"), Salt: "activation"}).Check(alice, token, noon) {
		t.Error("accepted for another purpose")
	}
}

func TestTokenTimeout(t *testing.T) {
	for _, timeout := range []time.Duration{0, time.Minute} {
		tokens, limit := ResetTokens{Keys: newKeys(t, "key"), Timeout: timeout}, timeout
		if timeout == 0 {
			limit = 3 * 24 * time.Hour
		}
		token := tokens.Make(alice, noon)
		for _, c := range []struct {
			later time.Duration
			want  bool
		}{{limit, true}, {limit + time.Second, false}, {-time.Hour, true}} {
			if got := tokens.Check(alice, token, noon.Add(c.later)); got != c.want {
				t.Errorf("%v: %v later: %v", timeout, c.later, got)
			}
		}
	}
}

func TestForgedTokens(t *testing.T) {
	tokens := ResetTokens{Keys: newKeys(t, "key")}
	rapid.Check(t, func(t *rapid.T) {
		token := tokens.Make(alice, noon)
		i := rapid.IntRange(0, len(token)-1).Draw(t, "position")
		changed := []byte(token)
		changed[i] ^= rapid.ByteRange(1, 255).Draw(t, "change")
		for _, bad := range []string{string(changed), token[:i], token + "0", token + "-", "0" + token, "+" + token, strings.ToUpper(token)} {
			if tokens.Check(alice, bad, noon) {
				t.Errorf("%q is accepted like %q", bad, token)
			}
		}
	})
	for _, bad := range []string{"", "-", "a", "zzzzzzzzzzzzzz-0", "-1-0", strings.Repeat("0", 1<<20)} {
		if tokens.Check(alice, bad, noon) {
			t.Errorf("%.20q is accepted", bad)
		}
	}
}

// TestTokenOfAnyTime: up to the 13 digits that Django reads.
func TestTokenOfAnyTime(t *testing.T) {
	tokens := ResetTokens{Keys: newKeys(t, "key")}
	for digits, at := range map[int]time.Time{1: time.Unix(0, 0), 6: noon, 13: time.Unix(1<<62+1<<61, 0)} {
		token := tokens.Make(alice, at)
		if !tokens.Check(alice, token, at) || strings.IndexByte(token, '-') != digits {
			t.Errorf("%q, made at %v, is refused then", token, at.Unix())
		}
	}
}

// TestLegacy has a token signed with SHA-1, as Django made them before 3.1.
func TestLegacy(t *testing.T) {
	// Django 3.2.25, DEFAULT_HASHING_ALGORITHM = "sha1", SECRET_KEY = "key", noon, UTC.
	const legacy = "dihw00-aaf97990f5d22fc1ae87"
	tokens := ResetTokens{Keys: newKeys(t, "key")}
	if tokens.Check(alice, legacy, noon) {
		t.Error("accepted although not asked for")
	}
	tokens.Legacy = true
	if !tokens.Check(alice, legacy, noon) {
		t.Error("refused")
	}
	if !tokens.Check(alice, tokens.Make(alice, noon), noon) {
		t.Error("the current form is refused")
	}
	if tokens.Check(alice, legacy, noon.Add(ResetTimeout+time.Second)) {
		t.Error("accepted too late")
	}
}

// TestLocation: Django counts by the wall clock, so the same instant gives another
// token in another TIME_ZONE, and the hour that comes twice gives the same ones.
func TestLocation(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	keys := newKeys(t, "key")
	utc, local := ResetTokens{Keys: keys}, ResetTokens{Keys: keys, Location: berlin}
	if utc.Make(alice, noon.Add(time.Hour)) != local.Make(alice, noon) {
		t.Error("one o'clock in UTC and in Berlin differ")
	}
	if summer := noon.AddDate(0, -5, 0); utc.Make(alice, summer.Add(2*time.Hour)) != local.Make(alice, summer) {
		t.Error("summer time is not counted")
	}
	first := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC) // 02:30, for the first time
	if local.Make(alice, first) != local.Make(alice, first.Add(time.Hour)) {
		t.Error("the hour that comes twice is counted twice")
	}
	if got := local.Make(alice, time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)); !strings.HasPrefix(got, "0-") {
		t.Errorf("before 2001: %q", got)
	}
}

// Tokens of NotBefore and earlier are void, and Make writes none of these.
func TestTokensFromBefore(t *testing.T) {
	for _, zone := range []string{"UTC", "Asia/Tokyo"} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		plain := ResetTokens{Keys: newKeys(t, "key"), Location: location}
		after := plain
		after.NotBefore = noon.Add(400 * time.Millisecond)
		for age, want := range map[time.Duration]bool{-time.Hour: false, 0: false, 900 * time.Millisecond: false, time.Second: true, time.Hour: true} {
			if got := after.Check(alice, plain.Make(alice, noon.Add(age)), noon.Add(2*time.Hour)); got != want {
				t.Errorf("%s, %v: %v, want %v", zone, age, got, want)
			}
		}
		for _, at := range []time.Time{noon, noon.Add(time.Second)} {
			token := after.Make(alice, at)
			if !after.Check(alice, token, at) || !plain.Check(alice, token, at) || token != plain.Make(alice, noon.Add(time.Second)) {
				t.Errorf("%s, %v: %s", zone, at, token)
			}
		}
	}
}
