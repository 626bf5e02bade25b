package main

// The floor's pass of JSON grammar, a byte at a time (RFC 8259). It gives back
// the index after the value, or -1.

import "math/big"

func scanValue(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return scanString(b, i+1)
	case '{':
		return scanList(b, i+1, '}', true)
	case '[':
		return scanList(b, i+1, ']', false)
	case 't':
		return scanWord(b, i, "true")
	case 'f':
		return scanWord(b, i, "false")
	case 'n':
		return scanWord(b, i, "null")
	}
	return scanNumber(b, i)
}

func scanWord(b []byte, i int, w string) int {
	if len(b)-i < len(w) || string(b[i:i+len(w)]) != w {
		return -1
	}
	return i + len(w)
}

func scanString(b []byte, i int) int {
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c < 0x20:
			return -1
		case c == '\\':
			i += 2
		default:
			i++
		}
	}
	return -1
}

func scanNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	start := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if i == start || b[start] == '0' && i > start+1 {
		return -1
	}
	return i
}

func scanList(b []byte, i int, closing byte, named bool) int {
	if i = scanSpace(b, i); i < len(b) && b[i] == closing {
		return i + 1
	}
	for {
		if named {
			if i = scanSpace(b, i); i >= len(b) || b[i] != '"' {
				return -1
			}
			if i = scanString(b, i+1); i < 0 {
				return -1
			}
			if i = scanSpace(b, i); i >= len(b) || b[i] != ':' {
				return -1
			}
			i++
		}
		if i = scanValue(b, scanSpace(b, i)); i < 0 {
			return -1
		}
		if i = scanSpace(b, i); i >= len(b) {
			return -1
		}
		if b[i] == closing {
			return i + 1
		}
		if b[i] != ',' {
			return -1
		}
		i++
	}
}

func scanSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// toDER writes r and s as ASN.1, for the bare ECDSA call.
func toDER(sig []byte) []byte {
	var body []byte
	for _, half := range [][]byte{sig[:32], sig[32:]} {
		n := new(big.Int).SetBytes(half).Bytes()
		if n[0]>>7 == 1 {
			n = append([]byte{0}, n...)
		}
		body = append(append(body, 2, byte(len(n))), n...)
	}
	return append([]byte{0x30, byte(len(body))}, body...)
}
