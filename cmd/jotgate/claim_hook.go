package main

// The claim hook: another program that supplies claims of access tokens.

import (
	"log/slog"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/claimhook"
	"github.com/jotgate/jotgate/store"
)

// claimHookFlags are claimhook.Settings.
type claimHookFlags struct {
	ClaimHook         string        `group:"tokens" placeholder:"URL" secret:"url" help:"Ask this URL for further claims of access tokens at each login and refresh (docs/library.md). While it does not respond, both are answered with 503 unless --claim-hook-optional is set. Default: none."`
	ClaimHookSecret   string        `group:"tokens" placeholder:"whsec_…" secret:"all" help:"Signs these requests: whsec_ and the base64 of 24 to 64 random bytes. Other users of the machine can see a flag: prefer the environment or the configuration file. Default: none."`
	ClaimHookNetworks []string      `group:"tokens" placeholder:"NETWORK" help:"Networks that this URL may be in although they are not public, also with http. Default: none, public addresses with https."`
	ClaimHookTimeout  time.Duration `group:"tokens" default:"1s" placeholder:"TIME" help:"Maximum duration of such a request, up to 5s."`
	ClaimHookOptional bool          `group:"tokens" help:"If such a request fails, log in and refresh without its claims, with a warning in the log, in place of 503."`
}

// newClaimHook returns the hook, or nil if there is none.
func (f *claimHookFlags) newClaimHook(log *slog.Logger) (*claimhook.Hook, error) {
	if f.ClaimHook == "" {
		if f.ClaimHookSecret != "" || len(f.ClaimHookNetworks) > 0 || f.ClaimHookOptional {
			return nil, usage("--claim-hook is missing: it is the URL that --claim-hook-secret, --claim-hook-networks and --claim-hook-optional are about")
		}
		return nil, nil
	}
	networks, err := networksOf("--claim-hook-networks", f.ClaimHookNetworks)
	if err != nil {
		return nil, err
	}
	hook, err := claimhook.New(claimhook.Settings{
		URL: f.ClaimHook, Secret: jotgate.Secret(f.ClaimHookSecret), Networks: networks, Timeout: f.ClaimHookTimeout,
		Optional: f.ClaimHookOptional, Logger: log,
	})
	return hook, inFlags("claimhook", err)
}

// setClaimHook sets CustomClaims.
func (f *claimHookFlags) setClaimHook(s *jotgate.Settings) error {
	hook, err := f.newClaimHook(s.Logger)
	if hook != nil {
		s.CustomClaims = hook.Claims
	}
	return err
}

// claimHookFacts reports whether the hook responds.
func (c *doctorCommand) claimHookFacts(a *app) []store.Fact {
	hook, err := c.newClaimHook(nil)
	if hook == nil || err != nil {
		return nil // the rehearsal reports the error
	}
	f := store.Fact{OK: true, About: "--claim-hook", Found: "it responds"}
	if err := hook.Check(a.ctx); err != nil {
		f = store.Fact{About: f.About, Found: err.Error(), Fix: "logins and refreshes are answered with 503 until it responds with 200 or 204; with 401 or 403 compare the secrets"}
		if c.ClaimHookOptional {
			f.Fix = "tokens lack its claims until it responds with 200 or 204; with 401 or 403 compare the secrets"
		}
	}
	return []store.Fact{f}
}
