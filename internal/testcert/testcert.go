// Package testcert makes certificates for tests.
package testcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"testing"
)

// SelfSigned returns a certificate that signs itself, and its new P-256 key, in PEM.
func SelfSigned(tb testing.TB, template *x509.Certificate) (cert, key []byte) {
	tb.Helper()
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(tb)
	der := must(x509.CreateCertificate(rand.Reader, template, template, private.Public(), private))(tb)
	return text("CERTIFICATE", der), text("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private))(tb))
}

func must[T any](value T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return value
	}
}

func text(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
