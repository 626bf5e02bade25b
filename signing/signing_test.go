package signing

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newKeys(t testing.TB, secret string, fallbacks ...string) *Keys {
	t.Helper()
	keys, err := New(secret, fallbacks...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestNew(t *testing.T) {
	for _, secrets := range [][]string{{""}, {"a", ""}, {"", "a"}} {
		if _, err := New(secrets[0], secrets[1:]...); !errors.Is(err, ErrNoKey) {
			t.Errorf("New(%q) = %v, want ErrNoKey", secrets, err)
		}
	}
	var log bytes.Buffer
	keys := newKeys(t, "hush-hush")
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "keys", keys)
	if shown := fmt.Sprintf("%v %+v %#v %s %s", keys, keys, keys, keys, log.String()); strings.Contains(shown, "hush") {
		t.Errorf("the secret is shown: %s", shown)
	}
}

// TestFallbacks: the first key signs, every key verifies, no other does.
func TestFallbacks(t *testing.T) {
	old, both, other := newKeys(t, "old"), newKeys(t, "new", "older", "old"), newKeys(t, "other", "new")
	account := Account{ID: "1", Password: "pbkdf2"}
	for _, c := range []struct {
		by   *Keys
		want bool
	}{{old, true}, {both, true}, {newKeys(t, "nobody's"), false}} {
		if _, err := both.Signer("s").Unsign(c.by.Signer("s").Sign("v")); (err == nil) != c.want {
			t.Errorf("signed: %v, want %v", err, c.want)
		}
		token := ResetTokens{Keys: c.by}.Make(account, noon)
		if got := (ResetTokens{Keys: both}).Check(account, token, noon); got != c.want {
			t.Errorf("token: %v", got)
		}
		if got := both.CheckSessionHash("pbkdf2", c.by.SessionHash("pbkdf2")); got != c.want {
			t.Errorf("session: %v", got)
		}
	}
	if _, err := other.Signer("s").Unsign(both.Signer("s").Sign("v")); err != nil {
		t.Errorf("the first key does not sign: %v", err)
	}
}

func TestSigned(t *testing.T) {
	s, other := newKeys(t, "key").Signer("salt"), newKeys(t, "key").Signer("salt2")
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		signed := s.Sign(value)
		if got, err := s.Unsign(signed); got != value || err != nil {
			t.Errorf("Unsign(%q) = %q, %v", signed, got, err)
		}
		i := rapid.IntRange(0, len(signed)-1).Draw(t, "position")
		changed := []byte(signed)
		changed[i] ^= rapid.ByteRange(1, 255).Draw(t, "change")
		for _, bad := range []string{string(changed), signed[:i], signed + "=", strings.Replace(signed, ":", "", 1)} {
			if got, err := s.Unsign(bad); !errors.Is(err, ErrSignature) && bad != signed {
				t.Errorf("Unsign(%q) = %q, %v", bad, got, err)
			}
		}
		if _, err := other.Unsign(signed); !errors.Is(err, ErrSignature) {
			t.Errorf("another purpose: %v", err)
		}
	})
	if _, err := s.Unsign(s.Sign(strings.Repeat("x", MaxSigned))); !errors.Is(err, ErrSignature) {
		t.Errorf("too long: %v", err)
	}
	if _, err := s.Unsign(s.Sign(strings.Repeat("x", 1<<20-44))); err != nil {
		t.Errorf("just not too long: %v", err)
	}
}

func TestSignedAt(t *testing.T) {
	s := newKeys(t, "key").Signer("salt")
	signed := s.SignAt("v:w", noon)
	for _, c := range []struct {
		later, maxAge time.Duration
		err           error
	}{
		{0, time.Second, nil},
		{time.Hour, time.Hour, nil},
		{time.Hour + 1, time.Hour, ErrExpired},
		{1000 * time.Hour, 0, nil},
		{-time.Hour, time.Second, nil},
	} {
		got, err := s.UnsignAt(signed, noon.Add(c.later), c.maxAge)
		if !errors.Is(err, c.err) || (err == nil && got != "v:w") {
			t.Errorf("%v later, at most %v: %q, %v, want %v", c.later, c.maxAge, got, err, c.err)
		}
	}
	for _, at := range []string{"", ":", "v:-1", "v:!", "v:12345678901", "v", "v:é"} {
		if _, err := s.UnsignAt(s.Sign(at), noon, 0); !errors.Is(err, ErrSignature) && at != "v:" {
			t.Errorf("%q: %v, want ErrSignature", at, err)
		}
	}
	if got := s.SignAt("v", time.Unix(-5, 0)); !strings.HasPrefix(got, "v:0:") {
		t.Errorf("before 1970: %q", got)
	}
	for _, c := range []struct{ value, digits string }{
		{"", "1rK5iq"}, {"v", "0"}, {"v", "10"}, {"v", "A0z"}, {"v", "zzzzzzzzzz"}, // ten digits are the most
	} {
		if got, err := s.UnsignAt(s.Sign(c.value+":"+c.digits), noon, 0); got != c.value || err != nil {
			t.Errorf("%q at %s: %q, %v", c.value, c.digits, got, err)
		}
	}
}

