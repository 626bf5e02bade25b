package gauge

// How long a hash takes, and which parameters make it take as long as it should.

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jotgate/jotgate/passwd"
)

// Hash is how long one hash takes with nothing else to do.
type Hash struct {
	Hasher string `json:"hasher"` // as --hasher takes it
	// Quickest is what counts: what else the machine does makes a hash slower,
	// never quicker. Median is farther from it the more that was.
	Quickest float64 `json:"quickest_ms"`
	Median   float64 `json:"median_ms"`
	Memory   float64 `json:"memory_mib"` // for each that is made at the same time
	Fits     bool    `json:"fits"`       // 50 to 250 ms
}

// What a hash should take: long enough that guessing is dear for who has stolen
// the table, short enough that a login is no wait and a flood of them no siege.
const (
	shortest = 50.0  // ms
	longest  = 250.0 // ms
	wished   = 100.0 // ms, what is aimed at where none fits
)

// others are measured besides the plan's hasher and argon2, as the time allows.
var others = []string{"django-3.2", "django-4.2", "django-5.2", "bcrypt_sha256:12", "django-argon2", "scrypt", "django-6.2"}

// The default, and its parameters (RFC 9106: memory in KiB, passes).
const (
	standard = "argon2"
	memory   = 19456
	passes   = 2
)

// password is what every user of a run has.
const password = "correct-horse-battery-1"

// hashes measures the plan's hasher and argon2, then argon2 with parameters
// that fit where its own do not, and the others while there is time.
func (m *measurement) hashes(ctx context.Context, limit time.Duration) error {
	end := time.Now().Add(limit)
	var argon2 Hash
	for _, setting := range slices.Compact([]string{m.setting(), standard}) {
		var err error
		if argon2, err = m.hash(ctx, setting, limit/6); err != nil {
			return err
		}
	}
	if argon2.Quickest < shortest {
		tuned, err := m.hash(ctx, stronger(argon2.Quickest), limit/6)
		if err != nil {
			return err
		}
		m.tuned = &tuned
	}
	for _, setting := range others {
		if setting == m.setting() || time.Now().After(end) {
			continue
		}
		if _, err := m.hash(ctx, setting, limit/12); err != nil {
			return err
		}
	}
	return nil
}

// setting is the plan's hasher as --hasher takes it.
func (m *measurement) setting() string {
	if name := m.Hasher.String(); name != (&passwd.Hasher{}).String() {
		return name
	}
	return standard
}

// hash adds one to the report.
func (m *measurement) hash(ctx context.Context, setting string, limit time.Duration) (Hash, error) {
	hash, err := measure(ctx, setting, limit)
	m.Hashes = append(m.Hashes, hash)
	return hash, err
}

// stronger is argon2 with parameters that take the time aimed at, when the
// standard ones take so many milliseconds: its time goes with memory times
// passes. Memory comes first, because it is what a guesser's hardware lacks, up
// to 64 MiB; then passes.
func stronger(took float64) string {
	cost := memory * passes * wished / took
	kib := min(64<<10, int(cost/passes)/1024*1024)
	return fmt.Sprintf("argon2:m=%d,t=%d,p=1", kib, max(passes, int(cost/float64(kib)+0.5)))
}

// measure makes hashes for this long, at least three.
func measure(ctx context.Context, setting string, limit time.Duration) (Hash, error) {
	hasher, err := passwd.New(setting)
	if err != nil {
		return Hash{}, err
	}
	var took []time.Duration
	var encoded string
	for end := time.Now().Add(limit); len(took) < 3 || time.Now().Before(end) && len(took) < 1000; {
		if err := ctx.Err(); err != nil {
			return Hash{}, err
		}
		began := time.Now()
		if encoded, err = hasher.Make(password); err != nil {
			return Hash{}, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return newHash(setting, milliseconds(took[0]), milliseconds(took[len(took)/2]), float64(hasher.Memory(encoded))/(1<<20)), nil
}

func newHash(setting string, quickest, median, mib float64) Hash {
	return Hash{setting, quickest, median, mib, quickest >= shortest && quickest <= longest}
}
