package passwd

// The reckoning behind equal time, with a clock that only hashes move.

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// cost is what a made-up machine needs: linear, with odd factors.
func cost(r recipe) time.Duration {
	switch r.algorithm {
	case "pbkdf2_sha256":
		return time.Duration(r.passes) * 173
	case "pbkdf2_sha1":
		return time.Duration(r.passes) * 91
	case "bcrypt", "bcrypt_sha256":
		return 71 * time.Microsecond << r.passes
	case "argon2", "scrypt":
		return time.Duration(r.passes*r.memory*r.parallelism) * 613
	case "md5", "sha1", "unsalted_md5", "unsalted_sha1", "crypt":
		return 0
	}
	panic("the made-up machine does not know what " + r.algorithm + " costs")
}

// TestEqualReckoning: whatever is stored, in every algorithm, and whatever is preferred, the hashes that a
// Check computes cost the same altogether.
func TestEqualReckoning(t *testing.T) {
	preferred := []string{"", "django-5.2", "argon2:m=102400,t=2,p=8", "bcrypt_sha256:12", "scrypt", "pbkdf2_sha1:700000"}
	stored := map[string]string{
		"unknown":   "",
		"unusable":  Unusable(),
		"broken":    "argon2$argon2id$v=19$m=99999999,t=1,p=1$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$UOl4WzPUu15WW4I4nHEKBw",
		"md5":       "md5$seasaltSeasaltSeasalt1$d67156a049dd795b554a629f823ad540",
		"crypt":     "crypt$$abJnggxhB/yWI",
		"old":       "pbkdf2_sha256$20000$seasaltSeasaltSeasalt1$o1pJHZfGLiqKuH7uqddZVdnxteGjxfOfhkf9sdvl0m8=",
		"dearer":    "pbkdf2_sha256$5000000$seasaltSeasaltSeasalt1$o1pJHZfGLiqKuH7uqddZVdnxteGjxfOfhkf9sdvl0m8=",
		"sha1":      "pbkdf2_sha1$20000$seasaltSeasaltSeasalt1$y5RoBOxy3zciR1QlsD5iE6f27DU=",
		"argon2":    "argon2$argon2id$v=19$m=1024,t=2,p=2$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$SIawmHkWwp6/rQSE35ofQA",
		"argon2old": "argon2$argon2i$m=1024,t=2,p=2$c2Vhc2FsdFNlYXNhbHRTZWFzYWx0MQ$SIawmHkWwp6/rQSE35ofQA",
		"bcrypt":    "bcrypt$$2b$06$0bjl.1JF6RDj.ZdlIUJZEuZnU1xoyVYCNLcJkkTbUnZ2KlOjEtHEW",
	}
	for name, a := range algorithms {
		stored["valid "+name] = valid[name]
		if m, makes := a.(maker); makes {
			preferred = append(preferred, m.usual().setting())
		}
	}
	for _, setting := range preferred {
		synctest.Test(t, func(t *testing.T) {
			h, err := New(setting)
			if err != nil {
				t.Fatal(err)
			}
			h.watch = newStopwatch(func(h hash, _ string) bool { time.Sleep(cost(h.recipe)); return false })
			for _, encoded := range stored { // meet and measure everything once
				h.Check("x", encoded)
			}
			want := cost(h.target())
			for name, encoded := range stored {
				start := time.Now()
				h.Check("x", encoded)
				if off := float64(time.Since(start))/float64(want) - 1; math.Abs(off) > 0.005 {
					t.Errorf("%s: %s takes %.1f %% more than %v", h, name, 100*off, want)
				}
			}
		})
	}
}

// TestEqualOnBusyMachine: long runs are interrupted, short ones are not, and it gets
// worse in between. The answers follow.
func TestEqualOnBusyMachine(t *testing.T) {
	for _, setting := range []string{"argon2", "scrypt", "pbkdf2_sha256:300000"} {
		t.Run(setting, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { equalWhenBusy(t, setting) }) })
	}
}

func equalWhenBusy(t *testing.T, setting string) {
	h, busy := hasher(t, setting), 1.5
	h.watch = newStopwatch(func(h hash, _ string) bool {
		took := cost(h.recipe)
		if took > 2*time.Millisecond {
			took = time.Duration(float64(took) * busy)
		}
		time.Sleep(took)
		return false
	})
	const cheaper = "scrypt$4096$seasalt$8$1$3vqv8bhuV70T8qE/sm/1JgaaAVCPji0UBOiBZ08T4YJshNUkRkzId6sCqfxxDbPrlelp7VLgYKxUQHS0Cqv4lw=="
	stored := []string{"", cheaper, "bcrypt$$2b$05$0bjl.1JF6RDj.ZdlIUJZEuZnU1xoyVYCNLcJkkTbUnZ2KlOjEtHEW"}
	for _, busy = range []float64{1.5, 2.2, 1.1} {
		for range 100 {
			for _, encoded := range stored {
				h.Check("x", encoded)
			}
		}
		start := time.Now()
		h.Check("x", "")
		want := time.Since(start)
		for _, encoded := range stored {
			start := time.Now()
			h.Check("x", encoded)
			if off := float64(time.Since(start))/float64(want) - 1; math.Abs(off) > 0.05 {
				t.Errorf("busy %v: %.20q takes %.1f %% more than %v", busy, encoded, 100*off, want)
			}
		}
	}
}
