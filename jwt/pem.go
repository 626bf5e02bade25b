package jwt

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// normalize removes a byte order mark, which some editors and shells write, and
// replaces the two characters \n by a line end in a document of one line, which is
// how a PEM document is often stored in JSON or in an environment variable.
func normalize(document []byte) []byte {
	document = bytes.TrimPrefix(document, []byte("\ufeff"))
	if bytes.HasPrefix(document, []byte("-----BEGIN ")) && !bytes.ContainsAny(bytes.TrimSpace(document), "\r\n") {
		document = bytes.ReplaceAll(document, []byte(`\r`), nil)
		document = bytes.ReplaceAll(document, []byte(`\n`), []byte("\n"))
	}
	return document
}

// parsePEM parses the keys of a PEM document as OpenSSL, cloud consoles and
// certificate tools write it: with text around the blocks (bag attributes),
// parameters, and certificates, whose keys count unless they have issued another
// certificate of the document. The validity of certificates is not checked. If the
// document has a private key and its public key, they are one key. A damaged block
// and one of another type are errors.
func parsePEM(document []byte) ([]any, error) {
	if bytes.HasPrefix(document, []byte("\xff\xfe")) || bytes.HasPrefix(document, []byte("\xfe\xff")) {
		return nil, errors.New("jwt: the document is UTF-16 text: save it as UTF-8")
	}
	var keys []any
	var certificates []*x509.Certificate
	rest := document
	for range bytes.Count(document, []byte("-----BEGIN ")) {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("jwt: a PEM block is damaged")
		}
		key, err := parseBlock(block)
		switch certificate, ok := key.(*x509.Certificate); {
		case err != nil:
			return nil, err
		case ok:
			certificates = append(certificates, certificate)
		case key != nil:
			keys = append(keys, key)
		}
	}
	for _, c := range certificates {
		if !slices.ContainsFunc(certificates, func(o *x509.Certificate) bool { return !o.Equal(c) && bytes.Equal(o.RawIssuer, c.RawSubject) }) {
			keys = append(keys, c.PublicKey)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("jwt: the document has no key in PEM or JWK form")
	}
	return distinctKeys(keys), nil
}

// distinctKeys removes keys that are there twice, and public keys whose private key
// is there.
func distinctKeys(keys []any) (distinct []any) {
	for _, private := range []bool{true, false} {
		for _, k := range keys {
			_, signs := k.(crypto.Signer)
			known := slices.ContainsFunc(distinct, func(o any) bool { return samePublicKey(o, k) })
			if signs == private && !known {
				distinct = append(distinct, k)
			}
		}
	}
	return distinct
}

// samePublicKey compares two keys by their public halves.
func samePublicKey(a, b any) bool {
	public := func(k any) any {
		if signer, ok := k.(crypto.Signer); ok {
			return signer.Public()
		}
		return k
	}
	equal, ok := public(a).(interface{ Equal(crypto.PublicKey) bool })
	return ok && equal.Equal(public(b))
}

// errEncrypted is the error for a key with a passphrase.
var errEncrypted = errors.New("jwt: the private key is encrypted: decrypt it first, for example with openssl pkey -in FILE -out FILE")

// parseBlock parses a key or a certificate; it returns nil for parameters, which
// are in the key as well.
func parseBlock(b *pem.Block) (key any, err error) {
	if b.Type == "ENCRYPTED PRIVATE KEY" || b.Headers["DEK-Info"] != "" {
		return nil, errEncrypted
	}
	switch b.Type {
	case "EC PARAMETERS":
		return nil, nil
	case "CERTIFICATE", "X509 CERTIFICATE":
		key, err = x509.ParseCertificate(b.Bytes)
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(b.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(b.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(b.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(b.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(b.Bytes)
	case "OPENSSH PRIVATE KEY":
		return nil, errors.New("jwt: the private key has OpenSSH's form: convert it with ssh-keygen -p -m PKCS8 -f FILE")
	default:
		return nil, fmt.Errorf("jwt: PEM block %q is not a supported type of key", b.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("jwt: PEM block %q: %w", b.Type, err)
	}
	return key, nil
}
