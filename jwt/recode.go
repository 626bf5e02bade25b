package jwt

import (
	"math/big"
	"strconv"
)

// Writing a JSON text anew in Python's spelling: white space gone, escapes and
// numbers as json.loads followed by json.dumps would leave them, order kept.

// recode appends text, rewritten. It stands in depth objects and arrays.
func (w *writer) recode(text string, depth int) bool {
	r := recoder{out: w.out}
	ok := r.reset(text, 0)
	r.depth = depth
	if ok {
		i := r.write(r.space(0))
		ok = i != bad && r.space(i) == len(text)
	}
	w.out = r.out
	return ok || w.fail(errRaw)
}

// A recoder reads with the strict scanner and writes as it goes. It is the sink
// of the objects it meets.
type recoder struct {
	scanner
	out  []byte
	tail bool // a member stands before
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
	outer := r.tail
	r.tail = false
	r.out = append(r.out, '{')
	i = r.scanner.object(i, r)
	r.out = append(r.out, '}')
	r.tail = outer
	return i
}

// member implements sink.
func (r *recoder) member(_ *scanner, name string, i int) int {
	if r.tail {
		r.out = append(r.out, ',')
	}
	r.tail = true
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

// number writes a whole number in full, however large, and any other as a
// float. Python's -0 is 0.
func (r *recoder) number(i int) int {
	end, whole := r.scanner.number(i)
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
