package languages

// PyJWT once more: where a signature is deterministic, the whole token must be the same, byte for byte.

import (
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

func TestSameBytesAsPyJWT(t *testing.T) {
	t.Parallel()
	python := find(t, "python").start(t)
	payloads := map[string]string{
		"one claim":   `{"user_id":"abc"}`,
		"none":        `{}`,
		"order":       `{"z":1,"a":{"y":[1,{"b":[]}],"c":{}},"A":2}`,
		"spaces":      " { \"a\" : [ 1 , 2 ] ,\n\"b\":\ttrue } ",
		"escapes":     `{"esc":"<>&\"\\/\u2028\b\f\n\r\t\u0001\u007f"}`,
		"characters":  `{"name":"éric 日本 😀 \ud83d\ude00"}`,
		"whole":       `{"i":12345678901234567890,"neg":-1,"zero":0,"minus":-0}`,
		"fractions":   `{"f":1.5,"z":0.0,"m":-0.0,"third":0.3333333333333333,"tenth":0.1}`,
		"powers":      `{"e":1e100,"E":1E16,"s":1e-5,"t":0.0001,"u":123456789012345680.0,"v":9007199254740993.0}`,
		"literals":    `{"b":true,"c":false,"n":null}`,
		"simplejwt":   `{"token_type":"access","exp":4102444800,"iat":1704067200,"jti":"0123456789abcdef","user_id":"1"}`,
		"information": `{"role":{"id":"59ad1f","display_name":"Admin","role_type":"admin"},"id":"59bb"}`,
	}
	for name, claims := range payloads {
		t.Run(name, func(t *testing.T) {
			for _, alg := range []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "EdDSA"} {
				key := keyFor(t, alg).private
				want := python.sign(t, alg, key, claims)
				if got := (library{}).sign(t, alg, key, claims); got != want {
					t.Errorf("%s:\n got %s\nwant %s", alg, got, want)
				}
			}
		})
	}
}

// TestExampleOfTheDocumentation is the token of the README. Its secret is too short for anything but an example: the
// package takes it under an Insecure name only, and the command warns.
func TestExampleOfTheDocumentation(t *testing.T) {
	t.Parallel()
	const secret, claims = "SECRET", `{"user_id":"abc"}`
	python := find(t, "python").start(t)
	want := python.sign(t, "HS256", secret, claims)

	key, err := jwt.InsecureHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := jwt.Sign(key, jwt.Raw(claims)); err != nil || got != want {
		t.Errorf("jwt.Sign = %s, %v, want %s", got, err, want)
	}
	command := commandLine{}
	if got := command.sign(t, "HS256", secret, claims); got != want {
		t.Errorf("jotgate token encode prints %s, want %s", got, want)
	}
	if got, err := command.verify(t, "HS256", secret, want); err != nil || got != claims {
		t.Errorf("jotgate token verify prints %s, %v, want %s", got, err, claims)
	}
}

func find(t *testing.T, name string) language {
	t.Helper()
	for _, l := range languages {
		if l.name == name {
			return l
		}
	}
	t.Fatalf("no language %s", name)
	return language{}
}
