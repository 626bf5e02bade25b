package store_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/jotgate/jotgate/passwd"
)

// BenchmarkManyUsers has the times to TestManyUsers: a thousand users beside
// JOTGATE_USERS (default 20,000).
func BenchmarkManyUsers(b *testing.B) {
	hash, err := new(passwd.Hasher).Make(scalePassword)
	if err != nil {
		b.Fatal(err)
	}
	for name, make := range map[string]func(testing.TB) *world{"sqlite": sqliteWorld, "postgres": postgresWorld} {
		for _, users := range []int{1000, number(b, "JOTGATE_USERS", 20_000)} {
			b.Run(name+"/users="+strconv.Itoa(users), func(b *testing.B) {
				s := newSite(make(b), users, hash)
				for what, do := range questions {
					b.Run(what, func(b *testing.B) {
						for b.Loop() {
							if err := do(s, rand.IntN(users)+1); err != nil {
								b.Fatal(err)
							}
						}
					})
				}
			})
		}
	}
}
