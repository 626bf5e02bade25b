package jwt

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// Base64url (RFC 7515 section 2) with exactly one encoding for every byte string:
// no padding, no line breaks, no other alphabet, and unused bits zero. The
// standard decoder ignores CR and LF even in strict mode. A token with several
// encodings would evade deny-lists and caches.

// b64 is used where speed does not matter.
var b64 = base64.RawURLEncoding

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// decodeTable[k][c] is the value of character c at position k of a group of four,
// shifted to its bits of the 24. Bit 31 is set if c is not in the alphabet.
var decodeTable = func() (t [4][256]uint32) {
	for k := range t {
		for c := range t[k] {
			t[k][c] = 1 << 31
		}
		for v, c := range []byte(alphabet) {
			t[k][c] = uint32(v) << (18 - 6*k)
		}
	}
	return t
}()

// decoded64 returns the number of bytes that n characters encode. ok is false if
// no byte string has an encoding of n characters (RFC 4648 section 4).
func decoded64(n int) (size int, ok bool) {
	return n * 6 / 8, n%4 != 1
}

// decode64 decodes src into dst, which must have room for decoded64(len(src))
// bytes. It returns their number, and whether src is canonical.
func decode64(dst []byte, src string) (n int, ok bool) {
	size, ok := decoded64(len(src))
	if !ok || len(dst) < size {
		return 0, false
	}
	var bad uint32
	i := 0
	for t := &decodeTable; i+8 <= len(src) && n+8 <= len(dst); i += 8 { // writes eight bytes, of which six count
		s := src[i : i+8]
		hi := t[0][s[0]] | t[1][s[1]] | t[2][s[2]] | t[3][s[3]]
		lo := t[0][s[4]] | t[1][s[5]] | t[2][s[6]] | t[3][s[7]]
		bad |= hi | lo
		binary.BigEndian.PutUint64(dst[n:n+8], uint64(hi)<<40|uint64(lo)<<16)
		n += 6
	}
	for src = src[i:]; len(src) >= 4; src = src[4:] {
		w := decodeTable[0][src[0]] | decodeTable[1][src[1]] | decodeTable[2][src[2]] | decodeTable[3][src[3]]
		bad |= w
		dst[n], dst[n+1], dst[n+2] = byte(w>>16), byte(w>>8), byte(w)
		n += 3
	}
	tail, unusedBits := tail64(src)
	for k := range size - n {
		dst[n+k] = byte(tail >> (16 - 8*k))
	}
	return size, (bad|tail)>>31 == 0 && unusedBits == 0
}

// tail64 decodes the last two or three characters. unusedBits are those after the last byte,
// which must be zero.
func tail64(src string) (w, unusedBits uint32) {
	switch len(src) {
	case 2:
		w = decodeTable[0][src[0]] | decodeTable[1][src[1]]
		return w, w & 0xffff
	case 3:
		w = decodeTable[0][src[0]] | decodeTable[1][src[1]] | decodeTable[2][src[2]]
		return w, w & 0xff
	}
	return 0, 0
}

// encodeTable[v] is the two characters that encode twelve bits, the first one in
// the low byte.
var encodeTable = func() (t [1 << 12]uint16) {
	for v := range t {
		t[v] = uint16(alphabet[v>>6]) | uint16(alphabet[v&63])<<8
	}
	return t
}()

// append64 appends the encoding of src to dst.
func append64(dst, src []byte) []byte {
	size := b64.EncodedLen(len(src))
	dst = slices.Grow(dst, size)
	out := dst[len(dst) : len(dst)+size]
	i, n := 0, 0
	for t := &encodeTable; i+8 <= len(src) && n+8 <= len(out); i += 6 { // reads eight bytes, of which six count
		w := binary.BigEndian.Uint64(src[i : i+8])
		binary.LittleEndian.PutUint64(out[n:n+8], uint64(t[w>>52])|uint64(t[w>>40&0xfff])<<16|
			uint64(t[w>>28&0xfff])<<32|uint64(t[w>>16&0xfff])<<48)
		n += 8
	}
	b64.Encode(out[n:], src[i:])
	return dst[:len(dst)+size]
}
