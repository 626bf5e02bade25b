package jwt_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

// algorithms lists all algorithms, each with a key that is generated once.
var algorithms = []jwt.Algorithm{
	jwt.HS256, jwt.HS384, jwt.HS512, jwt.RS256, jwt.RS384, jwt.RS512, jwt.PS256, jwt.PS384, jwt.PS512,
	jwt.ES256, jwt.ES384, jwt.ES512, jwt.EdDSA,
}

var testRSA = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func keyFor(t testing.TB, alg jwt.Algorithm) *jwt.Key {
	t.Helper()
	var k *jwt.Key
	var err error
	switch alg[:1] {
	case "R", "P":
		k, err = jwt.NewKey(alg, testRSA())
	default:
		k, err = alg.GenerateKey()
	}
	if err != nil {
		t.Fatal(err)
	}
	return k.WithID("id-" + string(alg))
}

func TestEveryAlgorithm(t *testing.T) {
	for _, alg := range algorithms {
		t.Run(string(alg), func(t *testing.T) {
			k := keyFor(t, alg)
			token := sign(t, k, good)
			if k.Algorithm() != alg || !k.CanSign() {
				t.Errorf("%v", k)
			}
			from := k
			if !k.IsSecret() {
				var err error
				if from, err = k.Public(); err != nil || from.CanSign() || from.ID() != k.ID() {
					t.Fatal(from, err)
				}
				if _, err := jwt.Sign(from, jwt.Raw(good)); err == nil {
					t.Error("a public key signs")
				}
			}
			if _, err := verifier[jwt.Raw](t, from, jwt.Rules{}).Verify(token); err != nil {
				t.Error(err)
			}
			other := verifier[jwt.Raw](t, keyFor(t, alg).WithID(""), jwt.Rules{})
			if _, err := other.Verify(token); err == nil && alg[:1] != "R" && alg[:1] != "P" {
				t.Error("another key verifies")
			}
			v := verifier[jwt.Raw](t, from, jwt.Rules{})
			signature := token[strings.LastIndexByte(token, '.')+1:]
			cut := strings.TrimSuffix(token, signature) + signature[:(len(signature)-4)/4*4]
			if _, err := v.Verify(token); err != nil {
				t.Error(err)
			}
			if _, err := v.Verify(cut); err == nil { // although its missing bytes may lie about from before
				t.Error("a signature cut short verifies")
			}
			damaged := []byte(token)
			damaged[len(token)-20] ^= 1
			if _, err := verifier[jwt.Raw](t, from, jwt.Rules{}).Verify(string(damaged)); err == nil {
				t.Error("a damaged signature verifies")
			}
		})
	}
}

// A token signed with the same RSA key but another algorithm is refused.
func TestAlgorithmBelongsToTheKey(t *testing.T) {
	for _, alg := range []jwt.Algorithm{jwt.RS256, jwt.RS512, jwt.PS256, jwt.PS384} {
		token := sign(t, keyFor(t, alg).WithID(""), good)
		for _, other := range []jwt.Algorithm{jwt.RS256, jwt.RS384, jwt.RS512, jwt.PS256, jwt.PS384, jwt.PS512} {
			_, err := verifier[jwt.Raw](t, keyFor(t, other).WithID(""), jwt.Rules{}).Verify(token)
			if (err == nil) != (alg == other) {
				t.Errorf("%s token, %s key: %v", alg, other, err)
			}
		}
	}
}

// EdDSA is accepted under its newer name.
func TestEd25519Name(t *testing.T) {
	pub, priv, _ := ed25519.GenerateKey(rand.Reader)
	k, err := jwt.NewKey("Ed25519", pub)
	if err != nil || k.Algorithm() != jwt.EdDSA {
		t.Fatal(k, err)
	}
	input := b64(`{"alg":"Ed25519"}`) + "." + b64(good)
	token := input + "." + b64(string(ed25519.Sign(priv, []byte(input))))
	if _, err := verifier[jwt.Raw](t, k, jwt.Rules{}).Verify(token); err != nil {
		t.Error(err)
	}
}

