package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Copying rows from one database to another: a form of each value that is
// common to both, and a digest that does not depend on the order of the rows.

// kind says how the values of a column are converted.
type kind int

const (
	unknown kind = iota
	text
	integer
	boolean
	moments // times in a Django column
	key     // a UUID
	binaries
	document // JSON: text in SQLite, jsonb in PostgreSQL, which keeps neither spaces nor the order of members
)

// kinds maps the name of a type, up to the first parenthesis, to its kind.
var kinds = map[string]kind{
	"text": text, "varchar": text, "character varying": text, "char": text,
	"integer": integer, "bigint": integer, "smallint": integer, "integer unsigned": integer, "smallint unsigned": integer,
	"bool": boolean, "boolean": boolean,
	"datetime": moments, "timestamp with time zone": moments,
	"uuid": key, "char(32)": key,
	"blob": binaries, "bytea": binaries, "jsonb": document,
}

func kindOf(typ string) kind {
	if k, ok := kinds[typ]; ok {
		return k
	}
	name, _, _ := strings.Cut(typ, "(")
	return kinds[name]
}

// common converts a value that a driver returned to the form common to both.
func (k kind) common(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch k {
	case text:
		if s, ok := v.(string); ok && storable(s) {
			return s, nil
		}
		return nil, errors.New("a text that PostgreSQL cannot hold (NUL or not UTF-8)")
	case integer:
		if n, ok := v.(int64); ok {
			return n, nil
		}
	case boolean:
		switch v := v.(type) {
		case bool:
			return v, nil
		case int64:
			return v != 0, nil
		}
	case moments:
		var t time.Time
		err := moment{&t}.Scan(v)
		return t.Truncate(time.Microsecond), err
	case key:
		var id record.UserID
		err := keyScan{&id}.Scan(v)
		return string(id), err
	case document:
		return canonical(v)
	case binaries:
		if b, ok := v.([]byte); ok {
			return append([]byte(nil), b...), nil // the driver reuses its bytes
		}
	}
	return nil, fmt.Errorf("a value of the type %T that jotgate does not know", v)
}

// canonical returns a JSON text in the form that encoding/json writes: without
// spaces, members sorted, numbers as they are.
func canonical(v any) (any, error) {
	text, ok := v.(string)
	if b, isBytes := v.([]byte); isBytes {
		text, ok = string(b), true
	}
	if !ok || !storable(text) {
		return nil, errors.New("a JSON text that PostgreSQL cannot hold (NUL or not UTF-8)")
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errors.New("a text that is not JSON")
	}
	form, err := json.Marshal(value)
	return string(form), err
}

// stored is the inverse of common.
func (k kind) stored(d *Driver, v any) any {
	switch v := v.(type) {
	case time.Time:
		return d.Time(v)
	case string:
		if k == key {
			return d.UUID(v)
		}
	}
	return v
}

// digest is the number of rows and the sum of their hashes, so that it does
// not depend on their order.
type digest struct {
	rows int64
	sum  [4]uint64 // modulo 2^256, the lowest word first
}

func (d *digest) add(row []any) {
	h := sha256.New()
	for _, v := range row {
		var form string
		switch v := v.(type) {
		case nil:
			form = "-"
		case time.Time:
			form = "t" + strconv.FormatInt(v.UnixMicro(), 10)
		case []byte:
			form = "b" + string(v)
		default:
			form = fmt.Sprintf("%T%v", v, v)
		}
		_ = binary.Write(h, binary.BigEndian, int64(len(form)))
		h.Write([]byte(form))
	}
	hash, carry := h.Sum(nil), uint64(0)
	for i := range d.sum {
		d.sum[i], carry = bits.Add64(d.sum[i], binary.LittleEndian.Uint64(hash[8*i:]), carry)
	}
	d.rows++
}

func (d *digest) hex() string {
	var b [32]byte
	for i, n := range d.sum {
		binary.LittleEndian.PutUint64(b[8*i:], n)
	}
	return hex.EncodeToString(b[:])
}

// names returns the column list for SQL.
func (t *moveTable) names() string {
	list := make([]string, len(t.columns))
	for i, c := range t.columns {
		list[i] = quote(c.name)
	}
	return strings.Join(list, ", ")
}

