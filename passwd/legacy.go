package passwd

// The algorithms that Django no longer makes or never should have made, read so
// that old users can log in once and get a better hash: md5 and sha1 with and
// without a salt (SHA1PasswordHasher, UnsaltedMD5PasswordHasher and the like).

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

func md5Sum(text []byte) []byte  { sum := md5.Sum(text); return sum[:] }
func sha1Sum(text []byte) []byte { sum := sha1.Sum(text); return sum[:] }

// saltedDigest reads name$salt$hexadecimal.
type saltedDigest struct {
	id   string
	sum  func(text []byte) []byte
	size int // of the sum, in bytes
	free
}

func (a saltedDigest) name() string { return a.id }

func (a saltedDigest) decode(encoded string) (hash, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 3 || fields[1] == "" {
		return hash{}, errBroken
	}
	digest, err := unhex(fields[2], a.size)
	return hash{recipe{algorithm: a.id, size: a.size}, fields[1], digest}, err
}

func (a saltedDigest) matches(h hash, password string) bool {
	return equal(a.sum([]byte(h.salt+password)), h.digest)
}

func (saltedDigest) shortSalt(salt string) bool { return !longSalt(salt) }

// unsaltedDigest reads the hexadecimal digest alone or after "md5$$" or "sha1$$".
type unsaltedDigest struct {
	id   string
	sum  func(text []byte) []byte
	size int
	free
}

func (a unsaltedDigest) name() string { return a.id }

func (a unsaltedDigest) decode(encoded string) (hash, error) {
	digest, err := unhex(encoded[strings.LastIndexByte(encoded, '$')+1:], a.size)
	return hash{recipe{algorithm: a.id, size: a.size}, "", digest}, err
}

func (a unsaltedDigest) matches(h hash, password string) bool {
	return equal(a.sum([]byte(password)), h.digest)
}

func (unsaltedDigest) shortSalt(string) bool { return false }

// unhex decodes size bytes in lower-case hexadecimal.
func unhex(text string, size int) ([]byte, error) {
	data, err := hex.DecodeString(text)
	if err != nil || len(data) != size || strings.ToLower(text) != text {
		return nil, errBroken
	}
	return data, nil
}