func TestSecrets(t *testing.T) {
	long := strings.Repeat("0123456789", 7)
	tests := []struct {
		name     string
		alg      jwt.Algorithm
		secret   string
		ok       bool
		insecure bool // InsecureHMAC takes it
	}{
		{"32 bytes", jwt.HS256, long[:32], true, true},
		{"31 bytes", jwt.HS256, long[:31], false, true},
		{"48 bytes", jwt.HS384, long[:48], true, true},
		{"47 bytes", jwt.HS384, long[:47], false, true},
		{"64 bytes", jwt.HS512, long[:64], true, true},
		{"63 bytes", jwt.HS512, long[:63], false, true},
		{"empty", jwt.HS256, "", false, false},
		{"five letters", jwt.HS256, strings.Repeat("abcde", 7), true, true},
		{"four letters", jwt.HS256, strings.Repeat("abcd", 8), false, true},
		{"Django's development key", jwt.HS256, "django-insecure-" + long, false, true},
		{"not at its start", jwt.HS256, "x-django-insecure-" + long, true, true},
		{"PEM", jwt.HS256, "-----BEGIN PUBLIC KEY-----\n" + long, false, false},
		{"PEM after a space", jwt.HS256, " -----BEGIN PUBLIC KEY-----" + long, false, false},
		{"JWK", jwt.HS256, `{"kty":"RSA","n":"` + long, false, false},
		{"JWK Set", jwt.HS256, ` {"keys":[` + long, false, false},
		{"JSON that is no key", jwt.HS256, `{"other":1}` + long, true, true},
		{"OpenSSH", jwt.HS256, "ssh-ed25519 " + long, false, false},
		{"OpenSSH EC", jwt.HS256, "ecdsa-sha2-nistp256 " + long, false, false},
		{"not an HMAC algorithm", jwt.RS256, long, false, false},
		{"unknown algorithm", "HS1", long, false, false},
	}
	for _, test := range tests {
		if _, err := jwt.NewHMAC(test.alg, []byte(test.secret)); (err == nil) != test.ok {
			t.Errorf("%s: NewHMAC: %v", test.name, err)
		}
		if _, err := jwt.InsecureHMAC(test.alg, []byte(test.secret)); (err == nil) != test.insecure {
			t.Errorf("%s: InsecureHMAC: %v", test.name, err)
		}
	}
}

func TestSecretIsCopied(t *testing.T) {
	mine := bytes.Clone(secret)
	k, err := jwt.NewHMAC(jwt.HS256, mine)
	if err != nil {
		t.Fatal(err)
	}
	clear(mine)
	if sign(t, k, good) != sign(t, hmacKey(t, jwt.HS256), good) {
		t.Error("the key changed with the caller's bytes")
	}
}

// fixedPrime replaces a random modulus of a given length.
func modulus(bits uint) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return n.Add(n, big.NewInt(1))
}

