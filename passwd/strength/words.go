package strength

import (
	"strings"

	"github.com/jotgate/jotgate/passwd/internal/python"
)

// Words rejects passwords that contain one of the words, ignoring case: the names of
// the site, its products or its company, which attackers try first (ASVS 5.0, 6.1.2
// and 6.2.11). Words of fewer than three characters are ignored. Django has no such
// rule.
func Words(words ...string) Rule {
	var kept contextWords
	for _, word := range words {
		if word = python.Lower(strings.TrimSpace(word)); len([]rune(word)) >= 3 {
			kept = append(kept, word)
		}
	}
	return kept
}

type contextWords []string

func (ws contextWords) Check(password string, _ []Attribute) *Problem {
	password = python.Lower(password)
	for _, word := range ws {
		if strings.Contains(password, word) {
			return &Problem{
				Code:    "password_contains_site_word",
				Message: "This password contains a word that is easy to guess for this site.",
				Params:  map[string]string{"word": word},
			}
		}
	}
	return nil
}

func (contextWords) Help() string {
	return "Your password can’t contain words that are easy to guess for this site, such as its name."
}
