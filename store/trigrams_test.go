package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/internal/rounds"
)

// A search by trigrams finds the users that a comparison of every row with LIKE
// finds, for random names and random texts, parts of names among them.
func TestSearchEqualsLike(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		random := rand.New(rand.NewPCG(17, 2026))
		texts := randomUsers(w, random)
		found := 0
		for range rounds.Of(150, 10_000) {
			search := randomSearch(random, texts)
			got := names(w, s, adminstore.Query{Search: search})
			want := w.like(search)
			if !slices.Equal(got, want) {
				t.Fatalf("%q finds %q, LIKE finds %q", search, got, want)
			}
			found += min(len(got), 1)
		}
		if found < 50 {
			t.Errorf("only %d searches found something", found)
		}
	})
}

// text is a random text of characters that names have, and of those that mean
// something in a pattern or in a query.
func text(random *rand.Rand, most int) string {
	alphabet := []rune(`aabbAB12@.._-+%\"'*éк `)
	b := make([]rune, random.IntN(most))
	for i := range b {
		b[i] = alphabet[random.IntN(len(alphabet))]
	}
	return string(b)
}

// randomUsers creates users with random texts in all columns, and returns these.
func randomUsers(w *world, random *rand.Rand) (all []string) {
	w.Helper()
	for i := range 400 {
		row := []any{fmt.Sprint(i, text(random, 12)), text(random, 12) + "@example.com", text(random, 8), text(random, 8)}
		w.exec(`INSERT INTO auth_user (password, is_superuser, username, email, first_name, last_name, is_staff, is_active, date_joined)
VALUES ('x', false, $1, $2, $3, $4, false, true, '2026-11-23 12:00:00')`, row...)
		for _, v := range row {
			all = append(all, v.(string))
		}
	}
	return all
}

// randomSearch returns one or two words of at least three characters: random ones,
// or parts of texts.
func randomSearch(random *rand.Rand, texts []string) string {
	var words []string
	for want := 1 + random.IntN(2); len(words) < want; {
		source := text(random, 6)
		if random.IntN(4) > 0 {
			runes := []rune(texts[random.IntN(len(texts))])
			from := random.IntN(len(runes) + 1)
			source = string(runes[from:min(len(runes), from+3+random.IntN(8))])
		}
		for _, word := range strings.Fields(source) {
			if len([]rune(word)) >= 3 && len(words) < want {
				words = append(words, word)
			}
		}
	}
	return strings.Join(words, " ")
}

// like lists the users that a comparison of every row finds.
func (w *world) like(search string) (list []string) {
	w.Helper()
	var conditions []string
	var args []any
	for _, word := range strings.Fields(search) {
		args = append(args, "%"+strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(word)+"%")
		var either []string
		for _, column := range []string{"username", "email", "first_name", "last_name"} {
			either = append(either, fmt.Sprintf(`%s || '' %s $%d ESCAPE '\'`, column, w.on("LIKE", "ILIKE"), len(args)))
		}
		conditions = append(conditions, "("+strings.Join(either, " OR ")+")")
	}
	rows, err := w.raw.QueryContext(w.ctx, "SELECT username FROM auth_user WHERE "+strings.Join(conditions, " AND ")+" ORDER BY id", args...)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var name string
		w.must(rows.Scan(&name))
		list = append(list, name)
	}
	w.must(rows.Err())
	return list
}
