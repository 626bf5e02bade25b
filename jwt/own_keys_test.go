package jwt_test

// This project's test rows about signatures and keys.

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
)

func ownRSA(c *corpus) {
	in := input("RS256")
	good := c.rs(crypto.SHA256, in)
	sum := digest(crypto.SHA256, in)
	prefix := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	noNull := []byte{0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20}
	block := func(kind byte, fill byte, tail []byte) []byte {
		b := append([]byte{0, kind}, bytes.Repeat([]byte{fill}, 256-3-len(tail))...)
		return append(append(b, 0), tail...)
	}
	short := append(append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 8)...), 0)
	short = append(append(short, prefix...), sum...)
	s := new(big.Int).SetBytes(good)
	for _, r := range []struct {
		why, expect string
		signature   []byte
	}{
		{"as it is", "valid", good},
		{"made by hand, rightly", "valid", c.rawRSA(block(1, 0xff, append(prefix, sum...)))},
		{"no NULL in the DigestInfo", "invalid", c.rawRSA(block(1, 0xff, append(noNull, sum...)))},
		{"the bare digest", "invalid", c.rawRSA(block(1, 0xff, sum))},
		{"block type 2", "invalid", c.rawRSA(block(2, 0xff, append(prefix, sum...)))},
		{"block type 0", "invalid", c.rawRSA(block(0, 0, append(prefix, sum...)))},
		{"fill of fe", "invalid", c.rawRSA(block(1, 0xfe, append(prefix, sum...)))},
		{"eight bytes of fill, then garbage", "invalid", c.rawRSA(append(short, make([]byte, 256-len(short))...))},
		{"digest of SHA-512's length", "invalid", c.rs(crypto.SHA512, in)},
		{"plus n", "invalid", new(big.Int).Add(s, c.rsa.N).Bytes()},
		{"a zero before", "invalid", append([]byte{0}, good...)},
		{"a zero after", "invalid", append(slices.Clone(good), 0)},
		{"a byte less", "invalid", good[1:]},
		{"one", "invalid", big.NewInt(1).FillBytes(make([]byte, 256))},
		{"n - 1", "invalid", new(big.Int).Sub(c.rsa.N, big.NewInt(1)).Bytes()},
		{"nothing", "invalid", nil},
		{"PSS", "invalid", c.ps(crypto.SHA256, 32, in)},
	} {
		c.row("rsa-scheme", r.expect, "RS256: "+r.why, in+"."+enc(r.signature), c.rsaKeys())
	}
	in = input("PS256")
	ps := c.rsaKeys("alg", `"PS256"`)
	ps["algs"] = []string{"PS256"}
	for _, salt := range []int{32, 31, 33, 20, 64, 222} {
		expect := map[bool]string{true: "valid", false: "invalid"}[salt == 32]
		c.row("rsa-scheme", expect, fmt.Sprintf("PS256 with a salt of %d bytes (RFC 7518 section 3.5)", salt), in+"."+enc(c.ps(crypto.SHA256, salt, in)), ps)
	}
	c.row("rsa-scheme", "invalid", "PS256 with a signature of PKCS #1 v1.5", in+"."+enc(c.rs(crypto.SHA256, in)), ps)
	c.row("rsa-scheme", "invalid", "PS384's digest under PS256", in+"."+enc(c.ps(crypto.SHA384, 32, in)), ps)
}

