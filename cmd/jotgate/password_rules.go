package main

// The rules for new passwords: every command that takes one has these flags.

import "github.com/jotgate/jotgate/passwd/strength"

type passwordRuleFlags struct {
	PasswordMinLength int      `group:"passwords" default:"8" placeholder:"N" help:"Minimum characters of a new password. NIST SP 800-63B-4 asks for 15 if the password is the only factor."`
	PasswordWords     []string `group:"passwords" placeholder:"WORD" help:"Words that a new password must not contain, such as the name of the site. Default: none."`
	NumericPasswords  bool     `group:"passwords" help:"Accept new passwords that consist of digits. Default: rejected, as by Django."`
}

// rules returns Django's four validators with these settings, and the site's
// list of words.
func (f *passwordRuleFlags) rules() strength.Rules {
	rules := strength.Rules{strength.Similar(0.7), strength.MinLength(f.PasswordMinLength), strength.Common()}
	if !f.NumericPasswords {
		rules = append(rules, strength.Numeric())
	}
	if len(f.PasswordWords) > 0 {
		rules = append(rules, strength.Words(f.PasswordWords...))
	}
	return rules
}
