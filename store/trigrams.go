package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
)

// How common trigrams are. An index of trigrams has a list of rows for each of
// them, and the list of one that is in every address, such as that of "exa", is as
// long as the table. A search therefore looks up the rarest trigrams of a word,
// and compares the whole word with the rows that have these. How rare one is comes
// from a sample of the users: neither database can say it without reading the list.

const (
	sampled       = 1000      // users of a sample
	sampleExpires = time.Hour // when it is taken again
	lookedUp      = 3         // trigrams that are looked up for a word
)

// trigram is three characters of a text.
type trigram [3]rune

// rarity says how many users of a sample have a trigram. Those that are not in it
// are rare.
type rarity struct {
	taking sync.Mutex
	last   atomic.Pointer[sample]
}

type sample struct {
	taken  time.Time
	users  int
	counts map[trigram]int
}

// learn takes a sample if there is none, or an old one.
func (s *Store) learn(ctx context.Context) error {
	now := s.driver.Now()
	if last := s.rarity.last.Load(); last != nil && now.Sub(last.taken).Abs() < sampleExpires || !s.rarity.taking.TryLock() {
		return nil // another request is taking it: a search without one is slower, not wrong
	}
	defer s.rarity.taking.Unlock()
	texts, err := s.sampleTexts(ctx)
	if err != nil {
		return err
	}
	counts := map[trigram]int{}
	for _, text := range texts {
		for _, t := range distinct(s.trigramsOf(text, false)) {
			counts[t]++
		}
	}
	s.rarity.last.Store(&sample{now, len(texts), counts})
	return nil
}

// sampleTexts returns the searched columns of some users, each in a line.
func (s *Store) sampleTexts(ctx context.Context) (texts []string, err error) {
	err = s.read(ctx, func(ctx context.Context, q Queryer) error {
		from, args, err := s.sampleOf(ctx, q)
		if err != nil {
			return err
		}
		var columns []string
		for _, c := range s.tables.searched() {
			columns = append(columns, "COALESCE(u."+quote(c)+", '')")
		}
		texts, err = all(ctx, q, value[string], "SELECT "+strings.Join(columns, " || '\n' || ")+" FROM "+from, args...)
		return err
	})
	return texts, err
}

// sampleOf returns the FROM clause of a sample.
func (s *Store) sampleOf(ctx context.Context, q Queryer) (from string, args []any, err error) {
	users, id := quote(s.tables.schema.Users), quote(s.tables.schema.ID)
	if s.driver.Name == "postgres" {
		var rows *float64
		if _, err := one(ctx, q, []any{&rows}, s.driver.Estimate, s.tables.schema.Users); err != nil {
			return "", nil, err
		}
		percent, part := 100.0, 1.0
		if rows != nil && *rows > sampled {
			percent = min(100, 100*20*sampled / *rows)
			part = sampled / (*rows * percent / 100)
		}
		// A few rows of many pages: those of one page were created together.
		return fmt.Sprintf("%s AS u TABLESAMPLE SYSTEM (%g) WHERE random() < %g LIMIT %d", users, percent, part, 2*sampled), nil, nil
	}
	var low, high int64
	_, err = one(ctx, q, []any{&low, &high}, "SELECT COALESCE((SELECT MIN("+id+") FROM "+users+"), 0), COALESCE((SELECT MAX("+id+") FROM "+users+"), 0)")
	if err != nil {
		return "", nil, err
	}
	keys, err := json.Marshal(spread(low, high))
	return "json_each($1) AS r JOIN " + users + " AS u ON u." + id + " = (SELECT v." + id + " FROM " + users + " AS v WHERE v." + id + " >= r.value ORDER BY v." + id + " LIMIT 1)",
		[]any{string(keys)}, err
}

// spread returns numbers between low and high, in about equal distances that are
// not those of numbers in names.
func spread(low, high int64) []int64 {
	keys := make([]int64, sampled)
	for i := range keys {
		_, part := math.Modf(float64(i) * math.Phi)
		keys[i] = low + int64(part*float64(high-low+1))
	}
	return keys
}

// trigramsOf lists the trigrams of a text as the database indexes it. open is true
// for a part of a text, which may have other characters before and after it.
func (s *Store) trigramsOf(text string, open bool) (list []trigram) {
	if s.driver.Name != "postgres" {
		for line := range strings.Lines(text) {
			list = append(list, windows([]rune(strings.ToLower(strings.TrimSuffix(line, "\n"))))...)
		}
		return list
	}
	// pg_trgm: of words, with two blanks before and one behind them.
	runes := []rune(strings.ToLower(text))
	for i := 0; i < len(runes); {
		end := i
		for end < len(runes) && wordRune(runes[end]) {
			end++
		}
		word := slices.Clone(runes[i:end])
		if i > 0 || !open {
			word = slices.Insert(word, 0, ' ', ' ')
		}
		if end < len(runes) || !open {
			word = append(word, ' ')
		}
		if end > i {
			list = append(list, windows(word)...)
		}
		i = end + 1
	}
	return list
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func windows(text []rune) (list []trigram) {
	for i := 0; i+3 <= len(text); i++ {
		list = append(list, trigram(text[i:]))
	}
	return list
}

func distinct(list []trigram) []trigram {
	slices.SortFunc(list, func(a, b trigram) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(list)
}

// rarest returns the parts of a word, of three characters each, by which an index
// finds the fewest rows, or none if it has no such part. common reports that also
// the rarest is that of more than two users in a hundred.
func (s *Store) rarest(word string) (parts []string, common bool) {
	last := s.rarity.last.Load()
	if last == nil {
		last = &sample{}
	}
	type found struct {
		text string
		n    int
	}
	var list []found
	for _, w := range windows([]rune(word)) {
		f := found{string(w[:]), math.MaxInt}
		for _, t := range s.trigramsOf(f.text, true) {
			f.n = min(f.n, last.counts[t])
		}
		if f.n < math.MaxInt {
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, func(a, b found) int { return cmp.Compare(a.n, b.n) })
	for _, f := range list[:min(len(list), lookedUp)] {
		parts = append(parts, f.text)
	}
	return parts, len(list) > 0 && list[0].n*50 > last.users
}
