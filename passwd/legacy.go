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

// noBound is sound for algorithms without parameters.
func noBound(recipe) error { return nil }

// digestOf computes the digest of salt and password.
func digestOf(r recipe, password, salt string) []byte {
	if r.size == md5.Size {
		sum := md5.Sum([]byte(salt + password))
		return sum[:]
	}
	sum := sha1.Sum([]byte(salt + password))
	return sum[:]
}

// salted reads name$salt$hexadecimal.
func saltedDigest(size int) algorithm {
	return algorithm{
		decode: func(encoded string) (hash, error) {
			fields := strings.Split(encoded, "$")
			if len(fields) != 3 || fields[1] == "" {
				return hash{}, errBroken
			}
			digest, err := unhex(fields[2], size)
			return hash{recipe{algorithm: fields[0], size: size}, fields[1], digest}, err
		},
		matches: comparing(digestOf),
		sound:   noBound,
		salted:  longSalt,
	}
}

// unsaltedDigest reads the hexadecimal digest alone or after "md5$$" or "sha1$$".
func unsaltedDigest(name string, size int) algorithm {
	return algorithm{
		decode: func(encoded string) (hash, error) {
			digest, err := unhex(encoded[strings.LastIndexByte(encoded, '$')+1:], size)
			return hash{recipe{algorithm: name, size: size}, "", digest}, err
		},
		matches: comparing(digestOf),
		sound:   noBound,
	}
}

// unhex decodes size bytes in lower-case hexadecimal.
func unhex(text string, size int) ([]byte, error) {
	data, err := hex.DecodeString(text)
	if err != nil || len(data) != size || strings.ToLower(text) != text {
		return nil, errBroken
	}
	return data, nil
}
