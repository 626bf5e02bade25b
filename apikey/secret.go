package apikey

// The text of a key: jgk_, id, _, secret, checksum.

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"strings"
)

const (
	prefix       = "jgk_"
	idLength     = 10
	secretLength = 43 // 62^43 is more than 2^256
	sumLength    = 6  // 62^6 is more than 2^32
	keyLength    = len(prefix) + idLength + 1 + secretLength + sumLength
	alphabet     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// newSecret returns the id and the text of a new key.
func newSecret() (id, secret string) {
	id = randomText(idLength)
	text := prefix + id + "_" + randomText(secretLength)
	return id, text + checksum(text)
}

// randomText returns n alphanumeric characters, each of which is equally likely.
func randomText(n int) string {
	text := make([]byte, 0, n)
	for len(text) < n {
		var random [64]byte
		rand.Read(random[:])
		for _, b := range random {
			if b < 4*62 && len(text) < n {
				text = append(text, alphabet[b%62])
			}
		}
	}
	return string(text)
}

// checksum returns the CRC-32 of the text (IEEE) in base 62.
func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	var digits [sumLength]byte
	for i := sumLength - 1; i >= 0; i-- {
		digits[i] = alphabet[sum%62]
		sum /= 62
	}
	return string(digits[:])
}

// idOf returns the id in the text of a key. ok is false if the text has another form
// or a wrong checksum.
func idOf(key string) (id string, ok bool) {
	if !strings.HasPrefix(key, prefix) {
		return importedID(key)
	}
	if len(key) != keyLength || key[len(prefix)+idLength] != '_' {
		return "", false
	}
	id = key[len(prefix) : len(prefix)+idLength]
	if !isAlphanumericText(id + key[len(prefix)+idLength+1:]) {
		return "", false
	}
	return id, checksum(key[:keyLength-sumLength]) == key[keyLength-sumLength:]
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// digestOf returns the digest that the store keeps of a key. A fast hash is enough
// for 256 random bits.
func digestOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
