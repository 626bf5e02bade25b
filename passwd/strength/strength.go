// Package strength rejects weak passwords as Django's validators do, with the same
// codes, messages and order (django/contrib/auth/password_validation.py).
//
// There are two calls: [Default] returns the rules, and [Rules.Check] returns what is
// wrong with a password:
//
//	problems := strength.Default().Check(password,
//		strength.Attribute{Label: "username", Value: user.Username},
//		strength.Attribute{Label: "email address", Value: user.Email})
//
// Default has the rules that Django's startproject writes into
// AUTH_PASSWORD_VALIDATORS: Similar, MinLength, Common and Numeric. It is the safe
// choice; NIST SP 800-63B-4 recommends a longer minimum of 15 characters, which
// [Rules.AtLeast] sets. Rules is a slice: add other rules with append.
//
// Everything in this package is safe for concurrent use. A check takes time linear in
// the lengths of its arguments, which the caller must limit (passwd.MaxPassword).
package strength

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jotgate/jotgate/passwd/internal/python"
)

// A Rule checks passwords. Its methods may be called concurrently.
type Rule interface {
	// Check returns what is wrong with the password, or nil if it is accepted.
	// about is what is known about the user.
	Check(password string, about []Attribute) *Problem
	// Help describes the rule to users in one sentence.
	Help() string
}

// Rules are the rules that a password must satisfy, as Django's
// AUTH_PASSWORD_VALIDATORS. Empty Rules accept every password.
type Rules []Rule

// An Attribute is something known about the user, with which a password is compared.
// Label names it in messages, as Django's verbose_name does: "username", "first name",
// "last name", "email address".
type Attribute struct{ Label, Value string }

// About returns the attributes with which Django compares a password
// (DEFAULT_USER_ATTRIBUTES), in Django's order. login is the name of the login field,
// such as "username". If it is "email", username is left out, since it is the address.
func About(login, username, first, last, email string) []Attribute {
	about := []Attribute{
		{strings.ReplaceAll(login, "_", " "), username},
		{"first name", first},
		{"last name", last},
		{"email address", email},
	}
	if login == "email" {
		return about[1:]
	}
	return about
}

// A Problem is a reason why a password is rejected.
type Problem struct {
	Code    string            // as in Django, such as "password_too_short"
	Message string            // for the user, in English, as in Django
	Params  map[string]string // the values in the message, by Django's names; for translations
}

// Error is the problems of a password as an error.
type Error []Problem

// Error returns the messages, separated by spaces.
func (e Error) Error() string {
	texts := make([]string, len(e))
	for i, p := range e {
		texts[i] = p.Message
	}
	return strings.Join(texts, " ")
}

// Default returns Django's four rules with its default parameters: a similarity of
// 0.7, and at least 8 characters.
func Default() Rules { return Rules{Similar(0.7), MinLength(8), Common(), Numeric()} }

// Check returns the problems of the password, in the order of the rules, or nil if it
// is accepted. about is what is known about the user.
func (rs Rules) Check(password string, about ...Attribute) []Problem {
	var problems []Problem
	for _, r := range rs {
		if p := r.Check(password, about); p != nil {
			problems = append(problems, *p)
		}
	}
	return problems
}

// Help returns the sentence of each rule.
func (rs Rules) Help() []string {
	var texts []string
	for _, r := range rs {
		texts = append(texts, r.Help())
	}
	return texts
}

// MinLength rejects passwords of fewer than n characters (Unicode code points).
func MinLength(n int) Rule { return minLength(n) }

type minLength int

func (n minLength) characters() string {
	if n == 1 {
		return "1 character."
	}
	return fmt.Sprintf("%d characters.", int(n))
}

func (n minLength) Check(password string, _ []Attribute) *Problem {
	if utf8.RuneCountInString(password) >= int(n) {
		return nil
	}
	return &Problem{
		Code:    "password_too_short",
		Message: "This password is too short. It must contain at least " + n.characters(),
		Params:  map[string]string{"min_length": fmt.Sprint(int(n))},
	}
}

func (n minLength) Help() string { return "Your password must contain at least " + n.characters() }

// AtLeast returns a copy of the rules with a minimum length of n characters. The first
// MinLength is raised to n if it is smaller; if there is none, one is added.
func (rs Rules) AtLeast(n int) Rules {
	rs = slices.Clone(rs)
	for i, r := range rs {
		if have, ok := r.(minLength); ok {
			rs[i] = max(have, minLength(n))
			return rs
		}
	}
	return append(rs, MinLength(n))
}

// Breached returns the problem of a password that is in a list of breached passwords
// (package passwd/breached).
func Breached() Problem {
	return Problem{Code: "password_breached", Message: "This password has appeared in a data breach. Choose another one."}
}

// Numeric rejects passwords that consist of digits, of any script.
func Numeric() Rule { return numeric{} }

type numeric struct{}

func (numeric) Check(password string, _ []Attribute) *Problem {
	if !python.IsDigits(password) {
		return nil
	}
	return &Problem{Code: "password_entirely_numeric", Message: "This password is entirely numeric."}
}

func (numeric) Help() string { return "Your password can’t be entirely numeric." }
