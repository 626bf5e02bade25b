package catalog

import (
	"sort"
	"strconv"
	"strings"
	"sync"
)

// The texts of errors, of details and of checks are English where they are chosen,
// because clients of Django compare them and an operator searches for them. Their
// translations are found by that text.

// errorIDs says which message an English text of the API is. An operator's English
// messages do not change what it finds.
type errorIDs struct {
	exact map[string]string // id by text, of messages without values
	forms []form
}

// form is a message with values: the texts between them.
type form struct {
	id    string
	parts []string
}

var (
	errorTexts  = sync.OnceValue(func() *errorIDs { return newErrorIDs("error.") })
	detailTexts = sync.OnceValue(func() *errorIDs { return newErrorIDs("mail.detail.") })
	factTexts   = sync.OnceValue(func() *errorIDs { return newErrorIDs("fact.") })
)

// newErrorIDs reads the embedded English messages whose ids begin with family.
func newErrorIDs(family string) *errorIDs {
	e := &errorIDs{exact: map[string]string{}}
	messages := map[string]string{}
	if text, err := embedded.ReadFile("messages/en.txt"); err != nil || parse("en.txt", string(text), messages) != nil {
		panic("catalog: messages/en.txt cannot be read") // unreachable: a test reads it
	}
	for id, text := range messages {
		if !strings.HasPrefix(id, family) {
			continue
		}
		id, _, _ = strings.Cut(id, "[")
		if parts := split(text); len(parts) > 1 {
			e.forms = append(e.forms, form{id, parts})
		} else {
			e.exact[text] = id
		}
	}
	sort.Slice(e.forms, func(i, j int) bool { return e.forms[i].literal() > e.forms[j].literal() }) // the most specific first
	return e
}

// split cuts a message at {0}, {1}, …, which English has in this order.
func split(text string) []string {
	var parts []string
	for n := 0; ; n++ {
		before, after, found := strings.Cut(text, "{"+strconv.Itoa(n)+"}")
		parts = append(parts, before)
		if !found {
			return parts
		}
		text = after
	}
}

// literal returns how many bytes of the form are not values.
func (f form) literal() int { return len(strings.Join(f.parts, "")) }

// match returns the values with which the form gives the text, or nil.
func (f form) match(text string) []string {
	rest, ok := strings.CutPrefix(text, f.parts[0])
	if !ok {
		return nil
	}
	var values []string
	for i, part := range f.parts[1:] {
		at := strings.Index(rest, part)
		if i == len(f.parts)-2 {
			at = len(rest) - len(part)
		}
		if at < 1 || rest[at:at+len(part)] != part {
			return nil
		}
		values, rest = append(values, rest[:at]), rest[at+len(part):]
	}
	return values
}

// ErrorText translates the English text of an error of the API. A text that the
// catalog does not have is returned as it is.
func (l *Catalog) ErrorText(text string) string { return errorTexts().translate(l, text) }

// DetailText is ErrorText for record.Message.Detail.
func (l *Catalog) DetailText(text string) string { return detailTexts().translate(l, text) }

// FactText is ErrorText for what a check of the store is about, and for what it found.
func (l *Catalog) FactText(text string) string { return factTexts().translate(l, text) }

func (e *errorIDs) translate(l *Catalog, text string) string {
	if id, ok := e.exact[text]; ok {
		return l.Text(id)
	}
	for _, f := range e.forms {
		if found := f.match(text); found != nil {
			return l.Text(f.id, e.values(l, found)...)
		}
	}
	return text
}

// values translates the values of a text that are words themselves; the first, if
// it is a number, chooses the plural form.
func (e *errorIDs) values(l *Catalog, found []string) []any {
	values := make([]any, len(found))
	for i, text := range found {
		values[i] = text
		if n, err := strconv.Atoi(text); err == nil && i == 0 && strconv.Itoa(n) == text {
			values[i] = n
		} else if id, ok := e.exact[text]; ok {
			values[i] = l.Text(id)
		}
	}
	return values
}
