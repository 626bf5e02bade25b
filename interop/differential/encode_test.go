package differential

import (
	"fmt"
	mrand "math/rand/v2"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

// What Sign writes of any claims is what PyJWT writes, byte for byte.
func TestWritesWhatPyJWTWrites(t *testing.T) {
	k, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	py, err := startPython(k)
	if err != nil {
		t.Fatal(err)
	}
	r := mrand.New(mrand.NewPCG(setting(t, "SEED", 1), 1))
	compared := 0
	for range 5000 {
		d := &draft{r: r, keys: k, alg: jwt.HS256}
		d.sound()
		for range r.IntN(4) {
			d.payload = append(d.payload, member{d.word(), d.number()})
		}
		if r.IntN(2) == 0 {
			d.some().value = d.odd()
		}
		claims := d.text(d.payload)
		token, err := jwt.Sign(k.own[jwt.HS256], jwt.Raw(claims))
		if err != nil {
			continue
		}
		theirs, err := py.encode(claims)
		if err != nil {
			t.Fatal(err)
		}
		if compared++; token != theirs {
			t.Fatalf("%s\nis signed as %s\nPyJWT makes %s", claims, token, theirs)
		}
	}
	if err := py.stop(); err != nil {
		t.Error(err)
	}
	if compared < 3000 {
		t.Errorf("only %d compared", compared)
	}
	t.Logf("%d tokens alike", compared)
}

// number draws a number in some spelling.
func (d *draft) number() string {
	switch d.r.IntN(6) {
	case 0:
		return fmt.Sprint(d.r.Int64() - d.r.Int64())
	case 1:
		return fmt.Sprintf("%d%019d", d.r.Int64N(1<<62)+1, d.r.Int64N(1<<62))
	case 2:
		return fmt.Sprintf("%g", d.r.NormFloat64())
	case 3:
		return fmt.Sprintf("%de%d", d.r.IntN(1000), d.r.IntN(600)-300)
	case 4:
		return fmt.Sprintf("%d.%03dE+%02d", d.r.IntN(100), d.r.IntN(1000), d.r.IntN(20))
	}
	return fmt.Sprintf("-0.%0*d", 1+d.r.IntN(20), d.r.IntN(10))
}
