package jotgate

import (
	"fmt"
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
)

// revokedSessions returns n revocations of sessions.
func revokedSessions(n int) []record.Revocation {
	list := make([]record.Revocation, n)
	for i := range list {
		list[i] = record.Revocation{Seq: int64(i), Session: fmt.Sprintf("%032x", i+1), Made: time.Unix(1767225600, 0)}
	}
	return list
}

// BenchmarkVerifyWithRevocations compares verifying with none, one and a
// million revocations.
func BenchmarkVerifyWithRevocations(b *testing.B) {
	const secret = "golden-secret-key-golden-secret-key-golden-secret-key-0123456789"
	gate, err := New(Settings{SecretKey: secret}, nil)
	if err != nil {
		b.Fatal(err)
	}
	s := &record.Session{ID: randomHex(), JTI: randomHex(), Created: time.Now(), Expires: time.Now().Add(time.Hour), Rotated: time.Now()}
	tokens, err := gate.issue(b.Context(), "login", &record.Account{ID: "1", Username: "alice", Email: "alice@example.com"}, s, nil, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{0, 1, 1_000_000} {
		gate.revoked.AddPage(record.RevocationPage{Entries: revokedSessions(n)})
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := gate.VerifyAccess(tokens.Access); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