func TestWeakKeysAreRefused(t *testing.T) {
	n := testRSA().N
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	strange := *p256
	strange.PublicKey = p384.PublicKey
	mixed := *p256
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	mixed.PublicKey = other.PublicKey
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	halves := append(bytes.Clone(ed[:32]), bytes.Repeat([]byte{7}, 32)...)
	badRSA := *testRSA()
	badRSA.D = new(big.Int).Add(badRSA.D, big.NewInt(2))
	tests := []struct {
		name string
		alg  jwt.Algorithm
		key  any
	}{
		{"2047 bits", jwt.RS256, &rsa.PublicKey{N: modulus(2047), E: 65537}},
		{"16385 bits", jwt.RS256, &rsa.PublicKey{N: modulus(16385), E: 65537}},
		{"even modulus", jwt.RS256, &rsa.PublicKey{N: new(big.Int).Add(n, big.NewInt(1)), E: 65537}},
		{"exponent 3", jwt.RS256, &rsa.PublicKey{N: n, E: 3}},
		{"exponent 65535", jwt.RS256, &rsa.PublicKey{N: n, E: 65535}},
		{"exponent above 31 bits", jwt.RS256, &rsa.PublicKey{N: n, E: 1<<31 + 1}},
		{"exponent even", jwt.RS256, &rsa.PublicKey{N: n, E: 65538}},
		{"private half wrong", jwt.RS256, &badRSA},
		{"RSA as ES256", jwt.ES256, &rsa.PublicKey{N: n, E: 65537}},
		{"RSA private as EdDSA", jwt.EdDSA, testRSA()},
		{"P-384 as ES256", jwt.ES256, &p384.PublicKey},
		{"P-384 private as ES256", jwt.ES256, p384},
		{"P-224", "", &p224.PublicKey},
		{"P-256 as RS256", jwt.RS256, p256},
		{"P-256 public as HS256", jwt.HS256, &p256.PublicKey},
		{"EC halves of two curves", jwt.ES384, &strange},
		{"EC halves of two keys", jwt.ES256, &mixed},
		{"no RSA key", jwt.RS256, (*rsa.PublicKey)(nil)},
		{"empty RSA key", jwt.RS256, &rsa.PublicKey{}},
		{"no private RSA key", jwt.RS256, (*rsa.PrivateKey)(nil)},
		{"private RSA key without primes", jwt.RS256, &rsa.PrivateKey{PublicKey: testRSA().PublicKey, D: testRSA().D}},
		{"private RSA key of one prime", jwt.RS256, &rsa.PrivateKey{PublicKey: testRSA().PublicKey, D: testRSA().D, Primes: testRSA().Primes[:1]}},
		{"private RSA key with an empty prime", jwt.RS256, &rsa.PrivateKey{PublicKey: testRSA().PublicKey, D: testRSA().D, Primes: []*big.Int{testRSA().Primes[0], nil}}},
		{"private RSA key without exponent", jwt.RS256, &rsa.PrivateKey{PublicKey: testRSA().PublicKey, Primes: testRSA().Primes}},
		{"no EC key", "", (*ecdsa.PublicKey)(nil)},
		{"no private EC key", "", (*ecdsa.PrivateKey)(nil)},
		{"empty EC key", "", &ecdsa.PublicKey{}},
		{"private EC key without number", "", &ecdsa.PrivateKey{PublicKey: p256.PublicKey}},
		{"no Ed25519 key", "", ed25519.PublicKey(nil)},
		{"no private Ed25519 key", "", ed25519.PrivateKey(nil)},
		{"no point", jwt.ES256, &ecdsa.PublicKey{Curve: elliptic.P256()}},
		{"Ed25519 as ES256", jwt.ES256, ed},
		{"Ed25519 public as RS256", jwt.RS256, ed.Public()},
		{"short Ed25519", jwt.EdDSA, ed25519.PublicKey(ed[:31])},
		{"short private Ed25519", jwt.EdDSA, ed[:63]},
		{"Ed25519 halves of two keys", jwt.EdDSA, ed25519.PrivateKey(halves)},
		{"unknown algorithm", "RS1", testRSA()},
		{"a string", jwt.RS256, "key"},
		{"nothing", jwt.RS256, nil},
	}
	for _, test := range tests {
		if k, err := jwt.NewKey(test.alg, test.key); err == nil {
			t.Errorf("%s: accepted as %v", test.name, k)
		}
	}
	for _, key := range []any{&rsa.PublicKey{N: modulus(2048), E: 65537}, &rsa.PublicKey{N: modulus(16384), E: 1<<31 - 1}, &rsa.PublicKey{N: n, E: 65537}, testRSA(), p256, &p256.PublicKey, p384, ed, ed.Public()} {
		if _, err := jwt.NewKey("", key); err != nil {
			t.Errorf("%T: %v", key, err)
		}
	}
	if _, err := jwt.Algorithm("none").GenerateKey(); err == nil {
		t.Error("generated a key for none")
	}
}

func TestSmallOrderPointsAreRefused(t *testing.T) {
	for _, text := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		point, _ := hex.DecodeString(text)
		for range 2 {
			if _, err := jwt.NewKey(jwt.EdDSA, ed25519.PublicKey(point)); err == nil {
				t.Errorf("accepted %x", point)
			}
			point[31] |= 0x80
		}
	}
}