func ownRSAKeys(c *corpus) {
	in := input("RS256")
	token := in + "." + enc(c.rs(crypto.SHA256, in))
	n := enc(c.rsa.N.Bytes())
	for _, r := range [][3]string{
		{"kid", ``, "valid"},
		{"alg", ``, "valid"},
		{"use", ``, "valid"},
		{"key_ops", `["verify"]`, "valid"},
		{"ext", `true`, "valid"},
		{"e", `"AQ"`, "invalid"},
		{"e", `"Ag"`, "invalid"},
		{"e", `"Aw"`, "invalid"},
		{"e", `"AQAB="`, "invalid"},
		{"e", ``, "invalid"},
		{"e", `65537`, "invalid"},
		{"e", `null`, "invalid"},
		{"e", `""`, "invalid"},
		{"n", ``, "invalid"},
		{"n", `""`, "invalid"},
		{"n", `"AQAB"`, "invalid"},
		{"n", `"` + n[:len(n)/2] + `"`, "invalid"},
		{"n", `1`, "invalid"},
		{"n", `"` + n + `="`, "invalid"},
		{"n", `"` + n + `\n"`, "invalid"},
		{"kty", ``, "invalid"},
		{"kty", `"rsa"`, "invalid"},
		{"kty", `"EC"`, "invalid"},
		{"kty", `1`, "invalid"},
		{"alg", `"RS384"`, "invalid"},
		{"alg", `"PS256"`, "invalid"},
		{"alg", `"RSA-OAEP-256"`, "invalid"},
		{"alg", `1`, "invalid"},
		{"use", `"enc"`, "invalid"},
		{"use", `1`, "invalid"},
		{"key_ops", `["sign"]`, "invalid"},
		{"key_ops", `[]`, "invalid"},
		{"key_ops", `"verify"`, "invalid"},
		{"kid", `1`, "invalid"},
		{"d", `"` + enc(c.rsa.D.Bytes()) + `"`, "invalid"},
	} {
		c.row("rsa-key", r[2], fmt.Sprintf("RSA JWK with %s %.40q", r[0], r[1]), token, c.rsaKeys(r[0], r[1]))
	}
}

func ownECDSA(c *corpus) {
	in := input("ES256")
	r, s := c.es(in)
	n, zero, one := c.ec.Params().N, big.NewInt(0), big.NewInt(1)
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		c.t.Fatal(err)
	}
	good := halves(r, s, 32)
	all := bytes.Repeat([]byte{0xff}, 64)
	for _, v := range []struct {
		why, expect string
		signature   []byte
	}{
		{"as it is", "valid", good},
		{"s replaced by n - s: ECDSA allows both", "valid", halves(r, new(big.Int).Sub(n, s), 32)},
		{"r and s zero", "invalid", halves(zero, zero, 32)},
		{"r zero", "invalid", halves(zero, s, 32)},
		{"s zero", "invalid", halves(r, zero, 32)},
		{"r one, s one", "invalid", halves(one, one, 32)},
		{"r n", "invalid", halves(n, s, 32)},
		{"s n", "invalid", halves(r, n, 32)},
		{"r n + 1", "invalid", halves(new(big.Int).Add(n, one), s, 32)},
		{"all ff", "invalid", all},
		{"DER", "invalid", der},
		{"63 bytes", "invalid", good[:63]},
		{"128 bytes", "invalid", append(slices.Clone(good), make([]byte, 64)...)},
		{"P-384's width", "invalid", halves(r, s, 48)},
		{"hexadecimal", "invalid", fmt.Appendf(nil, "%x", good)},
		{"swapped", "invalid", halves(s, r, 32)},
		{"nothing", "invalid", nil},
	} {
		c.row("ecdsa", v.expect, "ES256: "+v.why, in+"."+enc(v.signature), c.ecKeys())
	}
	token := in + "." + enc(good)
	private, err := c.ec.Bytes()
	if err != nil {
		c.t.Fatal(err)
	}
	public, err := c.ec.PublicKey.Bytes()
	if err != nil {
		c.t.Fatal(err)
	}
	x := enc(public[1:33])
	for _, v := range [][3]string{
		{"kid", ``, "valid"}, {"alg", ``, "valid"}, {"x", ``, "invalid"}, {"y", ``, "invalid"}, {"y", `""`, "invalid"}, {"x", `"` + x[:40] + `"`, "invalid"}, {"x", `"AA` + x + `"`, "invalid"}, {"x", `"` + x + `="`, "invalid"}, {"x", `1`, "invalid"}, {"y", `"` + x + `"`, "invalid"}, {"crv", `"P-384"`, "invalid"}, {"crv", `"p-256"`, "invalid"}, {"crv", `"secp256k1"`, "invalid"}, {"crv", `"Ed25519"`, "invalid"}, {"crv", ``, "invalid"}, {"crv", `256`, "invalid"}, {"kty", `"OKP"`, "invalid"}, {"kty", `"ec"`, "invalid"}, {"alg", `"ES384"`, "invalid"}, {"alg", `"ES256K"`, "invalid"}, {"d", `"` + enc(private) + `"`, "invalid"},
	} {
		c.row("ec-key", v[2], fmt.Sprintf("EC JWK with %s %.20q", v[0], v[1]), token, c.ecKeys(v[0], v[1]))
	}
}