// read passes each row of a table to each in the common form, and returns the
// digest of all rows.
func read(ctx context.Context, s *Store, q Queryer, t *moveTable, each func(row []any) error) (d digest, err error) {
	rows, err := q.QueryContext(ctx, "SELECT "+t.names()+" FROM "+quote(t.name))
	if err != nil {
		return d, s.driver.unavailable(err)
	}
	defer rows.Close()
	raw, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range raw {
		into[i] = &raw[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return d, err
		}
		row := make([]any, len(raw))
		for i, k := range t.kinds {
			if row[i], err = k.common(raw[i]); err != nil {
				return d, fmt.Errorf("the column %s of the row with the %s: %w", t.columns[i].name, t.nameOf(raw), err)
			}
		}
		d.add(row)
		if err := errors.Join(each(row), ctx.Err()); err != nil {
			return d, err
		}
	}
	return d, s.driver.unavailable(rows.Err())
}

// nameOf identifies a row by its number, or by its first column.
func (t *moveTable) nameOf(row []any) string {
	i := max(0, slices.IndexFunc(t.columns, func(c column) bool { return c.name == t.number || c.name == "id" }))
	return note(fmt.Sprintf("%s %v", t.columns[i].name, row[i]), 60)
}

// moveBatch is the number of rows that one INSERT holds. With twenty columns
// in a custom user model this is far below the limits of both databases.
const moveBatch = 100

// copy reads the source's rows and, unless there is set, inserts them.
func (m *move) copy(ctx context.Context, t *moveTable, total int64, there bool) (digest, error) {
	var batch []any
	done := int64(0)
	flush := func() error {
		n := len(batch) / len(t.columns)
		if n == 0 || there {
			return nil
		}
		_, err := m.to.ExecContext(ctx, m.insert(t, n), batch...)
		batch = batch[:0]
		return m.target.refused(err)
	}
	m.progress(t.name, 0, total)
	d, err := read(ctx, m.source, m.from, t, func(row []any) error {
		if done++; done%moveBatch == 0 {
			m.progress(t.name, done, total)
		}
		for i, k := range t.kinds {
			batch = append(batch, k.stored(&m.target.driver, row[i]))
		}
		if done%moveBatch == 0 {
			defer func() { batch = batch[:0] }()
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return d, err
}

// insert returns the INSERT of n rows.
func (m *move) insert(t *moveTable, n int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + quote(t.name) + " (" + t.names() + ")")
	if m.target.driver.Name == "postgres" {
		b.WriteString(" OVERRIDING SYSTEM VALUE")
	}
	b.WriteString(" VALUES ")
	for i := range n * len(t.columns) {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%len(t.columns) == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i+1))
	}
	b.WriteString(")")
	return b.String()
}

// refused explains why the target did not accept a row. It keeps the
// database's text, because the row is at fault and not the database.
func (s *Store) refused(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the target refuses a row: %w", s.driver.Explain(err))
}

// number makes the target continue after the source's last number, so that it
// does not assign the id of a row that was deleted in the source.
func (m *move) number(ctx context.Context, t *moveTable) error {
	if t.number == "" {
		return nil
	}
	last, err := m.source.lastNumber(ctx, m.from, t)
	var there *int64
	if err == nil {
		_, err = one(ctx, m.from, []any{&there}, "SELECT MAX("+quote(t.number)+") FROM "+quote(t.name))
	}
	if err != nil {
		return m.source.driver.unavailable(err)
	}
	if there != nil { // Django's loaddata does not advance the sequence
		last = max(last, *there)
	}
	given, err := m.target.lastNumber(ctx, m.to, t)
	if err == nil && given < last {
		err = m.target.setNumber(ctx, m.to, t, last)
	}
	return m.target.driver.unavailable(err)
}

// lastNumber returns the greatest number that the database has assigned.
func (s *Store) lastNumber(ctx context.Context, q Queryer, t *moveTable) (int64, error) {
	text, args := "SELECT MAX(seq) FROM sqlite_sequence WHERE name = $1", []any{t.name}
	if s.driver.Name == "postgres" {
		text, args = "SELECT pg_sequence_last_value(pg_get_serial_sequence(quote_ident($1), $2)::regclass)", append(args, t.number)
	}
	var given *int64
	if _, err := one(ctx, q, []any{&given}, text, args...); err != nil || given == nil {
		return 0, err
	}
	return *given, nil
}

// setNumber makes the next number greater than last.
func (s *Store) setNumber(ctx context.Context, q Queryer, t *moveTable, last int64) error {
	if s.driver.Name == "postgres" {
		_, err := one(ctx, q, []any{new(int64)}, "SELECT setval(pg_get_serial_sequence(quote_ident($1), $2)::regclass, $3)", t.name, t.number, last)
		return err
	}
	n, err := run(ctx, q, "UPDATE sqlite_sequence SET seq = $1 WHERE name = $2", last, t.name)
	if err == nil && n == 0 {
		_, err = run(ctx, q, "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", t.name, last)
	}
	return err
}
