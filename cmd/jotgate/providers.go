// The providers to sign in with: --providers and the table providers of the
// configuration file.

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/store"
)

type providerFlags struct {
	Providers map[string]string `group:"login" mapsep:";" placeholder:"ID.KEY=VALUE" secret:"all" help:"Sites to sign in with, such as google.client_id=…;google.client_secret_file=…: in the configuration file a table for each. docs/providers.md lists the keys. A secret can also be in JOTGATE_PROVIDERS_ID_KEY. Default: none."`

	AppRedirects []string `group:"login" placeholder:"ORIGIN" help:"Applications that may log users in with providers: origins such as https://app.example.com and schemes such as com.example.app: (docs/providers.md). Default: none."`

	LinkVerifiedEmails bool `group:"login" help:"Connect an account at a provider to the account with the same e-mail address without asking, if both have proved the address. Default: the user signs in once in an existing way."`
}

// providerEnv begins the names of variables with a value of a provider:
// JOTGATE_PROVIDERS_GOOGLE_CLIENT_SECRET.
const providerEnv = "JOTGATE_PROVIDERS_"

// providerKeys set the settings of a provider, by their keys.
var providerKeys = map[string]func(s *provider.Settings, value string) error{
	"preset": text(func(s *provider.Settings) *string { return &s.Preset }), "name": text(func(s *provider.Settings) *string { return &s.Name }),
	"client_id":         text(func(s *provider.Settings) *string { return &s.ClientID }),
	"client_secret":     text(func(s *provider.Settings) *string { return &s.ClientSecret }),
	"issuer":            text(func(s *provider.Settings) *string { return &s.Issuer }),
	"auth_url":          text(func(s *provider.Settings) *string { return &s.AuthURL }),
	"token_url":         text(func(s *provider.Settings) *string { return &s.TokenURL }),
	"userinfo_url":      text(func(s *provider.Settings) *string { return &s.UserInfoURL }),
	"tenant":            text(func(s *provider.Settings) *string { return &s.Tenant }),
	"team_id":           text(func(s *provider.Settings) *string { return &s.TeamID }),
	"key_id":            text(func(s *provider.Settings) *string { return &s.KeyID }),
	"private_key":       text(func(s *provider.Settings) *string { return &s.PrivateKey }),
	"native_client_ids": list(func(s *provider.Settings) *[]string { return &s.NativeClientIDs }),
	"scopes":            list(func(s *provider.Settings) *[]string { return &s.Scopes }),
	"multi_acr":         list(func(s *provider.Settings) *[]string { return &s.MultiACR }),
	"multi_amr":         list(func(s *provider.Settings) *[]string { return &s.MultiAMR }),
	"staff":             list(func(s *provider.Settings) *[]string { return &s.Staff }),
	"superuser":         list(func(s *provider.Settings) *[]string { return &s.Superuser }),
	"trust_email":       boolean(func(s *provider.Settings) *bool { return &s.TrustEmail }),
	"logout":            boolean(func(s *provider.Settings) *bool { return &s.Logout }),
}

func text(of func(*provider.Settings) *string) func(*provider.Settings, string) error {
	return func(s *provider.Settings, value string) error {
		*of(s) = value
		return nil
	}
}

func list(of func(*provider.Settings) *[]string) func(*provider.Settings, string) error {
	return func(s *provider.Settings, value string) error {
		*of(s) = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		return nil
	}
}

func boolean(of func(*provider.Settings) *bool) func(*provider.Settings, string) error {
	return func(s *provider.Settings, value string) (err error) {
		*of(s), err = strconv.ParseBool(value)
		return err
	}
}

