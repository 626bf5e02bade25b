package jwt

import (
	"math/big"
	"strconv"
)

// Rewriting a JSON text as Python does: as json.loads followed by json.dumps
// leaves it, without white space and in the same order.

// recode appends text, rewritten, to out. depth is the number of objects and
// arrays that are open around it. ok is false if text is not strict JSON or is
// nested too deeply.
func recode(out []byte, text string, depth int) (_ []byte, ok bool) {
	r := recoder{out: out}
	if !r.reset(text, 0) {
		return r.out, false
	}
	r.depth = depth
	ok = r.atEnd(r.write(r.space(0)))
	return r.out, ok
}

// A recoder reads with the strict scanner and writes what it reads. It is the
// sink of the objects in the text.
type recoder struct {
	scanner
	out   []byte
	comma bool // the object has a member already
}

// write rewrites the value at i.
func (r *recoder) write(i int) int {
	if i >= len(r.s) {
		return bad
	}
	switch c := r.s[i]; {
	case c == '{':
		return r.object(i)
	case c == '[':
		return r.array(i)
	case c == '"':
		s, end := r.text(i)
		r.out, _ = appendText(r.out, s)
		return end
	case c == '-' || '0' <= c && c <= '9':
		return r.number(i)
	}
	end := r.value(i)
	if end != bad {
		r.out = append(r.out, r.s[i:end]...)
	}
	return end
}

func (r *recoder) object(i int) int {
	outer := r.comma
	r.comma = false
	r.out = append(r.out, '{')
	i = r.scanner.object(i, r)
	r.out = append(r.out, '}')
	r.comma = outer
	return i
}

// member implements sink.
func (r *recoder) member(_ *scanner, name string, i int) int {
	if r.comma {
		r.out = append(r.out, ',')
	}
	r.comma = true
	r.out, _ = appendText(r.out, name)
	r.out = append(r.out, ':')
	return r.write(i)
}

func (r *recoder) array(i int) int {
	r.out = append(r.out, '[')
	first := true
	i = r.elements(i, func(i int) int {
		if !first {
			r.out = append(r.out, ',')
		}
		first = false
		return r.write(i)
	})
	r.out = append(r.out, ']')
	return i
}

// number writes a whole number with all its digits, however large, and any other
// number as a float. Python reads -0 as 0.
func (r *recoder) number(i int) int {
	end, whole := number(r.s, i)
	if end == bad {
		return bad
	}
	if whole {
		n, _ := new(big.Int).SetString(r.s[i:end], 10)
		r.out = n.Append(r.out, 10)
		return end
	}
	f, err := strconv.ParseFloat(r.s[i:end], 64)
	if err != nil {
		return bad
	}
	r.out, _ = appendFloat(r.out, f)
	return end
}
