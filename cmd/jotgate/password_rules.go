package main

// The rules for new passwords: every command that takes one has these flags.

import (
	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd/breached"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type passwordRuleFlags struct {
	PasswordMinLength           int      `group:"passwords" default:"8" placeholder:"N" help:"Minimum characters of a new password."`
	PasswordMinLengthWithoutMFA int      `name:"password-min-length-without-mfa" group:"passwords" default:"0" placeholder:"N" help:"Minimum characters of a new password of a user without a second factor, such as 15, as NIST SP 800-63B-4 requires. Default: --password-min-length."`
	PasswordWords               []string `group:"passwords" placeholder:"WORD" help:"Words that a new password must not contain, such as the name of the site. Default: none."`
	NumericPasswords            bool     `group:"passwords" help:"Accept new passwords that consist of digits. Default: rejected, as by Django."`
	BreachedPasswords           string   `group:"passwords" placeholder:"FILE" help:"A file of breached passwords, which are rejected as new ones (jotgate breached build). Default: none."`
	BreachedAPI                 string   `name:"breached-api" group:"passwords" placeholder:"URL" secret:"url" help:"The range API of Have I Been Pwned, https://api.pwnedpasswords.com, or of a mirror: it gets the first 20 bits of a new password's SHA-1 digest. If it does not respond within 2 seconds, the password is accepted. Default: none."`
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

// breached opens the lists of breached passwords: those for new ones, and the
// file alone, which logins can wait for. They stay open until the program ends.
func (f *passwordRuleFlags) breached() (all, file breached.List, err error) {
	var lists []breached.List
	if f.BreachedPasswords != "" {
		if file, err = breached.Open(f.BreachedPasswords); err != nil {
			return nil, nil, usage("--breached-passwords: %w", err)
		}
		lists = append(lists, file)
	}
	if f.BreachedAPI != "" {
		api, err := breached.NewAPI(f.BreachedAPI)
		if err != nil {
			return nil, nil, usage("--breached-api: %w", err)
		}
		lists = append(lists, api)
	}
	if len(lists) > 0 {
		all = breached.Any(lists...)
	}
	return all, file, nil
}

// checker returns what is wrong with new passwords of an account, as a gate with
// these settings decides it.
func (f *passwordRuleFlags) checker(a *app, db *store.Store, loginField string, account *record.Account) (func(password string) ([]strength.Problem, error), error) {
	all, _, err := f.breached()
	if err != nil {
		return nil, err
	}
	gate, err := jotgate.New(jotgate.Settings{
		SecretKey: unusedSecret, LoginField: loginField, Logger: a.logger(),
		PasswordRules: f.rules(), PasswordMinLengthWithoutMFA: f.PasswordMinLengthWithoutMFA, BreachedPasswords: all,
	}, db)
	if err != nil {
		return nil, inFlags("jotgate", err)
	}
	return func(password string) ([]strength.Problem, error) {
		return gate.Accounts().PasswordProblems(a.ctx, account, password)
	}, nil
}

// unusedSecret is for a gate that signs and seals nothing.
const unusedSecret = "a secret that nothing is signed or sealed with"
