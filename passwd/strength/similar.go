package strength

// The similarity rule: a password must not look like what is known of the user.

import (
	"unicode/utf8"

	"github.com/jotgate/jotgate/passwd/internal/python"
)

// Similar rejects passwords that are too similar to an attribute or to a word of it:
// those for which Python's SequenceMatcher.quick_ratio, the share of characters that
// both have, in any order, is at least most. most is 0.1 to 1, and a lower value is
// stricter; below 0.1 it counts as 0.1.
func Similar(most float64) Rule { return similar(max(most, 0.1)) }

type similar float64

func (most similar) Check(password string, about []Attribute) *Problem {
	password = python.Lower(password)
	for _, attribute := range about {
		if attribute.Value != "" && most.anyPart(password, python.Lower(attribute.Value)) {
			return &Problem{
				Code:    "password_too_similar",
				Message: "The password is too similar to the " + attribute.Label + ".",
				Params:  map[string]string{"verbose_name": attribute.Label},
			}
		}
	}
	return nil
}

func (most similar) Help() string {
	return "Your password can’t be too similar to your other personal information."
}

// anyPart looks at the words of value and at the whole of it.
func (most similar) anyPart(password, value string) bool {
	for _, part := range append(words(value), value) {
		if !most.farShorter(password, part) && quickRatio(password, part) >= float64(most) {
			return true
		}
	}
	return false
}

// farShorter is Django's exceeds_maximum_length_ratio: the ratio cannot be reached.
func (most similar) farShorter(password, part string) bool {
	long, short := utf8.RuneCountInString(password), utf8.RuneCountInString(part)
	return long >= 10*short && float64(short) < float64(most)/2*float64(long)
}

// words is re.split(r"\W+"), which begins or ends with an empty word where value
// begins or ends with something else.
func words(value string) []string {
	var parts []string
	start, inGap := 0, false
	for i, r := range value {
		switch word := python.IsWord(r); {
		case !word && !inGap:
			parts, inGap = append(parts, value[start:i]), true
		case word && inGap:
			start, inGap = i, false
		}
	}
	if inGap {
		return append(parts, "")
	}
	return append(parts, value[start:])
}

// quickRatio is difflib's SequenceMatcher.quick_ratio: twice the number of common
// characters, at any position, over the number of all.
func quickRatio(a, b string) float64 {
	all := utf8.RuneCountInString(a) + utf8.RuneCountInString(b)
	if all == 0 {
		return 1
	}
	available := map[rune]int{}
	for _, r := range b {
		available[r]++
	}
	common := 0
	for _, r := range a {
		if available[r] > 0 {
			available[r]--
			common++
		}
	}
	return 2 * float64(common) / float64(all)
}