func ownEd25519(c *corpus) {
	in := input("EdDSA")
	good, err := c.ed.Sign(nil, []byte(in), crypto.Hash(0))
	if err != nil {
		c.t.Fatal(err)
	}
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	le := slices.Clone(good[32:])
	slices.Reverse(le)
	more := new(big.Int).Add(new(big.Int).SetBytes(le), order).FillBytes(make([]byte, 32))
	slices.Reverse(more)
	for _, v := range []struct {
		why, expect string
		signature   []byte
	}{
		{"as it is", "valid", good}, {"s plus the order (RFC 8032 section 5.1.7)", "invalid", append(slices.Clone(good[:32]), more...)}, {"63 bytes", "invalid", good[:63]}, {"65 bytes", "invalid", append(slices.Clone(good), 0)}, {"R and s swapped", "invalid", append(slices.Clone(good[32:]), good[:32]...)}, {"zeros", "invalid", make([]byte, 64)}, {"nothing", "invalid", nil},
	} {
		c.row("eddsa", v.expect, "EdDSA: "+v.why, in+"."+enc(v.signature), c.edKeys())
	}
	token := in + "." + enc(good)
	for _, v := range [][3]string{
		{"kid", ``, "valid"}, {"x", ``, "invalid"}, {"x", `""`, "invalid"}, {"x", `"` + enc(make([]byte, 32)) + `"`, "invalid"}, {"x", `"` + enc(make([]byte, 31)) + `"`, "invalid"}, {"x", `"` + enc(append([]byte{1}, make([]byte, 31)...)) + `"`, "invalid"}, {"crv", `"ed25519"`, "invalid"}, {"crv", `"Ed448"`, "invalid"}, {"crv", `"X25519"`, "invalid"}, {"crv", ``, "invalid"}, {"kty", `"EC"`, "invalid"}, {"d", `"` + enc(c.ed.Seed()) + `"`, "invalid"},
	} {
		c.row("okp-key", v[2], fmt.Sprintf("OKP JWK with %s %.20q", v[0], v[1]), token, c.edKeys(v[0], v[1]))
	}
}

func ownSecrets(c *corpus) {
	for alg, h := range map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512} {
		for _, size := range []int{0, 1, h.Size() - 1, h.Size(), 2 * h.Size(), 200} {
			key := bytes.Repeat([]byte("0123456789abcdef"), 20)[:size]
			expect := map[bool]string{true: "valid", false: "invalid"}[size >= h.Size()]
			keys := map[string]any{"keys": []any{map[string]any{"kty": "oct", "k": enc(key), "alg": alg}}, "algs": []string{alg}}
			c.row("weak-hmac-"+alg, expect, fmt.Sprintf("%s with %d bytes (RFC 7518 section 3.2)", alg, size), input(alg)+"."+enc(macBytes(h, key, input(alg))), keys)
		}
	}
	k := enc(ownSecret)
	for _, v := range [][2]string{{`"` + k + `="`, "invalid"}, {`null`, "invalid"}, {`1`, "invalid"}, {`["` + k + `"]`, "invalid"}, {`"` + k + `\n"`, "invalid"}, {`" ` + k + `"`, "invalid"}, {`"` + k + `"`, "valid"}} {
		keys := map[string]any{"keys": []any{map[string]any{"kty": "oct", "k": json.RawMessage(v[0]), "alg": "HS256"}}}
		c.row("jwk-oct", v[1], fmt.Sprintf("k %.8s…%s", v[0], v[0][max(0, len(v[0])-4):]), hs(hs256, claims()), keys)
	}
}
