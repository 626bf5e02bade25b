package main

// Errors in the operator's terms: packages name the Go field of a setting,
// the command line names its flag.

import (
	"errors"
	"regexp"
	"strings"
	"sync"
)

// goWord matches the name of a Go field.
var goWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:Settings\.)?\b[A-Z]\w+\b`) })

// flagOf maps the fields of each package's Settings to flags, for flags whose
// name is not that of the field with hyphens.
var flagOf = map[string]map[string]string{
	"jotgate":   {"RPID": "rp-id", "RPOrigins": "rp-origins"},
	"api":       {"Rates": "rate", "Timeout": "request-timeout", "CORSOrigins": "cors-origins"},
	"mail":      {"Server": "mail-server", "From": "mail-from", "Site": "mail-site", "BaseURL": "mail-base-url", "LinkLifetime": "password-reset-timeout"},
	"admin":     {"Path": "admin-path", "Site": "site-name"},
	"pages":     {"Home": "home-url", "Path": "pages-path", "Site": "site-name", "Next": "next-origins"},
	"webhook":   {"Timeout": "webhook-timeout", "DisableAfter": "webhook-disable-after", "Retention": "webhook-retention"},
	"claimhook": {"URL": "claim-hook", "Secret": "claim-hook-secret", "Timeout": "claim-hook-timeout", "Optional": "claim-hook-optional"},
	"proxy":     {"Timeout": "upstream-timeout"},
}

// packagePrefix matches the prefix of errors of this module's packages.
var packagePrefix = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b(jotgate|api|apikey|mail|pages|admin|webhook|claimhook|proxy|throttle|passwd|jwt): `)
})

// inFlags returns the error of a package's New as a usage error that names
// flags. of is the package's name.
func inFlags(of string, err error) error {
	if err == nil {
		return nil
	}
	all, failed := everything()
	if failed != nil {
		return errors.Join(err, failed)
	}
	flags := map[string]string{}
	for value := range all.names {
		if value.Flag.Group != nil {
			flags[strings.ReplaceAll(value.Name, "-", "")] = value.Name
		}
	}
	text := packagePrefix().ReplaceAllString(err.Error(), "")
	return usage("%s", goWord().ReplaceAllStringFunc(text, func(word string) string {
		field := strings.TrimPrefix(word, "Settings.")
		if name := flagOf[of][field]; name != "" {
			return "--" + name
		}
		if name := flags[strings.ToLower(field)]; name != "" {
			return "--" + name
		}
		return word
	}))
}
