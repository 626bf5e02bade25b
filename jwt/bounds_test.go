package jwt

import (
	"strings"
	"testing"
)

type nest []nest

// Sign and Verify have the same limits: 64 levels, 8192 bytes.
func TestSignAndVerifyHaveTheSameLimits(t *testing.T) {
	k, err := HS256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier[Raw](k, Rules{InsecureNoExpiration: true})
	if err != nil {
		t.Fatal(err)
	}
	// The claims are the first level.
	for name, levels := range map[string]func(n int) any{
		"nest": func(n int) any {
			list := nest{}
			for range n - 2 {
				list = nest{list}
			}
			return list
		},
		"any": func(n int) any {
			list := []any{1}
			for range n - 2 {
				list = []any{list}
			}
			return list
		},
		"map": func(n int) any {
			m := map[string]any{"x": "y"}
			for range n - 2 {
				m = map[string]any{"m": m}
			}
			return m
		},
		"pointers": func(n int) any {
			list := any([]any{})
			for range n - 2 {
				within := list
				list = any(&[]*any{&within})
			}
			return list
		},
		"raw": func(n int) any { return Raw(strings.Repeat("[", n-1) + strings.Repeat("]", n-1)) },
		"raw within": func(n int) any {
			return []Object{{{"o", struct {
				R Raw `json:"r"`
			}{Raw(strings.Repeat(`[`, n-4) + "1" + strings.Repeat("]", n-4))}}}}
		},
	} {
		for depth := 5; depth <= 66; depth++ {
			token, err := Sign(k, Object{{"a", levels(depth)}})
			if (err == nil) != (depth <= 64) {
				t.Errorf("%s, %d levels: %v", name, depth, err)
			}
			if err == nil {
				if _, err := v.Verify(token); err != nil {
					t.Errorf("%s, %d levels are written, but not read: %v", name, depth, err)
				}
			}
		}
	}
	longest := 0
	for size := 6000; ; size++ {
		token, err := Sign(k, Object{{"a", strings.Repeat("x", size)}})
		if err != nil {
			break
		}
		if _, err := v.Verify(token); err != nil {
			t.Errorf("%d bytes are written, but not read: %v", len(token), err)
		}
		longest = len(token)
	}
	if longest != 8192 {
		t.Errorf("the longest token that is written has %d bytes", longest)
	}
}
