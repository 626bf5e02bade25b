package jwt

import (
	"encoding/base64"
	"encoding/binary"
)

// Base64url as RFC 7515 section 2 wants it, with one spelling for every byte
// string: no padding, no line breaks, no other alphabet, spare bits zero. The
// standard decoder skips CR and LF even in strict mode, and a token with two
// spellings escapes from deny-lists and caches; hence the table here.

// b64 is the standard encoding, for where speed does not matter.
var b64 = base64.RawURLEncoding

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// spots[k][c] is the value of character c standing at place k of a group of
// four, already shifted to its bits of the 24; a wrong character sets bit 31.
var spots = func() (t [4][256]uint32) {
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

// decoded64 is the number of bytes that n characters stand for; ok is false
// when no byte string has that length (RFC 4648 section 4).
func decoded64(n int) (size int, ok bool) {
	return n * 6 / 8, n%4 != 1
}

// decode64 decodes src into dst, which must hold decoded64(len(src)) bytes, and
// reports how many it wrote and whether src was a canonical base64url text.
func decode64(dst []byte, src string) (n int, ok bool) {
	size, ok := decoded64(len(src))
	if !ok || len(dst) < size {
		return 0, false
	}
	var bad uint32
	for len(src) >= 8 && len(dst) >= n+8 { // six bytes at once; the two beyond are written over
		hi := spots[0][src[0]] | spots[1][src[1]] | spots[2][src[2]] | spots[3][src[3]]
		lo := spots[0][src[4]] | spots[1][src[5]] | spots[2][src[6]] | spots[3][src[7]]
		bad |= hi | lo
		binary.BigEndian.PutUint64(dst[n:], uint64(hi)<<40|uint64(lo)<<16)
		src, n = src[8:], n+6
	}
	for len(src) >= 4 {
		w := spots[0][src[0]] | spots[1][src[1]] | spots[2][src[2]] | spots[3][src[3]]
		bad |= w
		dst[n], dst[n+1], dst[n+2] = byte(w>>16), byte(w>>8), byte(w)
		src, n = src[4:], n+3
	}
	tail, spare := tail64(src)
	for k := range size - n {
		dst[n+k] = byte(tail >> (16 - 8*k))
	}
	return size, (bad|tail)>>31 == 0 && spare == 0
}

// tail64 reads the last two or three characters; spare holds the bits beyond
// the last whole byte, which must be zero.
func tail64(src string) (w, spare uint32) {
	switch len(src) {
	case 2:
		w = spots[0][src[0]] | spots[1][src[1]]
		return w, w & 0xffff
	case 3:
		w = spots[0][src[0]] | spots[1][src[1]] | spots[2][src[2]]
		return w, w & 0xff
	}
	return 0, 0
}

// pairs[v] holds the two characters of twelve bits.
var pairs = func() (t [1 << 12][2]byte) {
	for v := range t {
		t[v] = [2]byte{alphabet[v>>6], alphabet[v&63]}
	}
	return t
}()

// append64 appends src, encoded.
func append64(dst, src []byte) []byte {
	for len(src) >= 3 {
		hi := &pairs[uint(src[0])<<4|uint(src[1])>>4]
		lo := &pairs[uint(src[1]&15)<<8|uint(src[2])]
		dst = append(dst, hi[0], hi[1], lo[0], lo[1])
		src = src[3:]
	}
	return b64.AppendEncode(dst, src)
}
