package api

// Rows H095 and H099 of testdata/attacks.json: what stands in the password
// column.

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/allocs"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// store puts an encoded password into alice's row, as an import or somebody with
// access to the table would.
func (s *site) store(encoded string) {
	s.t.Helper()
	if err := s.db.Accounts().Change(s.t.Context(), s.account("alice").ID, record.Change{Password: &encoded}); err != nil {
		s.t.Fatal(err)
	}
}

func TestH095NoTruncation(t *testing.T) {
	hasher, err := passwd.New("bcrypt_sha256:4")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, change{gate: func(g *jotgate.Settings) { g.Hasher = hasher }})
	long := strings.Repeat("correct horse battery ", 5)[:100]
	want(t, "sign-up", s.ask("POST", "/auth/users/", object("username", "long", "password", long)), 201, "")
	if stored := s.account("long").Password; !strings.HasPrefix(stored, "bcrypt_sha256$") {
		t.Fatalf("%.20s", stored)
	}
	want(t, "whole", s.try("long", long), 200, "access")
	for _, n := range []int{72, 73, 99} {
		want(t, "cut off", s.try("long", long[:n]), 401, "No active account")
	}
}

// A weak hash is good for one login, which replaces it; one that would cost too
// much is refused without paying.
func TestH099WeakAndHugeHashes(t *testing.T) {
	s := newSite(t, change{})
	weak := map[string]string{ // of "password"
		"md5":           "md5$lNaClSalt$d67156a049dd795b554a629f823ad540",
		"unsalted_md5":  "5f4dcc3b5aa765d61d8327deb882cf99",
		"unsalted_sha1": "sha1$$5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
	}
	one, err := passwd.New("pbkdf2_sha256:1")
	if err != nil {
		t.Fatal(err)
	}
	if weak["one iteration"], err = one.Make("password"); err != nil {
		t.Fatal(err)
	}
	for kind, encoded := range weak {
		s.store(encoded)
		want(t, kind+", wrong", s.try("alice", "passwore"), 401, "")
		if s.account("alice").Password != encoded {
			t.Errorf("%s: replaced by a wrong password", kind)
		}
		want(t, kind, s.try("alice", "password"), 200, "access")
		if stored := s.account("alice").Password; !strings.HasPrefix(stored, "pbkdf2_sha256$1500$") {
			t.Errorf("%s: still %.30s", kind, stored)
		}
	}
	for _, huge := range []string{
		"pbkdf2_sha256$2147483648$salt$" + strings.Repeat("A", 43) + "=", "pbkdf2_sha256$99999999999999999999$salt$" + strings.Repeat("A", 43) + "=",
		"argon2$argon2id$v=19$m=4194304,t=2,p=1$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$UOl4WzPUu15WW4I4nHEKBw", "scrypt$16777216$seasalt$16777216$64$AAAA",
		"bcrypt$$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz01234567890", "pbkdf2_sha256$-1$salt$AAAA", "plain$password", "$$$", "password",
	} {
		s.store(huge)
		// Computing one of them would take minutes, or the memory it names.
		t.Run(fmt.Sprintf("%.20s", huge), func(t *testing.T) {
			allocs.BytesAtMost(t, 64<<20, func() { want(t, huge, s.try("alice", "password"), 401, "No active account") })
		})
		s.now.turn(time.Hour)
	}
}

// A right password whose hash is above the limit fails like a wrong one, at every
// endpoint that checks a password, without computing the hash; the log names the
// account, and a password reset is still possible.
func TestHashesAboveTheLimit(t *testing.T) {
	costly, err := passwd.New("pbkdf2_sha256:3000")
	if err != nil {
		t.Fatal(err)
	}
	above, err := costly.Make(goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	digest := strings.Repeat("A", 43) + "="
	for _, c := range []struct{ name, encoded, says string }{
		{"a lower limit", above, "hash=pbkdf2_sha256:3000"},
		{"iterations", "pbkdf2_sha256$9999999$seasaltSeasaltSeasalt1$" + digest, "hash=pbkdf2_sha256:9999999"},
		{"bcrypt", "bcrypt$$2b$17$0bjl.1JF6RDj.ZdlIUJZEuZnU1xoyVYCNLcJkkTbUnZ2KlOjEtHEW", "hash=bcrypt:17"},
		{"argon2 memory", "argon2$argon2id$v=19$m=262145,t=1,p=1$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$UOl4WzPUu15WW4I4nHEKBw", "m=262145,t=1,p=1"},
		{"argon2 time", "argon2$argon2id$v=19$m=102400,t=11,p=1$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$UOl4WzPUu15WW4I4nHEKBw", "m=102400,t=11,p=1"},
		{"scrypt", "scrypt$262144$seasalt$8$1$3vqv8bhuV70T8qE/sm/1JgaaAVCPji0UBOiBZ08T4YJshNUkRkzId6sCqfxxDbPrlelp7VLgYKxUQHS0Cqv4lw==", "n=262144,r=8,p=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, change{gate: func(g *jotgate.Settings) { g.HashLimits = []string{"pbkdf2_sha256:2000"} }})
			token := s.login("alice").access
			wrong := s.try("alice", "wrong password 12")
			s.store(c.encoded)
			if got := s.try("alice", goodPassword); got.Status != 401 || got.Body != wrong.Body {
				t.Errorf("%d %s, a wrong password: %d %s", got.Status, got.Body, wrong.Status, wrong.Body)
			}
			want(t, "set_password", s.ask("POST", "/auth/users/set_password/",
				object("current_password", goodPassword, "new_password", "correct-horse-2"), "Authorization", "Bearer "+token), 400, "current_password")
			if log := s.logs.String(); !strings.Contains(log, "above HashLimits") || !strings.Contains(log, c.says) {
				t.Errorf("the log does not say so: %s", log)
			}
			if s.account("alice").Password != c.encoded {
				t.Error("the hash was replaced")
			}
			s.ask("POST", "/auth/users/reset_password/", object("email", "alice@example.com"))
			if n := len(s.messages()); n != 1 {
				t.Errorf("%d links to reset the password", n)
			}
		})
	}
}
