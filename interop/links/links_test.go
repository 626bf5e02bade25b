// Package links takes reset links and signed values from Django to jotgate and back.
package links

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/interop/django"
	"github.com/jotgate/jotgate/signing"
)

const tokensPerZone = 125 // 500 each way in all

// zones are where Django's wall clock may hang: reset tokens count in local time.
var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"}

func TestResetTokensBothWays(t *testing.T) {
	for _, zone := range zones {
		t.Run(strings.ReplaceAll(zone, "/", "-"), func(t *testing.T) {
			t.Parallel()
			site := django.Open(t, django.Options{TimeZone: zone, Unmigrated: true})
			ours := resetTokens(t, site.SecretKey, zone)
			accounts := randomAccounts()
			rows := describe(accounts)

			var theirs []string
			site.Ask(t, "make_reset_tokens", map[string]any{"users": rows}, &theirs)
			for i, account := range accounts {
				if !ours.Check(account, theirs[i], time.Now()) {
					t.Errorf("jotgate refuses Django's %s for %+v", theirs[i], account)
				}
				if ours.Check(changed(account, i), theirs[i], time.Now()) {
					t.Errorf("jotgate takes Django's %s for a changed %+v", theirs[i], account)
				}
			}

			made := make([]string, len(accounts))
			for i, account := range accounts {
				made[i] = ours.Make(account, time.Now())
			}
			for i, ok := range checkReset(t, site, rows, made) {
				if !ok {
					t.Errorf("Django refuses jotgate's %s for %+v", made[i], accounts[i])
				}
			}
			for i := range accounts {
				accounts[i] = changed(accounts[i], i)
			}
			for i, ok := range checkReset(t, site, describe(accounts), made) {
				if ok {
					t.Errorf("Django takes jotgate's %s for a changed %+v", made[i], accounts[i])
				}
			}
		})
	}
}

func checkReset(t *testing.T, site *django.Site, rows []map[string]any, made []string) (ok []bool) {
	t.Helper()
	site.Ask(t, "check_reset_tokens", map[string]any{"users": rows, "made": made}, &ok)
	return ok
}

func resetTokens(t *testing.T, secret, zone string) signing.ResetTokens {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return signing.ResetTokens{Keys: keys(t, secret), Location: location}
}

func keys(t *testing.T, secret string) *signing.Keys {
	t.Helper()
	made, err := signing.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func randomAccounts() []signing.Account {
	accounts := make([]signing.Account, tokensPerZone)
	for i := range accounts {
		accounts[i] = signing.Account{
			ID:       strconv.FormatInt(rand.Int64N(1<<62)+1, 10),
			Password: "pbkdf2_sha256$260000$" + randomText(8) + "$" + randomText(20),
			Email:    randomText(10) + "@example.com",
		}
		if i%3 > 0 { // a third have never logged in
			accounts[i].LastLogin = time.Unix(1+rand.Int64N(2e9), 0).UTC()
		}
		if i%5 == 0 {
			accounts[i].Email = ""
		}
	}
	return accounts
}

// changed differs from account in one column.
func changed(account signing.Account, n int) signing.Account {
	switch n % 4 {
	case 0:
		account.ID += "0"
	case 1:
		account.Password += "x"
	case 2:
		account.Email += "x"
	default:
		if account.LastLogin.IsZero() {
			account.LastLogin = time.Unix(0, 0).UTC()
		}
		account.LastLogin = account.LastLogin.Add(time.Second)
	}
	return account
}

// describe writes accounts as inside.py reads them.
func describe(accounts []signing.Account) []map[string]any {
	rows := make([]map[string]any, len(accounts))
	for i, a := range accounts {
		rows[i] = map[string]any{"id": a.ID, "password": a.Password, "email": a.Email, "last_login": nil}
		if !a.LastLogin.IsZero() {
			rows[i]["last_login"] = a.LastLogin.Format("2006-01-02T15:04:05") + ".123456Z" // Django drops the fraction
		}
	}
	return rows
}

var alphabet = []rune("abcXYZ019 +-:/=é日😀<>&'\"\\")

func randomText(n int) string {
	text := make([]rune, n)
	for i := range text {
		text[i] = alphabet[rand.IntN(len(alphabet))]
	}
	return string(text)
}

func TestUIDs(t *testing.T) {
	t.Parallel()
	site := django.Open(t, django.Options{Unmigrated: true})
	ids := []string{"1", "42", "9223372036854775807", "ee6589e8-d4a4-4bab-9d8b-a30939388536"}
	var theirs []string
	site.Ask(t, "encode_uids", map[string]any{"ids": ids}, &theirs)
	for i, id := range ids {
		if got := signing.EncodeUID(id); got != theirs[i] {
			t.Errorf("EncodeUID(%s) = %q, Django's is %q", id, got, theirs[i])
		}
		if got, err := signing.DecodeUID(theirs[i]); got != id || err != nil {
			t.Errorf("DecodeUID(%q) = %q, %v, want %q", theirs[i], got, err, id)
		}
	}
}

func TestSignedValuesBothWays(t *testing.T) {
	t.Parallel()
	site := django.Open(t, django.Options{Unmigrated: true})
	values := []string{"", "a", "a:b:c", strings.Repeat("compressible ", 50)}
	for range 50 {
		values = append(values, randomText(1+rand.IntN(40)))
	}
	const salt = "jotgate.interop"
	signer := keys(t, site.SecretKey).Signer(salt)

	var theirs [][3]string
	site.Ask(t, "sign", map[string]any{"salt": salt, "values": values}, &theirs)
	for i, signed := range theirs {
		if got := read(t, signer, signed); got != [3]string{values[i], values[i], values[i]} {
			t.Errorf("jotgate reads %q of Django's %q", got, signed)
		}
		if _, err := signer.Unsign(signed[0] + "A"); err == nil {
			t.Errorf("jotgate takes %q with a character more", signed[0])
		}
	}

	var ours, want [][3]string
	for _, value := range values {
		dumped, err := signer.Dumps(map[string]string{"value": value}, true, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		ours = append(ours, [3]string{signer.Sign(value), signer.SignAt(value, time.Now()), dumped})
		want = append(want, [3]string{value, value, value})
	}
	var got [][3]string
	site.Ask(t, "unsign", map[string]any{"salt": salt, "signed": ours}, &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Django reads other values (-signed +read):\n%s", diff)
	}
	otherSalt := map[string]any{"salt": salt + "x", "signed": ours[:1]}
	if failure := site.Try(t, "unsign", otherSalt, nil); !strings.HasPrefix(failure, "BadSignature") {
		t.Errorf("Django reads it with another salt: %q", failure)
	}
}

// read takes a value out of Django's three forms.
func read(t *testing.T, signer *signing.Signer, signed [3]string) (values [3]string) {
	t.Helper()
	var errs [3]error
	var object struct{ Value string }
	values[0], errs[0] = signer.Unsign(signed[0])
	values[1], errs[1] = signer.UnsignAt(signed[1], time.Now(), time.Hour)
	errs[2] = signer.Loads(signed[2], &object, time.Now(), time.Hour)
	values[2] = object.Value
	for i, err := range errs {
		if err != nil {
			t.Errorf("jotgate refuses Django's %q: %v", signed[i], err)
		}
	}
	return values
}