// providers returns the providers of the flags in the order of their ids.
func (f *providerFlags) providers(a *app, log *slog.Logger) (all []*provider.Provider, err error) {
	settings := map[string]*provider.Settings{}
	for _, key := range slices.Sorted(maps.Keys(f.Providers)) {
		id, name, ok := strings.Cut(key, ".")
		if !ok {
			return nil, usage("--providers: %q must be ID.KEY, such as google.client_id", key)
		}
		if settings[id] == nil {
			settings[id] = &provider.Settings{ID: id, Logger: log}
		}
		if err := setProvider(a, settings[id], name, f.Providers[key]); err != nil {
			return nil, usage("--providers: %s: %w", key, err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(settings)) {
		for _, name := range slices.Sorted(maps.Keys(providerKeys)) {
			if value := a.env[providerEnv+envName(id)+"_"+envName(name)]; value != "" {
				if err := setProvider(a, settings[id], name, value); err != nil {
					return nil, usage("--providers: %s.%s: %w", id, name, err)
				}
			}
		}
		p, err := provider.New(*settings[id])
		if err != nil {
			return nil, usage("--providers: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}

func envName(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// setProvider sets one value. The name of a file that has it ends with _file.
func setProvider(a *app, s *provider.Settings, name, value string) error {
	if claim, ok := strings.CutPrefix(name, "claims."); ok {
		if s.Claims == nil {
			s.Claims = map[string]string{}
		}
		s.Claims[claim] = value
		return nil
	}
	if role, ok := strings.CutPrefix(name, "groups."); ok { // a value of the provider, as it writes it
		if s.Groups == nil {
			s.Groups = map[string]string{}
		}
		s.Groups[role] = value
		return nil
	}
	name = strings.ReplaceAll(name, "-", "_")
	if short, ok := strings.CutSuffix(name, "_file"); ok && (short == "client_secret" || short == "private_key") {
		document, err := a.read(value)
		if err != nil {
			return err
		}
		name, value = short, strings.TrimSpace(string(document))
		if value == "" {
			return errors.New("the file is empty")
		}
	}
	set := providerKeys[name]
	if set == nil {
		return fmt.Errorf("there is no such key%s", meant(name, slices.Collect(maps.Keys(providerKeys))))
	}
	return set(s, value)
}

// isProviderVariable reports whether a variable has a value of one of the providers.
func isProviderVariable(name string) bool {
	rest, ok := strings.CutPrefix(name, providerEnv)
	return ok && slices.ContainsFunc(slices.Collect(maps.Keys(providerKeys)), func(key string) bool { return strings.HasSuffix(rest, "_"+envName(key)) })
}

// providerFacts fetches the metadata and the keys of each provider.
func (c *doctorCommand) providerFacts(a *app) (facts []store.Fact) {
	all, err := c.providers(a, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil // reported as a fault
	}
	for _, p := range all {
		ctx, cancel := context.WithTimeout(a.ctx, 2*reachTime)
		f := store.Fact{OK: true, About: "provider " + p.ID(), Found: "its metadata and keys are valid", Fix: "enter " + c.callbackURL(p) + " there as the redirect URI"}
		if err := p.Check(ctx); err != nil {
			f.OK, f.Found, f.Fix = false, sentence(err), "nobody can sign in with it: check its keys in the configuration, and the network"
		}
		cancel()
		facts = append(facts, f)
	}
	return facts
}

// callbackURL returns the address to enter at a provider.
func (c *doctorCommand) callbackURL(p *provider.Provider) string {
	base := strings.TrimRight(c.BaseURL, "/")
	if base == "" && strings.HasPrefix(c.Addr, "unix:") {
		base = "https://HOST"
	} else if base == "" {
		base = "http://localhost:" + c.Addr[strings.LastIndexByte(c.Addr, ':')+1:] // also of a port alone
	}
	return base + c.pagesPath() + "provider/" + p.ID() + "/callback"
}

// setProviders sets the settings of the flags.
func (f *providerFlags) setProviders(a *app, s *jotgate.Settings, log *slog.Logger) (err error) {
	s.LinkVerifiedEmails, s.AppRedirects = f.LinkVerifiedEmails, f.AppRedirects
	s.Providers, err = f.providers(a, log)
	return err
}
