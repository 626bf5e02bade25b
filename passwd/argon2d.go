package passwd

// Argon2 as RFC 9106 describes it, for what golang.org/x/crypto/argon2 does not
// offer: Argon2d, and every variant in version 1.0 (0x10), which hashes without
// "v=19" have. It is only read, and only for such rare hashes; the library does
// the rest, and faster.

import (
	"encoding/binary"

	"golang.org/x/crypto/blake2b"
)

const (
	argonWords  = 128 // a block is 128 words of 64 bits
	argonSlices = 4
)

type argonBlock [argonWords]uint64

// argon holds one computation: the memory, one row of blocks for each lane (RFC 9106 section 3.2).
type argon struct {
	recipe
	columns, segment int
	blocks           []argonBlock
}

// argonType is the variant's number in RFC 9106 section 3.2.
var argonType = map[string]uint32{"argon2d": 0, "argon2i": 1, "argon2id": 2}

// deriveArgonRare computes the digest; r must be within its bounds.
func deriveArgonRare(r recipe, password, salt string) []byte {
	a := argon{recipe: r, segment: r.memory / (argonSlices * r.parallelism)}
	a.columns = a.segment * argonSlices
	a.blocks = make([]argonBlock, a.columns*r.parallelism)
	a.start(password, salt)
	for pass := range r.passes {
		for slice := range argonSlices {
			for lane := range r.parallelism {
				a.fill(pass, slice, lane)
			}
		}
	}
	var sum argonBlock
	for lane := range r.parallelism {
		sum.xor(a.at(lane, a.columns-1))
	}
	return argonHash(sum.bytes(), r.size)
}

func (a *argon) at(lane, column int) *argonBlock { return &a.blocks[lane*a.columns+column] }

// start fills the first two blocks of each lane (RFC 9106 section 3.2, 1 to 4).
func (a *argon) start(password, salt string) {
	var text []byte
	add := func(n uint32) { text = binary.LittleEndian.AppendUint32(text, n) }
	for _, n := range []int{a.parallelism, a.size, a.memory, a.passes, a.version} {
		add(uint32(n))
	}
	add(argonType[a.variant])
	for _, field := range []string{password, salt, "", ""} { // no secret, no data
		add(uint32(len(field)))
		text = append(text, field...)
	}
	seed := blake2b.Sum512(text)
	for lane := range a.parallelism {
		for column := range 2 {
			text = binary.LittleEndian.AppendUint32(seed[:], uint32(column))
			text = binary.LittleEndian.AppendUint32(text, uint32(lane))
			a.at(lane, column).read(argonHash(text, 8*argonWords))
		}
	}
}

// fill computes a quarter of a lane (RFC 9106 section 3.2, 5 and 6).
func (a *argon) fill(pass, slice, lane int) {
	blind := a.variant == "argon2i" || (a.variant == "argon2id" && pass == 0 && slice < 2)
	var addresses, input argonBlock
	for i, n := range []int{pass, lane, slice, len(a.blocks), a.passes, int(argonType[a.variant])} {
		input[i] = uint64(n)
	}
	for i := range a.segment {
		if blind && i%argonWords == 0 {
			input[6]++
			once := argonMix(&argonBlock{}, &input)
			addresses = argonMix(&argonBlock{}, &once)
		}
		column := slice*a.segment + i
		if pass == 0 && column < 2 {
			continue
		}
		previous := a.at(lane, (column+a.columns-1)%a.columns)
		random := previous[0]
		if blind {
			random = addresses[i%argonWords]
		}
		mixed := argonMix(previous, a.reference(random, pass, slice, lane, i))
		if pass > 0 && a.version != 16 {
			mixed.xor(a.at(lane, column))
		}
		*a.at(lane, column) = mixed
	}
}

// reference picks the earlier block that random points at (RFC 9106 section 3.4.2).
func (a *argon) reference(random uint64, pass, slice, lane, i int) *argonBlock {
	from := int(random >> 32 % uint64(a.parallelism))
	if pass == 0 && slice == 0 {
		from = lane
	}
	area, first := slice*a.segment, 0
	if pass > 0 {
		area, first = a.columns-a.segment, (slice+1)%argonSlices*a.segment
	}
	if from == lane {
		area += i - 1
	} else if i == 0 {
		area--
	}
	x := random & 0xffffffff
	back := uint64(area) * (x * x >> 32) >> 32
	return a.at(from, (first+area-1-int(back))%a.columns)
}

// argonMix is the compression function G (RFC 9106 section 3.5).
func argonMix(x, y *argonBlock) argonBlock {
	z := *x
	z.xor(y)
	r := z
	for i := 0; i < argonWords; i += 16 {
		argonRound(&z, i, 2)
	}
	for i := 0; i < 16; i += 2 {
		argonRound(&z, i, 16)
	}
	z.xor(&r)
	return z
}

// argonRound is the permutation P (section 3.6) on eight pairs of words: the first
// at start, the next ones step apart, the two of a pair beside each other.
func argonRound(b *argonBlock, start, step int) {
	at := func(i int) *uint64 { return &b[start+i/2*step+i%2] }
	for i := range 4 {
		argonQuarter(at(i), at(i+4), at(i+8), at(i+12))
	}
	for i := range 4 {
		argonQuarter(at(i), at((i+1)%4+4), at((i+2)%4+8), at((i+3)%4+12))
	}
}

// argonQuarter is GB, BLAKE2b's with a multiplication.
func argonQuarter(a, b, c, d *uint64) {
	mul := func(x, y uint64) uint64 { return x + y + 2*(x&0xffffffff)*(y&0xffffffff) }
	turn := func(x uint64, n int) uint64 { return x>>n | x<<(64-n) }
	for _, n := range [2][2]int{{32, 24}, {16, 63}} {
		*a = mul(*a, *b)
		*d = turn(*d^*a, n[0])
		*c = mul(*c, *d)
		*b = turn(*b^*c, n[1])
	}
}

// argonHash is the variable-length hash H' (section 3.3).
func argonHash(text []byte, size int) []byte {
	text = append(binary.LittleEndian.AppendUint32(nil, uint32(size)), text...)
	var out []byte
	for size-len(out) > blake2b.Size {
		sum := blake2b.Sum512(text)
		text = sum[:]
		out = append(out, sum[:blake2b.Size/2]...)
	}
	last, err := blake2b.New(size-len(out), nil)
	if err != nil {
		return nil // the size is 1 to 64 here
	}
	last.Write(text)
	return last.Sum(out)
}

func (b *argonBlock) xor(other *argonBlock) {
	for i := range b {
		b[i] ^= other[i]
	}
}

func (b *argonBlock) read(data []byte) {
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(data[8*i:])
	}
}

func (b *argonBlock) bytes() (data []byte) {
	for _, word := range b {
		data = binary.LittleEndian.AppendUint64(data, word)
	}
	return data
}