func TestObjects(t *testing.T) {
	s := newKeys(t, "key").Signer("django.core.signing")
	value := map[string]any{"\u007f\u0080é😀\u2028": []any{"<&>", 1.5, nil, true}, "x": strings.Repeat("long ", 100)}
	for _, compress := range []bool{false, true} {
		signed, err := s.Dumps(value, compress, noon)
		if err != nil || strings.HasPrefix(signed, ".") != compress {
			t.Fatalf("Dumps = %q, %v", signed, err)
		}
		var got any
		if err := s.Loads(signed, &got, noon, time.Minute); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(any(value), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err := s.Loads(signed, &got, noon.Add(time.Hour), time.Minute); !errors.Is(err, ErrExpired) {
			t.Errorf("an hour later: %v", err)
		}
	}
	if signed, err := s.Dumps("short", true, noon); err != nil || strings.HasPrefix(signed, ".") {
		t.Errorf("compressed although it is longer: %q, %v", signed, err)
	}
	if _, err := s.Dumps(math.Inf(1), false, noon); err == nil {
		t.Error("infinity was written")
	}
	encode := base64.RawURLEncoding.EncodeToString
	for name, text := range map[string]string{
		"not base64": "!!", "not JSON": encode([]byte("{")), "not zlib": "." + encode([]byte("x")), "empty": "",
		"bomb":        "." + encode(zeros(maxUnpacked+1)),
		"cut":         "." + encode(pack([]byte(`{"a":1}`))[:9]),
		"extra bytes": encode([]byte(`{"a":1} x`)),
	} {
		got := any("untouched")
		if err := s.Loads(s.SignAt(text, noon), &got, noon, 0); !errors.Is(err, ErrSignature) || got != "untouched" {
			t.Errorf("%s: %v, %v", name, err, got)
		}
	}
	got := any("untouched")
	if err := s.Loads("e30:1rK5iq:AAAA", &got, noon, 0); !errors.Is(err, ErrSignature) || got != "untouched" {
		t.Errorf("forged: %v, %v", err, got)
	}
}

// TestDumpsPacksWhatShrinks: as in Django, packing has to save two bytes, one of which the mark costs.
func TestDumpsPacksWhatShrinks(t *testing.T) {
	s, seen := newKeys(t, "key").Signer("django.core.signing"), map[int]bool{}
	for n := range 40 {
		for _, tail := range []string{"", "b", "bc", "bcd"} {
			value := strings.Repeat("a", n) + tail
			data, err := marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			saved := len(data) - len(pack(data))
			signed, err := s.Dumps(value, true, noon)
			if packed := strings.HasPrefix(signed, "."); packed != (saved >= 2) || err != nil {
				t.Errorf("%q: packing saves %d bytes, done: %v, %v", value, saved, packed, err)
			}
			seen[saved] = true
		}
	}
	for saved := range 4 {
		if !seen[saved] {
			t.Errorf("no value of which packing saves %d bytes", saved)
		}
	}
}

// TestUnpackBound: 4 MiB are unpacked, the two quotes included, and not one byte more.
func TestUnpackBound(t *testing.T) {
	for n, want := range map[int]bool{4<<20 - 2: true, 4<<20 - 1: false} {
		if _, err := unpack(zeros(n)); (err == nil) != want {
			t.Errorf("%d zeros: %v", n, err)
		}
	}
}

// zeros packs a long JSON string in few bytes.
func zeros(n int) []byte {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	w.Write([]byte(`"`))
	w.Write(bytes.Repeat([]byte("0"), n))
	w.Write([]byte(`"`))
	w.Close()
	return packed.Bytes()
}

func TestDecodeUIDBound(t *testing.T) {
	long := EncodeUID(strings.Repeat("1", 768))
	if _, err := DecodeUID(long); err != nil || len(long) != maxUID {
		t.Errorf("%d bytes: %v", len(long), err)
	}
	if _, err := DecodeUID(long + "MQ"); !errors.Is(err, ErrUID) {
		t.Errorf("too long: %v", err)
	}
	if _, err := DecodeUID("M Q="); !errors.Is(err, ErrUID) { // Python: incorrect padding
		t.Errorf("too little padding: %v", err)
	}
	for uid, want := range map[string]string{"MTIz====MQ==": "1231", "M=TIz": "123", "+/+/": "\xfb\xff\xbf", "M=Q==": "1", "MQ==MQ==": "1", "M Q": "1"} {
		if got, err := DecodeUID(uid); got != want || err != nil {
			t.Errorf("DecodeUID(%q) = %q, %v, want %q", uid, got, err, want)
		}
	}
}

func FuzzLoads(f *testing.F) {
	s := newKeys(f, "key").Signer("django.core.signing")
	signed, err := s.Dumps(map[string]any{"a": 1}, true, noon)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed, "")
	f.Add("e30:1rK5iq:AAAA", ".eJw")
	f.Fuzz(func(t *testing.T, forged, content string) {
		var got any
		if err := s.Loads(forged, &got, noon, 0); err == nil && forged != signed {
			t.Errorf("accepted %q", forged)
		}
		if err := s.Loads(s.Sign(content), &got, noon, 0); err != nil && !errors.Is(err, ErrSignature) {
			t.Errorf("%q: %v", content, err)
		}
		if id, err := DecodeUID(content); err == nil && len(id) > len(content) {
			t.Errorf("DecodeUID(%q) = %q", content, id)
		}
	})
}
