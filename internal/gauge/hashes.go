package gauge

// How long a hash takes, and which parameters make it take the recommended time.

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jotgate/jotgate/passwd"
)

// A Hash is the time that one hash takes on an idle machine.
type Hash struct {
	Hasher string `json:"hasher"` // in the format of --hasher
	// Quickest is the figure to use: other programs can only make a hash
	// slower. The busier the machine, the higher is Median in comparison.
	Quickest float64 `json:"quickest_ms"`
	Median   float64 `json:"median_ms"`
	Memory   float64 `json:"memory_mib"` // for each concurrent hash
	Fits     bool    `json:"fits"`       // 50 to 250 ms
}

// The recommended time of a hash: long enough to make guessing expensive for an
// attacker who has stolen the table, and short enough for logins to be quick and
// for a flood of them to be bearable.
const (
	shortest = 50.0  // ms
	longest  = 250.0 // ms
	target   = 100.0 // ms, for parameters that are computed
)

// others are measured in addition to the plan's hasher and argon2, if there is time.
var others = []string{"django-3.2", "django-4.2", "django-5.2", "bcrypt_sha256:12", "django-argon2", "scrypt", "django-6.2"}

// The default hasher and its parameters: memory in KiB, and passes (RFC 9106).
const (
	standard = "argon2"
	memory   = 19456
	passes   = 2
)

// password is the password of all users.
const password = "correct-horse-battery-1"

// hashes measures the plan's hasher and argon2. If argon2 is too quick, it measures
// stronger parameters as well. Then it measures the others while there is time.
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

// setting returns the plan's hasher in the format of --hasher.
func (m *measurement) setting() string {
	if name := m.Hasher.String(); name != (&passwd.Hasher{}).String() {
		return name
	}
	return standard
}

// hash measures a hasher and adds it to the report.
func (m *measurement) hash(ctx context.Context, setting string, limit time.Duration) (Hash, error) {
	hash, err := measure(ctx, setting, limit)
	m.Hashes = append(m.Hashes, hash)
	return hash, err
}

// stronger returns argon2 with parameters that take the target time, if the default
// ones take the given time in milliseconds. The time is proportional to memory times
// passes. Memory is increased first, up to 64 MiB, because memory is what the
// hardware for guessing lacks; then passes.
func stronger(took float64) string {
	cost := memory * passes * target / took
	kib := min(64<<10, int(cost/passes)/1024*1024)
	return fmt.Sprintf("argon2:m=%d,t=%d,p=1", kib, max(passes, int(cost/float64(kib)+0.5)))
}

// measure makes hashes until the time is over, at least three.
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