// No way of printing a key shows its secret.
func TestPrintedKeysShowNoSecret(t *testing.T) {
	for _, alg := range algorithms {
		k := keyFor(t, alg)
		private, err := k.MarshalPrivateJWK()
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]string
		if err := json.Unmarshal(private, &members); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", k)
		set, err := jwt.NewKeySet(k)
		if err != nil {
			t.Fatal(err)
		}
		public, err := json.Marshal(k)
		if (err != nil) != k.IsSecret() {
			t.Errorf("%s: Marshal: %v", alg, err)
		}
		published, err := json.Marshal(set)
		if err != nil {
			t.Error(err)
		}
		all := fmt.Sprintf("%v %+v %#v %s %x %q %d %v %#v %s%s%s", k, k, k, k, k, k, k, set, *k, log.String(), public, published)
		for _, name := range []string{"k", "d", "p", "q", "dp", "dq", "qi"} {
			if value := members[name]; value != "" && strings.Contains(all, value) {
				t.Errorf("%s: %s shows", alg, name)
			}
		}
		if strings.Contains(all, hex.EncodeToString(secret)) || !strings.Contains(k.String(), string(alg)) {
			t.Errorf("%s prints as %s", alg, all)
		}
		if k.IsSecret() != strings.Contains(string(published), `"keys":[]`) {
			t.Errorf("%s: published %s", alg, published)
		}
	}
}

func TestPEM(t *testing.T) {
	ec, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	sec1, _ := x509.MarshalECPrivateKey(ec)
	pkcs8 := func(k any) []byte { b, _ := x509.MarshalPKCS8PrivateKey(k); return b }
	spki := func(k any) []byte { b, _ := x509.MarshalPKIXPublicKey(k); return b }
	tests := []struct {
		kind  string
		der   []byte
		alg   jwt.Algorithm
		signs bool
	}{
		{"RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(testRSA()), jwt.RS256, true},
		{"RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&testRSA().PublicKey), jwt.RS256, false},
		{"PRIVATE KEY", pkcs8(testRSA()), jwt.RS256, true},
		{"PRIVATE KEY", pkcs8(ec), jwt.ES512, true},
		{"PRIVATE KEY", pkcs8(ed), jwt.EdDSA, true},
		{"EC PRIVATE KEY", sec1, jwt.ES512, true},
		{"PUBLIC KEY", spki(&testRSA().PublicKey), jwt.RS256, false},
		{"PUBLIC KEY", spki(&ec.PublicKey), jwt.ES512, false},
		{"PUBLIC KEY", spki(ed.Public()), jwt.EdDSA, false},
	}
	for _, test := range tests {
		text := pem.EncodeToMemory(&pem.Block{Type: test.kind, Bytes: test.der})
		k, err := jwt.ParseKey(text, "")
		if err != nil || k.Algorithm() != test.alg || k.CanSign() != test.signs {
			t.Errorf("%s: %v %v", test.kind, k, err)
		}
		if _, err := jwt.ParseKeySet(text); (err == nil) == test.signs {
			t.Errorf("%s as a key to verify with: %v", test.kind, err)
		}
		if _, err := jwt.ParseKey(append(text, text[:len(text)-9]...), ""); err == nil {
			t.Errorf("%s: a cut block after it accepted", test.kind)
		}
		for _, kind := range []string{"RSA PRIVATE KEY", "RSA PUBLIC KEY", "PRIVATE KEY", "EC PRIVATE KEY", "PUBLIC KEY", "CERTIFICATE"} {
			damaged := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: test.der[1:]})
			if _, err := jwt.ParseKey(damaged, ""); err == nil {
				t.Errorf("%s: damaged one accepted", kind)
			}
		}
	}
	two := append(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki(ed.Public())}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki(&testRSA().PublicKey)})...)
	set, err := jwt.ParseKeySet(two, jwt.EdDSA, jwt.RS256, jwt.PS256)
	if err != nil || len(set.Keys()) != 3 {
		t.Errorf("two keys for three algorithms: %v %v", set, err)
	}
	if _, err := jwt.ParseKeySet(two, jwt.ES256); err == nil {
		t.Error("keys for another algorithm accepted")
	}
}
