package passwd

// The traditional crypt(3), which Django 3.2's CryptPasswordHasher stored as
// crypt$$ and 13 characters: DES of a zero block, 25 times, with the first eight
// characters of the password as the key and a salt that swaps bits inside DES.
// The standard library's DES knows no salt, hence the tables of FIPS 46-3 here.

import "strings"

const (
	cryptAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	cryptLongest  = 511 // bytes: libxcrypt refuses longer passwords
)

type cryptAlgorithm struct{ free }

func (cryptAlgorithm) name() string { return "crypt" }

// decode reads crypt$$ss and 11 characters. Anything between the
// dollars is ignored, as in Django: the salt is part of the hash.
func (cryptAlgorithm) decode(encoded string) (hash, error) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 3 || len(fields[2]) != 13 || strings.Trim(fields[2], cryptAlphabet) != "" {
		return hash{}, errBroken
	}
	return hash{recipe{algorithm: "crypt", size: 11}, fields[2][:2], []byte(fields[2][2:])}, nil
}

// matches never accepts what the C function would not take.
func (cryptAlgorithm) matches(h hash, password string) bool {
	taken := len(password) <= cryptLongest && !strings.Contains(password, "\x00")
	return equal(desCrypt(password, h.salt), h.digest) && taken
}

func (cryptAlgorithm) shortSalt(string) bool { return false }

func desCrypt(password, salt string) []byte {
	var key uint64
	for i := range 8 {
		key <<= 8
		if i < len(password) {
			key |= uint64(password[i]&0x7f) << 1
		}
	}
	rounds := desRounds(key)
	swap := desSwap(salt)
	var left, right uint64
	for range 25 {
		for _, round := range rounds {
			left, right = right, left^desF(right, round, swap)
		}
		left, right = right, left
	}
	return cryptText(desPick(left<<32|right, 64, desFinal[:]))
}

// desSwap returns which bits of the expansion's left half change places with those
// of its right half: the first bit of the salt is the leftmost.
func desSwap(salt string) (swap uint64) {
	bits := strings.IndexByte(cryptAlphabet, salt[0]) | strings.IndexByte(cryptAlphabet, salt[1])<<6
	for i := range 12 {
		swap |= uint64(bits>>i&1) << (23 - i)
	}
	return swap
}

// desRounds returns the sixteen round keys of 48 bits.
func desRounds(key uint64) (rounds [16]uint64) {
	const half = 1<<28 - 1
	both := desPick(key, 64, desChoice1)
	c, d := both>>28, both&half
	for i := range rounds {
		n := 2
		if i == 0 || i == 1 || i == 8 || i == 15 {
			n = 1
		}
		c, d = (c<<n|c>>(28-n))&half, (d<<n|d>>(28-n))&half
		rounds[i] = desPick(c<<28|d, 56, desChoice2)
	}
	return rounds
}

// desF is DES's round function, with the salt's swap after the expansion.
func desF(right, round, swap uint64) uint64 {
	expanded := desPick(right, 32, desExpansion[:])
	moved := (expanded>>24 ^ expanded) & swap
	expanded ^= moved<<24 | moved
	expanded ^= round
	var out uint64
	for i, box := range desBoxes {
		six := expanded >> (42 - 6*i) & 63
		row, column := six>>4&2|six&1, six>>1&15
		out = out<<4 | uint64(strings.IndexByte("0123456789abcdef", box[row<<4|column]))
	}
	return desPick(out, 32, desPermutation)
}

// desPick gathers bits of a word as FIPS 46-3 numbers them: 1 is the leftmost.
func desPick(word uint64, width int, table []byte) (out uint64) {
	for _, bit := range table {
		out = out<<1 | word>>(width-int(bit))&1
	}
	return out
}

// cryptText writes 64 bits as 11 characters, two zero bits added.
func cryptText(word uint64) []byte {
	text := make([]byte, 11)
	for i := range text[:10] {
		text[i] = cryptAlphabet[word>>(58-6*i)&63]
	}
	text[10] = cryptAlphabet[word<<2&63]
	return text
}

// The tables of FIPS 46-3 that follow a formula.
var desExpansion, desFinal = func() (e [48]byte, f [64]byte) {
	for i := range e {
		e[i] = byte((4*(i/6)+i%6+31)%32 + 1)
	}
	for i := range f {
		f[i] = byte(40 - 32*(i%2) + 8*(i%8/2) - i/8)
	}
	return e, f
}()

// Those that do not: P, PC-1, PC-2 and the S-boxes, four rows of sixteen each.
var (
	desPermutation = []byte{
		16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
		2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
	}
	desChoice1 = []byte{
		57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
		63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
	}
	desChoice2 = []byte{
		14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
		41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
	}
	desBoxes = [8]string{
		"e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
		"f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
		"a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
		"7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
		"2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
		"c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
		"4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
		"d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
	}
)
