// Package strength rejects weak passwords as Django's validators do, with the same
// codes, messages and order (django/contrib/auth/password_validation.py).
//
//	problems := strength.Default().Check(password,
//		strength.Attribute{Label: "username", Value: user.Username},
//		strength.Attribute{Label: "email address", Value: user.Email})
//
// Default holds what Django's startproject puts in AUTH_PASSWORD_VALIDATORS:
// Similar, MinLength, Common and Numeric. Rules is a slice, so other rules are
// added by append. All of it can be called concurrently and takes time linear
// in the lengths, which the caller has to bound (passwd.MaxPassword).
package strength

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jotgate/jotgate/passwd/internal/python"
)

// A Rule judges passwords. It must allow concurrent calls.
type Rule interface {
	// Check returns what is wrong with the password, or nil. about is what is
	// known about the user.
	Check(password string, about []Attribute) *Problem
	// Help describes the rule to users in one sentence.
	Help() string
}

// Rules are applied together: the counterpart of AUTH_PASSWORD_VALIDATORS.
type Rules []Rule

// An Attribute is something known about the user. Label names it in messages, as
// Django's verbose_name does: "username", "first name", "last name",
// "email address".
type Attribute struct{ Label, Value string }

// About returns what Django compares a password with (DEFAULT_USER_ATTRIBUTES), in
// its order. login is what the user model calls the username. Called email it is
// the address, and there is no other.
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

// A Problem is why a password is rejected.
type Problem struct {
	Code    string            // Django's, such as "password_too_short"
	Message string            // English, complete
	Params  map[string]string // what the message was made with
}

// Error is the error of a password that was rejected: its problems.
type Error []Problem

// Error returns the messages.
func (e Error) Error() string {
	texts := make([]string, len(e))
	for i, p := range e {
		texts[i] = p.Message
	}
	return strings.Join(texts, " ")
}

// Default returns Django's four rules with its parameters.
func Default() Rules { return Rules{Similar(0.7), MinLength(8), Common(), Numeric()} }

// Check returns every problem, in the order of the rules; none means accepted.
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

// AtLeast returns the rules with a minimum length of n characters: a smaller
// MinLength is replaced, a larger one kept, and one is added if there is none.
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

// Breached returns the problem of a password in a list of breached ones (package
// passwd/breached).
func Breached() Problem {
	return Problem{Code: "password_breached", Message: "This password has appeared in a data breach. Choose another one."}
}

// Numeric rejects passwords of digits only, of any script.
func Numeric() Rule { return numeric{} }

type numeric struct{}

func (numeric) Check(password string, _ []Attribute) *Problem {
	if !python.IsDigits(password) {
		return nil
	}
	return &Problem{Code: "password_entirely_numeric", Message: "This password is entirely numeric."}
}

func (numeric) Help() string { return "Your password can’t be entirely numeric." }
